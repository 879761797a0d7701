package stability

import "math"

// Point is one statistic at one averaging time.
type Point struct {
	// TauSeconds is the averaging time; of MTIE, the observation interval.
	TauSeconds float64
	// Deviation is a fractional frequency (dimensionless) for ADEV, MDEV and HDEV, and seconds for TDEV and MTIE.
	// Where Terms is 0 it says nothing, except for MTIE, which see.
	Deviation float64
	// Low and High hold the true deviation with a probability of 68 %, if the noise is what Noise says. Both are 0 for
	// MTIE: it is the greatest excursion that was seen, not an estimate of anything.
	Low, High float64
	// Noise is the dominant noise at this averaging time, and EDF the equivalent degrees of freedom (1 or more) that
	// Deviation has for it. Neither is set for MTIE.
	Noise Noise
	EDF   float64
	// Terms is how many differences (of MTIE: intervals) were used, Missing how many had to be left out because they
	// reach over a missing point or a break. Together they are what an unbroken series has.
	Terms, Missing int
}

// Analysis is all statistics of one series.
type Analysis struct {
	// Tau0Seconds is the interval of the series; Points how many points it should have, of which MissingPoints are
	// missing; Breaks how often its zero was lost.
	Tau0Seconds                   float64
	Points, MissingPoints, Breaks int
	ADEV, MDEV, HDEV, TDEV, MTIE  []Point
}

// Analyse computes every statistic at the given averaging factors (1 or more, in units of the interval). A factor that
// a statistic cannot have on so short a series is left out; the rest come ascending, each once.
func Analyse(s Series, factors []int) Analysis {
	w := newWork(s)
	a := Analysis{Tau0Seconds: s.Tau0Seconds, Points: len(s.Phase), MissingPoints: s.Missing(),
		Breaks: max(len(w.segments)-1, 0)}
	a.ADEV = w.estimate(allan, factors)
	a.MDEV = w.estimate(modified, factors)
	a.HDEV = w.estimate(hadamard, factors)
	a.TDEV = timeDeviation(a.MDEV)
	a.MTIE = MTIE(s, factors)
	return a
}

// ADEV is the overlapping Allan deviation (SP 1065 section 5.2.4): fractional frequency. Averaging factors as for
// [Analyse].
func ADEV(s Series, factors []int) []Point { return newWork(s).estimate(allan, factors) }

// MDEV is the modified Allan deviation (SP 1065 section 5.2.5): fractional frequency; it tells white from flicker phase
// noise. A term is the mean of m second differences; where up to a tenth of them reach over missing points, it is the
// mean of the others. Averaging factors as for [Analyse].
func MDEV(s Series, factors []int) []Point { return newWork(s).estimate(modified, factors) }

// HDEV is the overlapping Hadamard deviation (SP 1065 section 5.2.9): fractional frequency, blind to a steady frequency
// drift. Averaging factors as for [Analyse].
func HDEV(s Series, factors []int) []Point { return newWork(s).estimate(hadamard, factors) }

// TDEV is the time deviation (SP 1065 section 5.2.6): seconds, MDEV times τ/√3. Averaging factors as for [Analyse].
func TDEV(s Series, factors []int) []Point { return timeDeviation(MDEV(s, factors)) }

func timeDeviation(mdev []Point) []Point {
	points := make([]Point, len(mdev))
	for i, p := range mdev {
		k := p.TauSeconds / math.Sqrt(3)
		p.Deviation, p.Low, p.High = p.Deviation*k, p.Low*k, p.High*k
		points[i] = p
	}
	return points
}

// statistic is a variance made of differences of the phase.
type statistic struct {
	// order is that of the difference: 2 Allan, 3 Hadamard.
	order int
	// averaged says that m differences are averaged to a term.
	averaged bool
	// norm is the mean square of a term for a variance of 1/τ².
	norm float64
	// sum adds up the squared terms of a segment and counts them.
	sum func(g segment, m int) (squares float64, terms int)
}

var (
	allan    = statistic{order: 2, norm: 2, sum: sumAllan}
	modified = statistic{order: 2, norm: 2, averaged: true, sum: sumModified}
	hadamard = statistic{order: 3, norm: 6, sum: sumHadamard}
)

