package panel

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"time"

	"timestation/display"
	"timestation/display/draw"
	"timestation/engine/status"
)

// strip is one plot of several that share a time axis.
type plotStrip struct {
	title  string
	colour color.NRGBA
	// value, low and high are what a point has; low and high are nil where there is only a value.
	value, low, high func(display.Point) *float64
	// name writes a value with its unit.
	name func(float64) string
	// logarithmic values lie on a scale of decades.
	logarithmic bool
	// around zero, the scale is symmetric.
	symmetric bool
	limit     float64
}

// mostPoints is how many points a line has at most: every piece of it is painted by itself.
const mostPoints = 260

func (p *pen) plotStrips() []plotStrip {
	seconds := func(v float64) string { return p.number(magnitude(v)) }
	limit := p.Status.MaxErrorLimit.Seconds()
	return []plotStrip{
		{title: p.Say("Offset of the source followed"), colour: p.t.Info, symmetric: true,
			value: func(q display.Point) *float64 { return q.OffsetSeconds }, low: func(q display.Point) *float64 { return q.OffsetLowSeconds },
			high: func(q display.Point) *float64 { return q.OffsetHighSeconds }, name: func(v float64) string { return p.number(signed(v)) }},
		{title: p.Say("Error bound"), colour: p.t.Good, logarithmic: true, limit: limit,
			value: func(q display.Point) *float64 { return q.MaxErrorSeconds }, name: seconds},
		{title: p.Say("Frequency of the oscillator"), colour: p.systemColour("Galileo"),
			value: func(q display.Point) *float64 { return q.FrequencyPPM },
			name:  func(v float64) string { return p.number(signedFixed(v, 3)) + " ppm" }},
		{title: p.Say("Temperature"), colour: p.systemColour("GLONASS"),
			value: func(q display.Point) *float64 { return q.TemperatureCelsius },
			name:  func(v float64) string { return p.number(minus(fmt.Sprintf("%.1f °C", v))) }},
	}
}

// historyPlots draws what was logged below one another, over one time axis.
func (p *pen) historyPlots(box draw.Box) {
	card := p.cardOf(box, p.g.U(2.2), p.g.U(1.4))
	size := p.fine()
	foot := draw.Round(2.2 * size)
	area := draw.Box{X: card.X, Y: card.Y, W: card.W, H: card.H - foot}
	strips := p.plotStrips()
	labels := draw.Round(draw.TextWidth("+888 µs", size, draw.Regular) + 0.8*size)
	plot := draw.Box{X: area.X + labels, Y: area.Y, W: area.W - labels, H: area.H}
	x := p.timeAxis(plot)
	p.Plot = &Plot{Box: plot, Axis: x}
	points, width := p.thinned(x, int(min(plot.W/3, mostPoints)))

	base := draw.Baseline(card.Bottom()-foot*0.8, card.Bottom(), size)
	ticks, names := p.timeTicksOf(x, draw.TextWidth("22 Nov 88", size, draw.Regular)+size)
	for i, v := range ticks {
		at := draw.Round(x.At(v))
		p.rule(draw.Point{X: at, Y: plot.Y}, draw.Point{X: at, Y: plot.Bottom()}, draw.Mix(p.t.Panel, p.t.Hairline, 0.7))
		half := draw.TextWidth(names[i], size, draw.Regular) / 2
		if at-half < card.X || at+half > card.Right() || p.nearCursor(x, at, half+0.5*size) {
			continue
		}
		p.add(draw.Text{At: draw.Point{X: at, Y: base}, String: names[i], Size: size, Weight: draw.Regular, Anchor: draw.Middle, Fill: p.t.Quiet})
	}
	rows := area.Rows(len(strips), p.g.U(1.2))
	pointed, ok := p.pointed(x)
	p.statesLegend(rows[0], points)
	for i, s := range strips {
		p.strip(rows[i], labels, x, points, width, s, pointed)
	}
	if ok {
		p.cursor(draw.Box{X: plot.X, Y: area.Y, W: plot.W, H: area.H}, base, x, pointed.Time)
	}
}

