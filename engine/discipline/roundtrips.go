package discipline

import "time"

// The quickest round trip is looked for among the last so many blocks of so many exchanges: long enough to have met a
// quick one, short enough to notice that the path has changed.
const (
	tripBlock  = 64
	tripBlocks = 64
)

// RoundTrips turns the exchanges with one NTP server into observations. The zero value is ready.
type RoundTrips struct {
	quickest []time.Duration // of each block, oldest first
	filled   int             // of the last block
}

// Observation completes o from one exchange: it was sent and its answer got at these counts of the oscillator, and the
// server had it from received to answered (ns of TAI). What the round trip took longer than the quickest may have been
// spent on either way alone, so half of it is the error this exchange may have; half of the quickest, and what the server
// says of itself (RFC 5905, sections 10 and 11.2.2: half its root delay, and its root dispersion), all of them share.
func (r *RoundTrips) Observation(o Observation, sent, got, received, answered int64, rootDelay, rootDispersion time.Duration) Observation {
	delay := max(time.Duration((got-sent)-(answered-received)), 0)
	quickest := r.quickestWith(delay)
	o.Raw = sent + (got-sent)/2
	o.TAI = received + (answered-received)/2
	o.HalfWidth = (delay - quickest) / 2
	o.Systematic += quickest/2 + rootDelay/2 + rootDispersion
	return o
}

// Delay is the quickest round trip of late; 0 before the first.
func (r *RoundTrips) Delay() time.Duration {
	if len(r.quickest) == 0 {
		return 0
	}
	low := r.quickest[0]
	for _, q := range r.quickest {
		low = min(low, q)
	}
	return low
}

func (r *RoundTrips) quickestWith(delay time.Duration) time.Duration {
	n := len(r.quickest)
	switch {
	case n == 0 || r.filled == tripBlock:
		r.quickest, r.filled = append(r.quickest, delay), 0
		if len(r.quickest) > tripBlocks {
			r.quickest = append(r.quickest[:0], r.quickest[1:]...)
		}
	default:
		r.quickest[n-1] = min(r.quickest[n-1], delay)
	}
	r.filled++
	return r.Delay()
}
