// Package panel draws the pages of the wall: pure functions from what the station says, what people put on the wall and
// what somebody does at the screen, to shapes and the places that can be touched. A page is one file and a line in the
// table of [Pages]; the trust strip below it is the same on all of them.
package panel

import (
	"fmt"
	"time"

	"timestation/display"
	"timestation/display/draw"
	"timestation/display/face"
	"timestation/display/studio"
	"timestation/refclock"
)

// Input is everything a page may show.
type Input struct {
	// Frame is the time, with the status of the station, the style of the wall and its language.
	face.Frame
	Studio studio.State
	// Position is where the antenna is, as the configuration says; nil where it says nothing.
	Position *refclock.Position
	// History is the stretch of the log that View asks for, on a page that Needs it; HistoryError says in one line why there
	// is none. Both are empty until the first came.
	History      display.History
	HistoryError string
	// Clients is who asks the NTP server, on a page that Needs it; ClientsError says why there is none.
	Clients      display.Clients
	ClientsError string
	// View is what somebody at the screen has done to this page so far.
	View View
}

// View is how somebody at the screen wants a page shown. Each page has its own, which begins as the zero value.
type View struct {
	// Span is how long a stretch of the log is shown, 0 for the page's own choice, and Back how far its end lies back.
	Span, Back time.Duration
	// Cursor is the moment that was pointed at; zero for none.
	Cursor time.Time
	// Row is the first row of a list that is longer than the page, from 0 to Picture.LastRow.
	Row int
	// Confirm is what the page asks about before it is done; nil for nothing.
	Confirm *display.Action
	// Told is what became of the last action, in one line.
	Told string
	// Choice is for a page that has parts to choose from.
	Choice int
}

// Page is one page of the wall.
type Page struct {
	// Name is that of the configuration and the control interface; see [display.Pages].
	Name string
	// Title is what the menu calls it, in English.
	Title string
	// History and Clients tell that the page shows those of Input.
	History, Clients bool
	// Draw draws what stands above the trust strip, all of it inside body. The ground is there already.
	Draw func(in Input, g draw.Grid, body draw.Box) Picture
}

// Picture is a page as drawn.
type Picture struct {
	Shapes []draw.Shape
	// Spots are the places that can be touched, in the order in which the keyboard goes through them.
	Spots []Spot
	// Plot is where a plot over time stands, if there is one: dragging it changes View.Back, the wheel View.Span, touching
	// it View.Cursor.
	Plot *Plot
	// LastRow is the largest View.Row that makes sense: keys and the wheel stop there. 0 without a list that is too long.
	LastRow int
}

// Spot is a place that can be touched, or reached by the keyboard.
type Spot struct {
	Box draw.Box
	// Label says what it does, for whoever goes there by keyboard.
	Label string
	Do    Command
}

// Command is what touching a spot does; one of its fields is set.
type Command struct {
	// Page goes to another page.
	Page string
	// Act asks the station to do something; what becomes of it is told in View.Told, and View.Confirm is over.
	Act *display.Action
	// View shows the page in another way.
	View *View
	// Save writes the page as a picture: "png" or "svg".
	Save string
}

// Plot is the place of a plot over time.
type Plot struct {
	Box draw.Box
	// Axis maps seconds since 1970 to pixels.
	Axis draw.Axis
}

// Pages lists all pages in the order of the menu.
func Pages() []Page { return pages }

var pages = []Page{
	{Name: "studio", Title: "Studio", Draw: Studio},
	{Name: "signal", Title: "Signal", Draw: Signal},
	{Name: "trust", Title: "Trust", Draw: Trust},
	{Name: "history", Title: "History", History: true, Draw: History},
	{Name: "clients", Title: "Clients", Clients: true, Draw: Clients},
	{Name: "shack", Title: "Shack", Draw: Shack},
}

// Named finds a page.
func Named(name string) (Page, bool) {
	for _, p := range pages {
		if p.Name == name {
			return p, true
		}
	}
	return Page{}, false
}

