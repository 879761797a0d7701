package longwave

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// hypothesis is a time: the UTC minute that begins at second `phase` of the window, less 60 seconds.
type hypothesis struct {
	phase  int   // the first full minute begins at this second of the window, 0 to 59
	minute int64 // UTC minutes since 1970 of the minute that ends there
	// contrary: summer time is not as the rule says.
	contrary bool
}

// start is the UTC minute that begins at second phase of the window.
func (h hypothesis) start() int64 { return h.minute + 1 }

// result is the outcome of a search.
type result struct {
	hypothesis
	score float64
	// rival is the best of the others.
	rival hypothesis
	// odds is the log odds of the hypothesis against all others, under the tempered likelihood.
	odds float64
	// found and expected are the log likelihood of the seconds that the hypothesis determines, and what it should be.
	found, expected, variance float64
}

// scored is a hypothesis with its tempered score; phase -1 stands for several, zone is summer time or -1.
type scored struct {
	tempered float64
	hypothesis
	zone int
}

// decisive is the least log likelihood at which a hypothesis can stand out of some 2e9 others.
const decisive = 34

// ruleAgainst is the log of the prior probability that a country leaves its rule for summer time.
const ruleAgainst = -7

// Log likelihoods are multiplied with this before odds are made of them, since noise models are never quite right: least so
// where noise has the shape of pulses, or takes them away.
const (
	temperSteady  = 0.9
	temperStrange = 0.8
)

// prune is how far below the best, in nats, a hypothesis no longer matters.
const prune = 25

// pruneMidnight is the same for the time of day alone, where the date changes within the window.
const pruneMidnight = 6

// pruneChange is the same for the minutes alone, where summer time changes within the window.
const pruneChange = 12

// search finds the time by the evidence of consecutive seconds, whatever the phase of the minute.
func (p *plan) search(all []evidence) result {
	every := make([]int, 60)
	for m := range every {
		every[m] = m
	}
	return p.searchPhases(all, every)
}

// searchPhases finds the time where the minute begins at one of some seconds; it sorts them.
func (p *plan) searchPhases(all []evidence, order []int) result {
	limits := p.limits(all)
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(limits[b], limits[a]) })
	best := result{score: math.Inf(-1)}
	others := p.others[:0]
	consider := func(score float64, h hypothesis, zone int) {
		if score < best.score-2*prune {
			return
		}
		others = append(others, scored{p.temper * score, h, zone})
		if score > best.score {
			best.score, best.hypothesis = score, h
			p.settle(&best.hypothesis, zone)
		}
	}
	rest := func(tempered float64) {
		if tempered > p.temper*best.score-2*prune {
			others = append(others, scored{tempered, hypothesis{phase: -1}, 0})
		}
	}
	for _, m := range order {
		if limits[m] < best.score-prune/p.temper {
			break
		}
		phase := p.bound(all, m)
		p.cost += 40 + 1.5*float64(phase.minutes)
		switch {
		case phase.limit < decisive && len(order) > 1:
			// Nothing in it can win; together its hypotheses count for what hypotheses do on average.
			rest(min(p.temper*phase.limit, math.Log(float64(2*minutesADay*len(p.dates)/60))))
		case phase.limit >= best.score-prune/p.temper:
			p.within(&phase, m, consider, rest)
		}
	}
	// The same UTC under another rule for summer time is no rival.
	top, sum, second := p.temper*best.score, 1e-300, math.Inf(-1)
	var rival scored
	for _, o := range others {
		if o.phase == best.phase && o.minute == best.minute {
			continue
		}
		sum += math.Exp(o.tempered - top)
		if o.phase >= 0 && o.tempered > second {
			second, rival = o.tempered, o
		}
	}
	p.others = others
	if !math.IsInf(second, -1) {
		best.rival = rival.hypothesis
		p.settle(&best.rival, rival.zone)
	}
	best.odds = -math.Log(sum)
	best.found, best.expected, best.variance = p.fit(all, best.hypothesis, 0, len(all))
	return best
}

// limits gives, for every phase of the minute, what no hypothesis can exceed: every second that tells the time at its best.
func (p *plan) limits(all []evidence) (limits [60]float64) {
	for n := range all {
		e := &all[n]
		best := max(e.of[p.code.Zero], e.of[p.code.One])
		for m := range 60 {
			i := (n - m + 60) % 60
			switch y := p.fixed[i]; {
			case p.told[i]:
				limits[m] += best
			default:
				limits[m] += e.of[y]
			}
		}
	}
	return limits
}

// settle works out whether summer time in a zone is contrary to the rule; zone -1 is by the rule.
func (p *plan) settle(h *hypothesis, zone int) {
	announced := time.Unix((h.minute+int64(p.code.LeadMinutes))*60, 0)
	h.contrary = zone >= 0 && (zone == 1) != p.code.summer(announced)
}

