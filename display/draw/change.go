package draw

import (
	"image"
	"image/color"
)

// Shift moves shapes by a few whole pixels, against burnt-in pictures; what reached to an edge of the area still does.
func Shift(shapes []Shape, size Size, by Point) []Shape {
	if by == (Point{}) {
		return shapes
	}
	out := make([]Shape, len(shapes))
	for i, s := range shapes {
		if r, ok := s.(Rect); ok {
			left, top, right, bottom := r.X+by.X, r.Y+by.Y, r.Right()+by.X, r.Bottom()+by.Y
			if r.X <= 0 {
				left = 0
			}
			if r.Y <= 0 {
				top = 0
			}
			if r.Right() >= size.W {
				right = size.W
			}
			if r.Bottom() >= size.H {
				bottom = size.H
			}
			r.Box = Box{left, top, right - left, bottom - top}
			out[i] = r
			continue
		}
		out[i] = s.moved(by)
	}
	return out
}

// Dim gives shapes only the share 0…1 of their light.
func Dim(shapes []Shape, share float64) []Shape {
	if share >= 1 {
		return shapes
	}
	out := make([]Shape, len(shapes))
	for i, s := range shapes {
		out[i] = s.painted(func(c color.NRGBA) color.NRGBA { return DimColour(c, share) })
	}
	return out
}

// DimColour is a colour with the share 0…1 of its light.
func DimColour(c color.NRGBA, share float64) color.NRGBA {
	if c.A == 0 || share >= 1 {
		return c
	}
	dimmed := Mix(color.NRGBA{A: 0xff}, c, share)
	dimmed.A = c.A
	return dimmed
}

func (p Point) plus(q Point) Point { return Point{p.X + q.X, p.Y + q.Y} }

func (b Box) plus(q Point) Box { return Box{b.X + q.X, b.Y + q.Y, b.W, b.H} }

func (c Circle) moved(by Point) Shape { c.Centre = c.Centre.plus(by); return c }
func (r Rect) moved(by Point) Shape   { r.Box = r.Box.plus(by); return r }
func (l Line) moved(by Point) Shape   { l.From, l.To = l.From.plus(by), l.To.plus(by); return l }
func (i Image) moved(by Point) Shape  { i.Box = i.Box.plus(by); return i }
func (t Text) moved(by Point) Shape   { t.At = t.At.plus(by); return t }
func (p Polygon) moved(by Point) Shape {
	points := make([]Point, len(p.Points))
	for i, q := range p.Points {
		points[i] = q.plus(by)
	}
	p.Points = points
	return p
}

func (c Circle) painted(f func(color.NRGBA) color.NRGBA) Shape {
	c.Fill, c.Stroke = f(c.Fill), f(c.Stroke)
	return c
}
func (r Rect) painted(f func(color.NRGBA) color.NRGBA) Shape {
	r.Fill, r.Stroke = f(r.Fill), f(r.Stroke)
	return r
}
func (l Line) painted(f func(color.NRGBA) color.NRGBA) Shape    { l.Stroke = f(l.Stroke); return l }
func (t Text) painted(f func(color.NRGBA) color.NRGBA) Shape    { t.Fill = f(t.Fill); return t }
func (p Polygon) painted(f func(color.NRGBA) color.NRGBA) Shape { p.Fill = f(p.Fill); return p }
func (i Image) painted(f func(color.NRGBA) color.NRGBA) Shape {
	was := i.Pixels
	i.Key += Hex(f(color.NRGBA{0xff, 0xff, 0xff, 0xff}))
	i.Pixels = func() *image.NRGBA {
		from := was()
		pixels := image.NewNRGBA(from.Rect)
		for at := 0; at < len(pixels.Pix); at += 4 {
			c := f(color.NRGBA{from.Pix[at], from.Pix[at+1], from.Pix[at+2], from.Pix[at+3]})
			copy(pixels.Pix[at:], []uint8{c.R, c.G, c.B, c.A})
		}
		return pixels
	}
	return i
}
