package face

import (
	"fmt"
	"image/color"
	"slices"
	"time"
)

// column is where the words beside (or below) the clock stand: baselines, and two rules that part their groups.
type column struct {
	weekday, date, zone, utc, source, because float32
	rules                                     []float32
	// lines is how many lines there is room for at because, where no alert takes it.
	lines int
}

// newColumn puts UTC on the axis of the large digits, the date above and the source below it. Without a line for UTC the
// two groups close up; without any time there is only the source.
func newColumn(g grid, s standing, withUTC bool) column {
	if g.portrait {
		at := func(share float32) float32 { return round(g.info.Y + share*g.info.H) }
		switch {
		case s == timeless:
			return column{source: at(0.35), because: at(0.55), lines: 3}
		case withUTC:
			return column{date: at(0.16), zone: at(0.31), utc: at(0.55), source: at(0.80), because: at(0.945), lines: 1}
		}
		return column{date: at(0.22), zone: at(0.38), source: at(0.72), because: at(0.88), lines: 1}
	}
	axis := g.ring.Y + g.ring.H/2
	at := func(units float32) float32 { return round(axis + units*g.unit) }
	if s == timeless {
		return column{source: at(0), because: at(7), lines: 4}
	}
	half := float32(7.6)
	c := column{rules: []float32{at(-half), at(half)}, utc: at(2.2)}
	if !withUTC {
		half = 0
		c = column{rules: []float32{at(0)}}
	}
	c.zone, c.date, c.weekday = at(-half-5), at(-half-11.8), at(-half-20.8)
	c.source, c.because, c.lines = at(half+7.4), at(half+12.9), 2
	return c
}

// info draws the words beside the clock.
func (f Frame) info(g grid) []Shape {
	c := newColumn(g, f.standing(), !f.isUTC())
	anchor, x := Start, g.info.X
	if g.portrait {
		anchor, x = Middle, round(g.info.X+g.info.W/2)
	}
	var shapes []Shape
	put := func(y float32, spans ...span) { shapes = append(shapes, row(Point{x, y}, anchor, spans...)...) }
	fitted := func(y float32, s span) { put(y, fit(s, g.info.W, round(0.55*s.size))) }

	// A date and a UTC that are not to be trusted are quiet, like the digits.
	strong, head := ink, ink
	if f.standing() != synchronised {
		head = f.standing().colour()
	}
	if f.standing() == untrusted {
		strong = quietInk
	}
	for _, y := range c.rules {
		shapes = append(shapes, Rect{Box: Box{g.info.X, y, g.info.W, max(1, g.u(0.18))}, Fill: hairline})
	}
	if f.standing() != timeless {
		for _, s := range f.calendar(g, c, strong) {
			fitted(s.y, s.span)
		}
		if !f.isUTC() {
			h, m, s := f.Second.UTC().Clock(time.UTC)
			label := span{text: "UTC   ", size: g.u(3.3), weight: Regular, fill: quietInk}
			clock := span{text: fmt.Sprintf("%02d:%02d:%02d", h, m, s), size: g.u(6.2), weight: SemiBold, fill: strong, steady: true}
			put(c.utc, label, fit(clock, g.info.W-label.width(), smallest))
		}
	}
	size := g.u(4.1)
	if f.standing() == timeless {
		size = g.u(5.6)
	}
	fitted(c.source, span{text: f.sourceWords(), size: size, weight: SemiBold, fill: head, steady: true})
	if len(f.Status.Alerts) > 0 {
		c.lines = min(c.lines, 1)
	}
	size = g.u(3.1)
	because := wrap(f.because(c.lines > 1), size, Regular, slices.Repeat([]float32{g.info.W}, c.lines)...)
	for i, s := range because {
		put(c.because+float32(i)*round(1.45*size), span{text: s, size: size, weight: Regular, fill: quietInk})
	}
	return shapes
}

// spanAt is a span on a baseline.
type spanAt struct {
	y float32
	span
}

// calendar is the date in words and the zone.
func (f Frame) calendar(g grid, c column, strong color.NRGBA) []spanAt {
	local := f.local()
	zone := spanAt{c.zone, span{text: f.zoneWords(), size: g.u(3.3), weight: Regular, fill: quietInk}}
	if g.portrait {
		date := span{text: local.Format("Monday 2 January 2006"), size: g.u(5.6), weight: SemiBold, fill: strong}
		return []spanAt{{c.date, date}, zone}
	}
	// Both lines take the size that the longest date needs, so that it stays the same all year.
	big := fit(span{text: "30 September 2026", size: g.u(7), weight: SemiBold, fill: strong}, g.info.W, g.u(2))
	day, date := big, big
	day.text, date.text = local.Format("Monday"), local.Format("2 January 2006")
	return []spanAt{{c.weekday, day}, {c.date, date}, zone}
}
