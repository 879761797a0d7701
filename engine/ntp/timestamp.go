package ntp

import (
	"math"
	"time"
)

// Timestamp is the NTP timestamp format: seconds since 1900-01-01T00:00:00Z modulo 2³² in the upper half, their
// fraction in the lower (RFC 5905, section 6). It repeats every 136 years, an era; zero means that no time is known.
type Timestamp uint64

// secondsToUnix is how many seconds NTP's prime epoch, 1900, lies before Unix's, 1970.
const secondsToUnix = 2208988800

// FromUnix makes a timestamp from Unix seconds and nanoseconds (0…999999999), rounded down to 2⁻³² s. The one moment of
// an era that would read as "unknown" (2036-02-07T06:28:16Z) is moved by 2⁻³² s.
func FromUnix(seconds int64, nanoseconds int32) Timestamp {
	t := Timestamp(uint64(uint32(seconds+secondsToUnix))<<32 | uint64(nanoseconds)<<32/1e9)
	if t == 0 {
		return 1
	}
	return t
}

// Unix gives Unix seconds and nanoseconds (0…999999999), rounded to the nearest. The era is the one that puts the moment
// within 2³¹ s (68 years) of pivot, in Unix seconds: a date known to be roughly right, such as when the program was
// built. FromUnix and Unix are each other's inverse, to the nanosecond.
func (t Timestamp) Unix(pivot int64) (seconds int64, nanoseconds int32) {
	seconds = pivot + int64(int32(uint32(t>>32)-uint32(pivot+secondsToUnix)))
	nanos := (uint64(uint32(t))*1e9 + 1<<31) >> 32
	if nanos == 1e9 {
		return seconds + 1, 0
	}
	return seconds, int32(nanos)
}

// Short is the NTP short format: seconds in 16 bits, their fraction in 16 (RFC 5905, section 6). Root delay and root
// dispersion are written in it.
type Short uint32

// MaxShort is the longest time a Short can say: 65535.99998 s.
const MaxShort Short = math.MaxUint32

// ShortFromDuration rounds up to 2⁻¹⁶ s (15.3 µs), so that a bound stays a bound. What is negative becomes 0, what is
// too long MaxShort.
func ShortFromDuration(d time.Duration) Short {
	switch {
	case d <= 0:
		return 0
	case d > 65535*time.Second:
		return MaxShort
	}
	return Short((uint64(d)<<16 + 1e9 - 1) / 1e9)
}

// Duration gives the time, rounded down to a nanosecond.
func (s Short) Duration() time.Duration { return time.Duration(uint64(s) * 1e9 >> 16) }