// terms is how many differences n unbroken points have.
func (st statistic) terms(n, m int) int {
	if st.averaged {
		return n - (st.order+1)*m + 1
	}
	return n - st.order*m
}

// work is a series made ready, and the noise found in it so far.
type work struct {
	tau0     float64
	points   int
	segments []segment
	longest  int
	noises   map[[2]int]Noise
}

func newWork(s Series) *work {
	w := &work{tau0: s.Tau0Seconds, points: len(s.Phase), noises: map[[2]int]Noise{}}
	for i, part := range s.segments() {
		w.segments = append(w.segments, newSegment(part))
		if len(part) > len(w.segments[w.longest]) {
			w.longest = i
		}
	}
	return w
}

func (w *work) estimate(st statistic, factors []int) []Point {
	if !(w.tau0 > 0) {
		return nil
	}
	var points []Point
	for _, m := range ascending(factors) {
		if m > w.points/st.order || st.terms(w.points, m) < 1 {
			break
		}
		var squares float64
		p := Point{TauSeconds: float64(m) * w.tau0}
		for _, g := range w.segments {
			s, n := st.sum(g, m)
			squares += s
			p.Terms += n
		}
		p.Missing = st.terms(w.points, m) - p.Terms
		if p.Terms > 0 {
			p.Deviation = math.Sqrt(squares/float64(p.Terms)/st.norm) / p.TauSeconds
			p.Noise = w.noise(m, st.order)
			// With gaps the terms lie further apart and are less alike than those of an unbroken series of as many
			// terms, so that these degrees of freedom are rather too few and the interval rather too wide.
			p.EDF = degreesOfFreedom(int(p.Noise), st.order, m, p.Terms, st.averaged)
			p.Low, p.High = interval(p.Deviation, p.EDF)
		}
		points = append(points, p)
	}
	return points
}

func sumAllan(g segment, m int) (squares float64, terms int) {
	if len(g) <= 2*m {
		return 0, 0
	}
	a, b, c := g, g[m:], g[2*m:]
	for i, xc := range c {
		if d := xc - 2*b[i] + a[i]; d == d { // a NaN is not: one of the three points is missing
			squares += d * d
			terms++
		}
	}
	return squares, terms
}

func sumHadamard(g segment, m int) (squares float64, terms int) {
	if len(g) <= 3*m {
		return 0, 0
	}
	a, b, c, e := g, g[m:], g[2*m:], g[3*m:]
	for i, xe := range e {
		if d := xe - a[i] + 3*(b[i]-c[i]); d == d {
			squares += d * d
			terms++
		}
	}
	return squares, terms
}

// enough is how many per cent of the second differences in a term of MDEV must be there. A lost row in a window of a day
// would otherwise cost a day's terms and more. The mean is over those that are there, each of which is blind to offset
// and frequency by itself, so that nothing leans; white phase noise alone shows up to 5 % greater for it.
const enough = 90

// sumModified slides the mean of m second differences along the segment. It is summed afresh every so often, because
// the rounding of the slides adds up.
func sumModified(g segment, m int) (squares float64, terms int) {
	const slides = 1024
	if len(g) < 3*m {
		return 0, 0
	}
	a, b, c := g, g[m:], g[2*m:]
	least := (enough*m + 99) / 100
	for from, end := 0, len(c)-m+1; from < end; {
		var sum float64
		there := 0
		for i := from; i < from+m; i++ {
			if d := c[i] - 2*b[i] + a[i]; d == d {
				sum += d
				there++
			}
		}
		to := min(from+max(m, slides), end)
		for i := from; i < to; i++ {
			if i > from {
				if d := c[i+m-1] - 2*b[i+m-1] + a[i+m-1]; d == d {
					sum += d
					there++
				}
				if d := c[i-1] - 2*b[i-1] + a[i-1]; d == d {
					sum -= d
					there--
				}
			}
			if there >= least {
				squares += square(sum / float64(there))
				terms++
			}
		}
		from = to
	}
	return squares, terms
}
