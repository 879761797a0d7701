package panel

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"
	"time"

	"timestation/display/draw"
	"timestation/display/face"
	"timestation/engine/status"
)

// Heights of the list of sources, in units.
const (
	sourceRow  = 5.2
	sourceLow  = 4.2 // before the list is scrolled
	sourceHead = 4.6
)

func (p *pen) sourcesHeight() float32 {
	h := 2*p.g.U(1.4) + float32(max(len(p.Status.Sources), 1))*p.g.U(sourceRow)
	if slices.ContainsFunc(p.Status.Sources, placeable) {
		h += p.g.U(sourceHead)
	}
	return h
}

// sources draws every source side by side: what it is, how it is judged, and how far from the station's time it is, with
// its error bar, on a scale that is linear around zero and logarithmic beyond.
func (p *pen) sources(box draw.Box) {
	all := p.Status.Sources
	card := p.cardOf(box, p.g.U(2.2), p.g.U(1.4))
	if len(all) == 0 {
		p.paragraph(card, p.body(), draw.Regular, p.t.Quiet,
			p.Say("No source is configured: write a [[refclock]] section for each receiver into the configuration."))
		return
	}
	head, rows := card.Top(p.g.U(sourceHead), 0)
	step := p.g.U(sourceRow)
	if !slices.ContainsFunc(all, placeable) && float32(len(all))*p.g.U(sourceLow) <= card.H { // no scale to name
		head, rows = card.Top(0, 0)
	}
	fit := max(1, int(rows.H/p.g.U(sourceLow)+0.01))
	first := 0
	if len(all) > fit {
		first = max(0, min(p.View.Row, len(all)-fit))
		p.LastRow = len(all) - fit
		p.scroll(head, first, fit, len(all))
		step = rows.H / float32(fit)
	} else {
		step = min(step, rows.H/float32(len(all)))
	}
	shown := all[first:min(len(all), first+fit)]
	c := p.sourceColumns(card, shown)
	scale := newSpread(shown, p.Reading.MaxError, c.plot)
	p.spreadAxis(scale, head, rows.Y+float32(len(shown))*step)
	for i, s := range shown {
		row := draw.Box{X: card.X, Y: draw.Round(rows.Y + float32(i)*step), W: card.W, H: draw.Round(step)}
		if i > 0 {
			p.rule(draw.Point{X: row.X, Y: row.Y}, draw.Point{X: row.Right(), Y: row.Y}, p.t.Hairline)
		}
		p.source(row, c, scale, s)
	}
}

// cardOf is a panel without a title.
func (p *pen) cardOf(box draw.Box, padX, padY float32) draw.Box {
	p.add(draw.Rect{Box: box, Radius: p.g.U(1.2), Fill: p.t.Panel, Stroke: p.t.Hairline, Width: max(1, p.g.U(0.15))})
	return box.Inset(padX, padY)
}

// sourceColumns are the places in a row of the list.
type sourceColumns struct {
	name, kind, state, offset, bound, plot draw.Box
	// brief rows have no room for long words.
	brief bool
}

func (p *pen) sourceColumns(card draw.Box, shown []status.Source) sourceColumns {
	gap := p.g.U(1.8)
	widest := func(size float32, w draw.Weight, most float32, text func(status.Source) string) float32 {
		var width float32
		for _, s := range shown {
			width = max(width, draw.TextWidth(text(s), size, w))
		}
		return draw.Round(min(width+1, most))
	}
	c := sourceColumns{brief: card.W < p.g.U(100)}
	rest := card
	name := draw.Round(1.5*p.strong()) + widest(p.strong(), draw.SemiBold, card.W*0.2, func(s status.Source) string { return s.Name })
	c.name, rest = rest.Left(name, gap)
	if card.W > p.g.U(120) {
		c.kind, rest = rest.Left(widest(p.body(), draw.Regular, card.W*0.2, p.kindWords), gap)
	}
	state := widest(p.body(), draw.SemiBold, card.W*0.22, func(s status.Source) string { word, _, _ := p.stateLook(s, c.brief); return word })
	c.state, rest = rest.Left(state, gap)
	c.offset, rest = rest.Left(draw.Round(draw.TextWidth("+888 ms", p.body(), draw.SemiBold)), p.g.U(1))
	if card.W > p.g.U(100) {
		c.bound, rest = rest.Left(draw.Round(draw.TextWidth("±888 ms", p.body(), draw.Regular)), gap)
	}
	c.plot = rest
	return c
}

