package panel

import (
	"fmt"

	"timestation/display/draw"
	"timestation/engine/status"
	"timestation/refclock"
)

// strongest is the end of the scale in dB-Hz: no receiver hears a satellite better.
const strongest = 55

// strengths are the carrier-to-noise densities as bars, constellation by constellation.
func (p *pen) strengths(box draw.Box, s status.Source) {
	remark := ""
	if g := s.Signal.GNSS; g != nil && len(g.Satellites) > 0 {
		remark = p.sayf("%d of %d used", min(g.SatellitesUsed, len(g.Satellites)), len(g.Satellites))
	}
	rest := p.titled(box, p.Say("Strength, C/N0 in dB-Hz"), remark, p.t.Quiet)
	if s.Signal.GNSS == nil || len(s.Signal.GNSS.Satellites) == 0 {
		p.paragraph(rest, p.body(), draw.Regular, p.t.Quiet,
			p.Say("No satellite is heard. The antenna needs a clear view of the sky; indoors, a window is often not enough."))
		return
	}
	all := inOrder(s.Signal.GNSS.Satellites)
	size := p.small()
	plot := draw.Box{X: rest.X, Y: rest.Y, W: rest.W, H: rest.H - 2.9*size}
	plot, scale := p.scaleOfStrengths(plot)

	slot := plot.W / float32(len(all))
	gap := min(slot*0.28, p.g.U(1.2))
	for begin := 0; begin < len(all); {
		end := begin
		for end < len(all) && systemOf(all[end].Constellation) == systemOf(all[begin].Constellation) {
			end++
		}
		from, to := draw.Round(plot.X+float32(begin)*slot+gap/2), draw.Round(plot.X+float32(end)*slot-gap/2)
		c := constellations[systemOf(all[begin].Constellation)]
		name := c.name
		if draw.TextWidth(name, p.least(), draw.SemiBold) > to-from {
			name = c.letter
		}
		p.bracket(from, to, plot.Bottom()+1.35*size, size, name, "")
		begin = end
	}
	// Either all bars have their numbers, or none: a gap would look like a reading.
	numbers, values := true, plot.H > 3*p.fine()
	for _, s := range all {
		numbers = numbers && draw.TextWidth(fmt.Sprint(s.PRN), p.fine(), draw.Regular) <= slot-1
		values = values && draw.TextWidth("88", p.fine(), draw.SemiBold) <= slot-1
	}
	for i, s := range all {
		p.strength(draw.Box{X: draw.Round(plot.X + float32(i)*slot + gap/2), Y: plot.Y, W: max(1, draw.Round(slot-gap)), H: plot.H},
			scale, s, numbers, values)
	}
}

// scaleOfStrengths draws the lines behind the bars.
func (p *pen) scaleOfStrengths(box draw.Box) (plot draw.Box, scale draw.Axis) {
	size := p.small()
	label, plot := box.Left(draw.Round(2.2*size), 0)
	// The strongest leaves room for its number.
	scale = draw.Axis{From: 0, To: strongest * float64(plot.H/max(1, plot.H-1.4*p.fine())), Low: plot.Bottom(), High: plot.Y}
	step := 10.0
	switch lines := plot.H / (1.6 * size); {
	case lines < 2.6:
		step = 2 * strongest // none
	case lines < 5.2:
		step = 20
	}
	for v := step; v <= 50; v += step {
		y := draw.Round(scale.At(v))
		p.rule(draw.Point{X: plot.X, Y: y}, draw.Point{X: plot.Right(), Y: y}, p.t.Hairline)
		p.text(draw.Point{X: label.X, Y: draw.Baseline(y, y, p.fine())}, draw.Start, label.W, p.fine(), draw.Regular, p.t.Quiet, fmt.Sprintf("%.0f", v))
	}
	p.rule(draw.Point{X: plot.X, Y: plot.Bottom()}, draw.Point{X: plot.Right(), Y: plot.Bottom()}, draw.Mix(p.t.Hairline, p.t.Quiet, 0.5))
	return plot, scale
}

func (p *pen) strength(box draw.Box, scale draw.Axis, s refclock.Satellite, number, value bool) {
	size := p.fine()
	colour := p.systemColour(s.Constellation)
	middle := draw.Round(box.X + box.W/2)
	ink := p.t.Quiet
	if s.Used {
		ink = p.t.Ink
	}
	if number {
		y := draw.Round(box.Bottom() + 0.25*size + draw.CapHeight*size)
		p.add(draw.Text{At: draw.Point{X: middle, Y: y}, String: fmt.Sprint(s.PRN), Size: size, Weight: draw.Regular, Anchor: draw.Middle, Fill: ink})
	}
	if s.CN0 <= 0 {
		return
	}
	top := draw.Round(scale.At(min(s.CN0, strongest)))
	if s.Used {
		p.bar(box.X, top, box.W, box.Bottom(), colour)
	} else {
		p.outline(box.X, top, box.W, box.Bottom(), colour)
	}
	if value {
		p.add(draw.Text{At: draw.Point{X: middle, Y: top - draw.Round(0.3*size)}, String: fmt.Sprintf("%.0f", s.CN0), Size: size,
			Weight: draw.SemiBold, Anchor: draw.Middle, Fill: ink})
	}
}

// bracket is a line below what belongs together, with its name and value below that, as far as they have room.
func (p *pen) bracket(from, to, y, size float32, value, name string) {
	y = draw.Round(y)
	p.rule(draw.Point{X: from, Y: y}, draw.Point{X: to, Y: y}, draw.Mix(p.t.Hairline, p.t.Quiet, 0.6))
	middle := draw.Round((from + to) / 2)
	base := y + draw.Round(0.5*size+draw.CapHeight*size)
	p.whole(draw.Point{X: middle, Y: base}, draw.Middle, to-from, size, draw.SemiBold, p.t.Ink, value)
	p.whole(draw.Point{X: middle, Y: base + draw.Round(1.3*size)}, draw.Middle, to-from, max(draw.Smallest, draw.Round(0.9*size)), draw.Regular, p.t.Quiet, name)
}
