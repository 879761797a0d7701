package discipline

import (
	"math"
	"slices"
)

// openingLength is how many observations are kept at the start. Whenever one of the counts in reread is reached, their
// scatter is estimated anew and the filter reads them again: the driver's expectation may be far from the truth, and a
// cold start should be as good as one that knew.
const openingLength = 64

// promised is by how much a source may well be worse than its driver promises, as long as too few samples are there to tell.
const promised = 4

var reread = map[int]bool{5: true, 8: true, 12: true, 20: true, 32: true, openingLength: true}

// reopen starts again from the kept observations, and says what became of the last.
func (f *Filter) reopen() Verdict {
	f.reset()
	for _, o := range f.opening {
		if f.voices[o.Source] == nil {
			f.voices[o.Source] = &voice{law: f.lawOf(o, openingScale(f.opening, o)), lastRaw: math.MinInt64}
		}
	}
	first, steady := f.firstRegular()
	if f.remembered == nil {
		f.start = steady.within(startFrequency)
	}
	var verdict Verdict
	for _, o := range f.opening[first:] {
		verdict = f.take(o)
	}
	return verdict
}

// firstRegular is the first of the kept observations that is no outlier: the filter believes what it begins with. It
// also gives the frequency that they roughly show, so that the second may be an outlier too.
func (f *Filter) firstRegular() (first int, about start) {
	const most = 12 // so few that the oscillator may be taken for steady
	n := min(len(f.opening), most)
	offset := func(i int) float64 {
		o, p := f.opening[i], f.opening[0]
		return seconds((o.TAI - p.TAI) - (o.Raw - p.Raw))
	}
	// The median of the slopes of all pairs, and of what is left (Theil and Sen).
	var slopes, rests, scatters []float64
	for i := range n {
		o := f.opening[i]
		scatters = append(scatters, math.Sqrt(f.voices[o.Source].law.variance())+o.HalfWidth.Seconds())
		for j := range i {
			if p := f.opening[j]; o.Raw != p.Raw {
				slopes = append(slopes, (offset(i)-offset(j))/seconds(o.Raw-p.Raw))
			}
		}
	}
	if len(slopes) == 0 {
		return 0, f.start
	}
	slope := median(slopes)
	rest := func(i int) float64 { return offset(i) - slope*seconds(f.opening[i].Raw-f.opening[0].Raw) }
	for i := range n {
		rests = append(rests, rest(i))
	}
	middle := median(rests)
	least := math.Inf(1)
	for i := range n {
		far := math.Abs(rest(i)-middle) / scatters[i]
		if far < 3 {
			first = i
			break
		}
		if far < least {
			first, least = i, far
		}
	}
	// Ten times as uncertain as it is: the same observations are to be heard once more.
	length := math.Abs(seconds(f.opening[n-1].Raw - f.opening[0].Raw))
	return first, start{slope, 10 * median(scatters) / length}
}

// within joins what the samples show of the rate with how far off an oscillator may run: what they are too coarse to show is
// not taken from them.
func (s start) within(deviation float64) start {
	share := deviation / math.Hypot(s.deviation, deviation)
	return start{s.frequency * share * share, deviation * math.Sqrt(1-share*share)}
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// openingScale estimates the scatter of a source's samples, 1σ in s, from how far each lies from the line through its
// neighbours; the median of that is deaf to outliers. Few samples speak against the driver's expectation only if they
// are far from it.
func openingScale(all []Observation, one Observation) float64 {
	guess := expected(one)
	var own []Observation
	for _, o := range all {
		if o.Source == one.Source {
			own = append(own, o)
		}
	}
	n := len(own) - 2
	if n < 3 || one.HalfWidth > 0 {
		return guess
	}
	residuals := make([]float64, n)
	for i := range residuals {
		a, b, c := own[i], own[i+1], own[i+2]
		t := seconds(b.Raw-a.Raw) / seconds(c.Raw-a.Raw)
		ab := seconds((b.TAI - a.TAI) - (b.Raw - a.Raw))
		ac := seconds((c.TAI - a.TAI) - (c.Raw - a.Raw))
		residuals[i] = math.Abs(ab-t*ac) / math.Sqrt(1+t*t+(1-t)*(1-t))
	}
	slices.Sort(residuals)
	found := residuals[n/2] / 0.6745
	return guess * math.Exp(likelyRatio(math.Log(math.Max(found, 20e-9)/guess), float64(n)))
}

// likelyRatio is what to think of the logarithm of the scatter over the driver's guess after n residuals have shown it to be
// found: most drivers know their samples to a factor of two, some hardly at all. It is that of the mean variance, so that a
// scatter that is not known well is thought larger rather than smaller.
func likelyRatio(found, n float64) float64 {
	const near, far = 0.5, 4.0 // variances of the two kinds of guesses
	scatter := 1.2 / n
	var weight, sum float64
	for _, prior := range [...]float64{near, far} {
		variance := prior + scatter
		w := math.Exp(-found*found/(2*variance)) / math.Sqrt(variance)
		weight += w
		sum += w * (found*prior + scatter*prior) / variance
	}
	return sum / weight
}