// kindWords say what a source is, and the one figure that tells how well it is heard.
func (p *pen) kindWords(s status.Source) string {
	kind := p.Say(face.KindWord(s))
	switch v := s.Signal; {
	case v.GNSS != nil:
		return kind + ", " + p.Style.Language.Count(v.GNSS.SatellitesUsed, "satellite", "satellites")
	case v.Radio != nil && len(v.Radio.Quality) > 0:
		return kind + ", " + p.sayf("heard %.0f %%", 100*lately(v.Radio.Quality))
	case v.Pulses != nil:
		return p.sayf("pulse, jitter %s", p.number(magnitude(v.Pulses.JitterSeconds)))
	case v.Server != nil:
		protection, _ := p.protection(v.Server.Protection, v.Server.Authenticated)
		protection, _, _ = strings.Cut(protection, " AES")
		return kind + ", " + protection
	}
	return kind
}

// lately is the mean of the last ten minutes.
func lately(quality []float64) (mean float64) {
	quality = quality[max(0, len(quality)-10):]
	for _, q := range quality {
		mean += q / float64(len(quality))
	}
	return min(1, max(0, mean))
}

func (p *pen) source(row draw.Box, c sourceColumns, scale spread, s status.Source) {
	word, sign, colour := p.stateLook(s, c.brief)
	ink := p.t.Ink
	if s.State == status.Silent {
		ink = p.t.Quiet
	}
	base := draw.Baseline(row.Y, row.Bottom(), p.strong())
	p.add(draw.MarkAt(sign, draw.Point{X: row.X, Y: base}, p.body(), colour)...)
	indent := draw.Round(1.5 * p.strong())
	p.text(draw.Point{X: c.name.X + indent, Y: base}, draw.Start, c.name.W-indent, p.strong(), draw.SemiBold, ink, s.Name)
	p.text(draw.Point{X: c.kind.X, Y: base}, draw.Start, c.kind.W, p.body(), draw.Regular, p.t.Quiet, p.kindWords(s))
	p.text(draw.Point{X: c.state.X, Y: base}, draw.Start, c.state.W, p.body(), draw.SemiBold, colour, word)
	if !placeable(s) {
		p.add(draw.Rect{Box: draw.Box{X: c.offset.X, Y: row.Y + p.g.U(0.4), W: row.Right() - c.offset.X, H: row.H - p.g.U(0.8)}, Fill: p.t.Panel})
		p.text(draw.Point{X: c.offset.X, Y: base}, draw.Start, row.Right()-c.offset.X, p.body(), draw.Regular, p.t.Quiet, p.missingWords(s))
		return
	}
	p.text(draw.Point{X: c.offset.Right(), Y: base}, draw.End, c.offset.W, p.body(), draw.SemiBold, ink, p.number(signed(s.OffsetSeconds)))
	p.text(draw.Point{X: c.bound.X, Y: base}, draw.Start, c.bound.W, p.body(), draw.Regular, p.t.Quiet,
		p.number(draw.FormatBound(time.Duration(s.MaxErrorSeconds*1e9))))
	p.errorBar(c.plot, scale, draw.Round(row.Y+row.H/2), s, colour)
}

// placeable tells whether a source has an offset that still means something.
func placeable(s status.Source) bool {
	return s.AgeSeconds >= 0 && s.State != status.Silent && s.State != status.Unusable && !math.IsNaN(s.OffsetSeconds) && !math.IsInf(s.OffsetSeconds, 0)
}

