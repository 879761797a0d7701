package stability

import (
	"encoding/xml"
	"fmt"
	"math"
	"strings"
)

// The station's palette. Green, amber and red are states; curves are blue, ink and quiet ink, told apart by their marks.
const (
	ground   = "#0b0d10"
	panel    = "#14181d"
	hairline = "#232a32"
	ink      = "#e8edf2"
	quietInk = "#8a95a3"
	blue     = "#4aa8ff"
	red      = "#ff3b30"
)

// The size of a plot and the frame that the curves are drawn in, in pixels at 100 %.
const (
	plotWidth, plotHeight   = 960, 560
	frameLeft, frameRight   = 104, 924
	frameTop, frameBottom   = 130, 490
	titleSize, textSize     = 21, 14
	lineHeight, axisTextGap = 24, 20
	margin, titleLine       = 32, 46
	legendLine              = titleLine + 2*lineHeight
)

// drawing is an SVG document as it grows.
type drawing struct{ strings.Builder }

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(&d.Builder, format+"\n", args...) }

// begin writes the ground, the title and the sentence under it.
func (d *drawing) begin(title, sentence string) {
	d.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" `+
		`font-family="Inter, 'DejaVu Sans', sans-serif" font-size="%d" style="font-variant-numeric: tabular-nums">`,
		plotWidth, plotHeight, plotWidth, plotHeight, textSize)
	d.add(`<title>%s</title>`, escape(title))
	d.add(`<desc>%s</desc>`, escape(sentence))
	d.add(`<rect width="%d" height="%d" fill="%s"/>`, plotWidth, plotHeight, ground)
	d.add(`<rect x="12" y="12" width="%d" height="%d" rx="10" fill="%s"/>`, plotWidth-24, plotHeight-24, panel)
	d.add(`<text x="%d" y="%d" font-size="%d" font-weight="600" fill="%s">%s</text>`,
		margin, titleLine, titleSize, ink, escape(title))
	d.text(margin, titleLine+lineHeight, "start", quietInk, sentence)
}

func (d *drawing) end() string {
	d.add(`</svg>`)
	return d.String()
}

// text writes at a baseline; anchor is start, middle or end.
func (d *drawing) text(x, y float64, anchor, colour, text string) {
	d.add(`<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>`, x, y, anchor, colour, escape(text))
}

// sideways writes the label of a vertical axis, upwards and centred beside the frame.
func (d *drawing) sideways(text string) {
	const x, y = margin + 4, (frameTop + frameBottom) / 2
	d.add(`<text x="%d" y="%d" transform="rotate(-90 %d %d)" text-anchor="middle" fill="%s">%s</text>`,
		x, y, x, y, quietInk, escape(text))
}

func (d *drawing) line(x1, y1, x2, y2 float64, colour string, width float64) {
	d.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%g"/>`, x1, y1, x2, y2, colour, width)
}

// frame draws the border of the curves' field; over the grid, under the curves.
func (d *drawing) frame() {
	d.add(`<rect x="%d" y="%d" width="%d" height="%d" fill="none" stroke="%s"/>`,
		frameLeft, frameTop, frameRight-frameLeft, frameBottom-frameTop, hairline)
}

// mark draws the mark that tells a curve: a disc, a square or a triangle; hollow where the figure is less than one.
func (d *drawing) mark(kind int, x, y float64, colour string, hollow bool) {
	fill := colour
	if hollow {
		fill = panel
	}
	style := fmt.Sprintf(`fill="%s" stroke="%s" stroke-width="1.5"`, fill, colour)
	switch kind % 3 {
	case 0:
		d.add(`<circle cx="%.1f" cy="%.1f" r="4" %s/>`, x, y, style)
	case 1:
		d.add(`<rect x="%.1f" y="%.1f" width="7" height="7" %s/>`, x-3.5, y-3.5, style)
	case 2:
		d.add(`<path d="M%.1f %.1fl5 8.5h-10z" %s/>`, x, y-5.5, style)
	}
}

// escape makes any string fit for XML text and attributes.
func escape(s string) string {
	var b strings.Builder
	// A strings.Builder does not fail.
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

var superscripts = strings.NewReplacer("-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶",
	"7", "⁷", "8", "⁸", "9", "⁹")

// powerOfTen writes 10 to an exponent.
func powerOfTen(exponent int) string { return "10" + superscripts.Replace(fmt.Sprint(exponent)) }

var prefixes = []struct {
	unit string
	size float64
}{{"s", 1}, {"ms", 1e-3}, {"µs", 1e-6}, {"ns", 1e-9}, {"ps", 1e-12}}

// unitFor is the unit of time in which a number of this size reads well, and its size in seconds.
func unitFor(seconds float64) (unit string, size float64) {
	for _, p := range prefixes {
		if math.Abs(seconds) >= p.size*0.9999 {
			return p.unit, p.size
		}
	}
	last := prefixes[len(prefixes)-1]
	return last.unit, last.size
}

// span writes a length of time in the largest unit that it fills.
func span(seconds float64) string {
	for _, u := range []struct {
		name string
		size float64
	}{{"d", 86400}, {"h", 3600}, {"min", 60}} {
		if seconds >= u.size {
			return fmt.Sprintf("%.3g %s", seconds/u.size, u.name)
		}
	}
	unit, size := unitFor(seconds)
	return fmt.Sprintf("%.3g %s", seconds/size, unit)
}

// counted writes a number and a noun that takes an s.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return grouped(n) + " " + noun + "s"
}

// grouped writes a number with its thousands apart.
func grouped(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + " " + digits[i:]
	}
	return digits
}

// share writes a part as a percentage, and never as 0 or 100 % when it is not.
func share(part, whole int) string {
	percent := 100 * float64(part) / float64(whole)
	switch {
	case part < whole && percent > 99.9:
		return "over 99.9 %"
	case part > 0 && percent < 0.1:
		return "under 0.1 %"
	}
	return fmt.Sprintf("%.1f %%", percent)
}
