package gps

import (
	"time"

	"github.com/adrianmo/go-nmea"

	"timestation/refclock"
)

// epoch is what the sentences of one moment say together: a receiver sends several for each of its solutions.
type epoch struct {
	open bool
	// time is the moment, invalid while no sentence has told it.
	time nmea.Time
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

// same tells whether a sentence with this time belongs to the epoch; one without a time belongs to whichever is open.
func (e *epoch) same(t nmea.Time) bool { return !t.Valid || !e.time.Valid || t == e.time }

// add takes what a sentence says.
func (e *epoch) add(r report) {
	if r.time.Valid {
		e.time = r.time
	}
	switch {
	case r.verdict == isNoFix || e.verdict == isNoFix:
		e.verdict = isNoFix
	case r.verdict == isFix:
		e.verdict = isFix
	}
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

// Why an epoch makes no sample, in the words that the screen shows.
const (
	noFix         = "no fix"
	contradiction = "the receiver's sentences contradict each other about the time: look for a firmware update"
	noSuchTime    = "the receiver's date and time do not exist: restart it"
	noDate        = "the receiver sends no date: enable its RMC or ZDA sentence"
	betweenSecond = "the receiver's solutions fall between the seconds: set its rate to 1 Hz"
	notAnchored   = "waiting for the beginning of a burst"
	repeated      = "the receiver repeats the same second: restart it"
)

// moment gives the epoch's time as UTC, and how many weeks were added for a week number that has run over; or why there
// is none. A lasting reason holds for whatever follows, the others may be over with the next burst.
func (e *epoch) moment(notBefore time.Time) (u refclock.UTC, weeks int, reason string, lasting bool) {
	if e.contradictory {
		return u, 0, contradiction, true
	}
	if e.verdict != isFix || !e.time.Valid {
		return u, 0, noFix, true
	}
	day := e.rmc
	if day == nil {
		day = e.zda
	}
	if day == nil {
		return u, 0, noDate, false
	}
	full, exists := day.withCentury(notBefore)
	if exists && e.rmc != nil && e.zda != nil {
		if other, _ := e.zda.withCentury(notBefore); other != full {
			return u, 0, contradiction, true
		}
	}
	if exists {
		u, weeks, exists = utc(full, e.time, notBefore)
	}
	switch {
	case !exists:
		return u, 0, noSuchTime, true
	case u.Nanoseconds != 0:
		return u, 0, betweenSecond, false
	case !e.anchored:
		return u, 0, notAnchored, false
	}
	return u, weeks, "", false
}
