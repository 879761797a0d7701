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

// ruleAgainst is the log of the prior probability that a country leaves its rule for summer time.
const ruleAgainst = -7

// searchTemper is what log likelihoods are multiplied with before odds are made of them: noise models are never quite
// right.
const searchTemper = 0.8

// prune is how far below the best, in nats, a hypothesis no longer matters.
const prune = 25

// pruneMidnight is the same for the time of day alone, where the date changes within the window.
const pruneMidnight = 6

// pruneChange is the same for the minutes alone, where summer time changes within the window.
const pruneChange = 12

// search finds the time by the evidence of consecutive seconds.
func (p *plan) search(all []evidence) result {
	limits := p.limits(all)
	order := make([]int, 60)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(limits[b], limits[a]) })
	best := result{score: math.Inf(-1)}
	type other struct {
		tempered float64
		phase    int
		minute   int64
		contrary bool
	}
	var others []other
	consider := func(score float64, h hypothesis) {
		others = append(others, other{searchTemper * score, h.phase, h.minute, h.contrary})
		if score > best.score {
			best.score, best.hypothesis = score, h
		}
	}
	rest := func(tempered float64) { others = append(others, other{tempered: tempered, phase: -1}) }
	for _, m := range order {
		if limits[m] < best.score-prune/searchTemper {
			break
		}
		phase := p.bound(all, m)
		if phase.limit >= best.score-prune/searchTemper {
			p.within(&phase, m, consider, rest)
		}
	}
	// The same UTC under another rule for summer time is no rival.
	top, sum, second := searchTemper*best.score, 1e-300, math.Inf(-1)
	for _, o := range others {
		if o.phase == best.phase && o.minute == best.minute {
			continue
		}
		sum += math.Exp(o.tempered - top)
		if o.phase >= 0 && o.tempered > second {
			second = o.tempered
			best.rival = hypothesis{o.phase, o.minute, o.contrary}
		}
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
		for k, i := range p.minute {
			if e := at(j, i); e != nil {
				for v := range 60 {
					minute[j][v] += e.of[p.byMinute[v][k]]
				}
			}
		}
		hours[j+1] = hours[j]
		for k, i := range p.hour {
			if e := at(j, i); e != nil {
				for v := range 24 {
					hours[j+1][v] += e.of[p.byHour[v][k]]
				}
			}
		}
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
		for j := range count {
			a += minute[j][(v+j)%60]
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

// dateScores gives the score of every date, from sums over the seconds.
func (p *plan) dateScores(whole *[60][maxSymbols]float64) []float64 {
	scores := make([]float64, len(p.dates))
	for _, g := range p.date {
		table := make([]float64, len(g.values))
		for v, symbols := range g.values {
			for k, i := range g.seconds {
				table[v] += whole[i][symbols[k]]
			}
		}
		if len(table) == len(scores) {
			for d := range scores {
				scores[d] += table[d]
			}
			continue
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
			sums[rule] += math.Exp(searchTemper * (x - top[rule][0]))
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
				sum += n * math.Exp(searchTemper*(top[rule][0]+y-g.score[0]))
			}
		}
	}
	g.rest = searchTemper*g.score[0] + math.Log(sum+1e-300)
	return g
}

// within reads the hypotheses of one phase off.
func (p *plan) within(s *phaseSearch, m int, consider func(float64, hypothesis), rest func(float64)) {
	type key struct {
		midnight int // minutes before it
		blank    int // first minute of the window, modulo 60, where blank minutes matter
	}
	known := map[key]dating{}
	if p.code.Blank == nil {
		known[key{s.minutes, 0}] = p.dating(s, p.dateScores(&s.whole))
	}
	for t, b := range s.day {
		if b < s.top-prune/searchTemper {
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
			contrary := (g.zone[i] == 1) != p.code.summer(time.Unix(utc*60, 0))
			consider(b+x, hypothesis{m, utc - int64(p.code.LeadMinutes), contrary})
		}
		rest(searchTemper*b + g.rest)
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
				consider(score, hypothesis{m, change - int64(at+p.code.LeadMinutes), false})
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

func (p *plan) change(utc int64, minutes int) bool {
	i, _ := slices.BinarySearch(p.changes, utc+1)
	return i < len(p.changes) && p.changes[i] < utc+int64(minutes)
}

// civil gives the telegram of the minute that begins at a UTC minute.
func (p *plan) civil(minute int64, contrary bool) Civil {
	t := time.Unix(minute*60, 0).UTC()
	c := p.code.At(t)
	if contrary {
		summer := !c.Summer
		announced := t.Add(time.Duration(p.code.LeadMinutes) * time.Minute)
		c = civilOf(announced.Add(p.code.offset(summer)))
		c.Summer = summer
	}
	return c
}

// fit compares the evidence with what a hypothesis predicts.
func (p *plan) fit(all []evidence, h hypothesis, from, to int) (found, expected, variance float64) {
	n := h.phase - 60
	for minute := h.minute; n < to; minute++ {
		symbols := p.encode(minute, h.contrary)
		for _, y := range symbols {
			if n >= from && n < to && int(y) < len(p.code.Shapes) {
				found += all[n].of[y]
				expected += all[n].expected
				variance += all[n].variance
			}
			n++
		}
	}
	return found, expected, variance
}

// score is the log likelihood of a hypothesis over some of the seconds of its window.
func (p *plan) score(all []evidence, h hypothesis, from, to int) float64 {
	sum := 0.0
	n := h.phase - 60
	for minute := h.minute; n < to; minute++ {
		symbols := p.encode(minute, h.contrary)
		for _, y := range symbols {
			if n >= from && n < to {
				sum += all[n].of[y]
			}
			n++
		}
	}
	return sum
}

// encode gives the symbols of the minute that begins at a UTC minute; announcements are left open.
func (p *plan) encode(minute int64, contrary bool) [60]Symbol {
	symbols := p.code.Encode(p.civil(minute, contrary))
	for _, i := range p.announcements {
		symbols[i] = p.code.Rare
	}
	return symbols
}
