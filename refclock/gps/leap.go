package gps

import (
	"time"

	"timestation/refclock"
)

// leap is what the receiver says of leap seconds. Until it has heard them from a satellite a receiver goes by a number in
// its firmware, which may be years old: that number is good for knowing what the receiver subtracts, and for nothing else.
type leap struct {
	// subtracted is GPS − UTC as the receiver reckons with at the moment, right or not.
	subtracted      int
	subtractedKnown bool
	// seconds is GPS − UTC where the receiver has heard it.
	seconds int
	known   bool
	// denied: a TIMELS says that the number is the firmware's own or not valid. listed: there are TIMELS, and TIMEGPS, which
	// knows less, does not count.
	denied, listed bool
	// change is what TIMELS says of the next leap second: +1 or −1 in so many seconds, 0 for none; where changeKnown.
	change      int
	in          time.Duration
	changeKnown bool
}

func (l *leap) byTimeGPS(seconds int, valid bool) {
	l.subtracted, l.subtractedKnown = seconds, true
	if l.listed {
		return
	}
	l.known = valid
	if valid {
		l.seconds = seconds
	}
}

func (l *leap) byTimeLS(f fields) {
	const (
		fromFirmware = 0
		unknown      = 255
	)
	l.listed = true
	l.known = f[23]&1 != 0 && f[8] != fromFirmware && f[8] != unknown
	l.denied = !l.known
	if f[23]&1 != 0 {
		l.subtracted, l.subtractedKnown = f.i1(9), true
	}
	if l.known {
		l.seconds = f.i1(9)
	}
	l.changeKnown = l.known && f[23]&2 != 0
	l.change, l.in = f.i1(11), time.Duration(f.i4(12))*time.Second
}

// notice tells what the end of the month of u will bring.
func (l *leap) notice(u refclock.UTC) refclock.LeapNotice {
	if !l.changeKnown {
		return refclock.LeapUnknown
	}
	// The event is counted to the last second of its day or the one after, as the firmware likes.
	event := u.Time().Add(l.in - 12*time.Hour)
	now := u.Time()
	if l.change == 0 || l.in < 0 || event.Year() != now.Year() || event.Month() != now.Month() {
		return refclock.LeapNone
	}
	if l.change > 0 {
		return refclock.LeapInsert
	}
	return refclock.LeapDelete
}

// taiMinusGPS is constant since 1980 (IS-GPS-200, section 20.3.3.5.2.4).
const taiMinusGPS = 19

// onGPSTime is the moment of a GPS week and the time in it.
func onGPSTime(week int, inWeek time.Duration) (tai int64) {
	return gpsEpoch.Unix()*1e9 + taiMinusGPS*1e9 + int64(week)*7*86400*1e9 + int64(inWeek)
}
