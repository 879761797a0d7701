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
