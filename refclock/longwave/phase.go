package longwave

import (
	"math"
	"slices"
)

// blockSeconds is how much is folded into one profile: at 500 ppm the second moves by half a bin in it.
const blockSeconds = 10

const blockBins = blockSeconds * binsASecond

// maxDriftPPM is how far the sample clock may be off.
const maxDriftPPM = 520

// block is ten seconds folded onto one.
type block struct {
	sum, known [binsASecond]float32
	whole      bool // nothing of it is unknown
}

// blocks are the folded profiles of the history, number 0 from bin 0.
type blocks struct {
	all  []block
	base int64
}

func (b *blocks) add(h *history) {
	one := block{whole: true}
	for i := h.end() - blockBins; i < h.end(); i++ {
		if v := h.at(i); v != Unknown {
			one.sum[i%binsASecond] += float32(v) / full
			one.known[i%binsASecond]++
		} else {
			one.whole = false
		}
	}
	const keep = keepBins / blockBins
	if len(b.all) >= 2*keep {
		n := copy(b.all, b.all[len(b.all)-keep:])
		b.base += int64(len(b.all) - n)
		b.all = b.all[:n]
	}
	b.all = append(b.all, one)
}

// grid is where the seconds begin: second n at bin origin + n*period.
type grid struct {
	origin, period float64
}

func (g grid) at(n int) float64 { return g.origin + float64(n)*g.period }

// candidate is a phase at which something beats once a second.
type candidate struct {
	grid
	inverted bool
	stretch  int // bins by which every pulse is too long
	// significance is how many times its own scatter between the blocks the pulse stands out.
	significance float64
	strength     float64
}

// template is how much of a bin, on average, the code's pulses are on; stretched by some bins.
func (c *Code) template(stretch int) (t [2 * binsASecond]float64) {
	for _, s := range c.Shapes {
		for _, on := range s.On {
			for o := on[0] / BinMilliseconds; o < on[1]/BinMilliseconds+stretch && o < len(t); o++ {
				t[o] += s.Weight
			}
		}
	}
	return t
}