// phaseSearch is the evidence under one phase of the minute, summed so that hypotheses can be read off.
type phaseSearch struct {
	minutes int
	limit   float64              // no hypothesis of this phase can score more
	day     [minutesADay]float64 // by the time of day of the first minute: all but date and summer time
	top     float64
	summer  [2]float64
	all     []evidence
	first   int                     // second of the window at which minute 0 begins
	whole   [60][maxSymbols]float64 // the sum over the minutes, of the date's seconds
	byMin   [60]float64             // the minute's seconds and the constant ones, by the first minute
	hours   [][24]float64           // cumulated over the minutes, of the hour's seconds
	joint   [][]float64             // by minute, of those told by minute and hour together
}

// at is the evidence of a second of a minute, nil outside of the window.
func (s *phaseSearch) at(minute, second int) *evidence {
	n := s.first + 60*minute + second
	if n < 0 || n >= len(s.all) {
		return nil
	}
	return &s.all[n]
}

func (p *plan) bound(all []evidence, m int) phaseSearch {
	var s phaseSearch
	count := (len(all)-m+59)/60 + 1
	s.minutes = count
	var constant float64
	minute := make([][60]float64, count)
	hours := make([][24]float64, count+1)
	var joint [][]float64
	if len(p.joint) > 0 {
		joint = make([][]float64, count)
	}
	s.all, s.first = all, m-60
	at := s.at
	for j := range count {
		for _, i := range p.constant {
			if e := at(j, i); e != nil {
				constant += e.of[p.fixed[i]]
			}
		}
		p.minuteBits.add(minute[j][:], func(i int) *evidence { return at(j, i) })
		hours[j+1] = hours[j]
		p.hourBits.add(hours[j+1][:], func(i int) *evidence { return at(j, i) })
		for k, i := range p.summer {
			if e := at(j, i); e != nil {
				s.summer[0] += e.of[p.bySummer[0][k]]
				s.summer[1] += e.of[p.bySummer[1][k]]
			}
		}
		for _, g := range p.date {
			for _, i := range g.seconds {
				if e := at(j, i); e != nil {
					for k := range p.symbols {
						s.whole[i][k] += e.of[k]
					}
				}
			}
		}
		if len(p.joint) > 0 {
			joint[j] = make([]float64, minutesADay)
			for k, i := range p.joint {
				if e := at(j, i); e != nil {
					for v := range minutesADay {
						joint[j][v] += e.of[p.byTime[v][k]]
					}
				}
			}
		}
	}
	s.hours, s.joint = hours, joint
	s.top = math.Inf(-1)
	for v := range 60 {
		a := constant
		for j, at := 0, v; j < count; j++ {
			a += minute[j][at]
			if at++; at == 60 {
				at = 0
			}
		}
		s.byMin[v] = a
		for h := range 24 {
			b := a
			for from, hour := 0, h; from < count; hour = (hour + 1) % 24 {
				to := min(count, from+60-(v+from)%60)
				b += hours[to][hour] - hours[from][hour]
				from = to
			}
			t := h*60 + v
			for j := range joint {
				b += joint[j][(t+j)%minutesADay]
			}
			s.day[t] = b
			s.top = max(s.top, b)
		}
	}
	s.limit = s.top + max(s.summer[0], s.summer[1])
	for _, g := range p.date {
		best := math.Inf(-1)
		for _, symbols := range g.values {
			x := 0.0
			for k, i := range g.seconds {
				x += s.whole[i][symbols[k]]
			}
			best = max(best, x)
		}
		s.limit += best
	}
	return s
}

// binary is how values are told by some seconds that are all Zero or One.
type binary struct {
	seconds   []int
	zero, one Symbol
	ones      []uint16 // by value: bit k is set where seconds[k] is One
}

func newBinary(c *Code, seconds []int, symbols [][]Symbol) binary {
	b := binary{seconds, c.Zero, c.One, make([]uint16, len(symbols))}
	for v, all := range symbols {
		for k, y := range all {
			if y == c.One {
				b.ones[v] |= 1 << k
			}
		}
	}
	return b
}

// add adds the evidence of one minute to the sums of all values.
func (b *binary) add(sums []float64, at func(second int) *evidence) {
	// Four seconds together: their 16 combinations first.
	for first := 0; first < len(b.seconds); first += 4 {
		var table [16]float64
		size := 1
		for _, i := range b.seconds[first:min(first+4, len(b.seconds))] {
			var zero, one float64
			if e := at(i); e != nil {
				zero, one = e.of[b.zero], e.of[b.one]
			}
			for k := range size {
				table[k+size] = table[k] + one
				table[k] += zero
			}
			size *= 2
		}
		for v, ones := range b.ones {
			sums[v] += table[ones>>first&15]
		}
	}
}