// strip draws one plot: its name and newest value above it, the scale at its left.
func (p *pen) strip(box draw.Box, labels float32, x draw.Axis, points []display.Point, width float64, s plotStrip, pointed display.Point) {
	size := p.fine()
	head, plot := box.Top(draw.Round(1.5*p.small()), p.g.U(0.3))
	plot.X, plot.W = plot.X+labels, plot.W-labels
	base := draw.Baseline(head.Y, head.Bottom(), p.small())
	shown := s.value(pointed)
	if shown == nil && pointed.Time.IsZero() {
		for _, q := range points {
			if v := s.value(q); v != nil {
				shown = v
			}
		}
	}
	used := float32(0)
	if shown != nil {
		used = p.text(draw.Point{X: head.Right(), Y: base}, draw.End, head.W*0.4, p.small(), draw.SemiBold, s.colour, s.name(*shown))
	}
	p.text(draw.Point{X: head.X, Y: base}, draw.Start, min(head.W*0.46, head.W-used-p.g.U(2)), p.small(), draw.SemiBold, p.t.Ink, s.title)
	if plot.H < p.g.U(2) {
		return
	}
	p.states(plot, x, points, width/2)
	y, ok := p.stripAxis(plot, points, s)
	if !ok {
		p.text(draw.Point{X: plot.X + p.g.U(1), Y: draw.Baseline(plot.Y, plot.Bottom(), p.small())}, draw.Start, plot.W-p.g.U(2), p.small(), draw.Regular,
			p.t.Quiet, p.Say("not logged in this time"))
		return
	}
	p.scaleOf(plot, labels, size, y, s)
	p.trace(plot, x, y, points, width, s)
}

// states shades the times without a source, and those when the time was not known.
func (p *pen) states(plot draw.Box, x draw.Axis, points []display.Point, half float64) {
	for i := 0; i < len(points); {
		state := points[i].State
		j := i
		for j < len(points) && points[j].State == state {
			j++
		}
		if state == status.Holdover || state == status.Unsynchronised {
			colour := p.t.Warn
			if state == status.Unsynchronised {
				colour = p.t.Bad
			}
			from := max(plot.X, draw.Round(x.At(unix(points[i].Time)-half)))
			to := min(plot.Right(), draw.Round(x.At(unix(points[j-1].Time)+half)))
			p.add(draw.Rect{Box: draw.Box{X: from, Y: plot.Y, W: max(1, to-from), H: plot.H}, Fill: draw.Mix(p.t.Panel, colour, 0.2)})
		}
		i = j
	}
}

// statesLegend says above the first plot what is shaded.
func (p *pen) statesLegend(box draw.Box, points []display.Point) {
	size := p.small()
	head, _ := box.Top(draw.Round(1.5*size), 0)
	base := draw.Baseline(head.Y, head.Bottom(), size)
	at := head.X + head.W*0.48
	for _, s := range []struct {
		state  status.State
		name   string
		sign   draw.Sign
		colour color.NRGBA
	}{{status.Holdover, "holdover", draw.Triangle, p.t.Warn}, {status.Unsynchronised, "not synchronised", draw.Square, p.t.Bad}} {
		if !slices.ContainsFunc(points, func(q display.Point) bool { return q.State == s.state }) {
			continue
		}
		p.add(draw.MarkAt(s.sign, draw.Point{X: at, Y: base}, size, s.colour)...)
		at += 1.3 * size
		at += p.text(draw.Point{X: at, Y: base}, draw.Start, head.X+head.W*0.78-at, size, draw.Regular, p.t.Quiet, p.Say(s.name)) + 1.5*size
	}
}

