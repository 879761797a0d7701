package stability

import (
	"math"
	"slices"
)

// Series is the phase of one clock against another at a constant interval.
type Series struct {
	// Phase is in seconds, one value for each Tau0Seconds. NaN, or any value that is not finite, is a missing point.
	Phase []float64
	// Tau0Seconds is the interval between two points, above 0.
	Tau0Seconds float64
	// StartNS is the time of Phase[0] in nanoseconds on the scale that [Regular] was given; 0 if nobody said.
	StartNS int64
	// Breaks are the indices of points that count from another zero than the point before them.
	Breaks []int
}

// FromFrequency integrates fractional frequencies (dimensionless), each the mean over one tau0Seconds, to a phase that
// begins at 0 and has one point more. A frequency that is missing (not finite) breaks the series: how far the phase went
// meanwhile is not known.
func FromFrequency(fractional []float64, tau0Seconds float64) Series {
	s := Series{Phase: make([]float64, len(fractional)+1), Tau0Seconds: tau0Seconds}
	phase := 0.0
	for i, y := range fractional {
		if finite(y) {
			phase += y * tau0Seconds
		} else {
			phase = 0
			if n := len(s.Breaks); n > 0 && s.Breaks[n-1] == i {
				s.Breaks = s.Breaks[:n-1]
				s.Phase[i] = math.NaN()
			}
			s.Breaks = append(s.Breaks, i+1)
		}
		s.Phase[i+1] = phase
	}
	return s
}

// Break says that the phase counts from another zero from timeNS on, for instance because the machine was started then.
// timeNS is on the scale of StartNS. The point nearest to it may mix both sides and becomes a missing one.
func (s *Series) Break(timeNS int64) {
	index := math.Floor((float64(timeNS)-float64(s.StartNS))/(s.Tau0Seconds*1e9) + 0.5)
	if index < 0 || index >= float64(len(s.Phase)) {
		return
	}
	i := int(index)
	s.Phase[i] = math.NaN()
	s.Breaks = append(s.Breaks, i)
}

// Missing is how many points of the series are missing.
func (s Series) Missing() int {
	missing := 0
	for _, x := range s.Phase {
		if !finite(x) {
			missing++
		}
	}
	return missing
}

// segments cuts the series at its breaks.
func (s Series) segments() [][]float64 {
	breaks := slices.Sorted(slices.Values(s.Breaks))
	var parts [][]float64
	from := 0
	for _, b := range append(breaks, len(s.Phase)) {
		if b > from && b <= len(s.Phase) {
			parts = append(parts, s.Phase[from:b])
			from = b
		}
	}
	return parts
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// segment is a stretch of phase with one zero, made ready for the sums: NaN is a missing point.
type segment []float64

// newSegment removes the straight line through the outermost points, which changes no deviation but keeps digits: after
// a year a free-running oscillator is minutes away, and its noise is nanoseconds.
func newSegment(raw []float64) segment {
	first := slices.IndexFunc(raw, finite)
	last := first
	for i, v := range raw {
		if finite(v) {
			last = i
		}
	}
	var slope float64
	if last > first {
		slope = (raw[last] - raw[first]) / float64(last-first)
	}
	x := make(segment, len(raw))
	for i, v := range raw {
		if finite(v) {
			x[i] = v - raw[first] - slope*float64(i-first)
		} else {
			x[i] = math.NaN()
		}
	}
	return x
}
