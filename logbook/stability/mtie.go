package stability

import "math"

// MTIE is the maximum time interval error (ITU-T G.810; SP 1065 section 5.16): the greatest peak-to-peak excursion of
// the phase, in seconds, in any interval of m+1 points. Averaging factors as for [Analyse].
//
// An interval that reaches over missing points or a break counts as Missing, but the points that it has on one side
// still tell of an excursion, and are heard: MTIE then is a lower bound, as a maximum over an incomplete record must be,
// and it never falls as τ grows. Where Terms is 0, no interval at all was complete.
func MTIE(s Series, factors []int) []Point {
	if !(s.Tau0Seconds > 0) {
		return nil
	}
	var points []Point
	var parts []*extremes
	for _, part := range s.segments() {
		parts = append(parts, newExtremes(part))
	}
	n := len(s.Phase)
	for _, m := range ascending(factors) {
		if m >= n {
			break
		}
		p := Point{TauSeconds: float64(m) * s.Tau0Seconds}
		for _, e := range parts {
			p.Deviation = max(p.Deviation, e.excursion(m+1))
			p.Terms += e.complete(m + 1)
		}
		p.Missing = n - m - p.Terms
		points = append(points, p)
	}
	return points
}

// extremes knows the highest and lowest of the span points from each point on. Spans double, so that any window is two
// spans that overlap, and costs one pass however long it is.
type extremes struct {
	high, low []float64
	span      int
	// runs are the lengths of the stretches without a missing point.
	runs []int
}

func newExtremes(phase []float64) *extremes {
	e := &extremes{high: make([]float64, len(phase)), low: make([]float64, len(phase)), span: 1}
	run := 0
	for i, x := range phase {
		if finite(x) {
			e.high[i], e.low[i] = x, x
			run++
			continue
		}
		e.high[i], e.low[i] = math.Inf(-1), math.Inf(1)
		e.runs = append(e.runs, run)
		run = 0
	}
	e.runs = append(e.runs, run)
	return e
}

// excursion is the greatest peak-to-peak in any window, which must not be shorter than that of the call before.
func (e *extremes) excursion(window int) float64 {
	window = min(window, len(e.high))
	for 2*e.span <= window {
		ahead, n := e.span, len(e.high)-2*e.span+1
		widen(e.high[:n], e.low[:n], e.high[ahead:], e.low[ahead:])
		e.span *= 2
	}
	ahead, n := window-e.span, len(e.high)-window+1
	high, low := e.high[ahead:], e.low[ahead:]
	greatest := 0.0
	for i := range n {
		h, l := e.high[i], e.low[i]
		if high[i] > h {
			h = high[i]
		}
		if low[i] < l {
			l = low[i]
		}
		if h-l > greatest {
			greatest = h - l
		}
	}
	return greatest
}

func widen(high, low, highAhead, lowAhead []float64) {
	for i := range high {
		if highAhead[i] > high[i] {
			high[i] = highAhead[i]
		}
		if lowAhead[i] < low[i] {
			low[i] = lowAhead[i]
		}
	}
}

// complete counts the windows without a missing point.
func (e *extremes) complete(window int) int {
	windows := 0
	for _, run := range e.runs {
		windows += max(run-window+1, 0)
	}
	return windows
}
