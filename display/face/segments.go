package face

import (
	"image/color"
	"math"

	"timestation/display/draw"
)

// The seven segments, a at the top, then clockwise, g in the middle.
const (
	segmentA = 1 << iota
	segmentB
	segmentC
	segmentD
	segmentE
	segmentF
	segmentG
)

// blank and dash are what a place shows besides figures.
const (
	blank = -1
	dash  = -2
)

// figurePatterns are the lit segments of 0 to 9.
var figurePatterns = [10]uint8{
	segmentA | segmentB | segmentC | segmentD | segmentE | segmentF,
	segmentB | segmentC,
	segmentA | segmentB | segmentD | segmentE | segmentG,
	segmentA | segmentB | segmentC | segmentD | segmentG,
	segmentB | segmentC | segmentF | segmentG,
	segmentA | segmentC | segmentD | segmentF | segmentG,
	segmentA | segmentC | segmentD | segmentE | segmentF | segmentG,
	segmentA | segmentB | segmentC,
	segmentA | segmentB | segmentC | segmentD | segmentE | segmentF | segmentG,
	segmentA | segmentB | segmentC | segmentD | segmentF | segmentG,
}

func pattern(figure int) uint8 {
	switch figure {
	case blank:
		return 0
	case dash:
		return segmentG
	}
	return figurePatterns[figure]
}

// FigureOf is the figure whose lit segments, a to g in bits 0 to 6, were seen; -1 is a dark place, and ok is false for
// anything that is not a figure.
func FigureOf(lit uint8) (figure int, ok bool) {
	if lit == 0 {
		return blank, true
	}
	for n, p := range figurePatterns {
		if p == lit {
			return n, true
		}
	}
	return 0, false
}

// thickness is that of the segments of a place, an even number of pixels.
func thickness(box draw.Box) float32 { return draw.Even(0.13 * box.H) }

// SegmentCentres are the middles of the segments a to g of a place for one figure.
func SegmentCentres(box draw.Box) [7]draw.Point {
	half := thickness(box) / 2
	left, middle, right := box.X+half, box.X+box.W/2, box.Right()-half
	upper, lower := box.Y+box.H*0.27, box.Y+box.H*0.73
	return [7]draw.Point{
		draw.At(middle, box.Y+half), draw.At(right, upper), draw.At(right, lower), draw.At(middle, box.Bottom()-half),
		draw.At(left, lower), draw.At(left, upper), draw.At(middle, box.Y+box.H/2),
	}
}

// sevenSegment draws a figure into a box, the unlit segments too.
func sevenSegment(box draw.Box, figure int, on, off color.NRGBA) []draw.Shape {
	lit := pattern(figure)
	outlines := segmentOutlines(box.W, box.H, thickness(box))
	shapes := make([]draw.Shape, len(outlines))
	for i, points := range outlines {
		fill := off
		if lit&(1<<i) != 0 {
			fill = on
		}
		for j := range points {
			points[j] = draw.At(draw.Round(box.X+points[j].X), draw.Round(box.Y+points[j].Y))
		}
		shapes[i] = draw.Polygon{Points: points, Fill: fill}
	}
	return shapes
}

// segmentOutlines are the seven segments of a place w × h with segments t thick: mitred where two meet, the outer
// corners cut, an even gap all around.
func segmentOutlines(w, h, t float32) [7][]draw.Point {
	gap := max(2, 0.14*t)
	cut := 0.34 * t
	mitre := gap / float32(math.Sqrt2) // from the diagonal of a corner to the edge of a segment, along an axis
	middle := h/2 - gap/2              // where the upright ones end
	tip := t/2 + gap*0.914             // where the middle one begins: the gap to the slope of the upright ones
	near, far := (cut-mitre)/2, (cut+mitre)/2

	top := []draw.Point{draw.At(far, near), draw.At(cut, 0), draw.At(w-cut, 0), draw.At(w-far, near), draw.At(w-t-mitre, t), draw.At(t+mitre, t)}
	upperLeft := []draw.Point{draw.At(0, cut), draw.At(near, far), draw.At(t, t+mitre), draw.At(t, middle-t/2), draw.At(t/2, middle), draw.At(0, middle)}
	centre := []draw.Point{
		draw.At(tip, h/2), draw.At(tip+t/2, h/2-t/2), draw.At(w-tip-t/2, h/2-t/2),
		draw.At(w-tip, h/2), draw.At(w-tip-t/2, h/2+t/2), draw.At(tip+t/2, h/2+t/2),
	}
	mirror := func(points []draw.Point, x, y bool) []draw.Point {
		out := make([]draw.Point, len(points))
		for i, p := range points {
			if x {
				p.X = w - p.X
			}
			if y {
				p.Y = h - p.Y
			}
			// A mirror turns the order of the corners round.
			if x != y {
				out[len(points)-1-i] = p
			} else {
				out[i] = p
			}
		}
		return out
	}
	return [7][]draw.Point{
		top, mirror(upperLeft, true, false), mirror(upperLeft, true, true), mirror(top, false, true),
		mirror(upperLeft, false, true), upperLeft, centre,
	}
}
