package discipline

import "math"

const (
	// lawParts is how many Gaussians describe one source's noise; the last ones start as its outliers.
	lawParts = 5
	// lawMemory is over how many samples the law is learned once it is known; lawPrior is how many samples the first
	// guess counts for.
	lawMemory = 30000
	lawPrior  = 12
	// clutter is the density, per second, of samples that no law explains: late readers, a wrong second. It is the gate:
	// what is less likely than this moves nothing.
	clutter = 1e-4
	// negligible is the weight below which a part is left out.
	negligible = 3e-6
	// narrowest is the least standard deviation of a part, in those of the core: stamps that come in steps are no sharp
	// noise, and a sharp edge is not to be relied on.
	narrowest = 0.3
	// finest is the least standard deviation a part may have, in s: stamps are whole nanoseconds.
	finest = 5e-9
)

// part is one Gaussian of a law; mean in s, variance in s².
type part struct {
	Weight   float64 `json:"weight"`
	Mean     float64 `json:"mean_seconds"`
	Variance float64 `json:"variance_seconds2"`
}

// law is the distribution of a source's noise: a Gaussian mixture, anchored so that the mean of its core is zero.
type law struct {
	parts [lawParts]part
	// stats are the expected count, sum and sum of squares of the samples that belong to each part, as shares of all.
	stats [lawParts][3]float64
	// learned is how many samples the law rests on.
	learned float64
	// widest is the variance of the core.
	widest float64
	// narrow is the variance of the narrowest part that matters.
	narrow float64
	// excess is the weighted sum of squares beyond those without noise, the sum of the weights, and the count.
	excess [3]float64
}

// firstLaw guesses a law from a scale, 1σ in s: a core, shoulders, and outliers.
func firstLaw(scale float64) law {
	var l law
	for j, p := range [lawParts]part{{0.40, -0.35, 0.7}, {0.40, 0.35, 0.7}, {0.15, 0, 1.6}, {0.035, 0, 6}, {0.015, 0, 40}} {
		l.parts[j] = part{p.Weight, p.Mean * scale, p.Variance * p.Variance * scale * scale}
	}
	l.restart()
	return l
}

// restart sets the statistics to what the parts say.
func (l *law) restart() {
	for j, p := range l.parts {
		l.stats[j] = [3]float64{p.Weight, p.Weight * p.Mean, p.Weight * (p.Variance + p.Mean*p.Mean)}
	}
	l.measure()
}

// evidence is how likely an innovation is when the prediction's variance is p: the density z, its score (minus the
// derivative of ln z, which moves the mean) and its information (minus the second derivative, which shrinks the
// variance). half is the half width of an extra uniform error. This is the moment-matched update (Masreliez 1975).
func (l *law) evidence(innovation, p, half float64) (z, score, information float64) {
	z = clutter
	var first, second float64
	for j := range l.parts {
		q := &l.parts[j]
		if q.Weight < negligible {
			continue
		}
		s := p + q.Variance
		d := innovation - q.Mean
		if half > 0.3*math.Sqrt(s) {
			g, g1, g2 := boxed(d, s, half)
			z += q.Weight * g
			first += q.Weight * g1
			second += q.Weight * g2
			continue
		}
		i := 1 / (s + half*half/3)
		e := d * d * i
		if e > 80 {
			continue
		}
		g := q.Weight * math.Exp(-0.5*e) * math.Sqrt(i) * (0.5 * math.Sqrt2 / math.SqrtPi)
		z += g
		a := d * i
		first += g * a
		second += g * (a*a - i)
	}
	score = first / z
	return z, score, score*score - second/z
}

// expansion is the evidence around one innovation and variance.
type expansion struct {
	innovation, p, density, score, information, reach, room float64
}

// expand gives the evidence around an innovation whose prediction has variance p.
func (l *law) expand(innovation, p, half float64) expansion {
	z, score, information := l.evidence(innovation, p, half)
	return expansion{innovation, p, z, score, information, 0.3 * math.Sqrt(p+l.narrow), 0.2 * (p + l.narrow)}
}