// missingWords say since when nothing is heard, or what is wrong.
func (p *pen) missingWords(s status.Source) string {
	var parts []string
	if s.AgeSeconds >= 0 {
		parts = append(parts, p.sayf("heard %s ago", lasting(time.Duration(min(s.AgeSeconds, 1e9)*1e9))))
	} else {
		parts = append(parts, p.Say("never heard"))
	}
	if s.Signal.Text != "" {
		parts = append(parts, p.Style.Language.Sentence(strings.TrimPrefix(s.Signal.Text, s.Name+": ")))
	}
	return strings.Join(parts, "; ")
}

// errorBar is how far a source is off, and how far it may be.
func (p *pen) errorBar(plot draw.Box, scale spread, y float32, s status.Source, colour color.NRGBA) {
	if plot.W < p.g.U(12) {
		return
	}
	thick := max(2, draw.Round(p.g.U(0.45)))
	from, to := scale.at(s.OffsetSeconds-s.MaxErrorSeconds), scale.at(s.OffsetSeconds+s.MaxErrorSeconds)
	bar := draw.Box{X: draw.Round(from), Y: y - draw.Round(thick/2), W: max(1, draw.Round(to-from)), H: thick}
	p.add(draw.Rect{Box: bar, Fill: draw.Mix(p.t.Panel, colour, 0.7)})
	cap := draw.Round(p.g.U(0.9))
	for _, x := range []float32{bar.X, bar.Right() - thick} {
		p.add(draw.Rect{Box: draw.Box{X: x, Y: y - cap, W: thick, H: 2 * cap}, Fill: draw.Mix(p.t.Panel, colour, 0.7)})
	}
	r := draw.Round(p.g.U(1.05))
	p.add(draw.Circle{Centre: draw.Point{X: draw.Round(scale.at(s.OffsetSeconds)), Y: y}, Radius: r, Fill: colour})
}

// spread is a symmetric scale of times: linear up to unit seconds, logarithmic beyond.
type spread struct {
	unit, most float64
	plot       draw.Box
	own        time.Duration // the station's bound, 0 if it claims none
}

// newSpread makes a scale on which the smallest bound still shows and the furthest source is within.
func newSpread(shown []status.Source, own time.Duration, plot draw.Box) spread {
	s := spread{unit: math.Inf(1), plot: plot, own: own}
	for _, v := range shown {
		if placeable(v) {
			s.most = max(s.most, math.Abs(v.OffsetSeconds)+max(0, v.MaxErrorSeconds))
			if v.MaxErrorSeconds > 0 {
				s.unit = min(s.unit, v.MaxErrorSeconds)
			}
		}
	}
	if own > 0 {
		s.unit = min(s.unit, own.Seconds())
	}
	if math.IsInf(s.unit, 0) || s.unit <= 0 {
		s.unit = 1e-3
	}
	s.unit = math.Pow(10, math.Floor(math.Log10(max(s.unit/2, 1e-9))))
	if s.most > 0 {
		s.most = max(2*s.most, 10*s.unit)
	}
	return s
}

func (s spread) position(v float64) float64 {
	return math.Copysign(math.Log10(1+math.Abs(v)/s.unit), v)
}

// at is the place of an offset in pixels; what lies outside ends at the edge.
func (s spread) at(seconds float64) float32 {
	share := s.position(seconds) / s.position(s.most)
	return s.plot.X + s.plot.W/2*float32(1+max(-1, min(1, share)))
}

