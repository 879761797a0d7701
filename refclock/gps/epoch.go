package gps

import (
	"time"

	"github.com/adrianmo/go-nmea"

	"timestation/refclock"
)

// epoch is what the messages of one moment say together: a receiver sends several for each of its solutions.
type epoch struct {
	open bool
	// time is the moment by NMEA, invalid while no sentence has told it.
	time nmea.Time
	// navigation is what UBX says of it, if hasNavigation.
	navigation    navigation
	hasNavigation bool
	// anchor is when the first byte of the burst came; anchored is false where that was not seen, because the port was
	// opened or the program was held up in the middle of it.
	anchor   refclock.Stamp
	anchored bool
	rmc, zda *date
	// contradictory: another time came in the same burst.
	contradictory bool
	verdict       verdict
	place         *place
	satellites    int
}

// timed tells whether it is known which moment this is about.
func (e *epoch) timed() bool { return e.time.Valid || e.hasNavigation }

// timed tells whether the report says which moment it is about.
func (r *report) timed() bool { return r.time.Valid || r.navigation != nil }

// holds tells whether a report belongs to the epoch; one without a time belongs to whichever is open.
func (e *epoch) holds(r report, l leap) bool {
	if r.navigation != nil {
		if e.hasNavigation {
			return r.navigation.tow == e.navigation.tow
		}
		return !e.time.Valid || together(r.navigation.tow, e.time, l)
	}
	switch {
	case !r.time.Valid || !e.timed():
		return true
	case e.time.Valid:
		return r.time == e.time
	}
	return together(e.navigation.tow, r.time, l)
}

// late tells whether a UBX message is about a solution just before this one: some receivers send their satellites when the
// next solution is already out.
func (e *epoch) late(r report) bool {
	const mostMS = 2000
	if r.navigation == nil || !e.hasNavigation || r.navigation.tow >= e.navigation.tow {
		return false
	}
	return e.navigation.tow-r.navigation.tow <= mostMS
}

// justBefore tells whether a report is of a solution that follows this one so soon that the line need not be idle between
// them.
func (e *epoch) justBefore(r report) bool {
	var advance time.Duration
	switch {
	case e.hasNavigation && r.navigation != nil:
		advance = time.Duration(int64(r.navigation.tow)-int64(e.navigation.tow)) * time.Millisecond
	case e.time.Valid && r.time.Valid:
		advance = timeOfDay(r.time) - timeOfDay(e.time)
	}
	return advance > 0 && advance < hurried
}

// isOf tells whether a report is about this very moment, and not just not about another.
func (e *epoch) isOf(r report) bool {
	if r.navigation != nil {
		return e.hasNavigation && r.navigation.tow == e.navigation.tow
	}
	return r.time.Valid && r.time == e.time
}

// together tells whether a GPS time of week and a time of day can be of one solution: they are as far apart as the leap
// seconds, which the receiver's number tells even where that number is wrong.
func together(tow uint32, t nmea.Time, l leap) bool {
	const (
		day = 24 * time.Hour
		// mostLeap is more leap seconds than there will be while this program runs.
		mostLeap = 40 * time.Second
		// slack: NMEA is rounded to 10 ms.
		slack = 20 * time.Millisecond
	)
	apart := (time.Duration(tow)*time.Millisecond - timeOfDay(t)) % day
	if apart < -slack {
		apart += day
	}
	if l.subtractedKnown {
		return (apart - time.Duration(l.subtracted)*time.Second).Abs() <= slack
	}
	return apart <= mostLeap
}

// add takes what a message says.
func (e *epoch) add(r report) {
	if n := r.navigation; n != nil {
		if e.hasNavigation {
			e.navigation.merge(*n)
		} else {
			e.navigation, e.hasNavigation = *n, true
		}
		return
	}
	if r.time.Valid {
		e.time = r.time
	}
	e.verdict = max(e.verdict, r.verdict)
	if r.date != nil {
		switch r.Type {
		case nmea.TypeRMC:
			e.rmc = r.date
		case nmea.TypeZDA:
			e.zda = r.date
		}
	}
	if r.place != nil {
		at := *r.place
		if !at.hasAltitude && e.place != nil {
			at.altitude, at.hasAltitude = e.place.altitude, e.place.hasAltitude
		}
		e.place = &at
	}
	e.satellites = max(e.satellites, r.satellites)
}

// tolerance is how far two times of day in one burst may be from the time that passed between them.
const tolerance = 500 * time.Millisecond

// contradicts tells whether time t, heard at a stamp, cannot be from the same clock as the epoch: within a burst some
// receivers send an RMC of this second and a ZDA of the next, and nobody can know which is right. At ten solutions a
// second the next one follows without a gap, and that is no contradiction.
func (e *epoch) contradicts(t nmea.Time, at refclock.Stamp) bool {
	if !e.time.Valid || !t.Valid {
		return false
	}
	const day = 24 * time.Hour
	advance := (timeOfDay(t) - timeOfDay(e.time) + day + day/2) % day
	advance -= day / 2
	return (advance - at.Sub(e.anchor)).Abs() > tolerance
}

func timeOfDay(t nmea.Time) time.Duration {
	return time.Duration(t.Hour)*time.Hour + time.Duration(t.Minute)*time.Minute +
		time.Duration(t.Second)*time.Second + time.Duration(t.Millisecond)*time.Millisecond
}

