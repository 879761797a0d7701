package face

import (
	"fmt"
	"image/color"
	"slices"
	"strings"

	"timestation/engine/status"
)

// alerts draws the most severe alert that stands, with its mend, and how many more there are; without one, nothing.
func (f Frame) alerts(g grid) []Shape {
	if len(f.Status.Alerts) == 0 {
		return nil
	}
	all := slices.Clone(f.Status.Alerts)
	slices.SortStableFunc(all, func(a, b status.Alert) int { return rank(b.Severity) - rank(a.Severity) })
	first := all[0]
	colour, shape := severityLook(first.Severity)

	box, pad, size := g.alert, g.u(1.8), g.u(3)
	step := round(1.24 * size)
	left := box.X + pad + round(1.5*size)
	width := box.Right() - pad - left
	more, moreWidth := "", float32(0)
	if others := len(all) - 1; others > 0 {
		more = fmt.Sprintf("+%d more", others)
		moreWidth = TextWidth(more, size, SemiBold) + size
	}
	var texts, mends []string
	lines := 0
	for most := int((box.H - 2*pad) / step); lines < most; {
		lines++
		// The last line makes room for the count of the others.
		widths := slices.Repeat([]float32{width}, lines)
		widths[lines-1] -= moreWidth
		texts = wrap(first.Text, size, SemiBold, widths...)
		mends = wrap(first.Mend, size, Regular, widths[len(texts):]...)
		if words(first.Text) == words(texts...) && words(first.Mend) == words(mends...) {
			break
		}
	}
	box.H = 2*pad + float32(lines)*step

	at := Point{left, baseline(box.Y+pad, box.Y+pad+step, size)}
	foot := at.Y + float32(lines-1)*step
	shapes := []Shape{Rect{Box: box, Radius: g.u(1.2), Fill: mix(ground, colour, 0.14)}}
	shapes = append(shapes, mark(shape, Box{box.X + pad, at.Y - capHeight*size, size, capHeight * size}, colour)...)
	for _, s := range texts {
		shapes = append(shapes, Text{At: at, String: s, Size: size, Weight: SemiBold, Fill: colour})
		at.Y += step
	}
	for _, s := range mends {
		shapes = append(shapes, Text{At: at, String: s, Size: size, Weight: Regular, Fill: ink})
		at.Y += step
	}
	if more != "" {
		shapes = append(shapes, Text{At: Point{box.Right() - pad, foot}, String: more, Size: size, Weight: SemiBold,
			Anchor: End, Fill: colour})
	}
	return shapes
}

// words are the words of some lines with single spaces between.
func words(lines ...string) string {
	return strings.Join(strings.Fields(strings.Join(lines, " ")), " ")
}

func rank(s status.Severity) int {
	switch s {
	case status.Critical:
		return 2
	case status.Warning:
		return 1
	}
	return 0
}

// severityLook is the colour and the shape of a severity.
func severityLook(s status.Severity) (color.NRGBA, standing) {
	switch s {
	case status.Critical:
		return red, untrusted
	case status.Warning:
		return amber, holdover
	}
	return blue, synchronised
}
