package clock

import (
	"time"

	"golang.org/x/sys/unix"

	"timestation/refclock"
)

// attempts is how many brackets one reading tries; the tightest is kept, so that being scheduled away does not show.
const attempts = 5

type system struct{}

// System is this machine's set of clocks.
func System() Source { return system{} }

// Now reads CLOCK_REALTIME.
func Now() refclock.Stamp { return refclock.Stamp(time.Now().UnixNano()) }

func (system) Read() Reading {
	best := Reading{Width: time.Hour}
	for range attempts {
		before := get(unix.CLOCK_MONOTONIC_RAW)
		real := get(unix.CLOCK_REALTIME)
		after := get(unix.CLOCK_MONOTONIC_RAW)
		mono := get(unix.CLOCK_MONOTONIC)
		boot := get(unix.CLOCK_BOOTTIME)
		end := get(unix.CLOCK_MONOTONIC_RAW)
		if width := time.Duration(end - before); width < best.Width {
			raw := before + (after-before)/2
			// MONOTONIC and BOOTTIME were read a little later than REALTIME; bring them back to the same moment, so that
			// their differences stay still.
			best = Reading{
				Realtime: refclock.Stamp(real), Raw: raw,
				Monotonic: mono - (after - raw), Boot: boot - (after - raw),
				Width: width,
			}
		}
	}
	return best
}
