package panel

import (
	"image/color"
	"math"

	"timestation/display"
	"timestation/display/draw"
)

// allan draws the Allan deviation of the oscillator as each source sees it, with what it lies between.
func (p *pen) allan(box draw.Box) {
	rest := p.card(box, p.Say("Allan deviation of the same time"))
	size := p.fine()
	var sources []string
	by := map[string][]display.Deviation{}
	x := draw.Axis{From: math.Inf(1), To: math.Inf(-1)}
	y := x
	for _, d := range p.History.Deviations {
		if !(d.Tau > 0 && d.Value > 0) || !finite(d.Value) || !finite(d.Tau) {
			continue
		}
		if by[d.Source] == nil {
			sources = append(sources, d.Source)
		}
		by[d.Source] = append(by[d.Source], d)
		x.From, x.To = min(x.From, math.Log10(d.Tau)), max(x.To, math.Log10(d.Tau))
		y.From, y.To = min(y.From, math.Log10(d.Value)), max(y.To, math.Log10(d.Value))
	}
	if len(sources) == 0 {
		p.paragraph(rest, p.body(), draw.Regular, p.t.Quiet,
			p.Say("No source was heard throughout this time, so there is none. Choose a time without gaps."))
		return
	}
	rest = p.allanLegend(rest, sources)
	foot := draw.Round(1.9 * size)
	label, plot := rest.Left(draw.Round(3.1*size), 0)
	plot.H -= foot
	if plot.H < p.g.U(4) {
		return
	}
	x.From, x.To, x.Low, x.High = x.From-0.15, x.To+0.15, plot.X, plot.Right()
	y.From, y.To, y.Low, y.High = math.Floor(y.From-0.1), math.Ceil(y.To+0.1), plot.Bottom(), plot.Y
	every := 1
	for float64(every)*float64(plot.H)/(y.To-y.From) < 1.8*float64(size) {
		every++
	}
	for d := int(y.From); d <= int(y.To); d++ {
		at := draw.Round(y.At(float64(d)))
		p.rule(draw.Point{X: plot.X, Y: at}, draw.Point{X: plot.Right(), Y: at}, p.t.Hairline)
		if (d-int(y.From))%every == 0 {
			p.power(draw.Point{X: label.Right() - draw.Round(0.4*size), Y: draw.Baseline(at, at, size)}, size, d)
		}
	}
	p.timeTicks(plot, x, size)
	for i, s := range sources {
		p.deviations(plot, x, y, by[s], p.sourceColour(i))
	}
}

// sourceColour is that of the i-th line of a plot.
func (p *pen) sourceColour(i int) color.NRGBA {
	return p.systemColour(constellations[i%len(constellations)].name)
}

// allanLegend names the lines, and gives what is left below.
func (p *pen) allanLegend(box draw.Box, sources []string) draw.Box {
	size, step := p.small(), p.g.U(3.4)
	x, y := box.X, box.Y
	for i, s := range sources {
		s = draw.Clip(s, box.W-1.2*size, size, draw.Regular)
		width := 1.2*size + draw.TextWidth(s, size, draw.Regular)
		if x+width > box.Right() && x > box.X {
			x, y = box.X, y+step
		}
		p.legendEntryColour(draw.Point{X: x, Y: draw.Baseline(y, y+step, size)}, box.Right()-x, size, p.sourceColour(i), s)
		x += width + p.g.U(2)
	}
	_, rest := box.Top(y+step-box.Y, p.g.U(0.8))
	return rest
}

// deviations is one line, with a bar through each point that holds the true value with 68 %.
func (p *pen) deviations(plot draw.Box, x, y draw.Axis, all []display.Deviation, colour color.NRGBA) {
	place := func(v float64) float32 {
		return draw.Round(max(plot.Y, min(plot.Bottom(), y.At(math.Log10(max(v, 1e-30))))))
	}
	thick := max(1.5, p.g.U(0.3))
	var line []draw.Point
	for _, d := range all {
		at := draw.Round(x.At(math.Log10(d.Tau)))
		if d.Low > 0 && d.High > d.Low && finite(d.High) {
			top, bottom := place(d.High), place(d.Low)
			w := max(1, draw.Round(p.g.U(0.9)))
			p.add(draw.Rect{Box: draw.Box{X: at - draw.Round(w/2), Y: top, W: w, H: max(1, bottom-top)}, Fill: draw.Mix(p.t.Panel, colour, 0.4)})
		}
		line = append(line, draw.Point{X: at, Y: place(d.Value)})
	}
	p.add(draw.Polyline(line, thick, colour)...)
	for _, q := range line {
		p.add(draw.Circle{Centre: q, Radius: max(2, draw.Round(p.g.U(0.5))), Fill: colour})
	}
}
