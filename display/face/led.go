package face

import (
	"math"

	"timestation/display/draw"
)

// LED is the studio clock: a ring of sixty lamps for the seconds, twelve hour marks around it, and seven-segment digits
// within.
func LED(f Frame, box draw.Box) []draw.Shape {
	ring := square(box)
	return append(f.ring(ring), f.dial(newDial(ring))...)
}

// square is the largest square of an even side in the middle of a box.
func square(box draw.Box) draw.Box {
	side := 2 * float32(math.Floor(float64(min(box.W, box.H)/2)))
	return draw.Box{X: draw.Round(box.X + (box.W-side)/2), Y: draw.Round(box.Y + (box.H-side)/2), W: side, H: side}
}

// ring draws the lamps of the seconds, lit up to the one that runs, and the hour marks.
func (f Frame) ring(box draw.Box) []draw.Shape {
	on := f.DigitColour()
	off := draw.Mix(f.Style.Theme.Ground, on, 0.15)
	_, _, second := f.Clock()
	if f.Standing() == Timeless {
		second, on = -1, off
	}
	lamp := draw.Even(0.0215 * box.W)
	outer := box.W/2 - lamp/2
	inner := outer - draw.Round(1.55*lamp)
	var shapes []draw.Shape
	put := func(n int, radius float32, lit bool) {
		c := draw.Circle{Radius: lamp / 2, Fill: off}
		at := around(box.Centre(), radius, 2*math.Pi*float64(n)/60)
		c.Centre = draw.At(draw.Round(at.X), draw.Round(at.Y))
		if lit {
			c.Fill = on
		}
		shapes = append(shapes, c)
	}
	for n := range 60 {
		put(n, inner, n <= second)
	}
	for n := 0; n < 60; n += 5 {
		put(n, outer, true)
	}
	return shapes
}

// around is the point at a radius and an angle from the top, clockwise, in radians.
func around(centre draw.Point, radius float32, angle float64) draw.Point {
	return draw.At(centre.X+radius*float32(math.Sin(angle)), centre.Y-radius*float32(math.Cos(angle)))
}

// dial is where things stand inside the ring.
type dial struct {
	radius float32
	digits digits
	// name and mark are the middles of the baselines of the station's name and of the mark of a demonstration.
	name, mark         draw.Point
	nameSize, markSize float32
}

func newDial(ring draw.Box) dial {
	d := dial{radius: 0.435 * ring.W}
	centre := ring.Centre()
	h := draw.Even(0.53 * d.radius)
	w := draw.Even(0.57 * h)
	gap := draw.Even(0.17 * h)
	colon := draw.Even(0.42 * h)
	y := centre.Y - h/2
	x := centre.X - colon/2
	hours := [2]draw.Box{{X: x - 2*w - gap, Y: y, W: w, H: h}, {X: x - w, Y: y, W: w, H: h}}
	x = centre.X + colon/2
	minutes := [2]draw.Box{{X: x, Y: y, W: w, H: h}, {X: x + w + gap, Y: y, W: w, H: h}}
	d.digits.points = colonAt(centre.X, centre.Y, h)
	y += h + draw.Round(0.24*h)
	h, w, gap = draw.Even(0.56*h), draw.Even(0.56*w), draw.Even(0.56*gap)
	d.digits.places = [6]draw.Box{hours[0], hours[1], minutes[0], minutes[1],
		{X: centre.X - gap/2 - w, Y: y, W: w, H: h}, {X: centre.X + gap/2, Y: y, W: w, H: h}}
	d.nameSize = draw.Round(0.085 * d.radius)
	d.name = draw.At(centre.X, centre.Y-draw.Round(0.50*d.radius))
	d.markSize = draw.Round(0.066 * d.radius)
	d.mark = draw.At(centre.X, centre.Y+draw.Round(0.86*d.radius))
	return d
}

// dial draws what stands within the ring.
func (f Frame) dial(d dial) []draw.Shape {
	shapes := f.digits(d.digits)
	last := d.digits.places[5]
	shapes = append(shapes, f.halfOfDay(draw.At(last.Right()+draw.Round(0.3*last.H), last.Bottom()), draw.Round(0.3*last.H))...)
	shapes = append(shapes, f.nameAt(d.name, d.nameSize, 1.4*d.radius)...)
	shapes = append(shapes, f.demonstration(d.mark, d.markSize)...)
	if f.Standing() == Untrusted {
		shapes = append(shapes, f.strike(d.digits.places[0], d.digits.places[3])...)
	}
	return shapes
}
