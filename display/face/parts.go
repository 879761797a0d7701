package face

import (
	"math"

	"timestation/display/draw"
)

// digits is where the six figures HH MM SS and the colons between them stand.
type digits struct {
	places [6]draw.Box
	points []draw.Circle
}

// colonAt are the two points between figures of a height.
func colonAt(x, y, h float32) []draw.Circle {
	dot := draw.Even(0.125*h) / 2
	return []draw.Circle{
		{Centre: draw.At(x, y-draw.Round(0.21*h)), Radius: dot},
		{Centre: draw.At(x, y+draw.Round(0.21*h)), Radius: dot},
	}
}

// DigitBoxes are the places of the six figures HH MM SS of a face with digits in a box, for whoever reads a screen back; ok
// is false for a face without.
func DigitBoxes(name string, box draw.Box) (places [6]draw.Box, ok bool) {
	switch name {
	case "led":
		return newDial(square(box)).digits.places, true
	case "digital":
		return newBoard(box).digits.places, true
	}
	return places, false
}

// figures are the figures to show.
func (f Frame) figures() [6]int {
	if f.Standing() == Timeless {
		return [6]int{dash, dash, dash, dash, dash, dash}
	}
	hour, minute, second := f.Clock()
	tens := hour / 10
	if f.Style.TwelveHour {
		hour = (hour+11)%12 + 1
		if tens = hour / 10; tens == 0 {
			tens = blank
		}
	}
	return [6]int{tens, hour % 10, minute / 10, minute % 10, second / 10, second % 10}
}

// digits draws the figures and the colons.
func (f Frame) digits(d digits) []draw.Shape {
	on := f.DigitColour()
	off := draw.Mix(f.Style.Theme.Ground, on, 0.085)
	var shapes []draw.Shape
	for i, figure := range f.figures() {
		shapes = append(shapes, sevenSegment(d.places[i], figure, on, off)...)
	}
	for _, p := range d.points {
		p.Fill = on
		shapes = append(shapes, p)
	}
	return shapes
}

// halfOfDay is AM or PM, from a point on its baseline.
func (f Frame) halfOfDay(at draw.Point, size float32) []draw.Shape {
	if !f.Style.TwelveHour || f.Standing() == Timeless {
		return nil
	}
	hour, _, _ := f.Clock()
	size = max(draw.Smallest, size)
	return []draw.Shape{draw.Text{At: at, String: []string{"AM", "PM"}[hour/12], Size: size, Weight: draw.SemiBold, Fill: f.DigitColour()}}
}

// nameAt is the name of the station around a point.
func (f Frame) nameAt(at draw.Point, size, width float32) []draw.Shape {
	if f.Name == "" {
		return nil
	}
	name := draw.Fit(draw.Span{Text: f.Name, Size: max(draw.Smallest, size), Weight: draw.SemiBold}, width, max(draw.Smallest, draw.Round(0.6*size)))
	return []draw.Shape{draw.Text{At: at, String: name.Text, Size: name.Size, Weight: draw.SemiBold, Anchor: draw.Middle,
		Fill: f.Style.Theme.Quiet}}
}

// strike is the bar through the figures from one place to another, with an edge of the ground that parts it from them.
func (f Frame) strike(first, last draw.Box) []draw.Shape {
	h := first.H
	from := draw.At(first.X-0.12*h, first.Bottom()-0.10*h)
	to := draw.At(last.Right()+0.12*h, last.Y+0.10*h)
	return f.crossOut(from, to, 0.085*h)
}

// crossOut is a bar from one point to another.
func (f Frame) crossOut(from, to draw.Point, thick float32) []draw.Shape {
	t := f.Style.Theme
	return []draw.Shape{
		draw.Polygon{Points: bar(from, to, 2.4*thick, 2.4*thick), Fill: t.Ground},
		draw.Polygon{Points: bar(from, to, thick, thick), Fill: t.Bad},
	}
}

// bar are the corners of a bar that is so thick at its ends, clockwise.
func bar(from, to draw.Point, thickFrom, thickTo float32) []draw.Point {
	dx, dy := to.X-from.X, to.Y-from.Y
	length := float32(math.Hypot(float64(dx), float64(dy)))
	if length == 0 {
		length = 1
	}
	nx, ny := -dy/length/2, dx/length/2
	return []draw.Point{
		{X: from.X - nx*thickFrom, Y: from.Y - ny*thickFrom}, {X: to.X - nx*thickTo, Y: to.Y - ny*thickTo},
		{X: to.X + nx*thickTo, Y: to.Y + ny*thickTo}, {X: from.X + nx*thickFrom, Y: from.Y + ny*thickFrom},
	}
}

// demonstration is the mark of a station that plays a recording, around a point on its baseline.
func (f Frame) demonstration(at draw.Point, size float32) []draw.Shape {
	if !f.Status.Demonstration {
		return nil
	}
	word, t := f.Say("DEMONSTRATION"), f.Style.Theme
	size = max(draw.Smallest, size)
	w, h := draw.Even(draw.TextWidth(word, size, draw.SemiBold)+1.8*size), draw.Even(1.75*size)
	box := draw.Box{X: at.X - w/2, Y: draw.Round(at.Y - draw.CapHeight*size/2 - h/2), W: w, H: h}
	return []draw.Shape{
		draw.Rect{Box: box, Radius: h / 2, Fill: t.Tint(t.Info)},
		draw.Text{At: at, String: word, Size: size, Weight: draw.SemiBold, Anchor: draw.Middle, Fill: t.Info},
	}
}
