package face

import (
	"timestation/display/draw"
)

// board is where things stand on the digital face.
type board struct {
	digits digits
	// name and mark are the middles of the baselines of the station's name and of the mark of a demonstration.
	name, mark draw.Point
	// size is that of the name, in pixels.
	size float32
}

// newBoard puts the figures into one row, as large as the box allows; in a box that is high, the seconds below.
func newBoard(box draw.Box) board {
	const wide, gap, colon, margin = 0.57, 0.17, 0.40, 0.12 // of the figures' height
	var b board
	size := draw.Round(min(0.05*box.W, 0.08*box.H))
	b.size = size
	inner := box.Inset(draw.Round(0.02*box.W), draw.Round(1.6*size))
	stacked := inner.H > 0.62*inner.W
	// The width of everything in heights of a figure.
	across := float32(6*wide + 3*gap + 2*colon)
	if stacked {
		across = 4*wide + 2*gap + colon
	}
	across += 2 * margin
	h := draw.Even(min(inner.W/across, inner.H))
	if stacked {
		h = draw.Even(min(inner.W/across, inner.H/1.75))
	}
	put := func(n int, x, y, h float32) float32 {
		w, between := draw.Even(wide*h), draw.Even(gap*h)
		b.digits.places[n] = draw.Box{X: x, Y: y, W: w, H: h}
		b.digits.places[n+1] = draw.Box{X: x + w + between, Y: y, W: w, H: h}
		return x + 2*w + between
	}
	pair := 2*draw.Even(wide*h) + draw.Even(gap*h)
	point := draw.Even(colon * h)
	centre := inner.Centre()
	if !stacked {
		x := draw.Round(centre.X - (3*pair+2*point)/2)
		y := draw.Round(centre.Y - h/2)
		for n := 0; n < 6; n += 2 {
			x = put(n, x, y, h)
			if n < 4 {
				b.digits.points = append(b.digits.points, colonAt(x+point/2, y+h/2, h)...)
			}
			x += point
		}
	} else {
		x, y := draw.Round(centre.X-(2*pair+point)/2), draw.Round(centre.Y-1.75*h/2)
		x = put(0, x, y, h)
		b.digits.points = colonAt(x+point/2, y+h/2, h)
		put(2, x+point, y, h)
		small := draw.Even(0.6 * h)
		put(4, draw.Round(centre.X)-draw.Even(wide*small)-draw.Even(gap*small)/2, y+h+draw.Round(0.15*h), small)
	}
	b.name = draw.At(draw.Round(centre.X), draw.Baseline(box.Y, inner.Y, size))
	b.mark = draw.At(draw.Round(centre.X), draw.Baseline(inner.Bottom(), box.Bottom(), draw.Round(0.8*size)))
	return b
}

// Digital is nothing but figures, as large as there is room for.
func Digital(f Frame, box draw.Box) []draw.Shape {
	b := newBoard(box)
	shapes := f.digits(b.digits)
	first, last := b.digits.places[0], b.digits.places[5]
	size := draw.Round(0.8 * b.size)
	shapes = append(shapes, f.halfOfDay(draw.At(draw.Round(last.Right()-1.6*size), b.mark.Y), size)...)
	shapes = append(shapes, f.nameAt(b.name, b.size, 0.9*box.W)...)
	shapes = append(shapes, f.demonstration(b.mark, size)...)
	if f.Standing() == Untrusted {
		shapes = append(shapes, f.strike(first, b.digits.places[3])...)
	}
	return shapes
}
