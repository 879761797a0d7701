package panel

import (
	"slices"
	"strings"

	"timestation/display/draw"
	"timestation/engine/status"
	"timestation/refclock"
)

// Signal shows what the receivers hear now.
func Signal(in Input, g draw.Grid, body draw.Box) Picture {
	p := newPen(in, g)
	rest := p.header(body, "Signal", "What the receivers hear now")
	heard := receivers(in.Status.Sources)
	if heard.none() {
		p.nothing(rest, "No receiver is configured.",
			"Write a [[refclock]] section for each into the configuration. `timestation receivers` shows what is plugged in.")
		return p.Picture
	}
	left, right := p.tiles(heard)
	gap := g.U(1.6)
	switch {
	case g.Portrait || len(left) == 0 || len(right) == 0:
		p.stack(rest, gap, append(left, right...))
	default:
		share := float32(0.42)
		if heard.sky == nil {
			share = 0.36
		}
		first, second := rest.Left(draw.Round(min(rest.W*share, rest.H*1.12)), gap)
		p.stack(first, gap, left)
		p.stack(second, gap, right)
	}
	return p.Picture
}

// nothing says in the middle of a page what is missing, and how to get it.
func (p *pen) nothing(box draw.Box, missing, mend string) {
	card := p.card(box, "")
	size, small := p.g.U(4.6), p.g.U(3.2)
	step, wide := draw.Round(1.45*small), min(card.W, p.g.U(110))
	lines := draw.Wrap(p.Sentence(mend), small, draw.Regular, slices.Repeat([]float32{wide}, 6)...)
	middle := card.Centre()
	mark := p.g.U(7)
	y := draw.Round(middle.Y - (2*mark+1.5*size+float32(len(lines))*step)/2)
	p.add(draw.Mark(draw.Ring, draw.Box{X: draw.Round(middle.X - mark/2), Y: y, W: mark, H: mark}, p.t.Quiet)...)
	y += draw.Round(1.5 * mark)
	p.text(draw.At(middle.X, draw.Baseline(y, y+size, size)), draw.Middle, card.W, size, draw.SemiBold, p.t.Ink, p.Say(missing))
	y += draw.Round(1.7 * size)
	for _, line := range lines {
		p.text(draw.At(middle.X, draw.Baseline(y, y+step, small)), draw.Middle, card.W, small, draw.Regular, p.t.Quiet, line)
		y += step
	}
}

// hearing is the sources by what kind of receiver they are.
type hearing struct{ sky, pulses, radio, servers, others []status.Source }

func receivers(sources []status.Source) (h hearing) {
	for _, s := range sources {
		switch {
		case s.Signal.GNSS != nil || s.Driver == "gps" || s.Driver == "gpsd":
			h.sky = append(h.sky, s)
		case s.Signal.Pulses != nil || s.Driver == "pps":
			h.pulses = append(h.pulses, s)
		case s.Signal.Radio != nil || timeCodes[s.Driver] != nil:
			h.radio = append(h.radio, s)
		case s.Signal.Server != nil || s.Driver == "upstream":
			h.servers = append(h.servers, s)
		default:
			h.others = append(h.others, s)
		}
	}
	return h
}

func (h hearing) none() bool {
	return len(h.sky)+len(h.pulses)+len(h.radio)+len(h.servers)+len(h.others) == 0
}

// tile is a card that wants a share of the height, or, if that is not 0, a height in pixels.
type tile struct {
	share, height float32
	draw          func(p *pen, box draw.Box)
}

// lines is the height of a card with a title and so many lines.
func (p *pen) lines(n int, step float32) float32 { return 2*p.g.U(1.8) + p.g.U(4.8) + float32(n)*step }

// tiles are the cards of the left and the right column.
func (p *pen) tiles(h hearing) (left, right []tile) {
	if s, n := p.chosen(h.sky); n > 0 {
		share := float32(5)
		if p.g.Portrait {
			share = 9 // it is round, and as wide as the page
		}
		left = append(left, tile{share, 0, func(p *pen, box draw.Box) { p.sky(box, s, n) }})
		right = append(right, tile{3.7, 0, func(p *pen, box draw.Box) { p.strengths(box, s) }})
	}
	if s, n := p.chosen(h.pulses); n > 0 {
		left = append(left, tile{2.6, 0, func(p *pen, box draw.Box) { p.histogram(box, s, n) }})
	}
	if s, n := p.chosen(h.radio); n > 0 {
		right = append(right, tile{4.3, 0, func(p *pen, box draw.Box) { p.minute(box, s, n) }})
	}
	if len(h.servers) > 0 {
		right = append(right, tile{0, p.lines(min(len(h.servers), 5), serverStep(p.g)), func(p *pen, box draw.Box) { p.servers(box, h.servers) }})
	}
	if len(h.others) > 0 {
		right = append(right, tile{0, p.lines(2*min(len(h.others), 2), p.g.U(3.8)), func(p *pen, box draw.Box) { p.others(box, h.others) }})
	}
	return left, right
}

