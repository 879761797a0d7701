package stability

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// curve is one statistic as it is drawn.
type curve struct {
	name, colour string
	points       []Point
}

// FrequencyPlot draws ADEV, MDEV and HDEV over the averaging time on logarithmic axes, as an SVG document with nothing
// outside it. The title names the phase that was analysed, for instance "free-running phase: gps0 minus oscillator".
func (a Analysis) FrequencyPlot(title string) string {
	return plot(title, a.sentence(), "fractional frequency", powerOfTen, []curve{
		{"Allan (ADEV)", blue, a.ADEV}, {"modified Allan (MDEV)", ink, a.MDEV}, {"Hadamard (HDEV)", quietInk, a.HDEV}})
}

// TimePlot draws TDEV and MTIE, in seconds, as [Analysis.FrequencyPlot] does. An MTIE for which no interval was complete
// is at least so much, and its mark is hollow.
func (a Analysis) TimePlot(title string) string {
	label := func(exponent int) string {
		unit, size := unitFor(math.Pow(10, float64(exponent)))
		return fmt.Sprintf("%.3g %s", math.Pow(10, float64(exponent))/size, unit)
	}
	sentence := a.sentence()
	if slices.ContainsFunc(a.MTIE, func(p Point) bool { return p.Terms == 0 }) {
		sentence += " Hollow: at least so much."
	}
	return plot(title, sentence, "time", label, []curve{{"time deviation (TDEV)", blue, a.TDEV},
		{"greatest excursion (MTIE)", ink, a.MTIE}})
}

// sentence says what the figures rest on.
func (a Analysis) sentence() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, one every %s", counted(a.Points, "point"), span(a.Tau0Seconds))
	if a.MissingPoints > 0 {
		fmt.Fprintf(&b, "; %s missing (%s), left out", grouped(a.MissingPoints), share(a.MissingPoints, a.Points))
	}
	if a.Breaks > 0 {
		fmt.Fprintf(&b, "; zero lost %d×", a.Breaks)
	}
	b.WriteString(". Bars: 68 % confidence.")
	return b.String()
}

// drawable drops what has no place on a logarithmic axis.
func drawable(points []Point) []Point {
	return slices.DeleteFunc(slices.Clone(points), func(p Point) bool {
		return !(p.Deviation > 0 && p.TauSeconds > 0) || !finite(p.Deviation)
	})
}

// decades is a logarithmic axis from 10^first to 10^last, drawn from pixel low to pixel high.
type decades struct {
	first, last int
	low, high   float64
}

func newDecades(least, greatest, low, high float64) decades {
	first, last := math.Floor(math.Log10(least)+1e-9), math.Ceil(math.Log10(greatest)-1e-9)
	return decades{first: int(first), last: int(max(last, first+1)), low: low, high: high}
}

func (a decades) at(v float64) float64 {
	share := (math.Log10(v) - float64(a.first)) / float64(a.last-a.first)
	return a.low + share*(a.high-a.low)
}

// step is how many decades lie between two labels, so that about ten fit.
func (a decades) step() int { return (a.last-a.first)/10 + 1 }

func plot(title, sentence, axis string, label func(exponent int) string, curves []curve) string {
	var d drawing
	d.begin(title, sentence)
	least, greatest := math.Inf(1), 0.0
	shortest, longest := math.Inf(1), 0.0
	for i, c := range curves {
		curves[i].points = drawable(c.points)
		for _, p := range curves[i].points {
			bottom := p.Deviation
			if p.Low > 0 {
				bottom = p.Low
			}
			least, greatest = min(least, bottom), max(greatest, p.Deviation, p.High)
			shortest, longest = min(shortest, p.TauSeconds), max(longest, p.TauSeconds)
		}
	}
	if longest == 0 {
		d.frame()
		d.text((frameLeft+frameRight)/2, (frameTop+frameBottom)/2, "middle", quietInk,
			"There are not enough points, or they do not differ.")
		return d.end()
	}
	x := newDecades(shortest, longest, frameLeft, frameRight)
	y := newDecades(least, greatest, frameBottom, frameTop)
	d.logGrid(x, y, label)
	d.frame()
	d.sideways(axis)
	d.text((frameLeft+frameRight)/2, frameBottom+2*axisTextGap+4, "middle", quietInk, "averaging time τ in seconds")
	legend := float64(margin)
	for i, c := range curves {
		if len(c.points) == 0 {
			continue
		}
		d.mark(i, legend+5, legendLine-1, c.colour, false)
		d.text(legend+16, legendLine+4, "start", c.colour, c.name)
		legend += 40 + 7.6*float64(len(c.name))
	}
	// The first curve is the one that most look for: it comes last, on top.
	for i := len(curves) - 1; i >= 0; i-- {
		d.curve(i, curves[i], x, y)
	}
	return d.end()
}

// logGrid draws decades with their labels, and above the frame the times that people think in.
func (d *drawing) logGrid(x, y decades, label func(exponent int) string) {
	for e := y.first; e <= y.last; e++ {
		at := y.at(math.Pow(10, float64(e)))
		d.line(frameLeft, at, frameRight, at, hairline, 1)
		if (e-y.first)%y.step() == 0 {
			d.text(frameLeft-10, at+5, "end", quietInk, label(e))
		}
	}
	for e := x.first; e <= x.last; e++ {
		at := x.at(math.Pow(10, float64(e)))
		d.line(at, frameTop, at, frameBottom, hairline, 1)
		text := powerOfTen(e)
		if e >= 0 && e <= 3 {
			text = fmt.Sprint(math.Pow(10, float64(e)))
		}
		if (e-x.first)%x.step() == 0 {
			d.text(at, frameBottom+axisTextGap, "middle", quietInk, text)
		}
	}
	for _, seconds := range []float64{60, 3600, 86400, 30 * 86400} {
		if at := x.at(seconds); at > frameLeft && at < frameRight {
			d.add(`<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="%s" stroke-dasharray="2 5"/>`,
				at, frameTop, at, frameBottom, quietInk)
			d.text(at, frameTop-6, "middle", quietInk, span(seconds))
		}
	}
}

func (d *drawing) curve(kind int, c curve, x, y decades) {
	var path strings.Builder
	for i, p := range c.points {
		px, py := x.at(p.TauSeconds), y.at(p.Deviation)
		fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(i, 1)], px, py)
		if p.Low > 0 && finite(p.High) {
			low, high := y.at(p.Low), y.at(p.High)
			d.add(`<path d="M%.1f %.1fV%.1fM%.1f %.1fh10M%.1f %.1fh10" stroke="%s" stroke-width="1.5" opacity="0.75"/>`,
				px, low, high, px-5, low, px-5, high, c.colour)
		}
	}
	if path.Len() > 0 {
		d.add(`<path d="%s" fill="none" stroke="%s" stroke-width="1.5"/>`, path.String(), c.colour)
	}
	for _, p := range c.points {
		d.mark(kind, x.at(p.TauSeconds), y.at(p.Deviation), c.colour, p.Terms == 0)
	}
}
