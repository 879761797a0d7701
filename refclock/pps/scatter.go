package pps

import (
	"math"
	"slices"
	"time"

	"timestation/refclock"
)

const (
	// kept is of how many pulses the statistics are: two minutes, in which a crystal hardly changes.
	kept = 120
	// enough is how many distances are needed before a scatter is said.
	enough = 8
	// bins of the histogram: an odd number, so that one is in the middle.
	bins = 21
	// binsSigma is how many standard deviations the histogram is wide.
	binsSigma = 8
)

// scatter is how regular a series of stamps is.
type scatter struct {
	stamps []refclock.Stamp
}

func (s *scatter) add(at refclock.Stamp) {
	s.stamps = append(s.stamps, at)
	if len(s.stamps) > kept {
		s.stamps = s.stamps[1:]
	}
}

// jitter is the standard deviation of the distance between neighbouring pulses; 0 while it is not known.
func (s *scatter) jitter() time.Duration {
	var distances []float64
	for i := 1; i < len(s.stamps); i++ {
		// A distance of two periods would count the clock's frequency twice.
		if d := s.stamps[i].Sub(s.stamps[i-1]) - period; d.Abs() < period/2 {
			distances = append(distances, float64(d))
		}
	}
	if len(distances) < enough {
		return 0
	}
	return time.Duration(deviation(distances))
}

func deviation(values []float64) float64 {
	var sum, squares float64
	for _, v := range values {
		sum += v
	}
	mean := sum / float64(len(values))
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return math.Sqrt(squares / float64(len(values)-1))
}

// residuals are the distances of the pulses from a straight line through them, in nanoseconds: the local clock's
// frequency is taken out.
func (s *scatter) residuals() []float64 {
	n := len(s.stamps)
	if n <= enough {
		return nil
	}
	numbers, offsets := make([]float64, n), make([]float64, n)
	var sumX, sumY float64
	for i, at := range s.stamps {
		since := at.Sub(s.stamps[0])
		number := (since + period/2) / period
		numbers[i], offsets[i] = float64(number), float64(since-number*period)
		sumX, sumY = sumX+numbers[i], sumY+offsets[i]
	}
	meanX, meanY := sumX/float64(n), sumY/float64(n)
	var xy, xx float64
	for i := range numbers {
		xy += (numbers[i] - meanX) * (offsets[i] - meanY)
		xx += (numbers[i] - meanX) * (numbers[i] - meanX)
	}
	slope := 0.0
	if xx > 0 {
		slope = xy / xx
	}
	for i := range offsets {
		offsets[i] -= meanY + slope*(numbers[i]-meanX)
	}
	return offsets
}

// histogram counts the residuals in bins of a round width; what lies beyond counts in the outermost.
func (s *scatter) histogram() (counts []uint32, step time.Duration) {
	residuals := s.residuals()
	if residuals == nil {
		return nil, 0
	}
	step = roundUp(time.Duration(deviation(residuals) * binsSigma / bins))
	counts = make([]uint32, bins)
	for _, r := range residuals {
		bin := int(math.Round(r/float64(step))) + bins/2
		counts[min(max(bin, 0), bins-1)]++
	}
	return counts, step
}

// roundUp is the next of 1, 2, 5, 10, 20, … nanoseconds.
func roundUp(d time.Duration) time.Duration {
	for decade := time.Duration(1); ; decade *= 10 {
		for _, step := range []time.Duration{decade, 2 * decade, 5 * decade} {
			if step >= d {
				return step
			}
		}
	}
}

// widths are how long the last pulses were.
type widths []time.Duration

func (w *widths) add(d time.Duration) {
	*w = append(*w, d)
	if len(*w) > 2*enough {
		*w = (*w)[1:]
	}
}

// median is 0 while too few are known.
func (w widths) median() time.Duration {
	if len(w) < 3 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(w))
	return sorted[len(sorted)/2]
}
