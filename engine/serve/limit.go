package serve

import (
	"fmt"
	"math"
	"time"

	"timestation/refclock"
)

// limit is a token bucket in the form of the generic cell rate algorithm (ITU-T I.371): every request takes one interval,
// and may come up to burst before its turn. No interval is no limit.
type limit struct{ interval, burst time.Duration }

func (c Config) limit() (l limit, err error) {
	const most = 1e9
	switch r := c.RateLimitPerSecond; {
	case math.IsNaN(r) || r < 0 || r > most:
		return l, fmt.Errorf("rate_limit_per_second: %v is not a rate; write requests a second, or 0 for no limit", r)
	case r == 0:
		return l, nil
	// iburst is four to eight packets, and a monitor asks once a second.
	case r < 1:
		return l, fmt.Errorf("rate_limit_per_second: %v is less than a monitor needs; write 1 or more, or 0 for no limit", r)
	case c.RateLimitBurst < 16:
		return l, fmt.Errorf("rate_limit_burst: %d is less than an iburst needs; write 16 or more", c.RateLimitBurst)
	case c.RateLimitBurst > most:
		return l, fmt.Errorf("rate_limit_burst: %d is too many; write %d or less", c.RateLimitBurst, int(most))
	default:
		l.interval = time.Duration(float64(time.Second) / r)
		l.burst = time.Duration(min(float64(l.interval)*float64(c.RateLimitBurst-1), float64(24*time.Hour)))
		return l, nil
	}
}

// bucket is when the next request is due, by the local clock.
type bucket refclock.Stamp

// take tells whether a request that arrived at rx is within the limit.
func (b *bucket) take(l limit, rx refclock.Stamp) bool {
	if l.interval == 0 {
		return true
	}
	due := refclock.Stamp(*b)
	switch ahead := due.Sub(rx); {
	case ahead <= 0:
		due = rx
	case ahead > l.burst+l.interval: // the clock was set back meanwhile
		due = rx
	case ahead > l.burst:
		return false
	}
	*b = bucket(due.Add(l.interval))
	return true
}
