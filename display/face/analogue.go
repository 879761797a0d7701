package face

import (
	"fmt"
	"math"
	"time"

	"timestation/display/draw"
	"timestation/refclock"
)

// Of the analogue face, in parts of its radius.
const (
	handWidth       = 0.085
	hourLength      = 0.58
	minuteLength    = 0.86
	secondLength    = 0.60
	secondDisc      = 0.085
	secondTail      = 0.24
	stopToGoSeconds = 58.5
)

// Analogue is the clock of a railway station: bars for the minutes, two plain hands, and a red disc for the second.
func Analogue(f Frame, box draw.Box) []draw.Shape {
	s := square(box)
	t, centre, radius := f.Style.Theme, s.Centre(), s.W/2
	shapes := []draw.Shape{draw.Circle{Centre: centre, Radius: radius, Fill: t.Panel, Stroke: t.Hairline, Width: max(2, draw.Round(0.012*radius))}}
	ink := t.Ink
	switch f.Standing() {
	case Holdover:
		ink = t.Warn
	case Untrusted, Timeless:
		ink = draw.Mix(t.Panel, t.Bad, 0.55)
	}
	bar := func(angle float64, from, to, thick float32) {
		shapes = append(shapes, draw.Polygon{Points: bar(around(centre, from*radius, angle), around(centre, to*radius, angle),
			thick*radius, thick*radius), Fill: ink})
	}
	for n := range 60 {
		from, thick := float32(0.88), float32(0.022)
		if n%5 == 0 {
			from, thick = 0.74, 0.052
		}
		bar(2*math.Pi*float64(n)/60, from, 0.95, thick)
	}
	name := draw.At(centre.X, centre.Y-draw.Round(0.36*radius))
	shapes = append(shapes, f.nameAt(name, draw.Round(0.075*radius), 0.9*radius)...)
	if f.Standing() == Timeless {
		at := draw.At(centre.X, draw.Baseline(centre.Y-0.1*radius, centre.Y+0.1*radius, draw.Round(0.2*radius)))
		shapes = append(shapes, draw.Text{At: at, String: "– – : – –", Size: draw.Round(0.2 * radius), Weight: draw.SemiBold,
			Anchor: draw.Middle, Fill: t.Bad})
		return append(shapes, f.demonstration(draw.At(centre.X, centre.Y+draw.Round(0.5*radius)), draw.Round(0.062*radius))...)
	}
	shapes = append(shapes, f.leapSecond(centre, radius)...)
	shapes = append(shapes, f.demonstration(draw.At(centre.X, centre.Y+draw.Round(0.5*radius)), draw.Round(0.062*radius))...)
	hour, minute, second := f.hands()
	bar(hour, -0.16, hourLength, handWidth)
	bar(minute, -0.16, minuteLength, 0.8*handWidth)
	if f.Standing() == Untrusted {
		from, to := around(centre, 0.8*radius, 1.25*math.Pi), around(centre, 0.8*radius, 0.25*math.Pi)
		return append(shapes, f.crossOut(from, to, 0.06*radius)...)
	}
	colour := f.DigitColour()
	line := rod(centre, radius, second)
	shapes = append(shapes,
		draw.Polygon{Points: line, Fill: colour},
		draw.Circle{Centre: around(centre, secondLength*radius, second), Radius: secondDisc * radius, Fill: colour},
		draw.Circle{Centre: centre, Radius: draw.Round(0.035 * radius), Fill: colour})
	return shapes
}

// rod is the rod of the second hand, a little thicker at its tail.
func rod(centre draw.Point, radius float32, angle float64) []draw.Point {
	return bar(around(centre, -secondTail*radius, angle), around(centre, secondLength*radius, angle), 0.036*radius, 0.022*radius)
}

// hands are the angles of the hands from the top, clockwise, in radians.
func (f Frame) hands() (hour, minute, second float64) {
	h, m, s := f.Clock()
	running := float64(min(s, 59))
	part := f.Part.Seconds()
	switch f.Style.Hand {
	case Sweep:
		running += part
		if s == 60 {
			running = 60 // it waits for the minute
		}
	case StopToGo:
		running = min(60, (float64(s)+part)*60/stopToGoSeconds)
	}
	turn := func(v, whole float64) float64 { return 2 * math.Pi * v / whole }
	// The minute hand jumps, as a railway station's does; the hour hand follows it.
	return turn(float64(h%12)*60+float64(m), 720), turn(float64(m), 60), turn(running, 60)
}

// leapSecond says in figures what sixty bars cannot: that this is second 60.
func (f Frame) leapSecond(centre draw.Point, radius float32) []draw.Shape {
	h, m, s := f.Clock()
	if s != 60 {
		return nil
	}
	size := draw.Round(0.14 * radius)
	at := draw.At(centre.X, centre.Y+draw.Round(0.34*radius))
	return []draw.Shape{draw.Text{At: at, String: fmt.Sprintf("%02d:%02d:60", h, m), Size: size, Weight: draw.SemiBold,
		Anchor: draw.Middle, Fill: f.DigitColour()}}
}

// AnalogueHands are the angles of the hands that a face in a box shows at a time of day, for whoever reads a screen back:
// from the top, clockwise, in radians; centre and radius are those of the dial.
func AnalogueHands(box draw.Box, hour, minute, second int) (centre draw.Point, radius float32, angles [3]float64) {
	s := square(box)
	f := Frame{Location: time.UTC, Second: refclock.Date(2026, 1, 1, hour, minute, second, 0).Instant(37)}
	a, b, c := f.hands()
	return s.Centre(), s.W / 2, [3]float64{a, b, c}
}
