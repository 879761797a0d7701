package panel

import (
	"fmt"
	"image/color"
	"strings"

	"timestation/display/draw"
	"timestation/engine/status"
)

func serverStep(g draw.Grid) float32 { return g.U(4) }

// servers is how NTP servers answer, a line each.
func (p *pen) servers(box draw.Box, sources []status.Source) {
	rest := p.card(box, p.Say("NTP servers"))
	size := p.body()
	step := serverStep(p.g)
	wide := rest.W > p.g.U(110)
	reach := p.g.U(14)
	for i, s := range sources {
		row, below := rest.Top(step, 0)
		if row.H < step {
			break
		}
		if left := len(sources) - i; below.H < step && left > 1 {
			p.text(draw.Point{X: row.X, Y: draw.Baseline(row.Y, row.Bottom(), size)}, draw.Start, row.W, size, draw.Regular, p.t.Quiet,
				p.sayf("and %d more", left))
			break
		}
		rest = below
		base := draw.Baseline(row.Y, row.Bottom(), size)
		v := s.Signal.Server
		if v == nil {
			p.text(draw.Point{X: row.X, Y: base}, draw.Start, row.W, size, draw.Regular, p.t.Quiet, s.Name+": "+p.Style.Language.Sentence(orElse(strings.TrimPrefix(s.Signal.Text, s.Name+": "), "not asked yet")))
			continue
		}
		p.reach(draw.Box{X: row.Right() - reach, Y: row.Y, W: reach, H: row.H}, v.Reach)
		columns := draw.Box{X: row.X, Y: row.Y, W: row.W - reach - p.g.U(1.5), H: row.H}.Columns(3, p.g.U(1))
		name := columns[0]
		p.text(draw.Point{X: name.X, Y: base}, draw.Start, name.W, size, draw.SemiBold, p.t.Ink, s.Name)
		protection, colour := p.protection(v.Protection, v.Authenticated)
		if draw.TextWidth(protection, size, draw.Regular) > columns[1].W { // the algorithm is for those who have room
			protection, _, _ = strings.Cut(protection, " AES")
		}
		p.text(draw.Point{X: columns[1].X, Y: base}, draw.Start, columns[1].W, size, draw.Regular, colour, protection)
		delay := p.sayf("delay %s", p.number(magnitude(v.DelaySeconds)))
		if wide {
			delay = p.sayf("stratum %d", v.Stratum) + ", " + delay
		}
		if v.Kiss != "" {
			delay = fmt.Sprintf("KoD %s", v.Kiss)
		}
		if v.Reach == 0 {
			delay = p.Say("no answer")
		}
		p.text(draw.Point{X: columns[2].X, Y: base}, draw.Start, columns[2].W, size, draw.Regular, p.t.Quiet, delay)
	}
}

// reach is the last eight polls, the newest at the right: a full dot is an answer.
func (p *pen) reach(box draw.Box, reach uint8) {
	slot := box.W / 8
	r := draw.Round(min(slot*0.32, box.H*0.2))
	for i := range 8 {
		c := draw.Circle{Centre: draw.Point{X: draw.Round(box.X + (float32(i)+0.5)*slot), Y: draw.Round(box.Y + box.H/2)}, Radius: r}
		if reach>>(7-i)&1 == 1 {
			c.Fill = p.t.Good
		} else {
			c.Stroke, c.Width = p.t.Quiet, max(1, draw.Round(r/3))
		}
		p.add(c)
	}
}

// protection says how a server's answers are signed.
func (p *pen) protection(kind string, authenticated bool) (string, color.NRGBA) {
	switch {
	case authenticated && kind != "" && kind != "none":
		return kind, p.t.Good
	case authenticated:
		return p.Say("authenticated"), p.t.Good
	case kind != "" && kind != "none":
		return p.sayf("%s, not proven", kind), p.t.Warn
	}
	return p.Say("not authenticated"), p.t.Quiet
}
