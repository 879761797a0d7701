package draw

import (
	"image/color"
	"math"
)

// Axis maps values to pixels: From lies at Low, To at High.
type Axis struct {
	From, To  float64
	Low, High float32
}

// At is the place of a value in pixels, beyond the ends too.
func (a Axis) At(v float64) float32 {
	if a.To == a.From {
		return (a.Low + a.High) / 2
	}
	return a.Low + float32((v-a.From)/(a.To-a.From))*(a.High-a.Low)
}

// Value is the value at a place.
func (a Axis) Value(at float32) float64 {
	if a.High == a.Low {
		return a.From
	}
	return a.From + float64((at-a.Low)/(a.High-a.Low))*(a.To-a.From)
}

// Ticks are round values within the axis, at most so many: 1, 2 or 5 times a power of ten apart; step is their distance.
func (a Axis) Ticks(most int) (ticks []float64, step float64) {
	low, high := min(a.From, a.To), max(a.From, a.To)
	if !(high > low) || most < 1 || math.IsInf(high-low, 0) {
		return nil, 0
	}
	step = math.Pow(10, math.Floor(math.Log10((high-low)/float64(most))))
	for _, f := range []float64{1, 2, 5, 10} {
		if (high-low)/(f*step) <= float64(most) {
			step *= f
			break
		}
	}
	// Counted, not added up: no tick is off by the rounding of those before.
	for n := math.Ceil(low/step - 1e-9); n*step <= high+1e-9*step && len(ticks) <= most; n++ {
		ticks = append(ticks, n*step)
	}
	return ticks, step
}

// Polyline is a line through points.
func Polyline(points []Point, width float32, stroke color.NRGBA) []Shape {
	var shapes []Shape
	for i := 1; i < len(points); i++ {
		shapes = append(shapes, Line{From: points[i-1], To: points[i], Width: width, Stroke: stroke})
	}
	return shapes
}
