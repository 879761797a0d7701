//go:build !linux

package clock

import (
	"time"

	"timestation/refclock"
)

type system struct{ start time.Time }

// System is this machine's set of clocks. Without Linux's unsteered counter the monotonic clock stands in for the
// oscillator: a foreign slew is then estimated instead of removed.
func System() Source { return system{time.Now()} }

// Now reads the local clock.
func Now() refclock.Stamp { return refclock.Stamp(time.Now().UnixNano()) }

func (s system) Read() Reading {
	before := time.Now()
	mono := int64(before.Sub(s.start))
	return Reading{Realtime: refclock.Stamp(before.UnixNano()), Raw: mono, Monotonic: mono, Boot: mono, Width: time.Since(before)}
}
