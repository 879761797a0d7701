package face

import (
	"image/color"
	"slices"
)

// Size is a drawing area in pixels.
type Size struct{ W, H float32 }

// Point is a place in pixels, from the top left corner.
type Point struct{ X, Y float32 }

// Box is an upright rectangle in pixels.
type Box struct{ X, Y, W, H float32 }

// Right and Bottom are the far edges.
func (b Box) Right() float32 { return b.X + b.W }

// Bottom is the lower edge.
func (b Box) Bottom() float32 { return b.Y + b.H }

// Overlaps reports whether the two boxes share an area.
func (b Box) Overlaps(c Box) bool {
	return b.X < c.Right() && c.X < b.Right() && b.Y < c.Bottom() && c.Y < b.Bottom()
}

// Shape is one of [Circle], [Polygon], [Rect] and [Text]. Their coordinates are whole pixels, because every
// renderer would round them, each in its own way.
type Shape interface {
	// Bounds is the area the shape covers; of a text, the area of its letters without accents.
	Bounds() Box
}

// Circle is a filled disc.
type Circle struct {
	Centre Point
	Radius float32
	Fill   color.NRGBA
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
	// Size is the font size in pixels.
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
func (p Polygon) Bounds() Box {
	low, high := p.Points[0], p.Points[0]
	for _, q := range p.Points {
		low.X, low.Y = min(low.X, q.X), min(low.Y, q.Y)
		high.X, high.Y = max(high.X, q.X), max(high.Y, q.Y)
	}
	return Box{low.X, low.Y, high.X - low.X, high.Y - low.Y}
}

// Bounds implements Shape.
func (r Rect) Bounds() Box { return r.Box }

// Bounds implements Shape.
func (t Text) Bounds() Box {
	w := TextWidth(t.String, t.Size, t.Weight)
	return Box{t.At.X - w*t.Anchor.share(), t.At.Y - capHeight*t.Size, w, (capHeight + descent) * t.Size}
}

// share is how much of a text's width lies left of its anchor.
func (a Anchor) share() float32 { return float32(a) / 2 }

// Same reports whether two shapes look the same.
func Same(a, b Shape) bool {
	p, ok := a.(Polygon)
	if !ok {
		_, other := b.(Polygon)
		return !other && a == b
	}
	q, ok := b.(Polygon)
	return ok && p.Fill == q.Fill && slices.Equal(p.Points, q.Points)
}
