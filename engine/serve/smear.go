package serve

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// The values of Config.Leap. A smeared listener never announces a leap second, and says by its reference ID when its time
// is not UTC: 254 and then the smeared time minus UTC, as ntpd and ntpsec do. Smeared and plain servers must never be
// mixed on one client (RFC 8633, section 3.7.1).
const (
	// LeapPlain announces a leap second on its day, and repeats 23:59:59 (RFC 5905).
	LeapPlain = "plain"
	// LeapSmear24h spreads it linearly from UTC noon before to UTC noon after, as Google and Amazon do.
	LeapSmear24h = "smear-24h"
	// LeapSmear17h spreads it over 62,500 s from the leap on, along two parabolas (at most 32 ppm), as Meta's public
	// servers do: chrony's «smoothtime 400 0.001024 leaponly».
	LeapSmear17h = "smear-17h"
	// LeapSmearCustom spreads it linearly over a stated window.
	LeapSmearCustom = "smear-custom"
)

// smear is how a leap second is spread; the zero smear is plain.
type smear struct {
	// start is counted from the midnight that were if the leap second were not.
	start time.Duration
	// length is the window; where servedLength is set it is what the smeared clock shows, a second off the true length.
	length       time.Duration
	servedLength bool
	quadratic    bool
}

func (c Config) smear() (s smear, err error) {
	if c.Leap != LeapSmearCustom && (c.SmearStartSeconds != 0 || c.SmearSeconds != 0) {
		return s, fmt.Errorf(`leap: %q has its own window; write "smear-custom", or leave out smear_start_seconds and `+
			`smear_seconds`, c.Leap)
	}
	switch c.Leap {
	case "", LeapPlain:
		return smear{}, nil
	case LeapSmear24h:
		return smear{start: -12 * time.Hour, length: 24 * time.Hour, servedLength: true}, nil
	case LeapSmear17h:
		return smear{length: 62500 * time.Second, quadratic: true}, nil
	case LeapSmearCustom:
	default:
		return s, fmt.Errorf(`leap: %q is none of "plain", "smear-24h", "smear-17h", "smear-custom"; write one of them`,
			c.Leap)
	}
	// 1000 s is 1000 ppm, which is what clients can still follow (RFC 8633, appendix A); a longer smear than two days
	// would outlive what the station remembers, and one day before it the station knows of it.
	const shortest, longest, furthest = 1000, 2 * 86400, 86400
	if !(c.SmearSeconds >= shortest && c.SmearSeconds <= longest) {
		return s, fmt.Errorf("smear_seconds: %v is not a smear that clients can follow; write %d to %d seconds",
			c.SmearSeconds, shortest, longest)
	}
	if !(math.Abs(c.SmearStartSeconds) <= furthest) {
		return s, fmt.Errorf("smear_start_seconds: %v is too far from the leap second; write %d to %d seconds",
			c.SmearStartSeconds, -furthest, furthest)
	}
	if c.SmearStartSeconds > 0 || c.SmearStartSeconds+c.SmearSeconds < 0 {
		return s, fmt.Errorf("smear_start_seconds: a smear from %v s on for %v s leaves out the leap second itself; write a "+
			"start from %v to 0", c.SmearStartSeconds, c.SmearSeconds, -c.SmearSeconds)
	}
	return smear{
		start:  time.Duration(c.SmearStartSeconds * float64(time.Second)),
		length: time.Duration(c.SmearSeconds * float64(time.Second)),
	}, nil
}

func (s smear) plain() bool { return s.length == 0 }

// leapEvent is a leap second that is to come, or has been.
type leapEvent struct {
	// midnight is the end of its day, were there no leap second: in TAI nanoseconds.
	midnight int64
	before   int32 // TAI−UTC in seconds until then
	step     int32 // +1 is an inserted second
}

// leapOf gives the leap second that a status announces, or remembers. at says TAI−UTC before it.
func leapOf(notice refclock.LeapNotice, at refclock.Instant) (e leapEvent, ok bool) {
	switch {
	case at.IsZero():
		return e, false
	case notice == refclock.LeapInsert:
		return leapEvent{midnight: at.TAI, before: at.TAIMinusUTC, step: 1}, true
	case notice == refclock.LeapDelete:
		return leapEvent{midnight: at.TAI + int64(time.Second), before: at.TAIMinusUTC, step: -1}, true
	}
	return e, false
}

// window gives start and end in TAI nanoseconds.
func (s smear) window(e leapEvent) (start, end int64) {
	start = e.midnight + int64(s.start)
	end = start + int64(s.length)
	if s.servedLength {
		end += int64(e.step) * int64(time.Second)
	}
	return start, end
}

// utc gives smeared UTC as nanoseconds since 1970, in POSIX's count, and how far it is from UTC while it is smeared.
func (s smear) utc(i refclock.Instant, e leapEvent) (ns int64, off time.Duration, smeared bool) {
	start, end := s.window(e)
	old := i.TAI - int64(e.before)*int64(time.Second)
	if i.TAI <= start {
		return old, 0, false
	}
	if i.TAI >= end {
		return old - int64(e.step)*int64(time.Second), 0, false
	}
	x := float64(i.TAI-start) / float64(end-start)
	if s.quadratic {
		if x < 0.5 {
			x = 2 * x * x
		} else {
			x = 1 - 2*(1-x)*(1-x)
		}
	}
	ns = old - int64(e.step)*int64(math.Round(x*1e9))
	utc := i.UTC()
	return ns, time.Duration(ns - utc.Seconds*int64(time.Second) - int64(utc.Nanoseconds)), true
}

// smearReferenceID is 254 and then the smeared time minus UTC: 2 bits of seconds and 22 of their fraction, in two's
// complement.
func smearReferenceID(off time.Duration) (id [4]byte) {
	fraction := int64(math.Round(off.Seconds() * (1 << 22)))
	binary.BigEndian.PutUint32(id[:], 254<<24|uint32(fraction)&(1<<24-1))
	return id
}

// smearing is the leap second whose window is near.
type smearing struct {
	event leapEvent
	known bool
}

// learn takes in what a status says. Once a leap second is over the engine no longer announces it, though its smear may
// go on.
func (r *smearing) learn(s *status.Status, policy smear) {
	if policy.plain() || s.EpochInstant.IsZero() {
		return
	}
	now := s.EpochInstant.TAI
	near := func(e leapEvent) bool {
		const margin = int64(10 * time.Second) // more than status.Validity and any announcement's second
		start, end := policy.window(e)
		return start-margin < now && now < end+margin
	}
	for _, candidate := range []struct {
		notice refclock.LeapNotice
		at     refclock.Instant
	}{{s.Leap, s.LeapAt}, {s.LastLeap, s.LastLeapAt}} {
		if e, ok := leapOf(candidate.notice, candidate.at); ok && near(e) {
			r.event, r.known = e, true
			return
		}
	}
	// What was announced and then taken back before it came is no leap second.
	r.known = r.known && now >= r.event.midnight && near(r.event)
}
