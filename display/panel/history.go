package panel

import (
	"fmt"
	"image/color"
	"math"
	"strings"
	"time"

	"timestation/display/draw"
)

// History shows what was logged: offset, frequency, temperature and error bound over time, and how stable the oscillator was
// in that time.
func History(in Input, g draw.Grid, body draw.Box) Picture {
	p := newPen(in, g)
	rest := p.header(body, "History", "How good the time was")
	rest = p.historyControls(body, rest)
	switch {
	case in.HistoryError != "":
		p.nothing(rest, "The log cannot be read.", in.HistoryError)
		return p.Picture
	case in.History.To.IsZero():
		p.nothing(rest, "The log is being read …", "")
		return p.Picture
	case len(in.History.Points) == 0:
		p.nothing(rest, "Nothing was logged in this time.", "The station writes a row every few seconds while it runs. Look at another time, or come back in a minute.")
		p.Plot = &Plot{Box: rest, Axis: p.timeAxis(rest)}
		return p.Picture
	}
	gap := g.U(1.6)
	var plots, allan draw.Box
	if g.Portrait {
		allan = draw.Box{X: rest.X, W: rest.W, H: draw.Round(rest.H * 0.27)}
		allan.Y = rest.Bottom() - allan.H
		plots = draw.Box{X: rest.X, Y: rest.Y, W: rest.W, H: rest.H - allan.H - gap}
	} else {
		plots, allan = rest.Left(draw.Round(rest.W*0.665), gap)
	}
	p.historyPlots(plots)
	p.allan(allan)
	return p.Picture
}

// historySpans are the stretches that can be chosen at once; the wheel gives those between.
var historySpans = []struct {
	span time.Duration
	name string
}{{time.Hour, "1 h"}, {6 * time.Hour, "6 h"}, {24 * time.Hour, "1 d"}, {7 * 24 * time.Hour, "7 d"}, {30 * 24 * time.Hour, "30 d"},
	{365 * 24 * time.Hour, "1 y"}}

// historyControls are the buttons at the head of the page: how long a stretch, earlier and later, the cursor, saving.
func (p *pen) historyControls(body, rest draw.Box) draw.Box {
	var controls []control
	for _, s := range historySpans {
		v := p.View
		v.Span, v.Back, v.Cursor = s.span, p.View.Back, time.Time{}
		controls = append(controls, control{p.Say(s.name), p.sayf("show %s", p.Say(s.name)), Command{View: &v}, span(p.View) == s.span, 0})
	}
	earlier, later := p.View, p.View
	earlier.Back += span(p.View) / 2
	later.Back = max(0, later.Back-span(p.View)/2)
	left, right := p.View, p.View
	left.Cursor, right.Cursor = p.stepped(-1), p.stepped(1)
	controls = append(controls, control{"◀", p.Say("earlier"), Command{View: &earlier}, false, 1},
		control{"▶", p.Say("later"), Command{View: &later}, false, 0},
		control{"|◀", p.Say("cursor to the left"), Command{View: &left}, false, 1},
		control{"▶|", p.Say("cursor to the right"), Command{View: &right}, false, 0},
		control{"PNG", p.Say("save as PNG"), Command{Save: "png"}, false, 1}, control{"SVG", p.Say("save as SVG"), Command{Save: "svg"}, false, 0})
	x := p.clockEnd(p.g, body) + p.g.U(3)
	row := draw.Box{X: x, Y: body.Y + p.g.U(2.6), W: rest.Right() - x, H: p.g.U(5.4)}
	from := max(rest.X+rest.W*0.45, p.head+p.g.U(2))
	told := draw.Box{X: from, Y: row.Bottom() + p.g.U(0.9), W: rest.Right() - from, H: p.g.U(3)}
	if p.controlsWidth(controls, row.H, p.body()) > row.W { // they have a row of their own
		told = draw.Box{X: x, Y: body.Y + p.g.U(3.2), W: rest.Right() - x, H: p.g.U(4.6)}
		row, rest = rest.Top(p.g.U(6), p.g.U(1.4))
	}
	p.controls(row, controls)
	p.text(draw.Point{X: told.Right(), Y: draw.Baseline(told.Y, told.Bottom(), p.small())}, draw.End, told.W, p.small(), draw.Regular, p.t.Info, p.Sentence(p.View.Told))
	return rest
}

