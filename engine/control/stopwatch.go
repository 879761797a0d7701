package control

import (
	"math"
	"time"
)

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

// measurePrecision gives the smallest step that reading the clock can see, as NTP's precision: log2 s, rounded up (RFC
// 5905, section 7.3). A clock that stands still gives 0.
func measurePrecision() int8 {
	smallest := time.Second
	watch := startStopwatch()
	for last, steps, readings := watch.elapsed(), 0, 0; steps < 20 && readings < 10_000; readings++ {
		now := watch.elapsed()
		if d := now - last; d > 0 {
			smallest, last = min(smallest, d), now
			steps++
		}
	}
	return int8(math.Ceil(math.Log2(smallest.Seconds())))
}
