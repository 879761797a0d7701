package gps

import (
	"time"

	"github.com/adrianmo/go-nmea"

	"timestation/refclock"
)

// date is a day as a sentence writes it.
type date struct {
	year, month, day int
	// shortYear marks RMC's year of two digits.
	shortYear bool
}

// weeksOfEra is how many weeks the ten-bit week number of the GPS C/A message counts before it begins anew
// (IS-GPS-200, section 20.3.3.3.1.1).
const weeksOfEra = 1024

// gpsEpoch is when GPS time and its week number began: no receiver can mean an earlier day.
var gpsEpoch = time.Date(1980, time.January, 6, 0, 0, 0, 0, time.UTC)

// fullYear is the year with these last two digits that is nearest to the build: up to 46 years before it, but not before
// GPS, and up to 53 after. For a program built in 2026 that is 1980 to 2079.
func fullYear(short int, notBefore time.Time) int {
	first := max(notBefore.Year()-46, gpsEpoch.Year())
	return first + ((short-first)%100+100)%100
}

// withCentury gives the day with a full year; ok is false if there is no such day.
func (d date) withCentury(notBefore time.Time) (day date, ok bool) {
	if d.shortYear {
		if d.year < 0 || d.year > 99 {
			return d, false
		}
		d.year, d.shortYear = fullYear(d.year, notBefore), false
	}
	t := time.Date(d.year, time.Month(d.month), d.day, 0, 0, 0, 0, time.UTC)
	exists := t.Year() == d.year && int(t.Month()) == d.month && t.Day() == d.day
	return d, exists && !t.Before(gpsEpoch)
}

// plus gives the day so many days later.
func (d date) plus(days int) date {
	t := time.Date(d.year, time.Month(d.month), d.day+days, 0, 0, 0, 0, time.UTC)
	return date{year: t.Year(), month: int(t.Month()), day: t.Day()}
}

// utc makes the moment of a date with its century and a time of day. A receiver whose week number has run over says a
// date before notBefore, when the program was built: whole eras are added until that is mended, and weeks tells how
// many weeks that were. ok is false where there is no such moment.
func utc(d date, t nmea.Time, notBefore time.Time) (u refclock.UTC, weeks int, ok bool) {
	if t.Hour < 0 || t.Hour > 23 || t.Minute < 0 || t.Minute > 59 || t.Second < 0 || t.Second > 60 || t.Millisecond < 0 ||
		t.Millisecond > 999 {
		return u, 0, false
	}
	leap := t.Second == 60
	second := t.Second
	if leap {
		second = 59
	}
	at := time.Date(d.year, time.Month(d.month), d.day, t.Hour, t.Minute, second, t.Millisecond*1e6, time.UTC)
	at, weeks = repair(at, notBefore)
	// A leap second can only end a month (ITU-R TF.460-6).
	if leap && (t.Hour != 23 || t.Minute != 59 || at.AddDate(0, 0, 1).Day() != 1) {
		return u, 0, false
	}
	return refclock.Date(at.Year(), at.Month(), at.Day(), t.Hour, t.Minute, t.Second, at.Nanosecond()), weeks, true
}

// repair adds as many eras of the GPS week number as bring a date up to notBefore.
func repair(at, notBefore time.Time) (repaired time.Time, weeks int) {
	for at.Before(notBefore) {
		at = at.AddDate(0, 0, 7*weeksOfEra)
		weeks += weeksOfEra
	}
	return at, weeks
}
