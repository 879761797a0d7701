package wwvb

import (
	"fmt"
	"time"

	"timestation/refclock"
	"timestation/refclock/longwave"
)

// The symbols of WWVB (NIST Special Publication 250-67): the carrier is reduced for 0.2 s, 0.5 s, and 0.8 s in a marker.
const (
	zero longwave.Symbol = iota
	one
	mark
	dut        // anything but a marker
	rare       // the warning of a leap second
	likelyOne  // daylight saving time, as the rule has it
	likelyZero // and not
)

// Code is the amplitude code of WWVB.
var Code = &longwave.Code{
	Name: "wwvb",
	Shapes: []longwave.Shape{
		{Letter: "0", On: [][2]int{{0, 200}}, Weight: 0.61},
		{Letter: "1", On: [][2]int{{0, 500}}, Weight: 0.27},
		{Letter: "M", On: [][2]int{{0, 800}}, Weight: 0.12},
	},
	Mixes:      [][]float64{{0.6, 0.4, 0}, {0.97, 0.03, 0}, {0.05, 0.95, 0}, {0.95, 0.05, 0}},
	Rare:       rare,
	Encode:     encode,
	LeapAt:     60,
	LeapSymbol: mark,
	LeapBit:    56,
	Announced:  31 * 24 * time.Hour,
	Zero:       zero,
	One:        one,
	Digits:     digits,
	Fields:     fields,
	Daylight:   Daylight,
}

// Daylight tells whether daylight saving time is in force in the USA at some time of the UTC day (Energy Policy Act of
// 2005): from the second Sunday of March to the first Sunday of November.
func Daylight(t time.Time) bool {
	begins, ends := changes(t.Year())
	return !t.Before(begins) && t.Before(ends)
}

func changes(year int) (begins, ends time.Time) {
	sunday := func(month time.Month, from int) time.Time {
		t := time.Date(year, month, from, 0, 0, 0, 0, time.UTC)
		return t.AddDate(0, 0, (7-int(t.Weekday()))%7)
	}
	return sunday(time.March, 8), sunday(time.November, 1)
}

func encode(c longwave.Civil) (s [60]longwave.Symbol) {
	for _, i := range []int{0, 9, 19, 29, 39, 49, 59} {
		s[i] = mark
	}
	set := func(value int, at ...int) {
		for i, second := range at {
			if value>>(len(at)-1-i)&1 == 1 {
				s[second] = one
			}
		}
	}
	set(c.Minute/10, 1, 2, 3)
	set(c.Minute%10, 5, 6, 7, 8)
	set(c.Hour/10, 12, 13)
	set(c.Hour%10, 15, 16, 17, 18)
	set(c.YearDay/100, 22, 23)
	set(c.YearDay/10%10, 25, 26, 27, 28)
	set(c.YearDay%10, 30, 31, 32, 33)
	for _, i := range []int{36, 37, 38, 40, 41, 42, 43} {
		s[i] = dut
	}
	set(c.Year/10%10, 45, 46, 47, 48)
	set(c.Year%10, 50, 51, 52, 53)
	if c.Year%4 == 0 && (c.Year%100 != 0 || c.Year%400 == 0) {
		s[55] = one
	}
	if c.Leap {
		s[56] = one
	}
	// Second 57 tells whether summer time is in force at the end of this UTC day, 58 at its beginning.
	begins, ends := changes(c.Year)
	likely := func(in bool) longwave.Symbol {
		if in {
			return likelyOne
		}
		return likelyZero
	}
	s[57] = likely(c.YearDay >= begins.YearDay() && c.YearDay < ends.YearDay())
	s[58] = likely(c.YearDay > begins.YearDay() && c.YearDay <= ends.YearDay())
	return s
}

func fields(c longwave.Civil) []refclock.Field {
	field := func(name, format string, value int) refclock.Field {
		return refclock.Field{Name: name, Value: fmt.Sprintf(format, value)}
	}
	return []refclock.Field{
		field("minute", "%02d", c.Minute), field("hour", "%02d", c.Hour), field("day of the year", "%03d", c.YearDay),
		field("year", "%02d", c.Year%100),
	}
}

// digits reads logs that write 2 for a marker.
func digits(_ int, digit byte) (longwave.Symbol, bool) {
	if digit < '0' || digit > '2' {
		return 0, false
	}
	return longwave.Symbol(digit - '0'), true
}
