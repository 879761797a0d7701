package stability

import "math"

// Noise is a power law of the frequency noise, by the exponent α of its spectral density S_y(f) ∝ f^α.
type Noise int

// The power laws that are told apart. The last two show in HDEV alone.
const (
	WhitePM       Noise = 2
	FlickerPM     Noise = 1
	WhiteFM       Noise = 0
	FlickerFM     Noise = -1
	RandomWalkFM  Noise = -2
	FlickerWalkFM Noise = -3
	RandomRunFM   Noise = -4
)

// String names the noise as the field does.
func (n Noise) String() string {
	switch n {
	case WhitePM:
		return "white PM"
	case FlickerPM:
		return "flicker PM"
	case WhiteFM:
		return "white FM"
	case FlickerFM:
		return "flicker FM"
	case RandomWalkFM:
		return "random walk FM"
	case FlickerWalkFM:
		return "flicker walk FM"
	case RandomRunFM:
		return "random run FM"
	}
	return "unknown noise"
}

// identifiable is how many points the lag-1 autocorrelation needs to name a noise (Riley and Greenhall 2004).
const identifiable = 30

// noise identifies the dominant noise for averaging factor m in the longest segment. Where too few points are left at m
// it is that of the longest averaging time which has enough of them; on a very short series white FM is assumed.
func (w *work) noise(m, order int) Noise {
	x := w.segments[w.longest]
	for m = min(m, len(x)/identifiable); m > 0; m /= 2 {
		key := [2]int{m, order}
		if n, known := w.noises[key]; known {
			return n
		}
		if n, ok := identify(x, m, order); ok {
			w.noises[key] = n
			return n
		}
	}
	return WhiteFM
}

// identify names the noise of every m-th point. Flicker PM becomes whiter when points are skipped; what passes for white
// PM is therefore looked at again averaged over m points, which leaves either as it is. order is the order of the
// statistic's difference, which says how divergent a noise may be.
func identify(x []float64, m, order int) (Noise, bool) {
	noise, ok := nearest(every(x, m), m, order)
	if ok && noise == WhitePM && m > 1 {
		if averaged, ok := nearest(averages(x, m), 1, order); ok && averaged < WhitePM {
			return FlickerPM, true
		}
	}
	return noise, ok
}

func every(x []float64, m int) []float64 {
	z := make([]float64, 0, len(x)/m+1)
	for i := 0; i < len(x); i += m {
		z = append(z, x[i])
	}
	return z
}

// averages are the means over m points, of those that are there.
func averages(x []float64, m int) []float64 {
	z := make([]float64, 0, len(x)/m)
	for ; len(x) >= m; x = x[m:] {
		sum, n := 0.0, 0
		for _, v := range x[:m] {
			if !math.IsNaN(v) {
				sum += v
				n++
			}
		}
		z = append(z, sum/float64(n))
	}
	return z
}

// nearest differences z, in place, until what remains is stationary, and gives the noise whose lag-1 autocorrelation
// would then be nearest (SP 1065 section 5.5.6). An offset or drift of the frequency needs no removing: it ends as a
// constant.
func nearest(z []float64, m, order int) (Noise, bool) {
	for d := 0; ; d++ {
		r1, ok := lag1(z)
		if !ok {
			return 0, false
		}
		if d == 0 && r1 < stationary {
			return WhitePM, true // the only one that is stationary by itself
		}
		if d > 0 && (r1 < stationary || d == order) {
			noise, distance := WhitePM, math.Inf(1)
			for alpha := 2; alpha >= 2-2*d; alpha-- {
				if r := math.Abs(skipped(alpha, d, m) - r1); r < distance {
					noise, distance = Noise(alpha), r
				}
			}
			return noise, true
		}
		for i := range len(z) - 1 {
			z[i] = z[i+1] - z[i]
		}
		z = z[:len(z)-1]
	}
}

// stationary is the lag-1 autocorrelation below which the noise is: δ = r1/(1+r1) is below 1/4.
const stationary = 1.0 / 3

// skipped is the lag-1 autocorrelation of the d-th difference of every m-th point of a phase. Riley and Greenhall have
// δ/(1−δ), that of noise made in steps of one point, for every m. Skipping moves flicker and random walk FM away from
// it, up to the edge of the next noise, so that from the second point on theirs is computed for noise that is continuous.
func skipped(alpha, d, m int) float64 {
	if m == 1 {
		delta := 1 - float64(alpha)/2 - float64(d)
		return delta / (1 - delta)
	}
	e := edf{alpha: alpha, order: d, filter: float64(m)}
	if alpha <= 0 {
		e.filter = math.Inf(1)
	}
	return e.sz(1) / e.sz(0)
}

// lag1 is the autocorrelation of neighbours, over the pairs that are there; NaN is a missing value.
func lag1(z []float64) (float64, bool) {
	var sum float64
	n := 0
	for _, v := range z {
		if !math.IsNaN(v) {
			sum += v
			n++
		}
	}
	mean := sum / float64(n)
	var squares, products float64
	pairs := 0
	before := math.NaN()
	for _, v := range z {
		v -= mean
		if !math.IsNaN(v) {
			squares += v * v
		}
		if p := v * before; !math.IsNaN(p) {
			products += p
			pairs++
		}
		before = v
	}
	if n < identifiable-3 || pairs < identifiable/2 || !(squares > 0) || math.IsInf(squares, 0) {
		return 0, false
	}
	// Without gaps the mean product over n−1 pairs, taken to n points, is the usual estimate.
	return products / float64(pairs) * float64(n-1) / squares, true
}
