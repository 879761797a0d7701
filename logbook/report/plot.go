package report

import (
	"fmt"
	"html"
	"math"
	"strings"
	"time"

	"timestation/engine/status"
)

// The colours of a report, which is read on paper: dark on white.
const (
	paper    = "#ffffff"
	shade    = "#f1f4f7"
	hairline = "#d5dbe1"
	ink      = "#1a2026"
	quietInk = "#566270"
	blue     = "#0a5fb8"
	amber    = "#d98200"
	red      = "#c8281e"
)

// onPaper gives a plot of package stability, which is made for the station's dark screen, the colours of a page.
var onPaper = strings.NewReplacer("#0b0d10", paper, "#14181d", paper, "#232a32", hairline, "#e8edf2", ink,
	"#8a95a3", quietInk, "#4aa8ff", blue, "#ff3b30", red).Replace

// The size of a plot, and of the frame that the values are drawn in, in pixels at 100 %.
const (
	plotWidth, plotHeight = 960, 400
	frameLeft, frameRight = 104, 924
	frameTop, frameBottom = 118, 334
)

// valuePlot draws a figure over time: of each column of pixels the least to the greatest and their mean, or of a bound the
// greatest.
type valuePlot struct {
	title, sentence string
	// unit of the values; if it is empty they are seconds, and bounds: the greatest of a column counts, from 0 up.
	unit string
	// threshold is drawn if it is above 0.
	threshold float64
	// gap is how far apart two values may lie and still be joined.
	gap time.Duration

	ns     []int64
	values []float64
	states []status.State
	known  int
}

func (v *valuePlot) add(ns int64, value float64, state status.State) {
	v.ns, v.values, v.states = append(v.ns, ns), append(v.values, value), append(v.states, state)
	if !math.IsNaN(value) {
		v.known++
	}
}

// column is what falls into one column of pixels.
type column struct {
	x, n            int
	low, high, mean float64
	state           status.State
}

// svg draws the span from to to; what is not known is hatched.
func (v *valuePlot) svg(from, to time.Time) string {
	var b strings.Builder
	add := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	text := func(x, y float64, anchor, colour, text string) {
		add(`<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>`, x, y, anchor, colour, html.EscapeString(text))
	}
	add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" `+
		`font-family="Inter, 'DejaVu Sans', sans-serif" font-size="14">`, plotWidth, plotHeight, plotWidth, plotHeight)
	add(`<title>%s</title><desc>%s</desc>`, html.EscapeString(v.title), html.EscapeString(v.sentence))
	add(`<defs><pattern id="gap" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">`+
		`<rect width="7" height="7" fill="%s"/><line x1="0" y1="0" x2="0" y2="7" stroke="%s" stroke-width="3"/></pattern></defs>`,
		shade, hairline)
	add(`<rect width="%d" height="%d" fill="%s"/>`, plotWidth, plotHeight, paper)
	add(`<text x="32" y="40" font-size="21" font-weight="600" fill="%s">%s</text>`, ink, html.EscapeString(v.title))
	text(32, 64, "start", quietInk, v.sentence)

	x := func(ns int64) float64 {
		return frameLeft + float64(ns-from.UnixNano())/float64(to.Sub(from))*(frameRight-frameLeft)
	}
	runs := v.runs(x)
	y := v.axis()
	for _, t := range y.ticks() {
		at := y.at(t)
		add(`<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="%s" stroke-width="1"/>`, frameLeft, at, frameRight, at, hairline)
		text(frameLeft-10, at+5, "end", quietInk, y.label(t))
	}
	for _, t := range timeTicks(from, to) {
		at := x(t.at.UnixNano())
		add(`<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="%s" stroke-width="1"/>`, at, frameTop, at, frameBottom, hairline)
		text(min(max(at, frameLeft+10), frameRight-10), frameBottom+20, "middle", quietInk, t.label)
	}
	text((frameLeft+frameRight)/2, frameBottom+44, "middle", quietInk, "UTC")
	v.hatch(add, runs)
	seen := v.bands(add, runs)
	add(`<rect x="%d" y="%d" width="%d" height="%d" fill="none" stroke="%s"/>`,
		frameLeft, frameTop, frameRight-frameLeft, frameBottom-frameTop, hairline)
	for _, run := range runs {
		v.line(add, run, y)
	}
	if v.threshold > 0 {
		add(`<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="%s" stroke-width="1.5" stroke-dasharray="7 5"/>`,
			frameLeft, y.at(v.threshold), frameRight, y.at(v.threshold), red)
	}
	legend := 32.0
	for _, s := range []status.State{status.Holdover, status.Unsynchronised} {
		if seen[s] {
			add(`<rect x="%.1f" y="84" width="22" height="12" fill="%s" fill-opacity="0.3" stroke="%s"/>`,
				legend, bandColour(s), bandColour(s))
			text(legend+30, 95, "start", ink, string(s))
			legend += 60 + 7*float64(len(s))
		}
	}
	if len(runs) == 0 || runs[0][0].x > frameLeft+1 || len(runs) > 1 {
		add(`<rect x="%.1f" y="84" width="22" height="12" fill="url(#gap)" fill-opacity="1" stroke="%s"/>`, legend, hairline)
		text(legend+30, 95, "start", ink, "not recorded, or not known")
	}
	add(`</svg>`)
	return b.String()
}