// control is a button of a row; before is how many gaps stand in front of it.
type control struct {
	text, label string
	do          Command
	on          bool
	before      int
}

func (p *pen) controlWidth(c control, height, size float32) float32 {
	if strings.ContainsAny(c.text, "◀▶") {
		return height * 1.2
	}
	return draw.Round(draw.TextWidth(c.text, size, draw.SemiBold) + 2*p.g.U(1.5))
}

// controlsWidth is how wide a row of buttons is.
func (p *pen) controlsWidth(all []control, height, size float32) (total float32) {
	for i, c := range all {
		total += p.controlWidth(c, height, size) + float32(c.before)*p.g.U(1)
		if i > 0 {
			total += p.g.U(1)
		}
	}
	return total
}

// controls sets buttons in a row that ends at the right of a box.
func (p *pen) controls(row draw.Box, all []control) {
	size, gap := p.body(), p.g.U(1)
	if p.controlsWidth(all, row.H, size) > row.W {
		size = max(p.least(), draw.Round(size*0.8))
	}
	total := p.controlsWidth(all, row.H, size)
	stretch := min(1, row.W/total)
	x := row.Right() - total*stretch
	for _, c := range all {
		x += float32(c.before) * gap * stretch
		box := draw.Box{X: draw.Round(x), Y: row.Y, W: draw.Round(p.controlWidth(c, row.H, size) * stretch), H: row.H}
		fill, ink := draw.Clear, p.t.Ink
		if c.on {
			fill, ink = p.t.Ink, p.t.Ground
		}
		p.add(draw.Rect{Box: box, Radius: p.g.U(0.8), Fill: fill, Stroke: draw.Mix(p.t.Hairline, p.t.Ink, 0.4), Width: max(1, p.g.U(0.2))})
		if strings.ContainsAny(c.text, "◀▶") {
			p.triangle(box, c.text, ink)
		} else {
			p.text(draw.Point{X: draw.Round(box.X + box.W/2), Y: draw.Baseline(box.Y, box.Bottom(), size)}, draw.Middle, box.W-2, size, draw.SemiBold, ink, c.text)
		}
		p.Spots = append(p.Spots, Spot{Box: box.Inset(-gap/2, -gap), Label: c.label, Do: c.do})
		x += (p.controlWidth(c, row.H, size) + gap) * stretch
	}
}

// triangle points to the left or the right; with a line beside it, it moves the cursor.
func (p *pen) triangle(box draw.Box, which string, ink color.NRGBA) {
	m, r := box.Centre(), draw.Round(box.H*0.2)
	m.X, m.Y = draw.Round(m.X), draw.Round(m.Y)
	line := max(1, draw.Round(p.g.U(0.35)))
	points := []draw.Point{{X: m.X - r, Y: m.Y}, {X: m.X + r, Y: m.Y - r}, {X: m.X + r, Y: m.Y + r}}
	if strings.HasPrefix(which, "▶") {
		points = []draw.Point{{X: m.X - r, Y: m.Y - r}, {X: m.X + r, Y: m.Y}, {X: m.X - r, Y: m.Y + r}}
	}
	p.add(draw.Polygon{Points: points, Fill: ink})
	switch which {
	case "|◀":
		p.add(draw.Rect{Box: draw.Box{X: m.X - r - 2*line, Y: m.Y - r, W: line, H: 2 * r}, Fill: ink})
	case "▶|":
		p.add(draw.Rect{Box: draw.Box{X: m.X + r + line, Y: m.Y - r, W: line, H: 2 * r}, Fill: ink})
	}
}

