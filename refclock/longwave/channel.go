package longwave

import "math"

// levels are the limits between classes of seconds, by how often the level is active where no pulse can be: evidence
// counts for what it is worth in seconds of the same kind, so that a burst or a stuck line counts for nothing.
var levels = [...]float64{0.015, 0.05, 0.11, 0.2, 0.3, 0.42}

const classes = len(levels) + 1

// channel is the noise model: how likely each value of a bin is within a pulse and outside.
type channel struct {
	code    *Code
	stretch int
	jitter  float64 // of the pulses' ends, 1σ in bins
	missing float64 // how many pulses are lost entirely
	strange float64 // how often a symbol looks like another one for certain
	class   [classes]struct {
		on, off float64 // probability of active
		ratio   [full + 1]float64
		temper  float64 // what the neighbouring bins' likelihood ratios are worth together
	}
	temper float64 // the same on average

	strict bool // a class that was never heard is worth nothing

	quiet   []int // offsets where no pulse is, of the second and its neighbours
	certain int   // bins from the onset in which every pulse is on
	tail    []float64
	step    int
}

func newChannel(code *Code, stretch int) *channel {
	c := &channel{code: code, stretch: stretch, jitter: 0.5, missing: 0.01, strange: 0.01, temper: 0.5}
	c.reshape()
	return c
}

// reshape works out what depends on the stretch and the jitter.
func (c *channel) reshape() {
	c.certain = binsASecond
	last := 0
	for _, s := range c.code.Shapes {
		if len(s.On) == 0 {
			continue
		}
		c.certain = min(c.certain, s.On[0][1]/BinMilliseconds)
		if s.Weight > 0.05 {
			last = max(last, s.On[len(s.On)-1][1]/BinMilliseconds)
		}
	}
	c.certain = max(3, c.certain+c.stretch-int(math.Round(1.3*max(0, c.jitter-0.5))))
	first := last + c.stretch + 2 + int(math.Round(c.jitter))
	c.quiet = c.quiet[:0]
	for o := first; o < min(first+45, binsASecond-2); o++ {
		c.quiet = append(c.quiet, o)
	}
	for o := max(first, binsASecond-45); o < binsASecond-2; o++ {
		c.quiet = append(c.quiet, o-binsASecond)
	}
	c.step = 1
	reach := int(math.Ceil(1.6 * c.jitter))
	if c.jitter < 0.7 {
		reach = 0
	}
	if reach > 5 {
		c.step = 2
		reach = (reach + 1) / 2
	}
	c.tail = c.tail[:0]
	total := 0.0
	for i := -reach; i <= reach; i++ {
		x := float64(i*c.step) / c.jitter
		w := math.Exp(-x * x / 2)
		c.tail = append(c.tail, w)
		total += w
	}
	for i := range c.tail {
		c.tail[i] = math.Log(c.tail[i] / total)
	}
}

func classOf(level float64) int {
	for k, l := range levels {
		if level < l {
			return k
		}
	}
	return classes - 1
}

// second is one second of bins, with the class of its surroundings.
type second struct {
	bins  [2 * binsASecond]uint8 // from the onset less margin
	class int
	known bool
}

const margin = 50 // bins before the onset

// read reads the second that begins at a bin.
func (c *channel) read(h *history, at float64, inverted bool, s *second) {
	begin := int64(math.Round(at)) - margin
	known := 0
	from := begin - h.base
	if from >= 0 && from+int64(len(s.bins)) <= int64(len(h.bins)) {
		copy(s.bins[:], h.bins[from:])
	} else {
		for i := range s.bins {
			s.bins[i] = h.at(begin + int64(i))
		}
	}
	for i, v := range s.bins {
		if v != Unknown {
			if inverted {
				s.bins[i] = full - v
			}
			known++
		}
	}
	s.known = known > 20
	// The noisiest of the whole, of what is just before and of what is just after: a burst does not last.
	var sum, n [3]int
	const near = 20
	end := 0
	for _, o := range c.quiet {
		if o >= 0 && end == 0 {
			end = o
		}
	}
	for _, o := range c.quiet {
		v := s.bins[margin+o]
		if v == Unknown {
			continue
		}
		sum[0] += int(v)
		n[0]++
		switch {
		case o < 0 && o >= -near-2:
			sum[1] += int(v)
			n[1]++
		case o >= 0 && o < end+near:
			sum[2] += int(v)
			n[2]++
		}
	}
	if n[0] < 8 {
		s.class = classes - 1
		s.known = s.known && n[0] > 0
		return
	}
	level := 0.0
	for i := range sum {
		if n[i] >= 8 {
			level = max(level, float64(sum[i])/float64(full*n[i]))
		}
	}
	s.class = classOf(level)
}

