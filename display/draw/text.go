package draw

import (
	"image/color"
	"math"
	"strings"
	"unicode/utf8"
)

// Of the font, in parts of its size: how far capitals rise above the baseline and how far letters hang below it.
const (
	CapHeight = 0.727
	Descent   = 0.21
)

// raisedColon lifts a colon between figures to the middle of their height, as the font itself does in running text.
const raisedColon = 0.085

// Smallest is the least size of a text in pixels.
const Smallest = 6

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
	return Round(float32(widest) * size / 1000)
}

// Baseline is where capitals of a size must stand to be in the middle between two heights.
func Baseline(top, bottom, size float32) float32 { return Round((top + bottom + CapHeight*size) / 2) }

// Span is a piece of a row of text.
type Span struct {
	Text   string
	Size   float32
	Weight Weight
	Fill   color.NRGBA
	// Steady puts every figure into a cell of its own, so that a number keeps its width when it changes.
	Steady bool
}

// Width is how wide the span is in pixels.
func (s Span) Width() float32 {
	if !s.Steady {
		return TextWidth(s.Text, s.Size, s.Weight)
	}
	var sum float32
	for _, r := range s.Text {
		if isFigure(r) {
			sum += figureWidth(s.Size, s.Weight)
		} else {
			sum += TextWidth(string(r), s.Size, s.Weight)
		}
	}
	return sum
}

func isFigure(r rune) bool { return r >= '0' && r <= '9' }

// Row sets spans one after the other on a baseline.
func Row(at Point, anchor Anchor, spans ...Span) []Shape {
	var width float32
	for _, s := range spans {
		width += s.Width()
	}
	x := at.X - width*anchor.share()
	var shapes []Shape
	for _, s := range spans {
		shapes = append(shapes, s.set(Point{x, at.Y})...)
		x += s.Width()
	}
	return shapes
}

// set places one span with its left end at a point.
func (s Span) set(at Point) []Shape {
	text := Text{String: s.Text, Size: s.Size, Weight: s.Weight, Fill: s.Fill}
	if !s.Steady {
		text.At = Point{Round(at.X), Round(at.Y)}
		return []Shape{text}
	}
	var shapes []Shape
	put := func(str string, x, lift float32, anchor Anchor) {
		text.String, text.Anchor, text.At = str, anchor, Point{Round(x), Round(at.Y - lift)}
		shapes = append(shapes, text)
	}
	cell := figureWidth(s.Size, s.Weight)
	for rest := s.Text; rest != ""; {
		r, n := utf8.DecodeRuneInString(rest)
		width := TextWidth(rest[:n], s.Size, s.Weight)
		switch {
		case isFigure(r):
			put(rest[:n], at.X+cell/2, 0, Middle)
			width = cell
		case r == ':':
			put(rest[:n], at.X+width/2, raisedColon*s.Size, Middle)
		case r != ' ':
			if n = strings.IndexFunc(rest, func(r rune) bool { return isFigure(r) || r == ':' || r == ' ' }); n < 0 {
				n = len(rest)
			}
			width = TextWidth(rest[:n], s.Size, s.Weight)
			put(rest[:n], at.X, 0, Start)
		}
		rest, at.X = rest[n:], at.X+width
	}
	return shapes
}

// Fit makes a span narrow enough: smaller, down to the given size, and then shorter, ending in an ellipsis.
func Fit(s Span, width, smallest float32) Span {
	if w := s.Width(); w > width {
		s.Size = max(smallest, float32(math.Floor(float64(s.Size*width/w))))
	}
	if s.Width() > width {
		s.Text = Clip(s.Text, width, s.Size, s.Weight)
	}
	return s
}

// Clip shortens a text to a width.
func Clip(s string, width, size float32, w Weight) string {
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

// Wrap breaks a text between words into lines of the given widths; what does not fit ends in an ellipsis.
func Wrap(s string, size float32, w Weight, widths ...float32) []string {
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
		lines = append(lines, Clip(strings.Join(words[:take], " "), width, size, w))
		words = words[take:]
	}
	return lines
}

// Paragraph wraps a text into a box, from its top down: as many lines as there is room for, the last of which ends in an
// ellipsis if need be. Lines are 1.45 sizes apart; used is the height they take.
func Paragraph(s string, box Box, size float32, w Weight, fill color.NRGBA) (shapes []Shape, used float32) {
	step := Round(1.45 * size)
	n := int(box.H / step)
	if n < 1 || box.W < size {
		return nil, 0
	}
	widths := make([]float32, n)
	for i := range widths {
		widths[i] = box.W
	}
	for i, line := range Wrap(s, size, w, widths...) {
		used = float32(i+1) * step
		y := Baseline(box.Y+used-step, box.Y+used, size)
		shapes = append(shapes, Text{At: Point{Round(box.X), y}, String: line, Size: size, Weight: w, Fill: fill})
	}
	return shapes, used
}
