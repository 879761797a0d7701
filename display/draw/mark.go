package draw

import "image/color"

// Sign is the shape that says a state without colour.
type Sign uint8

// The signs: a disc is good, a triangle degraded, a square bad, a ring absent.
const (
	Disc Sign = iota
	Triangle
	Square
	Ring
)

// Mark draws a sign as high as the box, at its left.
func Mark(s Sign, box Box, fill color.NRGBA) []Shape {
	d := Even(box.H)
	x, y := Round(box.X), Round(box.Y+(box.H-d)/2)
	switch s {
	case Disc:
		return []Shape{Circle{Centre: Point{x + d/2, y + d/2}, Radius: d / 2, Fill: fill}}
	case Triangle:
		wide := Even(1.16 * d)
		x -= Round(0.08 * d)
		return []Shape{Polygon{Points: []Point{{x + wide/2, y}, {x + wide, y + d}, {x, y + d}}, Fill: fill}}
	case Ring:
		return []Shape{Circle{Centre: Point{x + d/2, y + d/2}, Radius: d / 2, Stroke: fill, Width: max(1, Round(d/6))}}
	}
	return []Shape{Rect{Box: Box{x, y, d, d}, Fill: fill}}
}

// MarkAt draws a sign on the baseline of a text of a size, at its left.
func MarkAt(s Sign, at Point, size float32, fill color.NRGBA) []Shape {
	return Mark(s, Box{at.X, at.Y - CapHeight*size, size, CapHeight * size}, fill)
}
