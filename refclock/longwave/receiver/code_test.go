package receiver

import (
	"timestation/refclock"
	"timestation/refclock/longwave"
)

// testCode is a code like DCF77's, on UTC: the minute's number and the day's in plain binary, each several times.
var testCode = &longwave.Code{
	Name: "test",
	Shapes: []longwave.Shape{
		{Letter: "0", On: [][2]int{{0, 100}}, Weight: 0.56},
		{Letter: "1", On: [][2]int{{0, 200}}, Weight: 0.42},
		{Letter: "M", Weight: 0.02},
	},
	Mixes: [][]float64{{0.97, 0.03, 0}},
	Rare:  3,
	Zero:  0,
	One:   1,
	Encode: func(c longwave.Civil) (s [60]longwave.Symbol) {
		set := func(at, width, value int) {
			for i := range width {
				s[at+i] = longwave.Symbol(value >> i & 1)
			}
		}
		set(1, 6, c.Minute)
		set(7, 6, 63-c.Minute)
		set(13, 5, c.Hour)
		set(18, 5, 31-c.Hour)
		set(23, 5, c.Day)
		set(28, 5, 31-c.Day)
		set(33, 4, c.Month)
		set(37, 4, 15-c.Month)
		set(41, 7, c.Year%100)
		set(48, 7, 127-c.Year%100)
		set(55, 4, c.Minute%10)
		s[59] = 2
		return s
	},
	Fields: func(c longwave.Civil) []refclock.Field { return []refclock.Field{{Name: "minute", Value: "0"}} },
}
