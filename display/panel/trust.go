package panel

import (
	"image/color"
	"strings"

	"timestation/display/draw"
	"timestation/display/face"
	"timestation/engine/status"
)

// Trust shows why this clock believes what it shows.
func Trust(in Input, g draw.Grid, body draw.Box) Picture {
	p := newPen(in, g)
	rest := p.header(body, "Trust", "Why this clock believes what it shows")
	gap := g.U(1.6)
	rest = p.votes(rest, gap)
	foot := g.U(22)
	if g.Portrait {
		foot = g.U(62)
	}
	// The sources have no more room than they fill, and the rest no less than it needs.
	above := draw.Box{X: rest.X, Y: rest.Y, W: rest.W}
	above.H = min(p.sourcesHeight(), draw.Round(rest.H-min(foot, rest.H*0.6)-gap))
	p.sources(above)
	_, below := rest.Top(above.H, gap)
	if g.Portrait {
		halves := below.Rows(2, gap)
		p.holdover(halves[0])
		p.alerts(halves[1])
	} else {
		halves := below.Columns(2, gap)
		p.holdover(halves[0])
		p.alerts(halves[1])
	}
	return p.Picture
}

// sentence is a line about the vote.
type sentence struct {
	text   string
	sign   draw.Sign
	colour color.NRGBA
}

// sentences say how the sources voted, or why nobody knows the time.
func (p *pen) sentences() []sentence {
	var all []sentence
	standing := p.Standing()
	if standing != face.Synchronised {
		why := p.Because()
		if standing == face.Holdover {
			why = p.Sentence(p.Status.Reason)
		}
		all = append(all, sentence{why, standing.Sign(), standing.Colour(p.t)})
	}
	for i, part := range strings.Split(p.Status.Vote, "; ") {
		switch {
		case part == "":
		case i == 0 && strings.HasPrefix(part, "no "):
			if standing == face.Synchronised {
				all = append(all, sentence{p.Sentence(part), draw.Triangle, p.t.Warn})
			}
		case i == 0 && strings.Contains(part, "nothing"): // checks it
			all = append(all, sentence{p.Sentence(part), draw.Ring, p.t.Info})
		case i == 0:
			all = append(all, sentence{p.Sentence(part), draw.Disc, p.t.Good})
		default:
			all = append(all, sentence{p.Sentence(part), draw.Triangle, p.t.Warn})
		}
	}
	if p.Status.Unseen != "" {
		all = append(all, sentence{p.Sentence(p.Status.Unseen), draw.Ring, p.t.Quiet})
	}
	if len(all) == 0 {
		all = append(all, sentence{p.Say("No source tells the time"), draw.Square, p.t.Bad})
	}
	return all
}

// votes says in words how the sources voted, and gives what is left of the page below.
func (p *pen) votes(box draw.Box, gap float32) draw.Box {
	all := p.sentences()
	pad := p.g.U(1.3)
	width := box.W - 2*p.g.U(2.2)
	type set struct {
		sentence
		lines  []string
		size   float32
		weight draw.Weight
	}
	var sets []set
	height := 2 * pad
	for i, s := range all {
		l := set{sentence: s, size: p.body(), weight: draw.Regular}
		if i == 0 {
			l.size, l.weight = max(draw.Smallest, p.g.U(3.2)), draw.SemiBold
		}
		indent := draw.Round(1.5 * p.g.U(3.2))
		l.lines = draw.Wrap(s.text, l.size, l.weight, width-indent, width-indent)
		more := float32(len(l.lines)) * draw.Round(1.4*l.size)
		if height+more > box.H*0.3 && i > 0 {
			break
		}
		height += more
		sets = append(sets, l)
	}
	card := draw.Box{X: box.X, Y: box.Y, W: box.W, H: height}
	p.add(draw.Rect{Box: card, Radius: p.g.U(1.2), Fill: p.t.Panel, Stroke: p.t.Hairline, Width: max(1, p.g.U(0.15))})
	x, y, indent := card.X+p.g.U(2.2), card.Y+pad, draw.Round(1.5*p.g.U(3.2))
	for i, l := range sets {
		step := draw.Round(1.4 * l.size)
		ink := p.t.Ink
		if i > 0 {
			ink = l.colour
		}
		for k, line := range l.lines {
			base := draw.Baseline(y, y+step, l.size)
			if k == 0 {
				p.add(draw.MarkAt(l.sign, draw.Point{X: x, Y: base}, l.size, l.colour)...)
			}
			p.add(draw.Text{At: draw.Point{X: x + indent, Y: base}, String: line, Size: l.size, Weight: l.weight, Fill: ink})
			y += step
		}
	}
	_, rest := box.Top(height, gap)
	return rest
}

// stateLook is the word, the shape and the colour of how a source is judged.
func (p *pen) stateLook(s status.Source, brief bool) (word string, sign draw.Sign, colour color.NRGBA) {
	switch s.State {
	case status.Selected:
		return p.Say("followed"), draw.Disc, p.t.Good
	case status.Agreeing:
		return p.Say("agrees"), draw.Disc, p.t.Good
	case status.Falseticker:
		if brief {
			return p.Say("ignored"), draw.Triangle, p.t.Warn
		}
		return p.Say("falseticker, ignored"), draw.Triangle, p.t.Warn
	case status.Compared:
		if brief {
			return p.Say("compared"), draw.Ring, p.t.Info
		}
		return p.Say("compared only"), draw.Ring, p.t.Info
	case status.Settling:
		return p.Say("settling"), draw.Ring, p.t.Info
	case status.Unusable:
		if brief {
			return p.Say("no time"), draw.Triangle, p.t.Warn
		}
		return p.Say("without valid time"), draw.Triangle, p.t.Warn
	case status.Silent:
		return p.Say("lost"), draw.Square, p.t.Bad
	}
	return p.Say(string(s.State)), draw.Ring, p.t.Quiet
}
