package control

import "time"

// stopwatch tells how long ago it was started, whatever the system clock is set to meanwhile.
type stopwatch struct{ began time.Time }

func startStopwatch() stopwatch { return stopwatch{time.Now()} } // only the monotonic reading is used

func (s stopwatch) elapsed() time.Duration { return time.Since(s.began) }

// bucket limits how often something is done; the zero bucket is full.
type bucket struct {
	used float64
	last time.Duration
}

// take reports whether one more may be done now: burst at once, and perSecond in the long run.
func (b *bucket) take(now time.Duration, burst, perSecond float64) bool {
	b.used = max(0, b.used-(now-b.last).Seconds()*perSecond)
	b.last = now
	if b.used+1 > burst {
		return false
	}
	b.used++
	return true
}
