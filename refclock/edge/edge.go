// Package edge gives the edges of a GPIO line with the kernel's time stamps. It is what the pps driver and the long-wave
// drivers share.
package edge

import "timestation/refclock"

// Edge is one change of level.
type Edge struct {
	// Stamp is CLOCK_REALTIME as the kernel took it in the interrupt.
	Stamp refclock.Stamp
	// Rising: the line became active.
	Rising bool
	// Sequence counts the line's edges in the kernel; a gap tells that some were lost.
	Sequence uint32
}

// Line is an open GPIO line.
type Line interface {
	// Edges delivers until the line is closed or lost; the channel is then closed, and Err says why.
	Edges() <-chan Edge
	Err() error
	// Active reads the level now.
	Active() (bool, error)
	Close() error
}
