package face

import (
	"image/color"
	"math"
	"strings"
	"unicode/utf8"
)

// Of the font, in parts of its size: how far capitals rise above the baseline and how far letters hang below it.
const (
	capHeight = 0.727
	descent   = 0.21
)

// raisedColon lifts a colon between figures to the middle of their height, as the font itself does in running text.
const raisedColon = 0.085

// TextWidth is how wide a text is in pixels. It adds up the advances of the letters and leaves out their kerning, which
// makes it right to about two per cent; letters outside Latin count as one em.
func TextWidth(s string, size float32, w Weight) float32 {
	var sum int
	for _, r := range s {
		sum += advance(r, w)
	}
	return float32(sum) * size / 1000
}

// advance is the width of a letter in thousandths of the font size.
func advance(r rune, w Weight) int {
	column := 0
	if w == SemiBold {
		column = 1
	}
	if i := int(r) - firstAdvance; i >= 0 && i < len(advances) {
		return int(advances[i][column])
	}
	if a, ok := moreAdvances[r]; ok {
		return int(a[column])
	}
	return 1000
}

// figureWidth is the width of the cell each figure stands in where a number must not shift its neighbours.
func figureWidth(size float32, w Weight) float32 {
	widest := 0
	for r := '0'; r <= '9'; r++ {
		widest = max(widest, advance(r, w))
	}
	return round(float32(widest) * size / 1000)
}

// span is a piece of a row of text.
type span struct {
	text   string
	size   float32
	weight Weight
	fill   color.NRGBA
	// steady puts every figure into a cell of its own, so that a number keeps its width when it changes.
	steady bool
}

func (s span) width() float32 {
	if !s.steady {
		return TextWidth(s.text, s.size, s.weight)
	}
	var sum float32
	for _, r := range s.text {
		if isFigure(r) {
			sum += figureWidth(s.size, s.weight)
		} else {
			sum += TextWidth(string(r), s.size, s.weight)
		}
	}
	return sum
}

func isFigure(r rune) bool { return r >= '0' && r <= '9' }

// row sets spans one after the other on a baseline.
func row(at Point, anchor Anchor, spans ...span) []Shape {
	var width float32
	for _, s := range spans {
		width += s.width()
	}
	x := at.X - width*anchor.share()
	var shapes []Shape
	for _, s := range spans {
		shapes = append(shapes, s.set(Point{x, at.Y})...)
		x += s.width()
	}
	return shapes
}

// set places one span with its left end at a point.
func (s span) set(at Point) []Shape {
	text := Text{String: s.text, Size: s.size, Weight: s.weight, Fill: s.fill}
	if !s.steady {
		text.At = Point{round(at.X), round(at.Y)}
		return []Shape{text}
	}
	var shapes []Shape
	put := func(str string, x, lift float32, anchor Anchor) {
		text.String, text.Anchor, text.At = str, anchor, Point{round(x), round(at.Y - lift)}
		shapes = append(shapes, text)
	}
	cell := figureWidth(s.size, s.weight)
	for rest := s.text; rest != ""; {
		r, n := utf8.DecodeRuneInString(rest)
		width := TextWidth(rest[:n], s.size, s.weight)
		switch {
		case isFigure(r):
			put(rest[:n], at.X+cell/2, 0, Middle)
			width = cell
		case r == ':':
			put(rest[:n], at.X+width/2, raisedColon*s.size, Middle)
		case r != ' ':
			if n = strings.IndexFunc(rest, func(r rune) bool { return isFigure(r) || r == ':' || r == ' ' }); n < 0 {
				n = len(rest)
			}
			width = TextWidth(rest[:n], s.size, s.weight)
			put(rest[:n], at.X, 0, Start)
		}
		rest, at.X = rest[n:], at.X+width
	}
	return shapes
}

// fit makes a span narrow enough: smaller, down to the given size, and then shorter, ending in an ellipsis.
func fit(s span, width, smallest float32) span {
	if w := s.width(); w > width {
		s.size = max(smallest, float32(math.Floor(float64(s.size*width/w))))
	}
	s.text = clip(s.text, width, s.size, s.weight)
	return s
}

// clip shortens a text to a width.
func clip(s string, width, size float32, w Weight) string {
	if TextWidth(s, size, w) <= width {
		return s
	}
	runes := []rune(s)
	for n := len(runes) - 1; n > 0; n-- {
		if short := strings.TrimRight(string(runes[:n]), " ,.;:·") + "…"; TextWidth(short, size, w) <= width {
			return short
		}
	}
	return ""
}

// wrap breaks a text between words into lines of the given widths; what does not fit ends in an ellipsis.
func wrap(s string, size float32, w Weight, widths ...float32) []string {
	var lines []string
	words := strings.Fields(s)
	for i, width := range widths {
		if len(words) == 0 {
			break
		}
		take := 1
		for take < len(words) && TextWidth(strings.Join(words[:take+1], " "), size, w) <= width {
			take++
		}
		if i == len(widths)-1 {
			take = len(words)
		}
		lines = append(lines, clip(strings.Join(words[:take], " "), width, size, w))
		words = words[take:]
	}
	return lines
}

func round(v float32) float32 { return float32(math.Round(float64(v))) }

// even is the nearest even number of whole pixels, and at least 2: what has a middle on the grid.
func even(v float32) float32 { return max(2, 2*round(v/2)) }
