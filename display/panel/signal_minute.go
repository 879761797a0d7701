package panel

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"
	"time"

	"timestation/display/draw"
	"timestation/engine/status"
	"timestation/refclock"
)

// stretch is the seconds of a minute that one field of a telegram takes; what is the name it has in refclock.Radio.Fields,
// or else that of what is sent there.
type stretch struct {
	from, to int
	what     string
}

// timeCodes are the fields of the long-wave time codes, by driver: PTB "DCF77 time code", NPL "MSF Radio Time Signal", NIST
// "WWVB time code format", NICT "JJY time code".
var timeCodes = map[string][]stretch{
	"dcf77": {{1, 14, "weather"}, {15, 20, "zone"}, {21, 28, "minute"}, {29, 35, "hour"}, {36, 41, "day"}, {42, 44, "weekday"},
		{45, 49, "month"}, {50, 58, "year"}},
	"msf60": {{1, 16, "DUT1"}, {17, 24, "year"}, {25, 29, "month"}, {30, 35, "day"}, {36, 38, "weekday"}, {39, 44, "hour"},
		{45, 51, "minute"}, {52, 59, "zone"}},
	"wwvb": {{1, 8, "minute"}, {12, 18, "hour"}, {22, 33, "day of the year"}, {36, 43, "DUT1"}, {45, 53, "year"}, {55, 58, "zone"}},
	"jjy": {{1, 8, "minute"}, {12, 18, "hour"}, {22, 33, "day of the year"}, {36, 37, "parity"}, {41, 48, "year"}, {50, 52, "weekday"},
		{53, 54, "leap"}},
}

var codeNames = map[string]string{"dcf77": "DCF77", "msf60": "MSF", "wwvb": "WWVB", "jjy": "JJY"}

// codeOf is the time code of a source: its driver's, or of a recording the one that it is named after.
func codeOf(s status.Source) string {
	if codeNames[s.Driver] != "" {
		return s.Driver
	}
	return s.Name
}

// minute is a long-wave minute as it arrives, and how the last hour was heard.
func (p *pen) minute(box draw.Box, s status.Source, n int) {
	p.several(box, n)
	name := codeNames[codeOf(s)]
	if name == "" {
		name = s.Name
	}
	title := p.sayf("%s, this minute as it arrives", name)
	if n > 1 || name != strings.ToUpper(s.Name) && name != s.Name {
		title = p.sayf("%s · %s, this minute as it arrives", name, s.Name)
	}
	r := s.Signal.Radio
	rest := p.card(box, "")
	head, rest := rest.Top(p.g.U(4), p.g.U(0.8))
	base := draw.Baseline(head.Y, head.Bottom(), p.strong())
	used := float32(0)
	if r != nil {
		used = p.odds(draw.Point{X: head.Right(), Y: base}, head.W*0.45, r) + p.g.U(2)
	}
	p.text(draw.Point{X: head.X, Y: base}, draw.Start, head.W-used, p.strong(), draw.SemiBold, p.t.Ink, title)
	rest = p.unheard(rest, s, r == nil)
	if r == nil {
		return
	}
	if len(r.Quality) > 0 && rest.H > p.g.U(16) {
		h := min(p.g.U(7), rest.H*0.22)
		p.quality(draw.Box{X: rest.X, Y: rest.Bottom() - h, W: rest.W, H: h}, r.Quality)
		rest.H -= h + p.g.U(1.6)
	}
	p.marks(rest, timeCodes[codeOf(s)], r)
}

// odds says at the right end of a line how sure the minute is, and gives the width it takes.
func (p *pen) odds(at draw.Point, width float32, r *refclock.Radio) float32 {
	size := p.body()
	if r.Coasting {
		return p.text(at, draw.End, width, size, draw.SemiBold, p.t.Warn, p.Say("coasting: nothing is decoded"))
	}
	if r.Confidence <= 0 {
		return p.text(at, draw.End, width, size, draw.SemiBold, p.t.Warn, p.Say("no whole minute yet"))
	}
	small := max(draw.Smallest, draw.Round(0.68*size))
	exponent := fmt.Sprintf("%.0f", min(r.Confidence, 99))
	raised := draw.TextWidth(exponent, small, draw.SemiBold)
	p.add(draw.Text{At: draw.Point{X: at.X, Y: at.Y - draw.Round(0.36*size)}, String: exponent, Size: small, Weight: draw.SemiBold,
		Anchor: draw.End, Fill: p.t.Good})
	used := p.text(draw.Point{X: at.X - raised - 1, Y: at.Y}, draw.End, width-raised, size, draw.SemiBold, p.t.Good, p.Say("odds against wrong: 10"))
	return used + raised
}

