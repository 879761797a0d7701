// Package face draws clock faces: pure functions from what the station says of one moment, and a place, to shapes. A new
// face is one file and a line in the table of [Named].
package face

import (
	"image/color"
	"time"

	"timestation/display/draw"
	"timestation/display/words"
	"timestation/engine/status"
	"timestation/refclock"
)

// Frame is everything a face may show.
type Frame struct {
	// Second is the whole second to draw, leap seconds included. It means nothing while Reading.Known is false.
	Second refclock.Instant
	// Part is how far into the second the moment lies, 0 to 1 s: hands that sweep and lights that blink go by it.
	Part time.Duration
	// Reading is what the station says of that second.
	Reading status.Reading
	// Status carries sources, signal and alerts.
	Status *status.Status
	// Location is the time zone of the large digits, and Name that of the station, which may be empty.
	Location *time.Location
	Name     string
	Style    Style
}

// Style is what the owner of the wall chose.
type Style struct {
	// Theme has all colours; its Accent is the colour of the digits while the time is synchronised.
	Theme draw.Theme
	// Language is that of every word.
	Language words.Language
	// TwelveHour shows 1 to 12 with AM or PM.
	TwelveHour bool
	// Face names the face of the studio page, see [Named].
	Face string
	// Hand is how the second hand of an analogue face goes.
	Hand Hand
	// TopOfHour shows what is left of the hour.
	TopOfHour bool
	// Zones are the further time zones beside the large digits.
	Zones []*time.Location
}

// Hand is how a second hand goes.
type Hand string

// The ways of a second hand.
const (
	// Tick jumps once a second.
	Tick Hand = "tick"
	// Sweep goes evenly.
	Sweep Hand = "sweep"
	// StopToGo goes round in 58.5 s and waits for the minute, as a railway station's does.
	StopToGo Hand = "stop-to-go"
)

// Hands lists the ways of a second hand.
func Hands() []string { return []string{string(Tick), string(Sweep), string(StopToGo)} }

// At makes the frame for one second of the station's time. second must be a whole second of TAI; its leap fields are
// filled in from the status.
func At(s *status.Status, second refclock.Instant, loc *time.Location, name string, style Style) Frame {
	// StampAt may miss the start of the second by nanoseconds, and that second may be 23:59:60: ask inside of it.
	const inside = time.Millisecond
	r := s.At(s.StampAt(second.Add(inside)))
	second.TAIMinusUTC, second.InLeap = r.Instant.TAIMinusUTC, r.Instant.InLeap
	return Frame{Second: second, Reading: r, Status: s, Location: loc, Name: name, Style: style}
}

// Face is one way to show the time.
type Face struct {
	// Name is that of the configuration.
	Name string
	// Wide faces want the whole width, others a square.
	Wide bool
	// Moves faces have a hand that may go between the seconds.
	Moves bool
	// Draw draws a frame into a box, and nothing outside of it.
	Draw func(f Frame, box draw.Box) []draw.Shape
}

var faces = []Face{
	{Name: "led", Draw: LED},
	{Name: "analogue", Moves: true, Draw: Analogue},
	{Name: "digital", Wide: true, Draw: Digital},
}

// Named finds a face by the name the configuration gives it.
func Named(name string) (Face, bool) {
	for _, f := range faces {
		if f.Name == name {
			return f, true
		}
	}
	return Face{}, false
}

// Names lists the faces.
func Names() []string {
	var all []string
	for _, f := range faces {
		all = append(all, f.Name)
	}
	return all
}

// Clock gives the digits to show; the second may be 60.
func (f Frame) Clock() (hour, minute, second int) {
	hour, minute, second = f.Second.UTC().Clock(f.Location)
	return
}

// Local is the second in the time zone of the large digits.
func (f Frame) Local() time.Time { return f.Second.UTC().Time().In(f.Location) }

// Standing is how far the time may be trusted, as everything shows it: in colour, shape and word.
type Standing uint8

// The standings.
const (
	Synchronised Standing = iota
	Holdover
	// Untrusted: there was a time, but the station no longer claims to know it.
	Untrusted
	// Timeless: there never was one.
	Timeless
)

// Standing is that of the frame.
func (f Frame) Standing() Standing {
	switch {
	case !f.Reading.Known:
		return Timeless
	case !f.Reading.Synchronised():
		return Untrusted
	case f.Reading.State == status.Holdover:
		return Holdover
	}
	return Synchronised
}

// Colour is the state colour of a standing.
func (s Standing) Colour(t draw.Theme) color.NRGBA {
	switch s {
	case Synchronised:
		return t.Good
	case Holdover:
		return t.Warn
	}
	return t.Bad
}

// Sign is the shape of a standing.
func (s Standing) Sign() draw.Sign {
	switch s {
	case Synchronised:
		return draw.Disc
	case Holdover:
		return draw.Triangle
	}
	return draw.Square
}

// DigitColour is the colour of the large digits and of hands.
func (f Frame) DigitColour() color.NRGBA {
	t := f.Style.Theme
	switch f.Standing() {
	case Synchronised:
		return t.Accent
	case Holdover:
		return t.Warn
	}
	return draw.Mix(t.Ground, t.Bad, 0.42)
}