// spreadAxis draws the lines of the scale, named at the top, and the station's own bound as a band.
func (p *pen) spreadAxis(s spread, head draw.Box, bottom float32) {
	if s.plot.W < p.g.U(12) || s.most == 0 {
		return
	}
	size := p.small()
	base := draw.Baseline(head.Y, head.Y+p.g.U(2.6), size)
	top := head.Bottom() - p.g.U(0.6)
	if s.own > 0 && p.Reading.Synchronised() {
		from, to := draw.Round(s.at(-s.own.Seconds())), draw.Round(s.at(s.own.Seconds()))
		p.add(draw.Rect{Box: draw.Box{X: from, Y: top, W: max(2, to-from), H: bottom - top}, Fill: draw.Mix(p.t.Panel, p.Standing().Colour(p.t), 0.16)})
	}
	middle := draw.Round(s.at(0))
	word := p.Say("station time")
	half := draw.TextWidth(word, size, draw.Regular)/2 + size
	if half*2 > s.plot.W*0.4 {
		word = "0"
		half = 2 * size
	}
	p.add(draw.Text{At: draw.Point{X: middle, Y: base}, String: word, Size: size, Weight: draw.Regular, Anchor: draw.Middle, Fill: p.t.Quiet})
	p.rule(draw.Point{X: middle, Y: top}, draw.Point{X: middle, Y: bottom}, p.t.Quiet)
	free := s.plot.Right() // to the left of it; the left half is the mirror image of the right
	for v := math.Pow(10, math.Floor(math.Log10(s.most))); v > s.unit*1.01; v /= 10 {
		x := draw.Round(s.at(v))
		mirrored := 2*middle - x
		for _, at := range []float32{x, mirrored} {
			p.rule(draw.Point{X: at, Y: top}, draw.Point{X: at, Y: bottom}, draw.Mix(p.t.Panel, p.t.Hairline, 0.8))
		}
		text := decade(v)
		width := draw.TextWidth("+"+text, size, draw.Regular)
		if x-width/2 < middle+half || x+width/2 > free {
			continue
		}
		free = x - width/2 - 1.5*size
		for _, label := range []struct {
			x    float32
			text string
		}{{x, "+" + text}, {mirrored, "−" + text}} {
			p.add(draw.Text{At: draw.Point{X: label.x, Y: base}, String: label.text, Size: size, Weight: draw.Regular, Anchor: draw.Middle, Fill: p.t.Quiet})
		}
	}
}

// decade is a power of ten of seconds as a label.
func decade(seconds float64) string {
	units := []string{"ns", "µs", "ms", "s", "ks", "Ms", "Gs"}
	power := int(math.Round(math.Log10(seconds))) + 9
	if power < 0 || power/3 >= len(units) {
		return fmt.Sprintf("%.0g s", seconds)
	}
	return fmt.Sprintf("%.0f %s", math.Pow(10, float64(power%3)), units[power/3])
}

// scroll is the two spots that move a list, at the right of a row.
func (p *pen) scroll(row draw.Box, first, fit, all int) {
	side, gap := p.g.U(4), p.g.U(2.4)
	up, down := p.View, p.View
	up.Row, down.Row = max(0, first-fit), min(all-fit, first+fit)
	for i, step := range []struct {
		view  View
		label string
		on    bool
	}{{up, "further up", first > 0}, {down, "further down", first+fit < all}} {
		box := draw.Box{X: row.X + float32(i)*(side+gap), Y: row.Y, W: side, H: side}
		colour := p.t.Hairline
		if step.on {
			colour = p.t.Ink
			p.Spots = append(p.Spots, Spot{Box: box.Inset(-gap/2, -gap/2), Label: p.Say(step.label), Do: Command{View: &step.view}})
		}
		p.arrow(box, i == 1, colour)
	}
	p.text(draw.Point{X: row.X + 2*(side+gap), Y: draw.Baseline(row.Y, row.Y+side, p.small())}, draw.Start, p.g.U(24), p.small(), draw.Regular,
		p.t.Quiet, p.sayf("%d to %d of %d", first+1, min(all, first+fit), all))
}

// arrow is a triangle in a frame that points up or down.
func (p *pen) arrow(box draw.Box, down bool, colour color.NRGBA) {
	p.add(draw.Rect{Box: box, Radius: p.g.U(0.8), Stroke: colour, Width: max(1, p.g.U(0.2))})
	c, r := box.Centre(), draw.Round(box.H*0.22)
	points := []draw.Point{{X: c.X, Y: c.Y - r}, {X: c.X + r, Y: c.Y + r}, {X: c.X - r, Y: c.Y + r}}
	if down {
		points = []draw.Point{{X: c.X - r, Y: c.Y - r}, {X: c.X + r, Y: c.Y - r}, {X: c.X, Y: c.Y + r}}
	}
	p.add(draw.Polygon{Points: points, Fill: colour})
}