// learn fits the model to some seconds, of which nothing but the phase is known.
func (c *channel) learn(seconds []second) {
	var on, off, weight, quiet [classes]float64
	presence := make([]float64, len(seconds))
	for i := range presence {
		presence[i] = 1
	}
	single := func(s *second, from, to int) (sum, n float64) {
		for _, v := range s.bins[margin+from : margin+to] {
			if v != Unknown {
				sum += float64(v) / full
				n++
			}
		}
		return
	}
	edge := 1
	if c.certain < 4 {
		edge = 0
	}
	estimate := func() {
		on, off, weight, quiet = [classes]float64{}, [classes]float64{}, [classes]float64{}, [classes]float64{}
		totalOn, totalWeight := 0.0, 0.0
		for i := range seconds {
			s := &seconds[i]
			if !s.known {
				continue
			}
			sum, n := single(s, edge, c.certain-edge)
			on[s.class] += presence[i] * sum
			weight[s.class] += presence[i] * n
			totalOn += presence[i] * sum
			totalWeight += presence[i] * n
			for _, o := range c.quiet {
				if v := s.bins[margin+o]; v != Unknown {
					off[s.class] += float64(v) / full
					quiet[s.class]++
				}
			}
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
			for v := range cl.ratio {
				x := float64(v)
				cl.ratio[v] = x*math.Log(cl.on/cl.off) + (full-x)*math.Log((1-cl.on)/(1-cl.off))
			}
		}
	}
	scale := func() {
		// What sums of neighbouring bins are worth: the distance of their means over their variance.
		var distance, spread, n float64
		type moments struct{ on, onSquare, onWeight, off, offSquare, offWeight float64 }
		var by [classes]moments
		for i := range seconds {
			s := &seconds[i]
			if !s.known {
				continue
			}
			m := &by[s.class]
			v, w := c.sum(s, 0, c.certain, s.class), presence[i]
			m.on, m.onSquare, m.onWeight = m.on+w*v, m.onSquare+w*v*v, m.onWeight+w
			for q := 0; q+c.certain <= len(c.quiet); q += c.certain {
				if c.quiet[q+c.certain-1]-c.quiet[q] != c.certain-1 {
					continue
				}
				v := c.sum(s, c.quiet[q], c.quiet[q]+c.certain, s.class)
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
	total := func() float64 {
		sum := 0.0
		for i := range seconds {
			s := &seconds[i]
			if !s.known {
				continue
			}
			x := c.class[s.class].temper * c.sum(s, 0, c.certain, s.class)
			sum += c.orMissing(x)
		}
		return sum
	}
	// All pulses there, or some of them missing: whichever explains the seconds clearly better.
	c.missing = 0.01
	estimate()
	scale()
	plain := *c
	plainTotal := total()
	c.missing = 0.3
	for i := range seconds {
		sum, n := single(&seconds[i], edge, c.certain-edge)
		if n > 0 && sum/n > 0.5 {
			presence[i] = 0.95
		} else {
			presence[i] = 0.1
		}
	}
	estimate()
	scale()
	for range 4 {
		lost, n := 1.0, 10.0
		for i := range seconds {
			s := &seconds[i]
			if !s.known {
				continue
			}
			x := c.class[s.class].temper * c.sum(s, 0, c.certain, s.class)
			there := (1 - c.missing) * math.Exp(min(x, 50))
			presence[i] = there / (there + c.missing)
			lost += 1 - presence[i]
			n++
		}
		c.missing = clamp(lost/n-1.0/60, 0.01, 0.8)
		estimate()
		scale()
	}
	if c.missing < 0.04 || total() < plainTotal+8 {
		c.class, c.temper, c.missing = plain.class, plain.temper, plain.missing
		for i := range presence {
			presence[i] = 1
		}
	}
	// How often quiet bins look like a pulse for certain.
	high, n := 0.0, 0.0
	for i := range seconds {
		s := &seconds[i]
		if !s.known {
			continue
		}
		for q := 0; q+c.certain <= len(c.quiet); q += c.certain {
			if c.quiet[q+c.certain-1]-c.quiet[q] != c.certain-1 {
				continue
			}
			n++
			if c.class[s.class].temper*c.sum(s, c.quiet[q], c.quiet[q]+c.certain, s.class) > 3 {
				high++
			}
		}
	}
	c.strange = clamp((high+0.5)/(n+50), 0.004, 0.2)
}

// sum is the log likelihood ratio of on against off, over bins from the onset.
func (c *channel) sum(s *second, from, to, class int) float64 {
	ratio := &c.class[class].ratio
	x := 0.0
	for _, v := range s.bins[margin+from : margin+to] {
		if v != Unknown {
			x += ratio[v]
		}
	}
	return x
}

// orMissing is the log likelihood ratio of a pulse that may be missing.
func (c *channel) orMissing(x float64) float64 {
	if x > 30 {
		return x + math.Log1p(-c.missing)
	}
	return math.Log(c.missing + (1-c.missing)*math.Exp(x))
}

// maxSymbols is how many shapes and mixes a code may have.
const maxSymbols = 12

// evidence is the log likelihood of every symbol of one second, against the mean symbol.
type evidence struct {
	of [maxSymbols]float64
	// given is the same among the shapes that have a pulse at all; where one has none, it is of that shape.
	given [maxSymbols]float64
	// pulse is the log likelihood of the mean symbol against no pulse at all.
	pulse float64
	// expected and variance are of the symbol's own log likelihood, if the model is right.
	expected, variance float64
}

// likelihood gives how likely a second is under each shape, the mean of these, and the log likelihood of that mean
// against no pulse.
func (c *channel) likelihood(s *second, like *[maxSymbols]float64) (mean, pulse float64) {
	ratio, temper := &c.class[s.class].ratio, c.class[s.class].temper
	var sums [2*binsASecond - margin + 1]float64
	for o, v := range s.bins[margin:] {
		x := 0.0
		if v != Unknown {
			x = temper * ratio[v]
		}
		sums[o+1] = sums[o] + x
	}
	shapes := c.code.Shapes
	reach := len(c.tail) / 2
	for k := range shapes {
		on := shapes[k].On
		x := 0.0
		for i, part := range on {
			from, to := part[0]/BinMilliseconds, part[1]/BinMilliseconds+c.stretch
			if i < len(on)-1 {
				x += sums[to] - sums[from]
				continue
			}
			if reach == 0 {
				x += sums[max(to, from)] - sums[from]
				continue
			}
			best, total := math.Inf(-1), 0.0
			var terms [32]float64
			for j, w := range c.tail {
				end := max(to+(j-reach)*c.step, from)
				terms[j] = w + sums[end] - sums[from]
				best = max(best, terms[j])
			}
			for j := range c.tail {
				total += math.Exp(terms[j] - best)
			}
			x += best + math.Log(total)
		}
		if len(on) > 0 {
			x = c.orMissing(x)
		}
		like[k] = x
		mean = max(mean, x)
	}
	top := mean
	mean = 0
	for k := range shapes {
		like[k] = math.Exp(like[k] - top)
		mean += shapes[k].Weight * like[k]
	}
	return mean, math.Log(mean) + top
}

// weigh gives the evidence of a second.
func (c *channel) weigh(s *second, e *evidence) {
	*e = evidence{}
	if !s.known {
		return
	}
	var like [maxSymbols]float64
	mean, pulse := c.likelihood(s, &like)
	e.pulse = pulse
	shapes := c.code.Shapes
	var square, pulsed, weight float64
	for k := range shapes {
		if len(shapes[k].On) > 0 {
			pulsed += shapes[k].Weight * like[k]
			weight += shapes[k].Weight
		}
	}
	pulsed /= weight
	for k := range shapes {
		p := like[k] / mean
		e.given[k] = math.Log((1-c.strange)*like[k]/pulsed + c.strange)
		if len(shapes[k].On) == 0 {
			e.given[k] = min(math.Log((1-c.strange)*p+c.strange), 2)
		}
		e.of[k] = math.Log((1-c.strange)*p + c.strange)
		w := shapes[k].Weight * p
		e.expected += w * e.of[k]
		square += w * e.of[k] * e.of[k]
	}
	e.variance = square - e.expected*e.expected
	for m, mix := range c.code.Mixes {
		p := 0.0
		for k, w := range mix {
			p += w * like[k] / mean
		}
		e.of[len(shapes)+m] = math.Log((1-c.strange)*p + c.strange)
	}
}

func clamp(x, low, high float64) float64 { return max(low, min(high, x)) }
