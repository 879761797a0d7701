package panel

import (
	"fmt"
	"slices"

	"timestation/display/draw"
	"timestation/engine/status"
)

// histogram is how regularly the pulses come.
func (p *pen) histogram(box draw.Box, s status.Source, n int) {
	p.several(box, n)
	pulses := s.Signal.Pulses
	remark := ""
	if pulses != nil && pulses.JitterSeconds > 0 {
		remark = p.sayf("jitter %s (1σ)", p.number(magnitude(pulses.JitterSeconds)))
	}
	rest := p.titled(box, p.named("Pulse", s, n), remark, p.t.Ink)
	empty := pulses == nil || len(pulses.Histogram) == 0 || slices.Max(pulses.Histogram) == 0
	rest = p.unheard(rest, s, empty && s.Signal.Text != "")
	if empty {
		if s.Signal.Text == "" {
			p.paragraph(rest, p.body(), draw.Regular, p.t.Quiet,
				p.Say("No pulse has been counted yet. Check the wire to the receiver's PPS pin, and that the receiver has a fix."))
		}
		return
	}
	size := p.fine()
	foot := draw.Round(1.7 * size)
	if rest.H > p.g.U(13) {
		row := draw.Box{X: rest.X, Y: rest.Y, W: rest.W, H: p.g.U(3)}
		p.text(draw.Point{X: row.X, Y: draw.Baseline(row.Y, row.Bottom(), p.small())}, draw.Start, row.W, p.small(), draw.Regular, p.t.Quiet,
			p.sayf("%d pulses, %d missing, %d extra since the start", pulses.Seen, pulses.Missing, pulses.Extra))
		_, rest = rest.Top(row.H, p.g.U(0.8))
	}
	plot := draw.Box{X: rest.X, Y: rest.Y, W: rest.W, H: rest.H - foot}
	if plot.H < p.g.U(2) {
		return
	}
	bins, most := pulses.Histogram, float32(slices.Max(pulses.Histogram))
	slot := plot.W / float32(len(bins))
	for i, count := range bins {
		if count == 0 {
			continue
		}
		from, to := draw.Round(plot.X+float32(i)*slot), draw.Round(plot.X+float32(i+1)*slot)
		gap := float32(0)
		if slot >= 4 {
			gap = max(1, draw.Round(slot*0.12))
		}
		p.bar(from, plot.Bottom()-max(1, plot.H*float32(count)/most), max(1, to-from-gap), plot.Bottom(), p.t.Info)
	}
	p.rule(draw.Point{X: plot.X, Y: plot.Bottom()}, draw.Point{X: plot.Right(), Y: plot.Bottom()}, draw.Mix(p.t.Hairline, p.t.Quiet, 0.5))
	half := pulses.HistogramStepSeconds * float64(len(bins)) / 2
	axis := draw.Axis{From: -half, To: half, Low: plot.X, High: plot.Right()}
	unit, scale := unitOf(half)
	ticks, step := axis.Ticks(6)
	last := float32(-1e9)
	for _, v := range ticks {
		x := draw.Round(axis.At(v))
		text := p.number(fmt.Sprintf("%+.*f", decimals(step/scale), v/scale))
		if v == 0 || text == "+0" {
			text = "0"
		}
		text = minus(text) + " " + unit
		width := draw.TextWidth(text, size, draw.Regular)
		p.rule(draw.Point{X: x, Y: plot.Bottom()}, draw.Point{X: x, Y: plot.Bottom() + p.g.U(0.5)}, draw.Mix(p.t.Hairline, p.t.Quiet, 0.5))
		if x-width/2 < plot.X || x+width/2 > plot.Right() || x-width/2 < last {
			continue
		}
		last = x + width/2 + size
		p.add(draw.Text{At: draw.Point{X: x, Y: plot.Bottom() + draw.Round(0.6*size+draw.CapHeight*size)}, String: text, Size: size,
			Weight: draw.Regular, Anchor: draw.Middle, Fill: p.t.Quiet})
	}
}
