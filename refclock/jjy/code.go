package jjy

import (
	"fmt"
	"time"

	"timestation/refclock"
	"timestation/refclock/longwave"
)

// The symbols of JJY (NICT, "Standard radio transmission of JJY"): the carrier is at full power for 0.8 s, 0.5 s, and 0.2 s
// in a marker, from the second's beginning.
const (
	zero longwave.Symbol = iota
	one
	mark
	rare // the warning of a leap second
	call // Morse or a status: anything
)

// Code is the time code of JJY.
var Code = &longwave.Code{
	Name: "jjy",
	Shapes: []longwave.Shape{
		{Letter: "0", On: [][2]int{{0, 800}}, Weight: 0.61},
		{Letter: "1", On: [][2]int{{0, 500}}, Weight: 0.27},
		{Letter: "M", On: [][2]int{{0, 200}}, Weight: 0.12},
	},
	Mixes:         [][]float64{{0.97, 0.03, 0}, {0.61, 0.27, 0.12}},
	FullCarrier:   true,
	Rare:          rare,
	OffsetMinutes: 9 * 60,
	Encode:        encode,
	Blank:         func(minute int) bool { return minute == 15 || minute == 45 },
	LeapAt:        59,
	LeapSymbol:    zero,
	LeapBit:       53,
	Announced:     31 * 24 * time.Hour,
	Zero:          zero,
	One:           one,
	Digits:        digits,
	Fields:        fields,
}

func encode(c longwave.Civil) (s [60]longwave.Symbol) {
	for _, i := range []int{0, 9, 19, 29, 39, 49, 59} {
		s[i] = mark
	}
	set := func(value int, at ...int) (ones int) {
		for i, second := range at {
			if value>>(len(at)-1-i)&1 == 1 {
				s[second] = one
				ones++
			}
		}
		return ones
	}
	minute := set(c.Minute/10, 1, 2, 3) + set(c.Minute%10, 5, 6, 7, 8)
	hour := set(c.Hour/10, 12, 13) + set(c.Hour%10, 15, 16, 17, 18)
	set(c.YearDay/100, 22, 23)
	set(c.YearDay/10%10, 25, 26, 27, 28)
	set(c.YearDay%10, 30, 31, 32, 33)
	set(hour&1, 36)   // PA1
	set(minute&1, 37) // PA2
	if c.Minute == 15 || c.Minute == 45 {
		for i := 40; i <= 48; i++ {
			s[i] = call // JJY JJY in Morse
		}
		for i := 50; i <= 55; i++ {
			s[i] = call // ST1 to ST6: interruptions to come
		}
		return s
	}
	s[38], s[40] = rare, rare // SU1, SU2: spare
	set(c.Year/10%10, 41, 42, 43, 44)
	set(c.Year%10, 45, 46, 47, 48)
	set(c.Weekday, 50, 51, 52)
	if c.Leap {
		s[53], s[54] = one, one // LS1, LS2: a second is inserted
	}
	return s
}

func fields(c longwave.Civil) []refclock.Field {
	field := func(name, format string, value int) refclock.Field {
		return refclock.Field{Name: name, Value: fmt.Sprintf(format, value)}
	}
	return []refclock.Field{
		field("minute", "%02d", c.Minute), field("hour", "%02d", c.Hour), field("day of the year", "%03d", c.YearDay),
		field("year", "%02d", c.Year%100), {Name: "weekday", Value: time.Weekday(c.Weekday).String()}, {Name: "zone", Value: "JST"},
	}
}

// digits reads logs that write 2 for a marker.
func digits(_ int, digit byte) (longwave.Symbol, bool) {
	if digit < '0' || digit > '2' {
		return 0, false
	}
	return longwave.Symbol(digit - '0'), true
}
