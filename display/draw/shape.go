// Package draw is the kit that pages and faces are made of: shapes, lengths on a common grid, text that is measured before
// it is set, colours, and the words for bounds. It is pure, and knows neither a window nor a browser: package page shows
// shapes through Fyne, [SVG] writes them.
package draw

import (
	"image"
	"image/color"
	"slices"
)

// Size is a drawing area in pixels.
type Size struct{ W, H float32 }

// Box is the whole area.
func (s Size) Box() Box { return Box{0, 0, s.W, s.H} }

// Point is a place in pixels, from the top left corner.
type Point struct{ X, Y float32 }

// At is the point at x and y.
func At(x, y float32) Point { return Point{x, y} }

// Shape is one of [Circle], [Polygon], [Rect], [Line], [Image] and [Text]. Coordinates of texts are whole pixels, and those
// of other shapes had better be, because every renderer would round them, each in its own way.
type Shape interface {
	// Bounds is the area the shape covers; of a text, the area of its letters without accents.
	Bounds() Box
	// moved is the shape somewhere else.
	moved(by Point) Shape
	// painted is the shape with other colours.
	painted(colour func(color.NRGBA) color.NRGBA) Shape
}

// Circle is a disc, filled, outlined, or both.
type Circle struct {
	Centre Point
	Radius float32
	// Fill and Stroke may be fully transparent; Width is that of the outline, which lies inside the radius.
	Fill, Stroke color.NRGBA
	Width        float32
}

// MaxVertices is the most corners a polygon may have; the shader that draws it on a graphics card has no room for more.
const MaxVertices = 16

// Polygon is a filled polygon.
type Polygon struct {
	// Points has 3 to MaxVertices corners, clockwise.
	Points []Point
	Fill   color.NRGBA
}

// Rect is a rectangle, filled, outlined, or both.
type Rect struct {
	Box
	// Radius rounds the corners.
	Radius float32
	// Fill and Stroke may be fully transparent; Width is that of the outline, which lies inside the box.
	Fill, Stroke color.NRGBA
	Width        float32
}

// Line is a straight line, Width pixels thick.
type Line struct {
	From, To Point
	Width    float32
	Stroke   color.NRGBA
}

// Image is a picture that is scaled into its box, for what no shapes can draw, such as a map.
type Image struct {
	Box
	// Key tells pictures apart: two of the same key and size look the same.
	Key string
	// Pixels makes the picture; it is asked only when the picture is new.
	Pixels func() *image.NRGBA
}

// Weight is the weight of a text, in the numbers of CSS.
type Weight int

// The two weights that are embedded.
const (
	Regular  Weight = 400
	SemiBold Weight = 600
)

// Anchor says which part of a text its position means.
type Anchor uint8

// The anchors.
const (
	Start Anchor = iota
	Middle
	End
)

// Text is one line of text.
type Text struct {
	// At is on the baseline, at the anchor.
	At     Point
	String string
	// Size is the font size in whole pixels.
	Size   float32
	Weight Weight
	Anchor Anchor
	Fill   color.NRGBA
}

// Bounds implements Shape.
func (c Circle) Bounds() Box {
	return Box{c.Centre.X - c.Radius, c.Centre.Y - c.Radius, 2 * c.Radius, 2 * c.Radius}
}

// Bounds implements Shape.
func (p Polygon) Bounds() Box { return around(p.Points...) }

// Bounds implements Shape.
func (r Rect) Bounds() Box { return r.Box }

// Bounds implements Shape. It leaves out how far the line is thick.
func (l Line) Bounds() Box { return around(l.From, l.To) }

// Bounds implements Shape.
func (i Image) Bounds() Box { return i.Box }

// Bounds implements Shape.
func (t Text) Bounds() Box {
	w := TextWidth(t.String, t.Size, t.Weight)
	return Box{t.At.X - w*t.Anchor.share(), t.At.Y - CapHeight*t.Size, w, (CapHeight + Descent) * t.Size}
}

// around is the smallest box with all the points.
func around(points ...Point) Box {
	low, high := points[0], points[0]
	for _, q := range points {
		low.X, low.Y = min(low.X, q.X), min(low.Y, q.Y)
		high.X, high.Y = max(high.X, q.X), max(high.Y, q.Y)
	}
	return Box{low.X, low.Y, high.X - low.X, high.Y - low.Y}
}

// share is how much of a text's width lies left of its anchor.
func (a Anchor) share() float32 { return float32(a) / 2 }

// Same reports whether two shapes look the same.
func Same(a, b Shape) bool {
	switch a := a.(type) {
	case Polygon:
		b, ok := b.(Polygon)
		return ok && a.Fill == b.Fill && slices.Equal(a.Points, b.Points)
	case Image:
		b, ok := b.(Image)
		return ok && a.Box == b.Box && a.Key == b.Key
	}
	switch b.(type) {
	case Polygon, Image:
		return false
	}
	return a == b
}
