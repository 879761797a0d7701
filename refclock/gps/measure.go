package gps

import (
	"time"

	"timestation/refclock"
)

// measure makes a sample of the epoch that has ended, and the second it is about; or says why there is none. fixed is why
// the fix is no good, if it is not.
func (d *Decoder) measure(fixed string) (s refclock.Sample, second refclock.UTC, reason string) {
	e, l := &d.epoch, d.receiver.leap
	if e.contradictory {
		return s, second, contradiction
	}
	if fixed != "" {
		return s, second, fixed
	}
	s = refclock.Sample{Kind: refclock.Absolute, Stamp: e.anchor, Noise: noise, Systematic: d.limit}
	n := &e.navigation
	doubtful := e.hasNavigation && (l.denied || n.denied)
	proven := d.proven || d.atOnce
	switch {
	case e.hasNavigation && l.known:
		s.TAIKnown = true
	case e.hasNavigation && n.civilRank > 0 && n.confirmed && !doubtful:
	default:
		s.Unsure = doubtful || !proven
	}
	var weeks int
	if e.hasNavigation && !l.known && n.weekKnown && (n.civilRank == 0 || !n.confirmed) {
		// The leap seconds are not known, but GPS time is right without them: the station's table makes UTC of it.
		s.Instant, weeks = d.byGPSTime(n)
	} else {
		var m moment
		if m, reason = e.moment(d.notBefore, l, nil); reason != "" {
			return s, second, reason
		}
		offset := d.taiMinusUTC(m.utc)
		if s.TAIKnown {
			offset = int32(l.seconds + taiMinusGPS)
			s.Leap = l.notice(m.utc)
		}
		s.Instant, weeks = m.utc.Instant(offset).Add(m.nano), m.weeks
	}
	if e.hasNavigation {
		s.Noise = max(noise, n.accuracy)
	}
	// A solution on the second may be said to be a little before or after it: the second is what is nearest.
	second = s.Instant.Add(onSecond).UTC()
	slack := onSecond
	if !e.hasNavigation {
		slack = 0
	}
	if off := time.Duration(second.Nanoseconds) - onSecond; off.Abs() > slack {
		return s, second, betweenSecond
	}
	second.Nanoseconds = 0
	switch {
	case !e.anchored:
		return s, second, notAnchored
	case d.sampled && second == d.lastSampled:
		return s, second, repeated
	}
	s.Instant = s.Instant.Add(d.assumed)
	d.weeks = weeks
	return s, second, ""
}

// byGPSTime makes an instant of GPS time and the station's leap table.
func (d *Decoder) byGPSTime(n *navigation) (i refclock.Instant, weeks int) {
	i.TAI = onGPSTime(n.week, n.inWeek())
	at := time.Unix(0, i.TAI)
	repaired, weeks := repair(at, d.notBefore)
	i.TAI += int64(repaired.Sub(at))
	const since2017 = 37 // near enough to ask the table
	i.TAIMinusUTC = d.taiMinusUTC(refclock.UTC{Seconds: i.TAI/1e9 - since2017})
	return i, weeks
}

// mostQuantisation is more than the period of any receiver's clock, to one edge of which a pulse is rounded.
const mostQuantisation = time.Microsecond

// correct takes a TIM-TP, which says by how much the coming pulse will be off, because it can only begin with a tick of
// the receiver's clock. u-blox's sign is that of what is to be added to the stamp of the pulse.
func (d *Decoder) correct(m frame) {
	f := fields(m.payload)
	week, ms, subMS := int(f.u2(12)), f.u4(0), f.u4(4)
	quantisation := time.Duration(f.i4(8)) * time.Nanosecond / 1000 // picoseconds
	flags, base := f[14], f[15]&0x0f
	const (
		onUTC, utcKnown, invalid = 0x01, 0x02, 0x10
		gpsBase                  = 0
	)
	switch {
	case d.state != refclock.Timing, flags&invalid != 0, quantisation.Abs() > mostQuantisation, subMS != 0,
		ms >= 7*86400*1000, ms%1000 != 0:
		return
	case flags&onUTC != 0 && flags&utcKnown == 0:
		return
	case flags&onUTC == 0 && base != gpsBase:
		return // of GLONASS, Galileo and BeiDou, whose weeks are numbered otherwise
	}
	second := refclock.Instant{TAI: onGPSTime(week, time.Duration(ms)*time.Millisecond)}
	at := time.Unix(0, second.TAI)
	repaired, _ := repair(at, d.notBefore)
	second.TAI += int64(repaired.Sub(at))
	second.TAIMinusUTC = d.taiMinusUTC(refclock.UTC{Seconds: repaired.Unix()})
	if l := d.receiver.leap; l.known {
		second.TAIMinusUTC = int32(l.seconds + taiMinusGPS)
	}
	if flags&onUTC != 0 {
		second.TAI += (int64(second.TAIMinusUTC) - taiMinusGPS) * 1e9
	}
	d.out.Sample(refclock.Sample{
		Kind: refclock.Correction, Stamp: m.start,
		Correction: &refclock.PulseCorrection{Second: second, Quantisation: quantisation},
	})
}
