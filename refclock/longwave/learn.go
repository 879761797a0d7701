package longwave

import "math"

// portion is how much of some bins was active, of those that are known; in tenths of bins and in bins.
type portion struct{ active, known float64 }

func (s *second) portion(from, to int) (p portion) {
	for _, v := range s.bins[margin+from : margin+to] {
		if v != Unknown {
			p.active += float64(v)
			p.known++
		}
	}
	return p
}

// portionRatio is the log likelihood ratio of a portion, of a pulse against none, before tempering.
func (c *channel) portionRatio(p portion, class int) float64 {
	ratio := &c.class[class].ratio
	return (p.active*ratio[full] + (full*p.known-p.active)*ratio[0]) / full
}

// lesson is what is learned from one second.
type lesson struct {
	class    int
	presence float64 // how probably there is a pulse
	pulse    portion // where every pulse is on, as long as the quiet ones
	inner    portion // the same without its edges
	quiet    []portion
}

// lessons prepares the seconds that are known.
func (c *channel) lessons(seconds []second) []lesson {
	edge := 1
	if c.certain < 4 {
		edge = 0
	}
	// Where it is quiet for as long as every pulse is on, or for as long as it is at all.
	length, run := 0, 0
	for k, o := range c.quiet {
		if run++; k == 0 || c.quiet[k-1] != o-1 {
			run = 1
		}
		length = max(length, run)
	}
	length = min(length, c.certain)
	var windows []int
	for q := 0; length > 0 && q+length <= len(c.quiet); {
		if c.quiet[q+length-1]-c.quiet[q] != length-1 {
			q++
			continue
		}
		windows = append(windows, c.quiet[q])
		q += length
	}
	all := make([]lesson, 0, len(seconds))
	quiet := make([]portion, 0, len(seconds)*len(windows))
	for i := range seconds {
		s := &seconds[i]
		if !s.known {
			continue
		}
		for _, from := range windows {
			quiet = append(quiet, s.portion(from, from+length))
		}
		all = append(all, lesson{
			class: s.class, presence: 1, pulse: s.portion(0, length), inner: s.portion(edge, c.certain-edge),
			quiet: quiet[len(quiet)-len(windows):],
		})
	}
	return all
}

// leastMissing is the fraction of the pulses that may always be missing.
const leastMissing = 0.01

// learn fits the model to some seconds, of which nothing but the phase is known.
func (c *channel) learn(seconds []second) {
	all := c.lessons(seconds)
	total := func() (sum float64) {
		for i := range all {
			sum += c.orMissing(c.class[all[i].class].temper * c.portionRatio(all[i].pulse, all[i].class))
		}
		return sum
	}
	// All pulses there, or some of them missing: whichever explains the seconds clearly better.
	c.missing = leastMissing
	c.estimate(all)
	plain := *c
	plainTotal := total()
	c.missing = 0.3
	for i := range all {
		l := &all[i]
		l.presence = 0.1
		if l.inner.active > 0.5*full*l.inner.known {
			l.presence = 0.95
		}
	}
	c.estimate(all)
	for range 4 {
		lost, n := 1.0, 10.0
		for i := range all {
			l := &all[i]
			x := c.class[l.class].temper * c.portionRatio(l.pulse, l.class)
			there := (1 - c.missing) * math.Exp(min(x, 50))
			l.presence = there / (there + c.missing)
			lost += 1 - l.presence
			n++
		}
		c.missing = clamp(lost/n-1.0/60, leastMissing, 0.8)
		c.estimate(all)
	}
	if c.missing < 0.04 || total() < plainTotal+8 {
		c.class, c.temper, c.missing = plain.class, plain.temper, plain.missing
	}
	// How often quiet bins look like a pulse for certain.
	high, n := 0.0, 0.0
	for i := range all {
		for _, q := range all[i].quiet {
			n++
			if c.class[all[i].class].temper*c.portionRatio(q, all[i].class) > 3 {
				high++
			}
		}
	}
	c.strange = clamp((high+0.5)/(n+50), 0.004, 0.2)
	c.blunt()
}

// estimate works out how likely a bin is active in each class, within pulses and outside, and what bins are worth together.
func (c *channel) estimate(all []lesson) {
	var on, weight, off, quiet [classes]float64
	totalOn, totalWeight := 0.0, 0.0
	for i := range all {
		l := &all[i]
		on[l.class] += l.presence * l.inner.active / full
		weight[l.class] += l.presence * l.inner.known
		for _, q := range l.quiet {
			off[l.class] += q.active / full
			quiet[l.class] += q.known
		}
	}
	for k := range on {
		totalOn += on[k]
		totalWeight += weight[k]
	}
	overall := (totalOn + 1) / (totalWeight + 2)
	lower := 0.0
	for k := range c.class {
		low := lower
		high := 0.6
		if k < len(levels) {
			high = levels[k]
		}
		lower = high
		center := (low + high) / 2
		if k == classes-1 {
			center = 0.5
		}
		const prior = 60 // bins
		cl := &c.class[k]
		cl.off = clamp((off[k]+20*center)/(quiet[k]+20), 0.004, 0.996)
		// Without experience, a noisier class is worth less in proportion; or nothing.
		expected := cl.off
		if !c.strict {
			expected += max(0, overall-cl.off) * max(0, 1-2*center)
		}
		cl.on = clamp((on[k]+prior*expected)/(weight[k]+prior), 0.004, 0.996)
		if cl.on < cl.off {
			m := (cl.on + cl.off) / 2
			cl.on, cl.off = m, m
		}
		active, inactive := math.Log(cl.on/cl.off), math.Log((1-cl.on)/(1-cl.off))
		for v := range cl.ratio {
			cl.ratio[v] = float64(v)*active + float64(full-v)*inactive
		}
	}
	c.scale(all)
}

// scale works out what sums of neighbouring bins are worth: the distance of their means over their variance.
func (c *channel) scale(all []lesson) {
	var distance, spread, n float64
	type moments struct{ on, onSquare, onWeight, off, offSquare, offWeight float64 }
	var by [classes]moments
	for i := range all {
		l := &all[i]
		m := &by[l.class]
		v, w := c.portionRatio(l.pulse, l.class), l.presence
		m.on, m.onSquare, m.onWeight = m.on+w*v, m.onSquare+w*v*v, m.onWeight+w
		for _, q := range l.quiet {
			v := c.portionRatio(q, l.class)
			m.off, m.offSquare, m.offWeight = m.off+v, m.offSquare+v*v, m.offWeight+1
		}
	}
	var far, wide [classes]float64 // by class, of all its seconds together
	for k, m := range by {
		if m.onWeight < 3 || m.offWeight < 3 {
			continue
		}
		a, b := m.on/m.onWeight, m.off/m.offWeight
		v := (m.onSquare/m.onWeight-a*a)/2 + (m.offSquare/m.offWeight-b*b)/2
		far[k], wide[k] = m.onWeight*(a-b), m.onWeight*v
		distance += far[k]
		spread += wide[k]
		n += m.onWeight
	}
	c.temper = 0.3
	if n > 0 && distance > 0 {
		c.temper = clamp(distance/max(spread, distance), 0.005, 1)
	}
	for k := range c.class {
		t := c.temper
		if n > 0 && distance > 0 {
			const prior = 10 // seconds of the mean kind
			d, v := max(far[k], 0)+prior/n*distance, wide[k]+prior/n*max(spread, distance)
			t = clamp(d/max(v, d), 0.002, 1)
		}
		c.class[k].temper = t
	}
}