// fix is what the epoch's messages make of it, with the dimensions that the GSA sentences tell, 0 for none; false where
// no message says anything of a fix. Where there is one and nothing tells its dimensions, they are as they were last.
func (e *epoch) fix(dimensions int, last refclock.Fix) (fix refclock.Fix, told bool) {
	if e.hasNavigation && e.navigation.fixRank > 0 {
		return e.navigation.fix, true
	}
	switch {
	case e.verdict == abstains:
		return refclock.NoFix, false
	case e.verdict == isNoFix:
		return refclock.NoFix, true
	case dimensions == 3 || dimensions != 2 && e.place != nil && e.place.hasAltitude:
		return refclock.Fix3D, true
	case dimensions == 0 && last != refclock.NoFix && last != "":
		return last, true
	}
	return refclock.Fix2D, true
}

// where is the position, nil for none.
func (e *epoch) where() *place {
	if e.hasNavigation && e.navigation.place != nil {
		return e.navigation.place
	}
	return e.place
}

// satellitesUsed is how many satellites the solution used, as the most particular of the messages tells; -1 where none
// does. byGSA is how many the GSA sentences name, -1 for none.
func (e *epoch) satellitesUsed(byGSA int) int {
	if e.hasNavigation && e.navigation.listed >= 0 {
		return e.navigation.listed
	}
	if byGSA >= 0 {
		return byGSA
	}
	if e.hasNavigation {
		return max(e.navigation.used, e.satellites)
	}
	return e.satellites
}

// Why an epoch makes no sample, in the words that the screen shows.
const (
	noFix         = "no fix"
	poorFix       = "the receiver's fix is outside of its own limits of accuracy: give the antenna more sky"
	contradiction = "the receiver's sentences contradict each other about the time: look for a firmware update"
	noSuchTime    = "the receiver's date and time do not exist: restart it"
	noDate        = "the receiver sends no date: enable its RMC or ZDA sentence"
	notResolved   = "the receiver has a fix, but does not know date and time for certain yet"
	betweenSecond = "the receiver's solutions fall between the seconds: set its rate to 1 Hz"
	notAnchored   = "waiting for the beginning of a burst"
	repeated      = "the receiver repeats the same second: restart it"
)

// moment is when an epoch was.
type moment struct {
	// utc is the time of day as the receiver says it, and nano what is to be added to it: UBX rounds its calendar fields, so
	// nano may be negative.
	utc  refclock.UTC
	nano time.Duration
	// weeks were added for a week number that has run over.
	weeks int
}

// label gives the moment as one UTC. A moment before the second of its calendar fields gets the label of the second
// before, which is a leap second's only where the fields say so themselves.
func (m moment) label() refclock.UTC {
	u := m.utc
	ns := int64(u.Nanoseconds) + int64(m.nano)
	if ns < 0 && u.InLeap {
		u.InLeap, ns = false, ns+1e9
	}
	for ; ns < 0; ns += 1e9 {
		u.Seconds--
	}
	for ; ns >= 1e9; ns -= 1e9 {
		u.Seconds++
	}
	u.Nanoseconds = int32(ns)
	return u
}

// moment gives the epoch's time as UTC, as the receiver says it; or why there is none. day is what to go by where the
// epoch tells no date, nil for nothing. For UBX the leap seconds turn GPS time into UTC, where the receiver knows them and
// does not say UTC itself.
func (e *epoch) moment(notBefore time.Time, l leap, day *date) (m moment, reason string) {
	if n := &e.navigation; e.hasNavigation && (n.civilRank > 0 || n.weekKnown && l.known) {
		return n.moment(notBefore, l)
	}
	if !e.time.Valid {
		if e.hasNavigation {
			return m, notResolved
		}
		return m, noFix
	}
	said := e.rmc
	if said == nil {
		said = e.zda
	}
	if said == nil {
		said = day
	}
	if said == nil {
		return m, noDate
	}
	full, exists := said.withCentury(notBefore)
	if exists && e.rmc != nil && e.zda != nil {
		if other, _ := e.zda.withCentury(notBefore); other != full {
			return m, contradiction
		}
	}
	if exists {
		m.utc, m.weeks, exists = utc(full, e.time, notBefore)
	}
	if !exists {
		return m, noSuchTime
	}
	return m, ""
}

func (n *navigation) moment(notBefore time.Time, l leap) (m moment, reason string) {
	if n.civilRank > 0 {
		c := n.civil
		var ok bool
		m.utc, m.weeks, ok = utc(date{year: c.year, month: c.month, day: c.day},
			nmea.Time{Valid: true, Hour: c.hour, Minute: c.minute, Second: c.second}, notBefore)
		m.nano = n.nano
		if !ok {
			return m, noSuchTime
		}
		return m, ""
	}
	at := time.Unix(0, onGPSTime(n.week, n.inWeek())).Add(-time.Duration(taiMinusGPS+l.seconds) * time.Second).UTC()
	at, m.weeks = repair(at, notBefore)
	m.utc = refclock.UTC{Seconds: at.Unix(), Nanoseconds: int32(at.Nanosecond())}
	return m, ""
}

// inWeek is the GPS time since the week began.
func (n *navigation) inWeek() time.Duration {
	return time.Duration(n.tow)*time.Millisecond + n.fraction
}
