package dcf77

import (
	"fmt"
	"time"

	"timestation/refclock"
	"timestation/refclock/longwave"
)

// The symbols of DCF77 (PTB, "DCF77 time code"): the carrier is reduced for 0.1 s or 0.2 s at each second's beginning,
// and not at all in the last second of the minute.
const (
	zero longwave.Symbol = iota
	one
	mark
	weather // and warnings, warnings: anybody's bits
	rare    // a bit that is nearly always 0
)

// Code is the time code of DCF77.
var Code = &longwave.Code{
	Name: "dcf77",
	Shapes: []longwave.Shape{
		{Letter: "0", On: [][2]int{{0, 100}}, Weight: 0.56},
		{Letter: "1", On: [][2]int{{0, 200}}, Weight: 0.42},
		{Letter: "M", Weight: 0.02},
	},
	Mixes:           [][]float64{{0.55, 0.45, 0}, {0.97, 0.03, 0}},
	Rare:            rare,
	LeadMinutes:     1,
	OffsetMinutes:   60,
	SummerTime:      SummerTime,
	Encode:          encode,
	LeapAt:          59,
	LeapSymbol:      zero,
	LeapBit:         19,
	CallBit:         15,
	Announced:       time.Hour,
	ChangeAnnounced: time.Hour,
	Zero:            zero,
	One:             one,
	Digits:          digits,
	Fields:          fields,
}

// SummerTime is the European rule since 1996: from 01:00 UTC on the last Sunday of March to that of October (2000/84/EC).
func SummerTime(t time.Time) bool {
	t = t.UTC()
	return !t.Before(lastSunday(t.Year(), time.March)) && t.Before(lastSunday(t.Year(), time.October))
}

func lastSunday(year int, month time.Month) time.Time {
	last := time.Date(year, month, 31, 1, 0, 0, 0, time.UTC)
	return last.AddDate(0, 0, -int(last.Weekday()))
}

func encode(c longwave.Civil) (s [60]longwave.Symbol) {
	for i := 1; i <= 14; i++ {
		s[i] = weather
	}
	s[15] = rare // R: the transmitter calls for service
	set := func(at, width, value int) (ones int) {
		for i := range width {
			if value>>i&1 == 1 {
				s[at+i] = one
				ones++
			}
		}
		return ones
	}
	parity := func(at, ones int) { set(at, 1, ones&1) }
	if c.Change {
		s[16] = one // A1
	}
	if c.Summer {
		s[17] = one // Z1
	} else {
		s[18] = one // Z2
	}
	if c.Leap {
		s[19] = one // A2
	}
	s[20] = one // S: the time begins
	parity(28, set(21, 4, c.Minute%10)+set(25, 3, c.Minute/10))
	parity(35, set(29, 4, c.Hour%10)+set(33, 2, c.Hour/10))
	weekday := c.Weekday
	if weekday == 0 {
		weekday = 7
	}
	year := c.Year % 100
	parity(58, set(36, 4, c.Day%10)+set(40, 2, c.Day/10)+set(42, 3, weekday)+
		set(45, 4, c.Month%10)+set(49, 1, c.Month/10)+set(50, 4, year%10)+set(54, 4, year/10))
	s[59] = mark
	return s
}

func fields(c longwave.Civil) []refclock.Field {
	zone := "CET"
	if c.Summer {
		zone = "CEST"
	}
	field := func(name, format string, args ...any) refclock.Field {
		return refclock.Field{Name: name, Value: fmt.Sprintf(format, args...)}
	}
	announced := "nothing"
	switch {
	case c.Leap:
		announced = "leap second"
	case c.Change:
		announced = "change of summer time"
	}
	return []refclock.Field{
		field("announced", "%s", announced),
		field("zone", "%s", zone),
		field("minute", "%02d", c.Minute),
		field("hour", "%02d", c.Hour),
		field("day", "%02d", c.Day),
		field("weekday", "%s", time.Weekday(c.Weekday)),
		field("month", "%02d", c.Month),
		field("year", "%02d", c.Year%100),
	}
}

func digits(second int, digit byte) (longwave.Symbol, bool) {
	switch {
	case second == 59: // logs write anything for the mark
		return 0, false
	case digit == '0':
		return zero, true
	case digit == '1':
		return one, true
	}
	return 0, false
}