// marks draws the seconds of the minute: height says the symbol, brightness how sure it is. What has not come yet is
// faint.
func (p *pen) marks(box draw.Box, code []stretch, r *refclock.Radio) {
	const seconds = 60
	size := p.small()
	foot := float32(0)
	if code != nil {
		foot = 3.9 * size
	}
	plot := draw.Box{X: box.X, Y: box.Y + p.g.U(0.8), W: box.W, H: box.H - foot - p.g.U(0.8)}
	if plot.H < p.g.U(2) {
		return
	}
	plot.H = min(plot.H, plot.W*0.3) // taller bars would not say more
	slot := plot.W / seconds
	place := func(second int) (from, to float32) {
		return draw.Round(plot.X + float32(second)*slot), draw.Round(plot.X + float32(second+1)*slot)
	}
	for i := range seconds {
		from, to := place(i)
		w := max(1, to-from-max(1, draw.Round(slot*0.26)))
		if i >= len(r.Marks) {
			p.bar(from, plot.Bottom()-plot.H*0.45, w, plot.Bottom(), p.t.Hairline)
			continue
		}
		m := r.Marks[i]
		colour := p.sureness(m.Confidence)
		switch m.Symbol {
		case "0":
			p.bar(from, plot.Bottom()-plot.H*0.45, w, plot.Bottom(), colour)
		case "M", "?":
			height := plot.H
			if m.Symbol == "?" {
				height, colour = plot.H*0.45, p.t.Warn
			}
			p.outline(from, plot.Bottom()-height, w, plot.Bottom(), colour)
		case "2":
			p.bar(from, plot.Bottom()-plot.H*0.7, w, plot.Bottom(), colour)
		default:
			p.bar(from, plot.Y, w, plot.Bottom(), colour)
		}
		if i == len(r.Marks)-1 {
			y := plot.Bottom() + max(2, p.g.U(0.35))
			p.bar(from, y, w, y+max(2, p.g.U(0.35)), p.t.Ink)
		}
	}
	y := plot.Bottom() + 1.1*size
	for _, field := range code {
		from, _ := place(field.from)
		_, to := place(field.to)
		value := valueOf(r.Fields, field.what)
		if field.what == "weekday" {
			value = p.shortDay(value)
		}
		p.bracket(from, to-max(1, draw.Round(slot*0.26)), y, size, p.Say(value), p.Say(field.what))
	}
}

// sureness is the brightness of a mark: at even odds it hardly shows, at a thousand to one it is full.
func (p *pen) sureness(confidence float64) color.NRGBA {
	return draw.Mix(p.t.Panel, p.t.Info, 0.25+0.75*min(1, max(0, -math.Log10(max(1e-3, 1-confidence))-0.3)/2.7))
}

func valueOf(fields []refclock.Field, name string) string {
	if i := slices.IndexFunc(fields, func(f refclock.Field) bool { return f.Name == name }); i >= 0 {
		return fields[i].Value
	}
	return ""
}

// shortDay is a day of the week as briefly as the language does.
func (p *pen) shortDay(english string) string {
	for d := range 7 {
		day := time.Date(2026, time.November, 22+d, 0, 0, 0, 0, time.UTC) // a Sunday, and the days after it
		if day.Weekday().String() != english {
			continue
		}
		if word := p.Style.Language.Weekday(day); word != english {
			return word[:2]
		}
		return english[:3]
	}
	return english
}

// quality is how well each minute of the last hour was heard, the newest at the right.
func (p *pen) quality(box draw.Box, quality []float64) {
	const minutes = 60
	size := p.small()
	quality = quality[max(0, len(quality)-minutes):]
	label := p.Say("last hour")
	width := draw.Round(draw.TextWidth(label, size, draw.Regular) + size)
	words, plot := box.Left(width, 0)
	p.text(draw.Point{X: words.X, Y: draw.Baseline(words.Y, words.Bottom(), size)}, draw.Start, words.W, size, draw.Regular, p.t.Quiet, label)
	slot := plot.W / minutes
	p.rule(draw.Point{X: plot.X, Y: plot.Bottom()}, draw.Point{X: plot.Right(), Y: plot.Bottom()}, p.t.Hairline)
	for i, q := range quality {
		at := float32(minutes - len(quality) + i)
		from, to := draw.Round(plot.X+at*slot), draw.Round(plot.X+(at+1)*slot)
		colour := p.t.Good
		switch {
		case q < 0.3:
			colour = p.t.Bad
		case q < 0.6:
			colour = p.t.Warn
		}
		p.bar(from, plot.Bottom()-max(2, plot.H*float32(min(1, max(0, q)))), max(1, to-from-max(1, draw.Round(slot*0.26))), plot.Bottom(), colour)
	}
}