func unix(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

// stripAxis is a scale that holds what was logged. A few outliers do not flatten the rest: they end at the edge.
func (p *pen) stripAxis(plot draw.Box, points []display.Point, s plotStrip) (y draw.Axis, ok bool) {
	var all []float64
	for _, q := range points {
		for _, f := range []func(display.Point) *float64{s.value, s.low, s.high} {
			if f == nil {
				continue
			}
			if v := f(q); v != nil && finite(*v) && (!s.logarithmic || *v > 0) {
				all = append(all, *v)
			}
		}
	}
	if len(all) == 0 {
		return y, false
	}
	slices.Sort(all)
	low, high := all[0], all[len(all)-1]
	switch {
	case s.symmetric:
		for i, v := range all {
			all[i] = math.Abs(v)
		}
		slices.Sort(all)
		most := all[len(all)-1]
		if usual := all[len(all)*98/100]; usual > 0 && most > 20*usual {
			most = 4 * usual
		}
		most = max(most*1.08, 1e-9)
		low, high = -most, most
	case s.logarithmic:
		low, high = math.Log10(low)-0.15, math.Log10(high)+0.15
		if s.limit > 0 && math.Log10(s.limit) < high+1 {
			high = max(high, math.Log10(s.limit)+0.15)
		}
		if high-low < 1 {
			low, high = low-(1-(high-low))/2, high+(1-(high-low))/2
		}
	default:
		room := max((high-low)*0.1, math.Abs(high)*1e-4, 1e-3)
		low, high = low-room, high+room
	}
	return draw.Axis{From: low, To: high, Low: plot.Bottom(), High: plot.Y}, true
}

// scaleOf draws the lines of a scale, with their names at the left.
func (p *pen) scaleOf(plot draw.Box, labels, size float32, y draw.Axis, s plotStrip) {
	line := func(at float32, name string) {
		at = draw.Round(at)
		p.rule(draw.Point{X: plot.X, Y: at}, draw.Point{X: plot.Right(), Y: at}, p.t.Hairline)
		base := draw.Baseline(at, at, size)
		if base-draw.CapHeight*size < plot.Y-p.g.U(0.3) || base > plot.Bottom()+p.g.U(0.3) {
			return
		}
		p.text(draw.Point{X: plot.X - 0.5*size, Y: base}, draw.End, labels-0.5*size, size, draw.Regular, p.t.Quiet, name)
	}
	most := max(1, int(plot.H/(1.9*size)))
	if s.logarithmic {
		every := 1
		for (y.To-y.From)/float64(every) > float64(most) {
			every++
		}
		for d := int(math.Ceil(y.From)); float64(d) <= y.To; d += every {
			line(y.At(float64(d)), decade(math.Pow(10, float64(d))))
		}
		if v := math.Log10(max(s.limit, 1e-12)); s.limit > 0 && v > y.From && v < y.To {
			at := draw.Round(y.At(v))
			for from := plot.X; from < plot.Right(); from += p.g.U(2) {
				p.rule(draw.Point{X: draw.Round(from), Y: at}, draw.Point{X: min(plot.Right(), draw.Round(from+p.g.U(1))), Y: at}, p.t.Bad)
			}
		}
		return
	}
	ticks, step := y.Ticks(min(most, 4) + 1)
	unit, scale := "", 1.0
	if s.symmetric {
		unit, scale = unitOf(y.To)
		unit = " " + unit
	}
	for _, v := range ticks {
		name := p.number(minus(fmt.Sprintf("%.*f", decimals(step/scale), v/scale))) + unit
		if s.symmetric && v > 0 {
			name = "+" + name
		}
		if math.Abs(v) < step/1e6 {
			name = "0"
		}
		line(y.At(v), name)
	}
}

// trace draws the line, behind it the extremes, and marks at the edge for what lies beyond it.
func (p *pen) trace(plot draw.Box, x, y draw.Axis, points []display.Point, width float64, s plotStrip) {
	scale := func(v float64) float32 {
		if s.logarithmic {
			v = math.Log10(max(v, 1e-15))
		}
		return draw.Round(max(plot.Y, min(plot.Bottom(), y.At(v))))
	}
	gap := 2.5 * width // rows come a little early or late: one that is missing is no gap
	thick := max(1.5, p.g.U(0.28))
	var line []draw.Point
	flush := func() {
		switch {
		case len(line) == 1:
			p.add(draw.Circle{Centre: line[0], Radius: max(1, thick), Fill: s.colour})
		case len(line) > 1:
			p.add(draw.Polyline(simplified(line, max(0.7, p.g.U(0.1)/2)), thick, s.colour)...)
		}
		line = nil
	}
	faint := draw.Mix(p.t.Panel, s.colour, 0.38)
	half := float32(width/2/(x.To-x.From)) * (x.High - x.Low)
	if s.low != nil {
		for _, q := range points {
			low, high := s.low(q), s.high(q)
			if low == nil || high == nil {
				continue
			}
			at := x.At(unix(q.Time))
			from, to := draw.Round(max(plot.X, at-half)), draw.Round(min(plot.Right(), at+half))
			top, bottom := scale(*high), scale(*low)
			p.add(draw.Rect{Box: draw.Box{X: from, Y: top, W: max(1, to-from), H: max(1, bottom-top)}, Fill: faint})
			mark := max(2, p.g.U(0.5))
			if y.At(*high) < plot.Y-1 {
				p.add(draw.Rect{Box: draw.Box{X: from, Y: plot.Y, W: max(2, to-from), H: mark}, Fill: p.t.Warn})
			}
			if y.At(*low) > plot.Bottom()+1 {
				p.add(draw.Rect{Box: draw.Box{X: from, Y: plot.Bottom() - mark, W: max(2, to-from), H: mark}, Fill: p.t.Warn})
			}
		}
	}
	before := math.Inf(-1)
	for _, q := range points {
		v := s.value(q)
		if v == nil || !finite(*v) || s.logarithmic && *v <= 0 {
			flush()
			continue
		}
		at := unix(q.Time)
		if at-before > gap {
			flush()
		}
		before = at
		line = append(line, draw.Point{X: draw.Round(x.At(at)), Y: scale(*v)})
	}
	flush()
}
