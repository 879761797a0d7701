// Package longwave decodes the time codes that long-wave transmitters key onto their carrier: DCF77, MSF, WWVB, JJY. It
// is pure: levels go in, minutes come out, and a code is a table of pulse shapes and an encoder.
//
// Nothing is decided bit by bit. Each second gives the likelihood of every symbol under a noise model that is learned
// from the signal itself; a hypothesis of the time predicts every symbol of every minute; and the one hypothesis whose
// posterior odds against all the others pass a limit, in disjoint windows too, is the time.
package longwave

import (
	"time"

	"timestation/refclock"
)

// Symbol is an index into Code.Shapes or, from len(Shapes) on, into Code.Mixes.
type Symbol uint8

// Shape is how the carrier is keyed in one second.
type Shape struct {
	// Letter names the symbol: "0", "1", "M" for the minute mark.
	Letter string
	// On is where the pulse is, in ms from the second's mark.
	On [][2]int
	// Weight is how often the symbol occurs; all weights add up to 1.
	Weight float64
}

// Civil is the date and time a telegram carries, as its civil clock reads.
type Civil struct {
	Year, Month, Day, Hour, Minute int
	// Weekday is 0 on Sunday, YearDay 1 on 1 January.
	Weekday, YearDay int
	// Summer: summer time is in force; Change: it begins or ends at the end of this hour.
	Summer, Change bool
	// Leap: an inserted leap second has been announced for the end of this hour (DCF77), day or month.
	Leap bool
}

// Code is one time code.
type Code struct {
	Name   string
	Shapes []Shape
	// Mixes are symbols that the hypothesis does not determine: weights of the Shapes.
	Mixes [][]float64
	// Rare is the mix of a bit that is nearly always 0, such as an announcement.
	Rare Symbol
	// FullCarrier: the pulses are the carrier at full power, not reduced.
	FullCarrier bool
	// LeadMinutes is how far ahead of its own minute's beginning the telegram's time is: 1 where it announces the next.
	LeadMinutes int
	// OffsetMinutes is civil time minus UTC, without summer time.
	OffsetMinutes int
	// SummerTime tells whether summer time (an hour) is in force at a UTC, by the rule; nil where the code's clock has
	// none. The telegram's own bits overrule it.
	SummerTime func(t time.Time) bool
	// Encode gives the symbols of the minute whose telegram carries c.
	Encode func(c Civil) [60]Symbol
	// Blank tells of minutes, by the telegram's minute, in which some seconds carry something else than usual.
	Blank func(minute int) bool
	// LeapAt is where the symbol LeapSymbol is inserted into a minute of 61 seconds.
	LeapAt     int
	LeapSymbol Symbol
	// LeapBit, CallBit are the seconds of the announcement and of the transmitter's call for service; 0 is none.
	LeapBit, CallBit int
	// Announced is the time during which LeapBit is sent before the leap second, ChangeAnnounced that during which a change
	// of summer time is announced.
	Announced, ChangeAnnounced time.Duration
	// Letters of the two symbols that stand for a bit; the pulse of One minus that of Zero is what a bit is told by.
	Zero, One Symbol
	// Daylight is for codes on UTC whose telegram tells of somebody's summer time: whether it is in force.
	Daylight func(t time.Time) bool
	// Digits gives the symbol that a digit of a log of bits stands for, at a second; false where it tells nothing.
	Digits func(second int, digit byte) (Symbol, bool)
	// Fields spells a telegram out for a person.
	Fields func(c Civil) []refclock.Field
}

// civilOf splits a civil time, given as if it were UTC.
func civilOf(t time.Time) Civil {
	return Civil{
		Year: t.Year(), Month: int(t.Month()), Day: t.Day(), Hour: t.Hour(), Minute: t.Minute(),
		Weekday: int(t.Weekday()), YearDay: t.YearDay(),
	}
}

// At gives the telegram of the minute that begins at the UTC t, by the rule for summer time.
func (c *Code) At(t time.Time) Civil {
	announced := t.Add(time.Duration(c.LeadMinutes) * time.Minute)
	summer := c.summer(announced)
	civil := civilOf(announced.Add(c.offset(summer)))
	civil.Summer = summer
	// The last telegram before the change already tells the changed time, with the bit still set.
	civil.Change = c.SummerTime != nil && c.summer(t) != c.summer(t.Add(c.ChangeAnnounced))
	return civil
}

func (c *Code) summer(t time.Time) bool { return c.SummerTime != nil && c.SummerTime(t) }

// told is the summer time to tell a person of.
func (c *Code) told(t time.Time) bool { return c.summer(t) || c.Daylight != nil && c.Daylight(t) }

func (c *Code) offset(summer bool) time.Duration {
	d := time.Duration(c.OffsetMinutes) * time.Minute
	if summer {
		d += time.Hour
	}
	return d
}
