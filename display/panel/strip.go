package panel

import (
	"fmt"

	"timestation/display/draw"
	"timestation/display/face"
)

// StripBox is the place of the trust strip: the foot of every page.
func StripBox(g draw.Grid) draw.Box {
	h := g.U(8.6)
	if g.Portrait {
		h = g.U(15)
	}
	return draw.Box{X: 0, Y: g.Size.H - h, W: g.Size.W, H: h}
}

// Strip draws the trust strip: the state in shape, colour and word, and the figures behind it. It takes no notice of the
// rest of the page, so that it looks the same on all of them.
func Strip(f face.Frame, g draw.Grid) []draw.Shape {
	t := f.Style.Theme
	box, colour := StripBox(g), f.Standing().Colour(t)
	rule := max(2, g.U(0.3))
	shapes := []draw.Shape{
		draw.Rect{Box: box, Fill: t.Panel},
		draw.Rect{Box: draw.Box{X: 0, Y: box.Y, W: box.W, H: rule}, Fill: colour},
	}
	margin, state, size := g.U(4.4), g.U(3.7), g.U(3.1)
	upper := draw.Baseline(box.Y+rule, box.Bottom(), state)
	lower := upper
	if g.Portrait {
		middle := box.Y + rule + (box.H-rule)*0.52
		upper = draw.Baseline(box.Y+rule, middle, g.U(4.2))
		lower = draw.Baseline(middle-g.U(1), box.Bottom()-g.U(1), size)
		state = g.U(4.2)
	}
	shapes = append(shapes, draw.MarkAt(f.Standing().Sign(), draw.At(margin, upper), state, colour)...)
	word := draw.Span{Text: f.StateWord(), Size: state, Weight: draw.SemiBold, Fill: colour, Steady: true}
	x := margin + draw.Round(1.35*state)
	shapes = append(shapes, draw.Row(draw.At(x, upper), draw.Start, word)...)

	// The figures stand where the longest common word leaves room, whatever the state.
	longest := word
	longest.Text = f.Say("NOT SYNCHRONISED")
	after := x + max(word.Width(), longest.Width()) + 1.6*size
	from := after
	if g.Portrait {
		from = margin
	}
	figures, left := stripFigures(f, g, draw.Box{X: from, Y: lower, W: box.W - margin - from}, size)
	if g.Portrait {
		left = box.W - margin
	}
	// Between the two, where there is room, what the time comes from.
	after = x + word.Width() + 1.2*size
	kinds := draw.Span{Text: f.Followed(), Size: size, Weight: draw.Regular, Fill: t.Quiet}
	if f.Standing() == face.Synchronised && after+kinds.Width()+size < left {
		shapes = append(shapes, draw.Row(draw.At(after, upper), draw.Start, kinds)...)
	}
	return append(shapes, figures...)
}

// figure is one labelled value of the strip.
type figure struct {
	label, value string
	widest       []string
}

// stripFigures sets the strip's figures on the baseline at the top of a box, ending at its right edge; left is where they
// begin. Each stands in a place as wide as its widest value, so that none moves when its neighbour changes.
func stripFigures(f face.Frame, g draw.Grid, box draw.Box, size float32) (shapes []draw.Shape, left float32) {
	t := f.Style.Theme
	bound, inView := f.Say("unknown"), f.Say("none")
	if f.Reading.Synchronised() && f.Reading.Known {
		bound = f.Bound(f.Reading.MaxError)
	}
	all := []figure{{f.Say("bound"), bound, []string{"±888 ms", f.Say("unknown")}}}
	if f.HasReceiver() {
		if s := f.Satellites(); s != nil && len(s.Satellites) > 0 {
			inView = f.Style.Language.Sayf("%d of %d", min(s.SatellitesUsed, len(s.Satellites)), len(s.Satellites))
		}
		all = append(all, figure{f.Say("satellites"), inView, []string{f.Style.Language.Sayf("%d of %d", 88, 88)}})
	}
	all = append(all, figure{f.Say("stratum"), fmt.Sprint(f.Reading.Stratum), []string{"88"}},
		figure{f.Say("leap"), f.LeapWord(), []string{f.Say("unknown")}})

	value := func(s string) draw.Span {
		return draw.Span{Text: s, Size: size, Weight: draw.SemiBold, Fill: t.Ink, Steady: true}
	}
	indent := func(label string) float32 { return draw.TextWidth(label, size, draw.Regular) + 0.55*size }
	place := func(f figure) float32 {
		widest := value(f.value).Width()
		for _, w := range f.widest {
			widest = max(widest, value(w).Width())
		}
		return indent(f.label) + widest
	}
	var total float32
	for {
		total = 0
		for _, f := range all {
			total += place(f)
		}
		if total+float32(len(all)-1)*size <= box.W || len(all) == 1 {
			break
		}
		// On the smallest screens not all of them have room.
		if size > draw.Smallest {
			size--
		} else {
			all = all[:len(all)-1]
		}
	}
	// Beside the state the figures keep together; on a line of their own they take all of it.
	between := (box.W - total) / float32(max(1, len(all)-1))
	if !g.Portrait {
		between = min(between, 2.2*size)
	}
	left = box.Right() - total - between*float32(len(all)-1)
	x := left
	for _, f := range all {
		label := draw.Span{Text: f.label, Size: size, Weight: draw.Regular, Fill: t.Quiet}
		shapes = append(shapes, draw.Row(draw.At(x, box.Y), draw.Start, label)...)
		shapes = append(shapes, draw.Row(draw.At(x+indent(f.label), box.Y), draw.Start, value(f.value))...)
		x += place(f) + between
	}
	return shapes, left
}
