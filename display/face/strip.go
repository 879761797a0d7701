package face

import (
	"fmt"
	"image/color"
)

func stripBox(g grid) Box {
	h := g.u(8.6)
	if g.portrait {
		h = g.u(15)
	}
	return Box{0, g.size.H - h, g.size.W, h}
}

// strip draws the trust strip: the state in shape, colour and word, and the figures behind it. It takes no notice of the
// rest of the page, so that it looks the same on all of them.
func (f Frame) strip(g grid) []Shape {
	box, colour := g.strip, f.standing().colour()
	rule := max(2, g.u(0.3))
	shapes := []Shape{
		Rect{Box: box, Fill: panel},
		Rect{Box: Box{0, box.Y, box.W, rule}, Fill: colour},
	}
	margin, state, size := g.u(4.4), g.u(3.7), g.u(3.1)
	upper := baseline(box.Y+rule, box.Bottom(), state)
	lower := upper
	if g.portrait {
		middle := box.Y + rule + (box.H-rule)*0.52
		upper = baseline(box.Y+rule, middle, g.u(4.2))
		lower = baseline(middle-g.u(1), box.Bottom()-g.u(1), size)
		state = g.u(4.2)
	}
	shapes = append(shapes, mark(f.standing(), Box{margin, upper - capHeight*state, state, capHeight * state}, colour)...)
	word := span{text: f.stateWord(), size: state, weight: SemiBold, fill: colour, steady: true}
	shapes = append(shapes, row(Point{margin + round(1.35*state), upper}, Start, word)...)

	// The figures stand where the longest common word leaves room, whatever the state.
	longest := word
	longest.text = "NOT SYNCHRONISED"
	used := margin + round(1.35*state) + max(word.width(), longest.width()) + 1.6*size
	if g.portrait {
		used = margin
	}
	return append(shapes, f.figures(g, Box{used, lower, box.W - margin - used, 0}, size)...)
}

// figure is one labelled value of the strip.
type figure struct {
	label, value string
	widest       []string
}

// figures sets the strip's figures on the baseline at the top of a box, ending at its right edge. Each stands in a place
// as wide as its widest value, so that none moves when its neighbour changes.
func (f Frame) figures(g grid, box Box, size float32) []Shape {
	bound, leap, inView := "unknown", leapWord(f.Reading.Leap), "none"
	if f.Reading.Synchronised() && f.Reading.Known {
		bound = FormatBound(f.Reading.MaxError)
	}
	all := []figure{{"bound", bound, []string{"±888 ms", "unknown"}}}
	if f.hasReceiver() {
		if s := f.satellites(); s != nil && len(s.Satellites) > 0 {
			inView = fmt.Sprintf("%d of %d", min(s.SatellitesUsed, len(s.Satellites)), len(s.Satellites))
		}
		all = append(all, figure{"satellites", inView, []string{"88 of 88"}})
	}
	all = append(all, figure{"stratum", fmt.Sprint(f.Reading.Stratum), []string{"88"}},
		figure{"leap", leap, []string{"unknown"}})

	value := func(s string) span { return span{text: s, size: size, weight: SemiBold, fill: ink, steady: true} }
	indent := func(label string) float32 { return TextWidth(label, size, Regular) + 0.55*size }
	place := func(f figure) float32 {
		var widest float32
		for _, w := range f.widest {
			widest = max(widest, value(w).width())
		}
		return indent(f.label) + widest
	}
	var total float32
	for ; ; size-- {
		total = 0
		for _, f := range all {
			total += place(f)
		}
		if total+float32(len(all)-1)*size <= box.W || size <= smallest {
			break
		}
	}
	// Beside the state the figures keep together; on a line of their own they take all of it.
	between := (box.W - total) / float32(len(all)-1)
	if !g.portrait {
		between = min(between, 2.2*size)
	}
	x := box.Right() - total - between*float32(len(all)-1)
	var shapes []Shape
	for _, f := range all {
		label := span{text: f.label, size: size, weight: Regular, fill: quietInk}
		shapes = append(shapes, row(Point{x, box.Y}, Start, label)...)
		shapes = append(shapes, row(Point{x + indent(f.label), box.Y}, Start, value(f.value))...)
		x += place(f) + between
	}
	return shapes
}

// smallest is the least size of a text in pixels.
const smallest = 6

// baseline is where capitals of a size must stand to be in the middle between two heights.
func baseline(top, bottom, size float32) float32 { return round((top + bottom + capHeight*size) / 2) }

// mark is the shape that says the state without colour: a disc, a triangle or a square.
func mark(s standing, box Box, fill color.NRGBA) []Shape {
	d := even(box.H)
	x, y := round(box.X), round(box.Y+(box.H-d)/2)
	switch s {
	case synchronised:
		return []Shape{Circle{Centre: Point{x + d/2, y + d/2}, Radius: d / 2, Fill: fill}}
	case holdover:
		wide := even(1.16 * d)
		x -= round(0.08 * d)
		return []Shape{Polygon{Points: []Point{{x + wide/2, y}, {x + wide, y + d}, {x, y + d}}, Fill: fill}}
	}
	return []Shape{Rect{Box: Box{x, y, d, d}, Fill: fill}}
}
