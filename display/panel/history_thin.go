package panel

import (
	"math"
	"slices"
	"time"

	"timestation/display"
	"timestation/display/draw"
	"timestation/engine/status"
)

// thinned is what lies within an axis, joined to at most so many points, each of which is for so many seconds: the
// extremes stay.
func (p *pen) thinned(x draw.Axis, most int) (out []display.Point, width float64) {
	all := p.History.Points
	width = (x.To - x.From) / float64(max(most, 1))
	if step := p.History.StepSeconds; step > 0 { // each takes as many of those that were read
		width = step * math.Ceil(width/step-1e-6)
	}
	begin := unix(p.History.From)
	last := math.Inf(-1)
	var sums [3]struct{ sum, n float64 }
	mean := func(i int, v *float64) *float64 {
		if v != nil && finite(*v) {
			sums[i].sum, sums[i].n = sums[i].sum+*v, sums[i].n+1
		}
		if sums[i].n == 0 {
			return nil
		}
		m := sums[i].sum / sums[i].n
		return &m
	}
	for _, q := range all {
		at := float64(q.Time.UnixNano()) / 1e9
		if at < x.From || at > x.To {
			continue
		}
		if slot := math.Floor((at - begin) / width); slot != last {
			middle := time.Unix(0, int64((begin+(slot+0.5)*width)*1e9)).UTC()
			out, last, sums = append(out, display.Point{Time: middle, State: q.State}), slot, [3]struct{ sum, n float64 }{}
		}
		o := &out[len(out)-1]
		o.OffsetSeconds, o.FrequencyPPM, o.TemperatureCelsius = mean(0, q.OffsetSeconds), mean(1, q.FrequencyPPM), mean(2, q.TemperatureCelsius)
		o.OffsetLowSeconds = extreme(o.OffsetLowSeconds, q.OffsetLowSeconds, -1)
		o.OffsetHighSeconds = extreme(o.OffsetHighSeconds, q.OffsetHighSeconds, 1)
		o.MaxErrorSeconds = extreme(o.MaxErrorSeconds, q.MaxErrorSeconds, 1)
		if worse(q.State, o.State) {
			o.State = q.State
		}
	}
	return out, width
}

func extreme(a, b *float64, sign float64) *float64 {
	switch {
	case b == nil || !finite(*b):
		return a
	case a == nil || (*b-*a)*sign > 0:
		return b
	}
	return a
}

func worse(a, b status.State) bool {
	order := []status.State{status.Synchronised, status.Holdover, status.Unsynchronised}
	return slices.Index(order, a) > slices.Index(order, b)
}

// simplified leaves out the points that lie within so many pixels of the line without them (Ramer, Douglas and Peucker).
func simplified(points []draw.Point, within float32) []draw.Point {
	if len(points) < 3 {
		return points
	}
	first, last := points[0], points[len(points)-1]
	furthest, off := 0, float32(0)
	for i, q := range points[1 : len(points)-1] {
		if d := offLine(q, first, last); d > off {
			furthest, off = i+1, d
		}
	}
	if off <= within {
		return []draw.Point{first, last}
	}
	head := simplified(points[:furthest+1], within)
	return append(head[:len(head)-1:len(head)-1], simplified(points[furthest:], within)...)
}

// offLine is how far a point lies from the straight line through two others.
func offLine(q, a, b draw.Point) float32 {
	dx, dy := b.X-a.X, b.Y-a.Y
	long := float32(math.Hypot(float64(dx), float64(dy)))
	if long == 0 {
		return distance(q, a)
	}
	return float32(math.Abs(float64(dx*(a.Y-q.Y)-dy*(a.X-q.X)))) / long
}
