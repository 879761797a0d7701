// Package face draws clock faces: pure functions from what the station says of one second, and a size, to shapes. It
// knows neither a window nor a browser; package page shows the shapes through Fyne, [SVG] writes them for a web page.
//
// A new face is one file that ends up in the table of [Named].
package face

import (
	"image/color"
	"sort"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// Frame is everything a face may show.
type Frame struct {
	// Second is the whole second to draw, leap seconds included. It means nothing while Reading.Known is false.
	Second refclock.Instant
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
	// Accent is the colour of the digits while the time is synchronised.
	Accent color.NRGBA
	// TwelveHour shows 1 to 12 with AM or PM.
	TwelveHour bool
}

// At makes the frame for one second of the station's time. second must be a whole second of TAI; its leap fields are
// filled in from the status.
func At(s *status.Status, second refclock.Instant, loc *time.Location, name string, style Style) Frame {
	// StampAt may miss the start of the second by nanoseconds, and that second may be 23:59:60: ask inside of it.
	const inside = time.Millisecond
	r := s.At(s.StampAt(second.Add(inside)))
	second.TAIMinusUTC, second.InLeap = r.Instant.TAIMinusUTC, r.Instant.InLeap
	return Frame{Second: second, Reading: r, Status: s, Location: loc, Name: name, Style: style}
}

// Face draws a frame into an area. The first shape covers the whole of it.
type Face func(f Frame, size Size) []Shape

var faces = map[string]Face{"led": LED}

// Named finds a face by the name the configuration gives it.
func Named(name string) (Face, bool) {
	f, ok := faces[name]
	return f, ok
}

// Names lists the faces.
func Names() []string {
	var all []string
	for name := range faces {
		all = append(all, name)
	}
	sort.Strings(all)
	return all
}

// clock gives the digits to show.
func (f Frame) clock() (hour, minute, second int) {
	hour, minute, second = f.Second.UTC().Clock(f.Location)
	return
}

// local is the second in the time zone of the large digits.
func (f Frame) local() time.Time { return f.Second.UTC().Time().In(f.Location) }

// standing is how far the time may be trusted, as every face shows it: in colour, shape and word.
type standing uint8

const (
	synchronised standing = iota
	holdover
	// untrusted: there was a time, but the station no longer claims to know it.
	untrusted
	// timeless: there never was one.
	timeless
)

func (f Frame) standing() standing {
	switch {
	case !f.Reading.Known:
		return timeless
	case !f.Reading.Synchronised():
		return untrusted
	case f.Reading.State == status.Holdover:
		return holdover
	}
	return synchronised
}

func (s standing) colour() color.NRGBA {
	switch s {
	case synchronised:
		return green
	case holdover:
		return amber
	}
	return red
}

// digits is the colour of the large digits.
func (f Frame) digits() color.NRGBA {
	switch f.standing() {
	case synchronised:
		return f.Style.Accent
	case holdover:
		return amber
	}
	return mix(ground, red, 0.42)
}
