package access

import "time"

// stopwatch tells how long ago it was started, whatever becomes of the system clock.
type stopwatch struct{ began time.Time }

func startStopwatch() stopwatch { return stopwatch{time.Now()} } // only the monotonic reading is used

func (s stopwatch) elapsed() time.Duration { return time.Since(s.began) }