// at is the evidence nearby, by Taylor's series of its logarithm; ok is false where that is too far away, by a measure
// that slack widens. The variance acts as the second derivative does (the heat equation).
func (e *expansion) at(innovation, p, slack float64) (density, score, information float64, ok bool) {
	d, q := innovation-e.innovation, p-e.p
	if math.Abs(d) > slack*e.reach || math.Abs(q) > slack*e.room || e.information*p > 0.95 {
		return 0, 0, 0, false
	}
	x := -e.score*d - e.information*d*d/2 + (e.score*e.score-e.information)*q/2
	if math.Abs(x) < 0.1 {
		density = e.density * (1 + x*(1+x*(0.5+x/6)))
	} else {
		density = e.density * math.Exp(x)
	}
	return density, e.score + e.information*d, e.information, true
}

// coarse is the evidence as if the core were one Gaussian; of what lies far out it says nothing.
func (l *law) coarse(innovation, p, half float64) (density, score, information float64) {
	i := 1 / (p + l.widest + half*half/3)
	e := innovation * innovation * i
	if e > 16 {
		return clutter, 0, 0
	}
	return math.Exp(-0.5*e) * math.Sqrt(i) * (0.5 * math.Sqrt2 / math.SqrtPi), innovation * i, i
}

// boxed is the density of a Gaussian of variance s spread uniformly over ± half, at d, with minus its first and its
// second derivative.
func boxed(d, s, half float64) (density, first, second float64) {
	sigma := math.Sqrt(s)
	const far = 6.5 // where less than 1e-10 of a Gaussian is left
	lo, hi := (d-half)/sigma, (d+half)/sigma
	if lo > far || hi < -far {
		return 0, 0, 0
	}
	flat := 1 / (2 * half)
	n := flat / (math.Sqrt(2*math.Pi) * sigma)
	density = flat
	if lo > -far {
		density -= flat * 0.5 * math.Erfc(-lo/math.Sqrt2)
		e := n * math.Exp(-lo*lo/2)
		first += e
		second += e * lo / sigma
	}
	if hi < far {
		density -= flat * 0.5 * math.Erfc(hi/math.Sqrt2)
		e := n * math.Exp(-hi*hi/2)
		first -= e
		second -= e * hi / sigma
	}
	return math.Max(density, 0), first, second
}

// outlying is the share of belief that an innovation is no regular sample: it belongs to no part, or to one far outside
// of the core.
func (l *law) outlying(innovation, p, half float64) float64 {
	core := l.core()
	z, out := clutter, clutter
	for j, q := range l.parts {
		s := p + q.Variance + half*half/3
		d := innovation - q.Mean
		g := q.Weight * math.Exp(-0.5*d*d/s) / math.Sqrt(2*math.Pi*s)
		z += g
		out += (1 - core[j]) * g
	}
	return out / z
}

// unexplained is the share of belief that an innovation belongs to no part at all.
func (l *law) unexplained(innovation, p, half float64) float64 {
	z, _, _ := l.evidence(innovation, p, half)
	return clutter / z
}

// learn refits the law to one innovation whose prediction had variance p: one step of online expectation maximisation.
// share scales the step.
func (l *law) learn(innovation, p, half, share float64) {
	if half > 0 {
		l.shrink(innovation, p, half)
	}
	if half*half > l.widest {
		return // the sample says next to nothing of the law
	}
	step := share / math.Min(l.learned+lawPrior+1, lawMemory)
	l.learned += share
	var g, mean, square [lawParts]float64
	z := clutter
	for j, q := range l.parts {
		s := p + q.Variance
		d := innovation - q.Mean
		var score, information float64
		if half > 0.3*math.Sqrt(s) {
			density, first, second := boxed(d, s, half)
			if density > 0 {
				g[j] = q.Weight * density
				score = first / density
				information = score*score - second/density
			}
		} else {
			s += half * half / 3
			g[j] = q.Weight * math.Exp(-0.5*d*d/s) / math.Sqrt(2*math.Pi*s)
			score, information = d/s, 1/s
		}
		z += g[j]
		// What the noise of this sample was, if it came from this part.
		mean[j] = q.Mean + q.Variance*score
		square[j] = mean[j]*mean[j] + math.Max(q.Variance-q.Variance*q.Variance*information, 0)
	}
	for j := range l.parts {
		r := g[j] / z
		l.stats[j][0] += step * (r - l.stats[j][0])
		l.stats[j][1] += step * (r*mean[j] - l.stats[j][1])
		l.stats[j][2] += step * (r*square[j] - l.stats[j][2])
	}
	l.refit()
}

