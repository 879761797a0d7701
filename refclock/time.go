package refclock

import (
	"fmt"
	"time"
)

// Stamp is a local time stamp: nanoseconds of CLOCK_REALTIME since 1970, as sockets, GPIO edges and the PPS API give
// it. It says when something happened on this machine's clock, never what time it was: on a Raspberry Pi without a
// battery it starts in 1970. Only engine/clock turns it into time.
type Stamp int64

// Add returns the stamp d later on the same local clock.
func (s Stamp) Add(d time.Duration) Stamp { return s + Stamp(d) }

// Sub returns how much later s is than t on the local clock.
func (s Stamp) Sub(t Stamp) time.Duration { return time.Duration(s - t) }

// Seconds turns seconds, as configurations give them, into a Duration.
func Seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// Instant is a moment of true time: nanoseconds of TAI since 1970-01-01T00:00:00 TAI, with the TAI−UTC in force at that
// moment, so that UTC, 23:59:60 included, can be said without a table (ITU-R TF.460-6).
type Instant struct {
	// TAI is nanoseconds since 1970-01-01T00:00:00 TAI.
	TAI int64 `json:"tai_ns"`
	// TAIMinusUTC is in seconds (37 since 2017).
	TAIMinusUTC int32 `json:"tai_minus_utc_seconds"`
	// InLeap is true inside an inserted leap second, 23:59:60.
	InLeap bool `json:"in_leap,omitempty"`
}

// Sub returns i − j, leap seconds counted.
func (i Instant) Sub(j Instant) time.Duration { return time.Duration(i.TAI - j.TAI) }

// Add returns the instant d later, under the same TAI−UTC: the caller knows that no leap second lies between.
func (i Instant) Add(d time.Duration) Instant {
	i.TAI += int64(d)
	return i
}

// IsZero reports whether the instant was never set.
func (i Instant) IsZero() bool { return i.TAI == 0 }

// UTC gives the moment as UTC.
func (i Instant) UTC() UTC {
	ns := i.TAI - int64(i.TAIMinusUTC)*int64(time.Second)
	if i.InLeap {
		ns -= int64(time.Second)
	}
	seconds, nanos := ns/1e9, ns%1e9
	if nanos < 0 {
		seconds, nanos = seconds-1, nanos+1e9
	}
	return UTC{Seconds: seconds, Nanoseconds: int32(nanos), InLeap: i.InLeap}
}

// UTC is a moment as civil clocks write it.
type UTC struct {
	// Seconds counts as POSIX does. In the inserted second 23:59:60 it repeats the count of 23:59:59, as the Linux kernel
	// and NTP do (RFC 5905, section 7.2), and InLeap is true.
	Seconds     int64
	Nanoseconds int32
	InLeap      bool
}

// Date makes a UTC from calendar fields; second may be 60. It does not check whether the day had such a second.
func Date(year int, month time.Month, day, hour, minute, second, nanoseconds int) UTC {
	leap := second == 60
	if leap {
		second = 59
	}
	t := time.Date(year, month, day, hour, minute, second, nanoseconds, time.UTC)
	return UTC{Seconds: t.Unix(), Nanoseconds: int32(t.Nanosecond()), InLeap: leap}
}

// Instant gives the moment as TAI, under the stated TAI−UTC in seconds.
func (u UTC) Instant(taiMinusUTC int32) Instant {
	seconds := u.Seconds + int64(taiMinusUTC)
	if u.InLeap {
		seconds++
	}
	return Instant{TAI: seconds*1e9 + int64(u.Nanoseconds), TAIMinusUTC: taiMinusUTC, InLeap: u.InLeap}
}

// Time gives the moment as Go's time in UTC; inside a leap second it repeats 23:59:59.
func (u UTC) Time() time.Time { return time.Unix(u.Seconds, int64(u.Nanoseconds)).UTC() }

// Clock gives hour, minute and second in loc; the second is 60 inside a leap second.
func (u UTC) Clock(loc *time.Location) (hour, minute, second int) {
	hour, minute, second = u.Time().In(loc).Clock()
	if u.InLeap {
		second = 60
	}
	return
}

// String is RFC 3339 with nanoseconds, and :60 inside a leap second.
func (u UTC) String() string {
	t := u.Time()
	_, _, second := u.Clock(time.UTC)
	return fmt.Sprintf("%s:%02d.%09dZ", t.Format("2006-01-02T15:04"), second, u.Nanoseconds)
}

// MarshalText is String, for JSON.
func (u UTC) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (u *UTC) UnmarshalText(text []byte) error {
	s, leap := string(text), false
	if len(s) > 19 && s[17:19] == "60" {
		s, leap = s[:17]+"59"+s[19:], true
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return fmt.Errorf("%q is not a UTC time such as 2026-11-22T13:08:37Z: %w", text, err)
	}
	*u = UTC{Seconds: t.Unix(), Nanoseconds: int32(t.Nanosecond()), InLeap: leap}
	return nil
}
