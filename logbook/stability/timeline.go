package stability

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Timeline is an offset over time with the bound that was promised for it.
type Timeline struct {
	// TimesNS are the times of the rows as POSIX nanoseconds, ascending.
	TimesNS []int64
	// OffsetSeconds is the offset of each row; one that is not finite was not known and is drawn as a gap.
	OffsetSeconds []float64
	// BoundSeconds is what the offset's size was not to exceed, at each row; nil or not finite is none.
	BoundSeconds []float64
	// Gap is how far apart two rows may lie and still be joined by a line.
	Gap time.Duration
}

// column is what of a timeline falls into one column of pixels.
type column struct {
	x, rows                int
	low, high, mean, bound float64
	bounded                bool
}

// crowded is how many rows a column has, on average, before their spread is drawn apart from their mean.
const crowded = 4

// TimelinePlot draws the offsets against the promised bound (a band around 0) over UTC, as an SVG document. Where rows
// are missing for a pixel or more there is no line but a hatched gap; offsets outside their bound are red. However many
// rows there are, a column of pixels becomes one stroke from the least to the greatest in it, and the line then is their
// mean. The title names the offset, for instance "gps0 minus station".
func TimelinePlot(title string, t Timeline) string {
	var d drawing
	known := t.knownRows()
	if len(known) == 0 {
		d.begin(title, "No row with a known offset.")
		d.frame()
		return d.end()
	}
	x := timeAxis{t.TimesNS[known[0]], t.TimesNS[known[len(known)-1]]}
	runs, gaps := t.runs(known, x)
	columns := 0
	for _, run := range runs {
		columns += len(run)
	}
	dense := len(known) > crowded*columns
	greatest, outside, bounded := 0.0, 0, 0
	for _, i := range known {
		greatest = max(greatest, math.Abs(t.OffsetSeconds[i]))
		if b, ok := t.bound(i); ok {
			greatest = max(greatest, b)
			bounded++
			if math.Abs(t.OffsetSeconds[i]) > b {
				outside++
			}
		}
	}
	d.begin(title, t.sentence(len(known), bounded, outside, gaps))
	y := newLinear(greatest)
	for _, v := range y.ticks() {
		at := y.at(v)
		d.line(frameLeft, at, frameRight, at, hairline, 1)
		d.text(frameLeft-10, at+5, "end", quietInk, y.label(v))
	}
	d.timeTicks(x)
	d.hatch(runs)
	for _, run := range runs {
		d.band(run, y)
	}
	d.line(frameLeft, y.at(0), frameRight, y.at(0), quietInk, 1)
	d.frame()
	for _, run := range runs {
		d.offsets(run, y, dense)
	}
	d.sideways("offset in " + y.unit)
	d.text((frameLeft+frameRight)/2, frameBottom+2*axisTextGap+4, "middle", quietInk, "UTC")
	d.timelineLegend(dense, bounded > 0, outside > 0, len(runs) > 1)
	return d.end()
}

func (t Timeline) knownRows() []int {
	var known []int
	for i := range min(len(t.TimesNS), len(t.OffsetSeconds)) {
		if finite(t.OffsetSeconds[i]) {
			known = append(known, i)
		}
	}
	return known
}

func (t Timeline) bound(i int) (float64, bool) {
	if i >= len(t.BoundSeconds) || !finite(t.BoundSeconds[i]) {
		return 0, false
	}
	return math.Abs(t.BoundSeconds[i]), true
}

func (t Timeline) sentence(rows, bounded, outside, gaps int) string {
	s := counted(rows, "row")
	if gaps > 0 {
		s += fmt.Sprintf(", %s of more than %s", counted(gaps, "gap"), span(t.Gap.Seconds()))
	}
	switch {
	case bounded == 0:
		return s + "."
	case outside == 0:
		return s + ". Every offset was inside the stated bound."
	}
	return s + fmt.Sprintf(". Outside the stated bound: %s (%s).", counted(outside, "offset"), share(outside, bounded))
}

// runs folds the rows into columns of pixels, cuts them at the gaps that are wide enough to see, and counts all gaps.
func (t Timeline) runs(known []int, x timeAxis) (runs [][]column, gaps int) {
	var run []column
	before := -1
	for _, i := range known {
		px, v := min(int(x.at(t.TimesNS[i])), frameRight-1), t.OffsetSeconds[i]
		// A row whose offset was not known parts its neighbours as a missing row does.
		if before >= 0 && (i > before+1 || t.TimesNS[i]-t.TimesNS[before] > int64(t.Gap)) {
			gaps++
			if px > run[len(run)-1].x+1 {
				runs, run = append(runs, run), nil
			}
		}
		before = i
		if n := len(run); n == 0 || run[n-1].x != px {
			run = append(run, column{x: px, low: v, high: v})
		}
		c := &run[len(run)-1]
		c.rows++
		c.mean += (v - c.mean) / float64(c.rows)
		c.low, c.high = min(c.low, v), max(c.high, v)
		if b, ok := t.bound(i); ok && (!c.bounded || b < c.bound) {
			c.bound, c.bounded = b, true // the tightest promise of the column
		}
	}
	return append(runs, run), gaps
}

// linear is an axis around 0, in a unit of time that reads well.
type linear struct {
	limit, size float64
	unit        string
}

func newLinear(greatest float64) linear {
	a := linear{limit: min(max(1.08*greatest, 1e-12), math.MaxFloat64)}
	a.unit, a.size = unitFor(a.limit)
	return a
}

func (a linear) at(v float64) float64 {
	return (frameTop+frameBottom)/2 - v/a.limit*(frameBottom-frameTop)/2
}