// shrink makes the law narrower when exchanges show that it must be: they come with a wide error of their own, behind
// which expectation maximisation would find a small noise only after days. It compares their squares with what they would
// be without any noise.
func (l *law) shrink(innovation, p, half float64) {
	const every = 128
	without := p + half*half/3
	s := without + l.widest
	square := innovation * innovation
	if square > 25*s {
		return // an outlier
	}
	l.excess[0] += (square - without) / (s * s)
	l.excess[1] += 1 / (s * s)
	if l.excess[2]++; l.excess[2] < every {
		return
	}
	found := math.Max(l.excess[0]/l.excess[1], 0) + math.Sqrt(2/l.excess[1])
	if ratio := found / l.widest; ratio < 0.85 {
		ratio = math.Max(ratio, 0.1)
		for j := range l.parts {
			l.parts[j].Mean *= math.Sqrt(ratio)
			l.parts[j].Variance = math.Max(l.parts[j].Variance*ratio, finest*finest)
		}
		l.restart()
		l.excess = [3]float64{}
	}
	l.excess[2] = 0
}

// refit derives the parts from the statistics and anchors them.
func (l *law) refit() {
	total := 0.0
	for j := range l.stats {
		total += l.stats[j][0]
	}
	for j := range l.parts {
		s := &l.stats[j]
		weight := math.Max(s[0], 1e-6*total)
		m := s[1] / weight
		l.parts[j] = part{weight / total, m, math.Max(s[2]/weight-m*m, narrowest*narrowest*l.widest+finest*finest)}
	}
	l.anchor()
}

// anchor shifts the law so that the mean of its core is zero: where a law lies cannot be learned from the source alone,
// so a receiver's constant delay is its systematic error, and rare outliers do not count towards it.
func (l *law) anchor() {
	core := l.core()
	var weight, mean float64
	for j, p := range l.parts {
		weight += core[j] * p.Weight
		mean += core[j] * p.Weight * p.Mean
	}
	mean /= weight
	for j := range l.parts {
		l.parts[j].Mean -= mean
		s := &l.stats[j]
		s[2] += mean*mean*s[0] - 2*mean*s[1]
		s[1] -= mean * s[0]
	}
	l.measure()
}

// measure works out widest and narrow.
func (l *law) measure() {
	l.widest, l.narrow = l.variance(), math.Inf(1)
	for _, p := range l.parts {
		if p.Weight > 0.01 {
			l.narrow = math.Min(l.narrow, p.Variance)
		}
	}
}

// core tells how much each part counts as regular noise: 1 for the narrowest that make up most of the samples, and for what
// lies within six times their width; 0 for outliers beyond twelve times. In between it is gradual, so that nothing leaps.
func (l *law) core() (core [lawParts]float64) {
	const most, near, far = 0.8, 6.0, 12.0
	var order [lawParts]int
	var size [lawParts]float64
	for j, p := range l.parts {
		size[j] = p.Variance + p.Mean*p.Mean
		k := j
		for ; k > 0 && size[order[k-1]] > size[j]; k-- {
			order[k] = order[k-1]
		}
		order[k] = j
	}
	var weight, square float64
	for _, j := range order {
		if weight < most {
			core[j] = 1
			weight += l.parts[j].Weight
			square += l.parts[j].Weight * size[j]
			continue
		}
		width := math.Sqrt(size[j] / (square / weight))
		core[j] = math.Min(math.Max(math.Log(far/width)/math.Log(far/near), 0), 1)
	}
	return core
}

// variance is that of the core, in s².
func (l *law) variance() float64 {
	core := l.core()
	var weight, square float64
	for j, p := range l.parts {
		weight += core[j] * p.Weight
		square += core[j] * p.Weight * (p.Variance + p.Mean*p.Mean)
	}
	return square / weight
}
