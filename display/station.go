// Package display shows the station on a screen: pages of shapes that package face draws, each frame with the second it
// is for. Package display/window owns the screen itself; nothing here needs one.
package display

import (
	"timestation/engine/status"
	"timestation/refclock"
)

// Station is what a display sees of the station.
type Station interface {
	// Status is the newest model of the station's time, never nil.
	Status() *status.Status
	// Now reads the local clock that the model refers to.
	Now() refclock.Stamp
}
