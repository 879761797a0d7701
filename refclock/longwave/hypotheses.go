package longwave

import (
	"math"
	"time"
)

// dateScores gives the score of every date, from sums over the seconds.
func (p *plan) dateScores(whole *[60][maxSymbols]float64) []float64 {
	scores := make([]float64, len(p.dates))
	p.cost += 0.01 * float64(len(p.dates))
	for _, g := range p.date {
		table := make([]float64, len(g.values))
		for v, symbols := range g.values {
			for k, i := range g.seconds {
				table[v] += whole[i][symbols[k]]
			}
		}
		for d, v := range g.index {
			scores[d] += table[v]
		}
	}
	return scores
}

// dating is what the date's seconds say: the best date, the second best, and the tempered sum of all but the best.
type dating struct {
	score [2]float64
	day   [2]int
	zone  [2]int
	rest  float64
}

func (p *plan) dating(s *phaseSearch, scores []float64) dating {
	g := dating{score: [2]float64{math.Inf(-1), math.Inf(-1)}}
	var zones [2][2]float64 // by rule, by summer time
	for rule := range 2 {
		for z := range 2 {
			zones[rule][z] = s.summer[z]
			if z != rule {
				zones[rule][z] += ruleAgainst
			}
			if z == 1 && p.code.SummerTime == nil {
				zones[rule][z] = math.Inf(-1)
			}
		}
	}
	// The best two and the sum, by what the rule says of summer time.
	var top [2][2]float64
	var day [2][2]int
	for rule := range top {
		top[rule] = [2]float64{math.Inf(-1), math.Inf(-1)}
	}
	for d, x := range scores {
		rule := p.rule[d]
		if x > top[rule][1] {
			if x > top[rule][0] {
				top[rule][1], day[rule][1] = top[rule][0], day[rule][0]
				top[rule][0], day[rule][0] = x, d
			} else {
				top[rule][1], day[rule][1] = x, d
			}
		}
	}
	for rule := range top {
		for z, y := range zones[rule] {
			for i, x := range top[rule] {
				switch x += y; {
				case x > g.score[0]:
					g.score[1], g.day[1], g.zone[1] = g.score[0], g.day[0], g.zone[0]
					g.score[0], g.day[0], g.zone[0] = x, day[rule][i], z
				case x > g.score[1]:
					g.score[1], g.day[1], g.zone[1] = x, day[rule][i], z
				}
			}
		}
	}
	var sums [2]float64 // of exp(score - top)
	floor := [2]float64{top[0][0] - prune, top[1][0] - prune}
	for d, x := range scores {
		if rule := p.rule[d]; x > floor[rule] {
			sums[rule] += math.Exp(p.temper * (x - top[rule][0]))
		}
	}
	sum := 0.0
	for rule := range top {
		for z, y := range zones[rule] {
			if sums[rule] > 0 {
				n := sums[rule]
				if int(p.rule[g.day[0]]) == rule && g.zone[0] == z {
					n = max(n-1, 0)
				}
				sum += n * math.Exp(p.temper*(top[rule][0]+y-g.score[0]))
			}
		}
	}
	g.rest = p.temper*g.score[0] + math.Log(sum+1e-300)
	return g
}

// within reads the hypotheses of one phase off.
func (p *plan) within(s *phaseSearch, m int, consider func(float64, hypothesis, int), rest func(float64)) {
	type key struct {
		midnight int // minutes before it
		blank    int // first minute of the window, modulo 60, where blank minutes matter
	}
	known := map[key]dating{}
	if p.code.Blank == nil {
		known[key{s.minutes, 0}] = p.dating(s, p.dateScores(&s.whole))
	}
	for t, b := range s.day {
		if b < s.top-prune/p.temper {
			continue
		}
		k := key{midnight: min(minutesADay-t, s.minutes)}
		if p.code.Blank != nil {
			k.blank = t % 60
		}
		if p.code.Blank == nil && k.midnight < s.minutes && b < s.top-pruneMidnight {
			k.midnight = s.minutes // near enough for a hypothesis that cannot win
		}
		g, ok := known[k]
		if !ok {
			var before, after [60][maxSymbols]float64
			for j := range s.minutes {
				if p.code.Blank != nil && p.code.Blank((t+j)%60) {
					continue
				}
				sums := &before
				if j >= k.midnight {
					sums = &after
				}
				for _, g := range p.date {
					for _, i := range g.seconds {
						if e := s.at(j, i); e != nil {
							for y := range p.symbols {
								sums[i][y] += e.of[y]
							}
						}
					}
				}
			}
			scores := p.dateScores(&before)
			if k.midnight < s.minutes {
				next := p.dateScores(&after)
				for d := range scores {
					scores[d] += next[min(d+1, len(next)-1)]
				}
			}
			g = p.dating(s, scores)
			known[k] = g
		}
		for i, x := range g.score {
			if math.IsInf(x, -1) {
				continue // counted in rest too, which matters little
			}
			local := (p.first+int64(g.day[i]))*minutesADay + int64(t)
			utc := local - int64(p.code.offset(g.zone[i] == 1)/time.Minute)
			consider(b+x, hypothesis{phase: m, minute: utc - int64(p.code.LeadMinutes)}, g.zone[i])
		}
		rest(p.temper*b + g.rest)
	}
	// Windows in which summer time begins or ends.
	best := math.Inf(-1)
	for _, x := range s.byMin {
		best = max(best, x)
	}
	for v, x := range s.byMin {
		if x < best-pruneChange {
			continue
		}
		// The change is on the hour; of windows longer than that, only the first is looked for.
		if at := 60 - v; at < s.minutes {
			p.across(s, at, x, func(score float64, change int64) {
				consider(score, hypothesis{phase: m, minute: change - int64(at+p.code.LeadMinutes)}, -1)
			})
		}
	}
}

// across gives the scores of the windows in which summer time changes at minute at; x is the score of the minutes.
func (p *plan) across(s *phaseSearch, at int, x float64, consider func(score float64, change int64)) {
	var sums [2][60][maxSymbols]float64 // before and after
	for j := max(0, at-aroundChange); j < min(s.minutes, at+aroundChange); j++ {
		side := &sums[0]
		if j >= at {
			side = &sums[1]
		}
		for _, i := range p.dated {
			if e := s.at(j, i); e != nil {
				for y := range p.symbols {
					side[i][y] += e.of[y]
				}
			}
		}
	}
	end := min(s.minutes, at+60)
	for i, change := range p.changes {
		score := x
		for side := range sums {
			y := &p.around[i][side]
			for k, i := range p.dated {
				score += sums[side][i][y.symbols[k]]
			}
			if side == 0 {
				score += s.hours[at][y.hour] - s.hours[max(0, at-60)][y.hour]
			} else {
				score += s.hours[end][y.hour] - s.hours[at][y.hour]
			}
			for j := range s.joint {
				if j < at == (side == 0) {
					score += s.joint[j][y.hour*60+((j-at+60)%60+60)%60]
				}
			}
		}
		consider(score, change)
	}
}
