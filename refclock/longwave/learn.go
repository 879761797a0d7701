package longwave

import "math"

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
