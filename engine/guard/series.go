package guard

import (
	"math"
	"slices"
)

const (
	// blockSeconds is what the samples are gathered over: long enough for a median, short against any drift that matters.
	blockSeconds = 60
	// blocksKept is a day.
	blocksKept = 24 * 60
	// samplesKept of one block go into its median.
	samplesKept = 128
)

// series is one source's phase against the oscillator in blocks: medians, NaN where nothing was heard. Blocks have the
// same numbers in all series: the oscillator's count divided by their length.
type series struct {
	first  int64 // number of values[0]
	values []float64
	open   int64 // number of the block being gathered
	inside []float64
}

// add takes a phase in seconds at the oscillator's count raw; frequency is how much it grows in a second of the
// oscillator, so that samples at odd times within a block can be compared.
func (s *series) add(raw int64, phase, frequency float64) {
	number := blockOf(raw)
	if number < s.open {
		return
	}
	s.closeUntil(number)
	if len(s.inside) < samplesKept {
		fromMiddle := float64(raw-number*blockSeconds*1e9)*1e-9 - blockSeconds/2
		s.inside = append(s.inside, phase-frequency*fromMiddle)
	}
}

// closeUntil ends all blocks before number.
func (s *series) closeUntil(number int64) {
	if number <= s.open {
		return
	}
	if len(s.inside) > 0 {
		s.put(s.open, median(s.inside))
		s.inside = s.inside[:0]
	}
	s.open = number
}

func (s *series) put(number int64, value float64) {
	if gap := number - s.first - int64(len(s.values)); len(s.values) == 0 || gap >= blocksKept {
		s.first, s.values = number, s.values[:0]
	}
	for s.first+int64(len(s.values)) < number {
		s.values = append(s.values, math.NaN())
	}
	s.values = append(s.values, value)
	if over := len(s.values) - blocksKept; over > 0 {
		s.values = append(s.values[:0], s.values[over:]...)
		s.first += int64(over)
	}
}

// at is the value of a block, NaN outside.
func (s *series) at(number int64) float64 {
	if i := number - s.first; i >= 0 && i < int64(len(s.values)) {
		return s.values[i]
	}
	return math.NaN()
}

// stretch gives blocks first to last as a record for the statistics.
func stretch(first, last int64, value func(number int64) float64) record {
	r := record{sum: make([]float64, 1, last-first+2), count: make([]int, 1, last-first+2)}
	for n := first; n <= last; n++ {
		v := value(n)
		sum, count := r.sum[len(r.sum)-1], r.count[len(r.count)-1]
		if !math.IsNaN(v) {
			sum, count = sum+v, count+1
		}
		r.sum, r.count = append(r.sum, sum), append(r.count, count)
	}
	return r
}

// record is a run of blocks with running sums, for means over any window at once.
type record struct {
	sum   []float64
	count []int
}

func (r record) len() int { return len(r.sum) - 1 }

// mean is that of the blocks from i up to before j, NaN when fewer than a twentieth were heard.
func (r record) mean(i, j int) float64 {
	if i < 0 || j > r.len() || i >= j {
		return math.NaN()
	}
	n := r.count[j] - r.count[i]
	if n == 0 || 20*n < j-i {
		return math.NaN()
	}
	return (r.sum[j] - r.sum[i]) / float64(n)
}

// heard is the share of the blocks from i up to before j that has a value.
func (r record) heard(i, j int) float64 {
	if i < 0 || j > r.len() || i >= j {
		return 0
	}
	return float64(r.count[j]-r.count[i]) / float64(j-i)
}

// perEstimate is how many windows a noise figure must come from.
const perEstimate = 12

// noise is the time deviation (TDEV, ITU-T G.810) over windows of m blocks: what a mean over m blocks scatters by. It comes from
// second differences, which no steady drift can raise, and from their median, which no single event can. NaN when the
// record is too short.
func (r record) noise(m int) float64 {
	if r.len() < perEstimate*m {
		return math.NaN()
	}
	var differences []float64
	const enough = 256
	for i := 0; i+3*m <= r.len(); i += max(1, m/2, r.len()/enough) {
		d := r.mean(i+2*m, i+3*m) - 2*r.mean(i+m, i+2*m) + r.mean(i, i+m)
		if !math.IsNaN(d) {
			differences = append(differences, math.Abs(d))
		}
	}
	if len(differences) < perEstimate {
		return math.NaN()
	}
	const gaussian = 0.6745 // the median of |x| at σ = 1
	return median(differences) / gaussian / math.Sqrt(6)
}

// onset fits a level that begins to slope at some block (least squares over all blocks it may have been) and gives the
// block, the level before and the slope per block after.
func (r record) onset() (block int, level, slope float64) {
	n := float64(r.count[r.len()])
	all := r.sum[r.len()]
	best := math.Inf(-1)
	// Sums over the blocks from j on, of distance t = number − j: kept up while j goes back.
	var counted, value, t, tt, tv float64
	for j := r.len() - 1; j >= 0; j-- {
		// What was at distance t is now at t+1.
		tt += 2*t + counted
		t += counted
		tv += value
		if r.count[j+1] > r.count[j] {
			counted++
			value += r.sum[j+1] - r.sum[j]
		}
		determinant := n*tt - t*t
		if r.len()-j < 4 || determinant <= 0 {
			continue
		}
		a, b := (all*tt-t*tv)/determinant, (n*tv-t*all)/determinant
		if explained := a*all + b*tv; explained > best {
			best, block, level, slope = explained, j, a, b
		}
	}
	return block, level, slope
}

// slope is the regression's, per block, over blocks i up to before j; NaN with fewer than 8 of them heard.
func (r record) slope(i, j int) float64 {
	var n, t, tt, v, tv float64
	for k := max(i, 0); k < min(j, r.len()); k++ {
		if r.count[k+1] > r.count[k] {
			x, y := float64(k-i), r.sum[k+1]-r.sum[k]
			n, t, tt, v, tv = n+1, t+x, tt+x*x, v+y, tv+x*y
		}
	}
	if n < 8 {
		return math.NaN()
	}
	return (n*tv - t*v) / (n*tt - t*t)
}

func blockOf(raw int64) int64 { return raw / (blockSeconds * 1e9) }

func median(values []float64) float64 {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}
