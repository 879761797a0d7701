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
		// tempered is ratio times temper, within limits; gain is its exponential.
		tempered, gain [full + 1]float64
	}
	temper float64 // the same on average

	strict bool // a class that was never heard is worth nothing

	quiet   []int     // offsets where no pulse is, of the second and its neighbours
	certain int       // bins from the onset in which every pulse is on
	tail    []float64 // weights of the ends' places, from reach bins too early to reach bins too late
	end     int       // no pulse reaches beyond
}

// mostReach is how far, in bins, a pulse's end is expected from its place.
const mostReach = 15

// mostABin is the log likelihood ratio that a single bin counts for at most.
const mostABin = 12

func newChannel(code *Code, stretch int) *channel {
	c := &channel{code: code, stretch: stretch, jitter: 0.5, missing: leastMissing, strange: 0.01, temper: 0.5}
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
	reach := min(int(math.Ceil(2.2*c.jitter)), mostReach)
	if c.jitter < 0.7 {
		reach = 0
	}
	c.tail = c.tail[:0]
	total := 0.0
	for i := -reach; i <= reach; i++ {
		x := float64(i) / c.jitter
		w := math.Exp(-x * x / 2)
		c.tail = append(c.tail, w)
		total += w
	}
	for i := range c.tail {
		c.tail[i] /= total
	}
	c.end = 0
	for _, s := range c.code.Shapes {
		if len(s.On) > 0 {
			c.end = max(c.end, s.On[len(s.On)-1][1]/BinMilliseconds+c.stretch+reach)
		}
	}
}

// blunt works out what the classes' tempers make of their ratios.
func (c *channel) blunt() {
	for k := range c.class {
		cl := &c.class[k]
		for v, x := range cl.ratio {
			cl.tempered[v] = clamp(cl.temper*x, -mostABin, mostABin)
			cl.gain[v] = math.Exp(cl.tempered[v])
		}
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
	class := &c.class[s.class]
	bins := s.bins[margin:]
	var sums [2*binsASecond - margin + 1]float64
	for o, v := range bins[:c.end] {
		sums[o+1] = sums[o]
		if v != Unknown {
			sums[o+1] += class.tempered[v]
		}
	}
	shapes := c.code.Shapes
	reach := len(c.tail) / 2
	for k := range shapes {
		on := shapes[k].On
		x := 0.0
		for i, part := range on {
			from, to := part[0]/BinMilliseconds, part[1]/BinMilliseconds+c.stretch
			first := max(to, from)
			if i == len(on)-1 {
				first = max(to-reach, from)
			}
			x += sums[first] - sums[from]
			if i < len(on)-1 || reach == 0 {
				continue
			}
			total, relative := 0.0, 1.0
			for j, w := range c.tail {
				if end := to + j - reach; end > first {
					if v := bins[end-1]; v != Unknown {
						relative *= class.gain[v]
					}
				}
				total += w * relative
			}
			x += math.Log(total)
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

// mostBeat is what one second counts for at most where it is summed up whether pulses are in their places: those before
// samples were lost must not outvote those after.
const mostBeat = 5

// beat is whether there is a pulse.
func (e *evidence) beat() float64 { return min(e.pulse, mostBeat) }

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