// chosen is the source of several that is shown; touching its card shows the next.
func (p *pen) chosen(sources []status.Source) (s status.Source, n int) {
	if n = len(sources); n > 0 {
		s = sources[p.View.Choice%n]
	}
	return s, n
}

// several lets a touch on a card go on to the next of n sources.
func (p *pen) several(box draw.Box, n int) {
	if n < 2 {
		return
	}
	next := p.View
	next.Choice++
	p.Spots = append(p.Spots, Spot{Box: box, Label: p.Say("next receiver"), Do: Command{View: &next}})
}

// named is a card's title with the source it is about.
func (p *pen) named(title string, s status.Source, n int) string {
	if n > 1 {
		return p.sayf("%s · %s, 1 of %d", p.Say(title), s.Name, n)
	}
	return p.Say(title) + " · " + s.Name
}

// stack sets tiles below one another, each by its share of the height.
func (p *pen) stack(box draw.Box, gap float32, tiles []tile) {
	var total, fixed float32
	for _, t := range tiles {
		total, fixed = total+t.share, fixed+t.height
	}
	room := box.H - gap*float32(len(tiles)-1)
	if most := room * 0.6; fixed > most && total > 0 { // the rest wants to be seen too
		for i := range tiles {
			tiles[i].height *= most / fixed
		}
		fixed = most
	}
	y := box.Y
	for _, t := range tiles {
		h := draw.Round(min(t.height, room))
		if t.height == 0 {
			h = draw.Round((room - fixed) * t.share / total)
		}
		t.draw(p, draw.Box{X: box.X, Y: y, W: box.W, H: h})
		y += h + gap
	}
}

// unheard says at the foot of a card what is wrong with a source and the mend, and gives what is left of the card. With
// nothing else to show it says so at the top, and nothing is left.
func (p *pen) unheard(box draw.Box, s status.Source, empty bool) draw.Box {
	if empty {
		if s.Signal.Text == "" && len(s.Signal.Alarms) == 0 {
			p.paragraph(box, p.body(), draw.Regular, p.t.Quiet, p.Say("Nothing has been heard of this receiver yet."))
		}
		box.H = min(box.H, p.noticeHeight(box, p.Sentence(s.Signal.Text)))
	}
	left := p.unwell(box, s)
	if empty {
		left.H = 0
	}
	return left
}

func (p *pen) unwell(box draw.Box, s status.Source) draw.Box {
	if len(s.Signal.Alarms) > 0 {
		a := s.Signal.Alarms[0]
		sign, colour := draw.Triangle, p.t.Warn
		if a.Critical {
			sign, colour = draw.Square, p.t.Bad
		}
		return p.notice(box, sign, colour, p.joined(p.Sentence(a.Text), p.Sentence(a.Mend)))
	}
	if s.Signal.State == refclock.Timing || s.Signal.Text == "" {
		return box
	}
	sign, colour := draw.Triangle, p.t.Warn
	if s.Signal.State == refclock.Lost {
		sign, colour = draw.Square, p.t.Bad
	}
	return p.notice(box, sign, colour, p.Sentence(s.Signal.Text))
}

// joined is two texts as sentences.
func (p *pen) joined(a, b string) string {
	switch {
	case b == "":
		return a
	case a == "":
		return b
	}
	return strings.TrimRight(a, ".;") + ". " + b
}

// others lists sources of which nothing can be drawn, with what they say of themselves.
func (p *pen) others(box draw.Box, sources []status.Source) {
	rest := p.card(box, p.Say("Other sources"))
	for _, s := range sources {
		text := p.Style.Language.Sentence(s.Signal.Text)
		if text == "" {
			text = p.Say(string(s.State))
		}
		rest = p.paragraph(rest, p.body(), draw.Regular, p.t.Ink, s.Name+": "+text)
	}
}