// Picture draws the whole page into an area: the ground, the page, and the trust strip, which is the last of it. The first
// shape covers the area.
func (p Page) Picture(in Input, size draw.Size) Picture {
	g := draw.NewGrid(size)
	strip := StripBox(g)
	drawn := p.Draw(in, g, draw.Box{X: 0, Y: 0, W: size.W, H: strip.Y})
	shapes := []draw.Shape{draw.Rect{Box: size.Box(), Fill: in.Style.Theme.Ground}}
	shapes = append(shapes, drawn.Shapes...)
	drawn.Shapes = append(shapes, Strip(in.Frame, g)...)
	return drawn
}

// timeIndent is how far behind the beginning of the title the time stands on all pages, in units: behind the longest title of
// any language.
const timeIndent = 27

// Header draws a page's title, the time, and the question that the page answers at the top of the body; rest is what lies
// below, within the margins.
func Header(in Input, g draw.Grid, body draw.Box, title, question string) (shapes []draw.Shape, rest draw.Box) {
	t := in.Style.Theme
	x, width := body.X+g.U(4.4), body.W-2*g.U(4.4)
	head := draw.Fit(draw.Span{Text: title, Size: g.U(4.6), Weight: draw.SemiBold, Fill: t.Ink}, width, draw.Smallest)
	sub := draw.Fit(draw.Span{Text: question, Size: g.U(2.9), Weight: draw.Regular, Fill: t.Quiet}, width, g.U(2.2))
	top := body.Y + g.U(3.2)
	base := draw.Baseline(top, top+g.U(4.6), head.Size)
	shapes = draw.Row(draw.Point{X: x, Y: base}, draw.Start, head)
	shapes = append(shapes, in.smallClock(draw.At(x+g.U(timeIndent), base), head.Size)...)
	shapes = append(shapes, draw.Row(draw.Point{X: x, Y: draw.Baseline(top+g.U(5.4), top+g.U(8.6), sub.Size)}, draw.Start, sub)...)
	y := top + g.U(10.6)
	return shapes, draw.Box{X: x, Y: y, W: width, H: body.Bottom() - g.U(2.4) - y}
}

// clockEnd is where the small clock ends, however long its time.
func (in Input) clockEnd(g draw.Grid, body draw.Box) float32 {
	longest := draw.Span{Text: "00:00:00", Size: g.U(4.6), Weight: draw.SemiBold, Steady: true}
	if in.Style.TwelveHour {
		longest.Text += " PM"
	}
	return body.X + g.U(4.4) + g.U(timeIndent) + draw.Round(longest.Width())
}

// smallClock is the time in the title of a page, as far to be trusted as the large one: in its colour, struck out with it.
func (in Input) smallClock(at draw.Point, size float32) []draw.Shape {
	s := draw.Span{Text: in.timeOfDay(), Size: size, Weight: draw.SemiBold, Fill: in.DigitColour(), Steady: true}
	shapes := draw.Row(at, draw.Start, s)
	if in.Standing() == face.Untrusted {
		shapes = append(shapes, in.strike(at.X, at.X+s.Width(), at.Y, size))
	}
	return shapes
}

// timeOfDay is the time in the zone of the large digits; dashes before it was known.
func (in Input) timeOfDay() string {
	if in.Standing() == face.Timeless {
		return "--:--:--"
	}
	h, m, s := in.Clock()
	if in.Style.TwelveHour {
		return fmt.Sprintf("%d:%02d:%02d %s", (h+11)%12+1, m, s, []string{"AM", "PM"}[h/12])
	}
	return fmt.Sprintf("%02d:%02d:%02d", h, m, s)
}

// Card draws a panel with a title that says which question it answers (none if empty); rest is the place inside.
func Card(in Input, g draw.Grid, box draw.Box, title string) (shapes []draw.Shape, rest draw.Box) {
	t := in.Style.Theme
	shapes = []draw.Shape{draw.Rect{Box: box, Radius: g.U(1.2), Fill: t.Panel, Stroke: t.Hairline, Width: max(1, g.U(0.15))}}
	inside := box.Inset(g.U(2.2), g.U(1.8))
	if title == "" {
		return shapes, inside
	}
	span := draw.Fit(draw.Span{Text: title, Size: g.U(3), Weight: draw.SemiBold, Fill: t.Ink}, inside.W, g.U(2))
	head, rest := inside.Top(g.U(4), g.U(0.8))
	return append(shapes, draw.Row(draw.Point{X: inside.X, Y: draw.Baseline(head.Y, head.Bottom(), span.Size)}, draw.Start, span)...), rest
}