// step is 1, 2 or 5 times a power of ten, so that three to six fit on either side of 0.
func (a linear) step() float64 {
	step := math.Pow(10, math.Floor(math.Log10(a.limit/3)))
	for _, k := range []float64{5, 2} {
		if k*step <= a.limit/3 {
			return k * step
		}
	}
	return step
}

func (a linear) ticks() []float64 {
	n := math.Floor(a.limit / a.step())
	var ticks []float64
	for k := -n; k <= n; k++ {
		ticks = append(ticks, k*a.step())
	}
	return ticks
}

func (a linear) label(v float64) string {
	return strings.Replace(fmt.Sprintf("%.4g", v/a.size), "-", "−", 1)
}

// band draws ± the bound.
func (d *drawing) band(run []column, y linear) {
	for i := 0; i < len(run); {
		j := i
		for j < len(run) && run[j].bounded == run[i].bounded {
			j++
		}
		if part := run[i:j]; part[0].bounded {
			var top, bottom strings.Builder
			for k, c := range part {
				fmt.Fprintf(&top, "%c%d %.1f", "ML"[min(k, 1)], c.x, y.at(c.bound))
			}
			fmt.Fprintf(&top, "L%d %.1f", part[len(part)-1].x+1, y.at(part[len(part)-1].bound))
			fmt.Fprintf(&bottom, "L%d %.1f", part[len(part)-1].x+1, y.at(-part[len(part)-1].bound))
			for k := len(part) - 1; k >= 0; k-- {
				fmt.Fprintf(&bottom, "L%d %.1f", part[k].x, y.at(-part[k].bound))
			}
			d.add(`<path d="%s%sz" fill="%s" fill-opacity="0.16" stroke="%s" stroke-opacity="0.5"/>`,
				top.String(), bottom.String(), blue, blue)
		}
		i = j
	}
}

// offsets draws a run as one line, dense ones as their mean over their spread, and in red what left its bound.
func (d *drawing) offsets(run []column, y linear, dense bool) {
	var line, spread, beyond strings.Builder
	for i, c := range run {
		x := float64(c.x) + 0.5
		to := "ML"[min(i, 1)]
		switch {
		case dense:
			fmt.Fprintf(&spread, "M%.1f %.1fV%.1f", x, y.at(c.high)-0.5, y.at(c.low)+0.5)
			fmt.Fprintf(&line, "%c%.1f %.1f", to, x, y.at(c.mean))
		case c.high != c.low || len(run) == 1:
			fmt.Fprintf(&line, "%c%.1f %.1fV%.1f", to, x, y.at(c.high), y.at(c.low)+0.1)
		default:
			fmt.Fprintf(&line, "%c%.1f %.1f", to, x, y.at(c.mean))
		}
		if c.bounded && c.high > c.bound {
			fmt.Fprintf(&beyond, "M%.1f %.1fV%.1f", x, y.at(c.bound), y.at(c.high)-2)
		}
		if c.bounded && c.low < -c.bound {
			fmt.Fprintf(&beyond, "M%.1f %.1fV%.1f", x, y.at(-c.bound), y.at(c.low)+2)
		}
	}
	if dense {
		d.add(`<path class="spread" d="%s" stroke="%s" stroke-opacity="0.55"/>`, spread.String(), quietInk)
	}
	d.add(`<path class="run" d="%s" fill="none" stroke="%s" stroke-width="1.4" stroke-linejoin="round" `+
		`stroke-linecap="round"/>`, line.String(), ink)
	if beyond.Len() > 0 {
		d.add(`<path class="outside" d="%s" fill="none" stroke="%s" stroke-width="3"/>`, beyond.String(), red)
	}
}

// hatch marks what lies between two runs.
func (d *drawing) hatch(runs [][]column) {
	d.add(`<defs><pattern id="gap" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">` +
		`<rect width="7" height="7" fill="` + ground + `"/><line x1="0" y1="0" x2="0" y2="7" stroke="` + hairline +
		`" stroke-width="3"/></pattern></defs>`)
	for i := 1; i < len(runs); i++ {
		before := runs[i-1]
		left := before[len(before)-1].x + 1
		width := max(runs[i][0].x-left, 1)
		d.add(`<rect class="gap" x="%d" y="%d" width="%d" height="%d" fill="url(#gap)"/>`,
			left, frameTop, width, frameBottom-frameTop)
		if width > 70 {
			d.text(float64(left)+float64(width)/2, frameBottom-12, "middle", quietInk, "no rows")
		}
	}
}

func (d *drawing) timelineLegend(dense, bounded, outside, gaps bool) {
	x := float64(margin)
	entry := func(text, colour, shape string, args ...any) {
		d.add(shape, args...)
		d.text(x+30, legendLine+4, "start", colour, text)
		x += 60 + 7*float64(len(text))
	}
	const (
		box = `<rect x="%.1f" y="%d" width="22" height="12" fill="%s" fill-opacity="%g" stroke="%s" stroke-opacity="0.5"/>`
		bar = `<path d="M%.1f %dh22" stroke="%s" stroke-width="%d"/>`
	)
	if dense {
		entry("mean offset", ink, bar, x, legendLine-1, ink, 2)
		entry("least to greatest", quietInk, box, x, legendLine-7, quietInk, 0.55, quietInk)
	} else {
		entry("offset", ink, bar, x, legendLine-1, ink, 2)
	}
	if bounded {
		entry("stated bound", blue, box, x, legendLine-7, blue, 0.16, blue)
	}
	if outside {
		entry("outside the bound", red, bar, x, legendLine-1, red, 3)
	}
	if gaps {
		entry("no rows", quietInk, box, x, legendLine-7, "url(#gap)", 1.0, hairline)
	}
}
