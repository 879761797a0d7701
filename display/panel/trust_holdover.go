package panel

import (
	"math"
	"strings"
	"time"

	"timestation/display/draw"
	"timestation/display/face"
)

// holdover draws how the error bound would grow if no source were heard from now on, at the rate at which the station lets
// it grow, and when it would reach the limit.
func (p *pen) holdover(box draw.Box) {
	title := "If every source fell silent now"
	if p.Standing() == face.Holdover {
		title = "How the error bound goes on"
	}
	s := p.Status
	remark := ""
	if p.Reading.Known && p.Reading.Synchronised() {
		remark = p.sayf("now %s", p.Bound(p.Reading.MaxError))
	}
	rest := p.titled(box, p.Say(title), remark, p.Standing().Colour(p.t))
	if !p.Reading.Known || !p.Reading.Synchronised() {
		p.paragraph(rest, p.body(), draw.Regular, p.t.Quiet, p.Say("The station claims no error bound while it does not know the time."))
		return
	}
	now, growth := p.Reading.MaxError.Seconds(), s.MaxErrorGrowth
	limit := s.MaxErrorLimit.Seconds()
	if growth <= 0 || now <= 0 {
		p.paragraph(rest, p.body(), draw.Regular, p.t.Quiet, p.Say("The station does not say yet how fast the bound would grow."))
		return
	}
	line, rest := rest.Top(p.g.U(3.4), p.g.U(1))
	p.text(draw.Point{X: line.X, Y: draw.Baseline(line.Y, line.Bottom(), p.body())}, draw.Start, line.W, p.body(), draw.Regular, p.t.Ink,
		p.holdoverWords(now, growth, limit))
	if rest.H > p.g.U(7) {
		p.holdoverCurve(rest, now, growth, limit)
	}
}

// after is when a bound would be reached.
func after(bound, now, growth float64) time.Duration {
	return time.Duration(min((bound-now)/growth, 1e9) * 1e9)
}

func (p *pen) holdoverWords(now, growth, limit float64) string {
	var parts []string
	// The next round figure that people know the meaning of.
	for _, round := range []float64{1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1} {
		if round > 2*now && (limit <= 0 || round < limit*0.99) {
			parts = append(parts, p.sayf("%s after %s", p.Bound(time.Duration(round*1e9)), lasting(after(round, now, growth))))
			break
		}
	}
	if limit > now {
		left := after(limit, now, growth)
		text := p.sayf("limit %s after %s", p.Bound(p.Status.MaxErrorLimit), lasting(left))
		if left < 20*time.Hour {
			text += p.Second.UTC().Time().Add(left).In(p.Location).Format(" (15:04)")
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " · ")
}

// holdoverCurve draws the bound over time, both logarithmic: from a minute to beyond the limit.
func (p *pen) holdoverCurve(box draw.Box, now, growth, limit float64) {
	size := p.fine()
	label, plot := box.Left(draw.Round(draw.TextWidth("100 µs", size, draw.Regular)+0.6*size), 0)
	plot.H -= draw.Round(1.8 * size)
	longest := 7 * 86400.0
	if limit > now {
		longest = min(max(3*after(limit, now, growth).Seconds(), 1800), 90*86400)
	}
	x := draw.Axis{From: math.Log10(30), To: math.Log10(longest), Low: plot.X, High: plot.Right()}
	bottom := math.Floor(math.Log10(now * 0.9))
	top := math.Log10(now+growth*longest) + 0.15
	if limit > now {
		top = max(top, math.Log10(limit)+0.3)
	}
	y := draw.Axis{From: bottom, To: top, Low: plot.Bottom(), High: plot.Y}
	every := 1
	for float64(every)*float64(plot.H)/(top-bottom) < 1.8*float64(size) {
		every++
	}
	for d := int(math.Ceil(bottom)); float64(d) <= top; d += every {
		at := draw.Round(y.At(float64(d)))
		p.rule(draw.Point{X: plot.X, Y: at}, draw.Point{X: plot.Right(), Y: at}, p.t.Hairline)
		if base := draw.Baseline(at, at, size); base-draw.CapHeight*size >= box.Y {
			p.text(draw.Point{X: label.X, Y: base}, draw.Start, label.W, size, draw.Regular, p.t.Quiet, decade(math.Pow(10, float64(d))))
		}
	}
	p.timeTicks(plot, x, size)

	const steps = 64
	points := make([]draw.Point, 0, steps+1)
	for i := range steps + 1 {
		t := x.From + (x.To-x.From)*float64(i)/steps
		points = append(points, draw.Point{X: draw.Round(x.At(t)), Y: draw.Round(y.At(math.Log10(now + growth*math.Pow(10, t))))})
	}
	thick := max(2, draw.Round(p.g.U(0.4)))
	p.add(draw.Polyline(points, thick, p.t.Info)...)
	if limit <= now {
		return
	}
	at := draw.Round(y.At(math.Log10(limit)))
	for from := plot.X; from < plot.Right(); from += p.g.U(2) { // dashed: what is not there, but would be
		p.rule(draw.Point{X: draw.Round(from), Y: at}, draw.Point{X: min(plot.Right(), draw.Round(from+p.g.U(1))), Y: at}, p.t.Bad)
	}
	above := at - draw.Round(0.4*size)
	if above-draw.CapHeight*size < plot.Y {
		above = at + draw.Round(0.4*size+draw.CapHeight*size)
	}
	p.text(draw.Point{X: plot.X + p.g.U(0.8), Y: above}, draw.Start, plot.W*0.5, size, draw.SemiBold, p.t.Bad,
		p.sayf("limit %s", p.Bound(p.Status.MaxErrorLimit)))
	if reached := math.Log10(after(limit, now, growth).Seconds()); reached > x.From && reached < x.To {
		cross := draw.Point{X: draw.Round(x.At(reached)), Y: at}
		p.rule(cross, draw.Point{X: cross.X, Y: plot.Bottom()}, p.t.Bad)
		p.add(draw.Circle{Centre: cross, Radius: max(3, draw.Round(p.g.U(0.8))), Fill: p.t.Bad})
	}
}

// timeTicks names round times along the foot of a logarithmic axis of seconds.
func (p *pen) timeTicks(plot draw.Box, x draw.Axis, size float32) {
	free := plot.X - 0.5*size
	for _, tick := range []struct {
		seconds float64
		text    string
	}{{1, "1 s"}, {10, "10 s"}, {60, "1 min"}, {600, "10 min"}, {3600, "1 h"}, {6 * 3600, "6 h"}, {86400, "1 d"}, {7 * 86400, "7 d"}, {30 * 86400, "30 d"}} {
		t := math.Log10(tick.seconds)
		if t < x.From || t > x.To {
			continue
		}
		at := draw.Round(x.At(t))
		p.rule(draw.Point{X: at, Y: plot.Y}, draw.Point{X: at, Y: plot.Bottom()}, draw.Mix(p.t.Panel, p.t.Hairline, 0.7))
		half := draw.TextWidth(tick.text, size, draw.Regular) / 2
		if at-half < free || at+half > plot.Right() {
			continue
		}
		free = at + half + size
		p.add(draw.Text{At: draw.Point{X: at, Y: plot.Bottom() + draw.Round(0.6*size+draw.CapHeight*size)}, String: tick.text, Size: size,
			Weight: draw.Regular, Anchor: draw.Middle, Fill: p.t.Quiet})
	}
}
