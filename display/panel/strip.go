package panel

import (
	"fmt"
	"image/color"

	"timestation/display/draw"
	"timestation/display/face"
	"timestation/engine/status"
)

// StripBox is the place of the trust strip: the foot of every page.
func StripBox(g draw.Grid) draw.Box {
	h := g.U(9)
	if g.Portrait {
		h = g.U(20)
	}
	return draw.Box{X: 0, Y: g.Size.H - h, W: g.Size.W, H: h}
}

// Strip draws the trust strip: the state in shape, colour and word with what the time comes from, and the figures behind
// it, each over its name. It takes no notice of the rest of the page, so that it looks the same on all of them.
func Strip(f face.Frame, g draw.Grid) []draw.Shape {
	t := f.Style.Theme
	box, colour := StripBox(g), f.Standing().Colour(t)
	rule := max(2, g.U(0.3))
	shapes := []draw.Shape{
		draw.Rect{Box: box, Fill: t.Panel},
		draw.Rect{Box: draw.Box{X: 0, Y: box.Y, W: box.W, H: rule}, Fill: colour},
	}
	margin := g.U(4.4)
	_, inside := box.Top(rule, 0)
	inside = inside.Inset(margin, g.U(0.9))
	state := inside
	if g.Portrait {
		rows := inside.Rows(2, g.U(1))
		state, inside = rows[0], rows[1]
	}
	large, small := g.U(3.5), max(draw.Smallest, g.U(2.3))
	if g.Portrait {
		large, small = g.U(4.3), g.U(2.9)
	}
	mark := large
	shapes = append(shapes, draw.Mark(f.Standing().Sign(),
		draw.Box{X: state.X, Y: draw.Round(state.Y + (state.H-mark)/2), W: mark, H: mark}, colour)...)
	_, state = state.Left(mark, g.U(1.8))

	// The figures stand where the longest common word leaves room, whatever the state.
	word := draw.Span{Text: f.StateWord(), Size: large, Weight: draw.SemiBold, Fill: colour, Steady: true}
	longest := word
	longest.Text = f.Say("NOT SYNCHRONISED")
	if !g.Portrait {
		state, inside = state.Left(max(word.Width(), longest.Width()), g.U(3))
	}
	names := draw.Span{Text: carried(f), Size: small, Weight: draw.Regular, Fill: t.Quiet}
	shapes = append(shapes, over(state, word, draw.Fit(names, state.W, names.Size))...)
	return append(shapes, stripFigures(f, g, inside, large)...)
}

// carried says in few words what the time comes from.
func carried(f face.Frame) string {
	switch f.Standing() {
	case face.Synchronised:
		kinds := f.Followed()
		if f.Status.Demonstration && kinds != "" {
			return f.Style.Language.Sayf("Recorded %s", kinds)
		}
		return kinds
	case face.Holdover:
		return f.Say("Held by the oscillator")
	}
	return f.Say("No time is served")
}

// over sets a value over its name, from the left of a box.
func over(box draw.Box, value, name draw.Span) []draw.Shape {
	between := box.Y + 0.58*box.H
	shapes := draw.Row(draw.At(box.X, draw.Baseline(box.Y, between, value.Size)), draw.Start, value)
	return append(shapes, draw.Row(draw.At(box.X, draw.Baseline(between, box.Bottom(), name.Size)), draw.Start, name)...)
}

// figure is one value of the strip with its name.
type figure struct {
	name, value string
	widest      []string
	colour      color.NRGBA
	sign        draw.Sign
	signed      bool
}

// stripFigures sets the strip's figures into a box, ending at its right edge. Each stands in a place as wide as its widest
// value, so that none moves when its neighbour changes.
func stripFigures(f face.Frame, g draw.Grid, box draw.Box, size float32) (shapes []draw.Shape) {
	t := f.Style.Theme
	all, least := figures(f), 0.85*size
	value := func(s string) draw.Span {
		return draw.Span{Text: s, Size: size, Weight: draw.SemiBold, Fill: t.Ink, Steady: true}
	}
	name := func(s string) draw.Span {
		return draw.Span{Text: s, Size: max(draw.Smallest, draw.Round(0.7*size)), Weight: draw.Regular, Fill: t.Quiet}
	}
	place := func(f figure) float32 {
		width := max(name(f.name).Width(), value(f.value).Width())
		for _, w := range f.widest {
			width = max(width, value(w).Width())
		}
		return draw.Round(width)
	}
	var total float32
	for {
		total = 0
		for _, f := range all {
			total += place(f)
		}
		if total+float32(len(all)-1)*0.8*size <= box.W || len(all) == 1 {
			break
		}
		// On the smallest screens not all of them have room.
		if size > draw.Smallest && (len(all) < 5 || size > least) {
			size--
		} else {
			all = all[:len(all)-1]
		}
	}
	// Beside the state the figures keep together; on a line of their own they take all of it.
	between := (box.W - total) / float32(max(1, len(all)-1))
	if !g.Portrait {
		between = min(between, g.U(6))
	}
	x := box.Right() - total - between*float32(len(all)-1)
	for _, f := range all {
		v := value(f.value)
		at := draw.Box{X: draw.Round(x), Y: box.Y, W: place(f), H: box.H}
		if f.signed {
			v.Fill = f.colour
			base := draw.Baseline(at.Y, at.Y+0.58*at.H, size)
			shapes = append(shapes, draw.MarkAt(f.sign, draw.At(at.X, base), size, f.colour)...)
			shapes = append(shapes, draw.Row(draw.At(at.X+draw.Round(1.3*size), base), draw.Start, v)...)
			v.Text = ""
		}
		shapes = append(shapes, over(at, v, name(f.name))...)
		x += place(f) + between
	}
	return shapes
}

// figures are those of the strip, the least important last.
func figures(f face.Frame) []figure {
	unknown, none := f.Say("unknown"), f.Say("none")
	bound := unknown
	if f.Reading.Synchronised() && f.Reading.Known {
		bound = f.Bound(f.Reading.MaxError)
	}
	all := []figure{{name: f.Say("bound"), value: bound, widest: []string{"±888 ms", unknown}}}
	if f.HasReceiver() {
		seen := none
		if s := f.Satellites(); s != nil && len(s.Satellites) > 0 {
			seen = f.Style.Language.Sayf("%d of %d", min(s.SatellitesUsed, len(s.Satellites)), len(s.Satellites))
		}
		all = append(all, figure{name: f.Say("satellites"), value: seen, widest: []string{f.Style.Language.Sayf("%d of %d", 88, 88)}})
	}
	all = append(all, figure{name: f.Say("leap"), value: f.LeapWord(), widest: []string{unknown}})
	alerts := figure{name: f.Say("alerts"), value: none, widest: []string{"–88", none}}
	if n := len(f.Status.Alerts); n > 0 {
		worst := status.Info
		for _, a := range f.Status.Alerts {
			if rank(a.Severity) > rank(worst) {
				worst = a.Severity
			}
		}
		alerts.value, alerts.signed = fmt.Sprint(n), true
		alerts.colour, alerts.sign = SeverityLook(f.Style.Theme, worst)
	}
	return append(all, alerts, figure{name: f.Say("stratum"), value: fmt.Sprint(f.Reading.Stratum), widest: []string{"88"}})
}