// runs folds the values into columns and cuts them where something is missing.
func (v *valuePlot) runs(x func(int64) float64) (runs [][]column) {
	var run []column
	before := -1
	for i, value := range v.values {
		if math.IsNaN(value) || math.IsInf(value, 0) {
			continue
		}
		px := min(max(int(x(v.ns[i])), frameLeft), frameRight-1)
		if before >= 0 && (i > before+1 || v.ns[i]-v.ns[before] > int64(v.gap)) && px > run[len(run)-1].x+1 {
			runs, run = append(runs, run), nil
		}
		before = i
		if n := len(run); n == 0 || run[n-1].x != px {
			run = append(run, column{x: px, low: value, high: value, state: v.states[i]})
		}
		c := &run[len(run)-1]
		c.n++
		c.low, c.high = min(c.low, value), max(c.high, value)
		c.mean += (value - c.mean) / float64(c.n)
		if rank(v.states[i]) > rank(c.state) {
			c.state = v.states[i]
		}
	}
	if len(run) > 0 {
		runs = append(runs, run)
	}
	return runs
}

// rank orders the states by how bad they are.
func rank(s status.State) int {
	switch s {
	case status.Unsynchronised:
		return 2
	case status.Holdover:
		return 1
	}
	return 0
}

func bandColour(s status.State) string {
	if s == status.Unsynchronised {
		return red
	}
	return amber
}

// hatch marks what lies before, between and behind the runs.
func (v *valuePlot) hatch(add func(string, ...any), runs [][]column) {
	left := frameLeft
	mark := func(right int) {
		if right > left+1 {
			add(`<rect class="gap" x="%d" y="%d" width="%d" height="%d" fill="url(#gap)"/>`,
				left, frameTop, right-left, frameBottom-frameTop)
		}
	}
	for _, run := range runs {
		mark(run[0].x)
		left = run[len(run)-1].x + 1
	}
	mark(frameRight)
}

// bands marks the time in which the station was not synchronised, and says which states there were.
func (v *valuePlot) bands(add func(string, ...any), runs [][]column) map[status.State]bool {
	seen := map[status.State]bool{}
	for _, run := range runs {
		for i := 0; i < len(run); {
			j := i
			for j < len(run) && run[j].state == run[i].state {
				j++
			}
			if s := run[i].state; rank(s) > 0 {
				seen[s] = true
				add(`<rect class="%s" x="%d" y="%d" width="%d" height="%d" fill="%s" fill-opacity="0.3"/>`, s,
					run[i].x, frameTop, run[j-1].x+1-run[i].x, frameBottom-frameTop, bandColour(s))
			}
			i = j
		}
	}
	return seen
}

func (v *valuePlot) line(add func(string, ...any), run []column, y axis) {
	var line, spread strings.Builder
	for i, c := range run {
		at := c.mean
		if v.unit == "" {
			at = c.high
		} else if c.high > c.low {
			fmt.Fprintf(&spread, "M%.1f %.1fV%.1f", float64(c.x)+0.5, y.at(c.high), y.at(c.low))
		}
		fmt.Fprintf(&line, "%c%.1f %.1f", "ML"[min(i, 1)], float64(c.x)+0.5, y.at(at))
	}
	if len(run) == 1 {
		fmt.Fprint(&line, "h1")
	}
	if spread.Len() > 0 {
		add(`<path d="%s" fill="none" stroke="%s" stroke-width="1" stroke-opacity="0.4"/>`, spread.String(), blue)
	}
	add(`<path class="run" d="%s" fill="none" stroke="%s" stroke-width="1.5"/>`, line.String(), blue)
}