// findPhases looks for the phase and the drift of the second in the last count blocks.
func findPhases(code *Code, b *blocks, count int, most int) []candidate {
	count = min(count, len(b.all))
	used := b.all[len(b.all)-count:]
	template := code.template(0)
	var support []int
	total := 0.0
	for o, t := range template {
		if t > 0 {
			support = append(support, o)
			total += t
		}
	}
	span := float64(count) * blockBins
	steps := int(math.Ceil(maxDriftPPM * 1e-6 * span / 2 / 1.5)) // the ends move by 1.5 bins a step
	type found struct {
		step, phase int
		value       float64
	}
	var best []found
	drift := func(step int) float64 {
		if steps == 0 {
			return 0
		}
		return maxDriftPPM * 1e-6 * float64(step) / float64(steps)
	}
	shift := func(k, step int) int {
		center := (float64(k) + 0.5 - float64(count)/2) * blockBins
		return int(math.Round(drift(step) * center))
	}
	for step := -steps; step <= steps; step++ {
		sum, known := profile(used, func(k int) int { return shift(k, step) })
		var level [binsASecond]float64
		mean := 0.0
		for o := range level {
			if known[o] > 0 {
				level[o] = float64(sum[o] / known[o])
			}
			mean += level[o] / binsASecond
		}
		var matched [binsASecond]float64
		for phase := range matched {
			m := -mean * total
			for _, o := range support {
				i := phase + o
				for i >= binsASecond {
					i -= binsASecond
				}
				m += template[o] * level[i]
			}
			matched[phase] = m
		}
		for phase, m := range matched {
			before, after := matched[(phase+binsASecond-1)%binsASecond], matched[(phase+1)%binsASecond]
			if math.Abs(m) >= math.Abs(before) && math.Abs(m) > math.Abs(after) {
				best = append(best, found{step, phase, m})
			}
		}
	}
	slices.SortFunc(best, func(a, c found) int {
		switch x, y := math.Abs(a.value), math.Abs(c.value); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	var result []candidate
	var taken []found
	middle := float64(b.base+int64(len(b.all)))*blockBins - span/2
	for _, f := range best {
		near := slices.ContainsFunc(taken, func(t found) bool {
			d := (f.phase - t.phase + 3*binsASecond/2) % binsASecond
			return f.value*t.value > 0 && d > binsASecond/2-12 && d < binsASecond/2+12
		})
		if near {
			continue
		}
		taken = append(taken, f)
		c := candidate{inverted: f.value < 0, strength: math.Abs(f.value)}
		sum, known := profile(used, func(k int) int { return shift(k, f.step) })
		onset, stretch := fitShape(code, sum, known, f.phase, c.inverted)
		c.stretch = stretch
		// How much the blocks agree.
		var n, s, ss float64
		for k := range used {
			d := shift(k, f.step)
			m, mean, seen, all := 0.0, 0.0, 0.0, 0.0
			for o := range binsASecond {
				i := ((onset+o+d)%binsASecond + binsASecond) % binsASecond
				t := template[o]
				if used[k].known[i] == 0 {
					continue
				}
				v := float64(used[k].sum[i] / used[k].known[i])
				m += t * v
				seen += t
				mean += v
				all++
			}
			if all < binsASecond/2 {
				continue
			}
			m -= seen * mean / all
			n, s, ss = n+1, s+m, ss+m*m
		}
		if n > 2 {
			variance := math.Max((ss-s*s/n)/(n-1), 1e-3)
			c.significance = math.Abs(s) / math.Sqrt(n*variance)
		}
		c.period = binsASecond * (1 + drift(f.step))
		// The onset holds in the middle of the window.
		first := math.Floor(middle/binsASecond)*binsASecond + float64(onset)
		c.origin = first - math.Floor(span/2/c.period)*c.period
		result = append(result, c)
		if len(result) == most {
			break
		}
	}
	return result
}

// profile adds the blocks up, each shifted.
func profile(used []block, shift func(k int) int) (sum, known [binsASecond]float32) {
	whole := float32(0) // blocks without a hole
	for k := range used {
		d := (shift(k)%binsASecond + binsASecond) % binsASecond
		u := &used[k]
		rotate(&sum, &u.sum, d)
		if u.whole {
			whole += blockSeconds
		} else {
			rotate(&known, &u.known, d)
		}
	}
	for o := range known {
		known[o] += whole
	}
	return sum, known
}

// rotate adds a profile that begins d bins on.
func rotate(to, from *[binsASecond]float32, d int) {
	late := from[d:]
	for o, x := range late {
		to[o] += x
	}
	rest := to[len(late):]
	for o, x := range from[:d] {
		rest[o] += x
	}
}

// fitShape finds where the pulses begin and by how much they are too long, near a phase: the template that explains most
// of the profile's variance, under a mild preference for the lengths as sent.
func fitShape(code *Code, sum, known [binsASecond]float32, phase int, inverted bool) (onset, stretch int) {
	var level [binsASecond]float64
	mean := 0.0
	for o := range level {
		level[o] = 0.5
		if known[o] > 0 {
			level[o] = float64(sum[o] / known[o])
		}
		if inverted {
			level[o] = 1 - level[o]
		}
		mean += level[o] / binsASecond
	}
	noise := 0.0 // of the profile, from neighbouring bins
	for o := range level {
		d := level[o] - level[(o+1)%binsASecond]
		noise += d * d / 2 / binsASecond
	}
	noise = math.Max(noise, 1e-5)
	var cyclic [4 * binsASecond]float64 // the level less its mean, from a second before
	for o := range cyclic {
		cyclic[o] = level[o%binsASecond] - mean
	}
	best := math.Inf(-1)
	for d := -6; d <= 12; d++ {
		t := code.template(d)
		end, m := 0, 0.0
		for o, v := range t {
			m += v / binsASecond
			if v != 0 {
				end = o + 1
			}
		}
		variance := 0.0
		for o := range binsASecond {
			v := t[o] + t[o+binsASecond]
			variance += (v - m) * (v - m)
		}
		for s := phase - 14; s <= phase+14; s++ {
			cov := 0.0
			for o, x := range cyclic[s+binsASecond : s+binsASecond+end] {
				cov += t[o] * x
			}
			if cov <= 0 {
				continue
			}
			gain := cov*cov/variance/(2*noise) - float64(d*d)/50
			if gain > best {
				best, onset, stretch = gain, s, d
			}
		}
	}
	return onset, stretch
}
