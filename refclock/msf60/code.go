package msf60

import (
	"fmt"
	"time"

	"timestation/refclock"
	"timestation/refclock/longwave"
)

// The symbols of MSF (NPL, "MSF 60 kHz Time and Date Code"): in each second the carrier is off for 0.1 s, and for another
// 0.1 s for each of the bits A and B that is 1; the minute begins with 0.5 s.
const (
	b00 longwave.Symbol = iota
	b10
	b01
	b11
	mark
	dut  // A is 0, B anything: DUT1
	rare // 10, seldom 11: an announcement
)

// Code is the time code of MSF.
var Code = &longwave.Code{
	Name: "msf60",
	Shapes: []longwave.Shape{
		{Letter: "0", On: [][2]int{{0, 100}}, Weight: 0.63},
		{Letter: "1", On: [][2]int{{0, 200}}, Weight: 0.25},
		{Letter: "2", On: [][2]int{{0, 100}, {200, 300}}, Weight: 0.04},
		{Letter: "3", On: [][2]int{{0, 300}}, Weight: 0.06},
		{Letter: "M", On: [][2]int{{0, 500}}, Weight: 0.02},
	},
	Mixes:           [][]float64{{0.75, 0, 0.25, 0, 0}, {0, 0.97, 0, 0.03, 0}},
	Rare:            rare,
	LeadMinutes:     1,
	SummerTime:      SummerTime,
	ChangeAnnounced: 61 * time.Minute,
	Encode:          encode,
	LeapAt:          17,
	LeapSymbol:      b00,
	Zero:            b00,
	One:             b10,
	Digits:          digits,
	Fields:          fields,
}

// SummerTime is British Summer Time (the Summer Time Order 2002): as on the continent, from 01:00 UTC on the last Sunday
// of March to that of October.
func SummerTime(t time.Time) bool {
	t = t.UTC()
	return !t.Before(lastSunday(t.Year(), time.March)) && t.Before(lastSunday(t.Year(), time.October))
}

func lastSunday(year int, month time.Month) time.Time {
	last := time.Date(year, month, 31, 1, 0, 0, 0, time.UTC)
	return last.AddDate(0, 0, -int(last.Weekday()))
}

func encode(c longwave.Civil) (s [60]longwave.Symbol) {
	s[0] = mark
	for i := 1; i <= 16; i++ {
		s[i] = dut
	}
	// Fields are sent with the highest bit first.
	set := func(at, width, value int) (ones int) {
		for i := range width {
			if value>>(width-1-i)&1 == 1 {
				s[at+i] = b10
				ones++
			}
		}
		return ones
	}
	bcd := func(at, tens, value int) int { return set(at, tens, value/10) + set(at+tens, 4, value%10) }
	year := bcd(17, 4, c.Year%100)
	date := bcd(25, 1, c.Month) + bcd(30, 2, c.Day)
	weekday := set(36, 3, c.Weekday)
	clock := bcd(39, 2, c.Hour) + bcd(45, 3, c.Minute)
	// 52 to 59: A is 01111110, the minute's identifier; B is the change to come, odd parities and summer time.
	for i := 53; i <= 58; i++ {
		s[i] = b10
	}
	if c.Change {
		s[53] = b11
	}
	for i, ones := range []int{year, date, weekday, clock} {
		if ones%2 == 0 {
			s[54+i] = b11
		}
	}
	if c.Summer {
		s[58] = b11
	}
	return s
}

func fields(c longwave.Civil) []refclock.Field {
	zone := "GMT"
	if c.Summer {
		zone = "BST"
	}
	two := func(name string, value int) refclock.Field {
		return refclock.Field{Name: name, Value: fmt.Sprintf("%02d", value)}
	}
	announced := "nothing"
	if c.Change {
		announced = "change of summer time"
	}
	return []refclock.Field{
		two("year", c.Year%100), two("month", c.Month), two("day", c.Day),
		{Name: "weekday", Value: time.Weekday(c.Weekday).String()},
		two("hour", c.Hour), two("minute", c.Minute), {Name: "zone", Value: zone},
		{Name: "announced", Value: announced},
	}
}

// digits reads logs that write A + 2B, and 4 for the minute mark.
func digits(_ int, digit byte) (longwave.Symbol, bool) {
	if digit < '0' || digit > '4' {
		return 0, false
	}
	return longwave.Symbol(digit - '0'), true
}
