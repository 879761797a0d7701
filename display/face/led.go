package face

import "math"

// LED is the studio clock: a ring of sixty lamps for the seconds, twelve hour marks around it, seven-segment digits
// within, and beside it in words the date, the zone and where the time comes from.
func LED(f Frame, size Size) []Shape {
	g := newGrid(size)
	shapes := []Shape{Rect{Box: Box{0, 0, size.W, size.H}, Fill: ground}}
	shapes = append(shapes, f.ring(g)...)
	shapes = append(shapes, f.dial(newDial(g.ring))...)
	shapes = append(shapes, f.info(g)...)
	shapes = append(shapes, f.alerts(g)...)
	return append(shapes, f.strip(g)...)
}

// ring draws the lamps of the seconds, lit up to the one that runs, and the hour marks.
func (f Frame) ring(g grid) []Shape {
	on := f.digits()
	off := mix(ground, on, 0.15)
	_, _, second := f.clock()
	if f.standing() == timeless {
		second, on = -1, off
	}
	lamp := even(0.0215 * g.ring.W)
	outer := g.ring.W/2 - lamp/2
	inner := outer - round(1.55*lamp)
	var shapes []Shape
	put := func(n int, radius float32, lit bool) {
		angle := 2 * math.Pi * float64(n) / 60
		c := Circle{Radius: lamp / 2, Fill: off}
		c.Centre.X = g.ring.X + g.ring.W/2 + round(radius*float32(math.Sin(angle)))
		c.Centre.Y = g.ring.Y + g.ring.H/2 - round(radius*float32(math.Cos(angle)))
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

// dial is where things stand inside the ring.
type dial struct {
	centre Point
	radius float32
	// hours, minutes and seconds are the places of two figures each, points the colon.
	hours, minutes, seconds [2]Box
	points                  [2]Circle
	// name and mark are the middles of the baselines of the station's name and of the mark of a demonstration.
	name, mark         Point
	nameSize, markSize float32
}

func newDial(ring Box) dial {
	d := dial{centre: Point{ring.X + ring.W/2, ring.Y + ring.H/2}, radius: 0.435 * ring.W}
	h := even(0.53 * d.radius)
	w := even(0.57 * h)
	gap := even(0.17 * h)
	colon := even(0.42 * h)
	y := d.centre.Y - h/2
	x := d.centre.X - colon/2
	d.hours = [2]Box{{x - 2*w - gap, y, w, h}, {x - w, y, w, h}}
	x = d.centre.X + colon/2
	d.minutes = [2]Box{{x, y, w, h}, {x + w + gap, y, w, h}}
	dot := even(0.125*h) / 2
	for i, side := range []float32{-1, 1} {
		d.points[i] = Circle{Centre: Point{d.centre.X, d.centre.Y + side*round(0.21*h)}, Radius: dot}
	}
	y += h + round(0.24*h)
	h, w, gap = even(0.56*h), even(0.56*w), even(0.56*gap)
	d.seconds = [2]Box{{d.centre.X - gap/2 - w, y, w, h}, {d.centre.X + gap/2, y, w, h}}
	d.nameSize = round(0.085 * d.radius)
	d.name = Point{d.centre.X, d.centre.Y - round(0.50*d.radius)}
	d.markSize = round(0.066 * d.radius)
	d.mark = Point{d.centre.X, d.centre.Y + round(0.86*d.radius)}
	return d
}

// DigitBoxes are the places of the six figures HH MM SS of the LED face at a size, for whoever reads a screen back.
func DigitBoxes(size Size) [6]Box {
	d := newDial(newGrid(size).ring)
	return [6]Box{d.hours[0], d.hours[1], d.minutes[0], d.minutes[1], d.seconds[0], d.seconds[1]}
}

// dial draws the digits, and the bar through them when they are not to be trusted.
func (f Frame) dial(d dial) []Shape {
	on := f.digits()
	off := mix(ground, on, 0.085)
	hour, minute, second := f.clock()
	figures := [6]int{hour / 10, hour % 10, minute / 10, minute % 10, second / 10, second % 10}
	half := ""
	if f.Style.TwelveHour {
		half = []string{"AM", "PM"}[hour/12]
		hour = (hour+11)%12 + 1
		if figures[0], figures[1] = hour/10, hour%10; hour < 10 {
			figures[0] = blank
		}
	}
	if f.standing() == timeless {
		figures, half = [6]int{dash, dash, dash, dash, dash, dash}, ""
	}
	var shapes []Shape
	for i, box := range [6]Box{d.hours[0], d.hours[1], d.minutes[0], d.minutes[1], d.seconds[0], d.seconds[1]} {
		shapes = append(shapes, sevenSegment(box, figures[i], on, off)...)
	}
	for _, p := range d.points {
		p.Fill = on
		shapes = append(shapes, p)
	}
	if f.Name != "" {
		name := fit(span{text: f.Name, size: d.nameSize, weight: SemiBold}, 1.4*d.radius, round(0.6*d.nameSize))
		shapes = append(shapes, Text{At: d.name, String: name.text, Size: name.size, Weight: SemiBold, Anchor: Middle, Fill: quietInk})
	}
	if half != "" {
		last := d.seconds[1]
		shapes = append(shapes, Text{At: Point{last.Right() + round(0.3*last.H), last.Bottom()}, String: half,
			Size: round(0.3 * last.H), Weight: SemiBold, Fill: on})
	}
	if f.Status.Demonstration {
		shapes = append(shapes, demonstration(d)...)
	}
	if f.standing() == untrusted {
		shapes = append(shapes, strike(d)...)
	}
	return shapes
}

// strike is the bar through hours and minutes, with a dark edge that parts it from them.
func strike(d dial) []Shape {
	from := Point{d.hours[0].X - 0.12*d.hours[0].H, d.hours[0].Bottom() - 0.10*d.hours[0].H}
	to := Point{d.minutes[1].Right() + 0.12*d.hours[0].H, d.hours[0].Y + 0.10*d.hours[0].H}
	bar := func(thick float32) []Point {
		dx, dy := to.X-from.X, to.Y-from.Y
		length := float32(math.Hypot(float64(dx), float64(dy)))
		nx, ny := -dy/length*thick/2, dx/length*thick/2
		points := []Point{{from.X - nx, from.Y - ny}, {to.X - nx, to.Y - ny}, {to.X + nx, to.Y + ny}, {from.X + nx, from.Y + ny}}
		for i, p := range points {
			points[i] = Point{round(p.X), round(p.Y)}
		}
		return points
	}
	thick := 0.085 * d.hours[0].H
	return []Shape{Polygon{Points: bar(2.4 * thick), Fill: ground}, Polygon{Points: bar(thick), Fill: red}}
}

// demonstration is the mark of a station that plays a recording.
func demonstration(d dial) []Shape {
	const word = "DEMONSTRATION"
	w, h := even(TextWidth(word, d.markSize, SemiBold)+1.8*d.markSize), even(1.75*d.markSize)
	box := Box{d.mark.X - w/2, round(d.mark.Y - capHeight*d.markSize/2 - h/2), w, h}
	return []Shape{
		Rect{Box: box, Radius: h / 2, Fill: mix(ground, blue, 0.14)},
		Text{At: d.mark, String: word, Size: d.markSize, Weight: SemiBold, Anchor: Middle, Fill: blue},
	}
}