// stepped is where the cursor stands a step to the left or the right; without one it begins in the middle.
func (p *pen) stepped(by int) time.Time {
	x := p.timeAxis(draw.Box{W: 1})
	const steps = 120
	at := unix(p.View.Cursor) + float64(by)*(x.To-x.From)/steps
	if p.View.Cursor.IsZero() || at < x.From || at > x.To {
		at = (x.From + x.To) / 2
	}
	return time.Unix(0, int64(at*1e9)).UTC()
}

// timeAxis is the time along a plot: what was read, or, while something else is being read, what was asked for.
func (p *pen) timeAxis(plot draw.Box) draw.Axis {
	long := span(p.View)
	to := p.Second.UTC().Time().Add(-p.View.Back)
	h := p.History
	if got := h.To.Sub(h.From); !h.To.IsZero() && (got-long).Abs() <= long/50 && h.To.Sub(to).Abs() <= long/20 {
		long, to = got, h.To
	}
	at := float64(to.UnixNano()) / 1e9
	return draw.Axis{From: at - long.Seconds(), To: at, Low: plot.X, High: plot.Right()}
}

// tickSteps are the distances between ticks that a time axis may have.
var tickSteps = []time.Duration{time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
	3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 2 * 24 * time.Hour, 7 * 24 * time.Hour}

// timeTicksOf are round moments of the wall's time zone within an axis, with their names, each at least so many pixels from
// the next.
func (p *pen) timeTicksOf(x draw.Axis, apart float32) (ticks []float64, names []string) {
	pixels := (x.High - x.Low) / float32(x.To-x.From)
	from := time.Unix(int64(x.From), 0).In(p.Location)
	to := time.Unix(int64(x.To), 0)
	day := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, p.Location)
	put := func(t time.Time, name string) {
		if v := float64(t.Unix()); v >= x.From && v <= x.To {
			ticks, names = append(ticks, v), append(names, name)
		}
	}
	for _, step := range tickSteps {
		if pixels*float32(step.Seconds()) < apart {
			continue
		}
		if step < 24*time.Hour {
			// From midnight on, day by day: the clocks may change.
			for d := day; d.Before(to); d = d.AddDate(0, 0, 1) {
				for t := d; t.Before(d.AddDate(0, 0, 1)); t = t.Add(step) {
					name := t.Format("15:04")
					if t.Equal(d) {
						name = p.dayName(t)
					}
					put(t, name)
				}
			}
			return ticks, names
		}
		days := int(step / (24 * time.Hour))
		if days == 7 {
			day = day.AddDate(0, 0, -(int(day.Weekday())+6)%7) // weeks begin on Monday (ISO 8601)
		}
		for d := day; d.Before(to); d = d.AddDate(0, 0, days) {
			put(d, p.dayName(d))
		}
		return ticks, names
	}
	months := 1
	for pixels*float32(months)*30*86400 < apart {
		months++
	}
	for m := time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, p.Location); m.Before(to); m = m.AddDate(0, months, 0) {
		put(m, m.Format("2006-01"))
	}
	return ticks, names
}

func (p *pen) dayName(t time.Time) string {
	if p.Style.Language == "de" {
		return t.Format("2.1.")
	}
	return t.Format("2 Jan")
}

// power writes a power of ten, ending at a point.
func (p *pen) power(at draw.Point, size float32, exponent int) {
	small := max(draw.Smallest, draw.Round(0.72*size))
	raised := minus(fmt.Sprint(exponent))
	p.add(draw.Text{At: draw.Point{X: at.X, Y: at.Y - draw.Round(0.34*size)}, String: raised, Size: small, Weight: draw.Regular, Anchor: draw.End, Fill: p.t.Quiet})
	x := at.X - draw.Round(draw.TextWidth(raised, small, draw.Regular)) - 1
	p.add(draw.Text{At: draw.Point{X: x, Y: at.Y}, String: "10", Size: size, Weight: draw.Regular, Anchor: draw.End, Fill: p.t.Quiet})
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
