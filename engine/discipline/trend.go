package discipline

import "math"

// The trend is how the oscillator's frequency goes over hours: what a silence of the sources is bridged with. It is a
// second bank, of filters that take the phase once in a block of minutes, and in which the frequency walks at random,
// follows the temperature, and follows the room's day.

const (
	// blockLeast is the least length of a block; it is longer where the phase is known more slowly.
	blockLeast  = 100.0 // s
	blockMemory = 3.0
	trendLeast  = 1e-11 // 1/√s
	trendMost   = 1e-7
	trendLevels = 17
	trendKinds  = 3 // no day, one like the other, changing days
	trendSize   = 2 * trendKinds * trendLevels
	// What is thought of a room's day and of a crystal's dependence on temperature before they are known, 1σ: the daily
	// swing, and how much a degree makes.
	swingPrior = 1e-6
	warmPrior  = 0.5e-6
	// frequencyPrior is how far the frequency without the day's and the temperature's part may be from the one found.
	frequencyPrior = 1e-5
	// matureBlocks is how many blocks there must be before the trend is asked.
	matureBlocks = 6
	dayLength    = 86400.0
)

// swingWalks is by how much the daily swing changes from day to day, 1σ, in each kind of trend; -1: there is none.
var swingWalks = [trendKinds]float64{-1, 2e-8, 3e-7}

// trendPriors are the weights of the kinds before anything is known.
var trendPriors = [trendKinds]float64{0.4, 0.45, 0.15}

// trendState is phase, frequency, the cosine and sine of the day, and the frequency per degree.
type trendState struct {
	mean [5]float64
	cov  [5][5]float64
}

type trendMember struct {
	trendState
	q, walk       float64 // squares of the random walks of frequency and swing, in 1/s
	warm          bool
	weight, prior float64
}

// moment is a point in time as the trend sees it: the oscillator's count, TAI less what the count says (in ns), the
// temperature and its integral since the start.
type moment struct {
	raw, tai        int64
	celsius, warmth float64
}

type trend struct {
	members [trendSize]trendMember
	last    moment
	blocks  int
	// course is the mean of the day's cosine and sine and of the frequency per degree, by all members.
	course [3]float64
}

// begin starts the trend with a frequency y, known to pyy, at a moment whose phase is known to pxx.
func (t *trend) begin(at moment, c moments) {
	*t = trend{last: at, blocks: 1}
	i := 0
	for variant := range 2 * trendKinds {
		for level := range trendLevels {
			m := &t.members[i]
			q := trendLeast * math.Pow(trendMost/trendLeast, float64(level)/(trendLevels-1))
			m.q, m.warm = q*q, variant >= trendKinds
			m.prior = trendPriors[variant%trendKinds] / (2 * trendLevels)
			m.weight = m.prior
			m.mean[1] = c.y
			m.cov[0][0], m.cov[1][1] = c.pxx, c.pyy+frequencyPrior*frequencyPrior
			if walk := swingWalks[variant%trendKinds]; walk > 0 {
				m.walk = walk * walk / dayLength
				m.cov[2][2], m.cov[3][3] = swingPrior*swingPrior, swingPrior*swingPrior
			}
			if m.warm {
				m.cov[4][4] = warmPrior * warmPrior
			}
			i++
		}
	}
}

// day is the angle of the day at a moment of TAI, in rad.
func day(tai int64) float64 {
	const ns = int64(dayLength) * 1e9
	return 2 * math.Pi * float64(tai%ns) / float64(ns)
}

// course is what a frequency that follows the day and the temperature does between two moments: how much phase each of
// the state's parts makes.
func course(from, to moment) [5]float64 {
	const omega = 2 * math.Pi / dayLength
	dt := seconds(to.raw - from.raw)
	a, b := day(from.tai), day(to.tai)
	return [5]float64{1, dt, (math.Sin(b) - math.Sin(a)) / omega, (math.Cos(a) - math.Cos(b)) / omega, to.warmth - from.warmth}
}

// advance moves the state over a course of dt seconds.
func (s *trendState) advance(g [5]float64, q, walk float64) {
	dt := g[1]
	x := 0.0
	var row [5]float64 // g P
	for j := range 5 {
		x += g[j] * s.mean[j]
		for i := range 5 {
			row[j] += g[i] * s.cov[i][j]
		}
	}
	s.mean[0] = x
	xx := 0.0
	for j := range 5 {
		xx += row[j] * g[j]
	}
	for j := 1; j < 5; j++ {
		s.cov[0][j], s.cov[j][0] = row[j], row[j]
	}
	s.cov[0][0] = xx + q*dt*dt*dt/3
	s.cov[0][1] += q * dt * dt / 2
	s.cov[1][0] = s.cov[0][1]
	s.cov[1][1] += q * dt
	s.cov[2][2] += walk * dt
	s.cov[3][3] += walk * dt
}

// observe takes the phase z, known to variance r, and returns the logarithm of its likelihood.
func (s *trendState) observe(z, r float64) float64 {
	const gate, back = 5, 4 // standard deviations
	v := z - s.mean[0]
	variance := s.cov[0][0] + r
	if v*v > gate*gate*variance { // not what this one can explain: its frequency must have jumped
		wider := v * v / (back * back * variance)
		for i := range 2 {
			for j := range 2 {
				s.cov[i][j] *= wider
			}
		}
		variance = s.cov[0][0] + r
	}
	var k [5]float64
	for i := range 5 {
		k[i] = s.cov[i][0] / variance
		s.mean[i] += k[i] * v
	}
	row := s.cov[0]
	for i := range 5 {
		for j := range 5 {
			s.cov[i][j] -= k[i] * row[j]
		}
	}
	return -0.5 * (v*v/variance + math.Log(variance))
}

// take ends a block: the phase at the moment is known to variance r.
func (t *trend) take(at moment, r float64) {
	g := course(t.last, at)
	z := seconds((at.tai - t.last.tai) - (at.raw - t.last.raw))
	const leak = 1e-3
	best := math.Inf(-1)
	var likely [trendSize]float64
	for i := range t.members {
		m := &t.members[i]
		m.advance(g, m.q, m.walk)
		likely[i] = m.observe(z, r)
		best = math.Max(best, likely[i])
	}
	total := 0.0
	for i := range t.members {
		m := &t.members[i]
		m.weight *= math.Exp(likely[i] - best)
		total += m.weight
	}
	for i := range t.members {
		m := &t.members[i]
		m.weight = (1-leak)*m.weight/total + leak*m.prior
		m.mean[0] -= z // phases are counted from the last moment
	}
	t.last = at
	t.blocks++
	t.sum()
}

// sum works out the course.
func (t *trend) sum() {
	t.course = [3]float64{}
	for i := range t.members {
		m := &t.members[i]
		for j := range t.course {
			t.course[j] += m.weight * m.mean[2+j]
		}
	}
}

// change is what the day and the temperature make of the frequency between two moments, by all members.
func (t *trend) change(from, to moment) float64 {
	sin0, cos0 := math.Sincos(day(from.tai))
	sin1, cos1 := math.Sincos(day(to.tai))
	return t.course[0]*(cos1-cos0) + t.course[1]*(sin1-sin0) + t.course[2]*(to.celsius-from.celsius)
}

// span is a trend anchored at a moment at which the phase is known: it foretells what comes after.
type span struct {
	from    moment
	members []trendMember
}

// anchor makes the trend ready to foretell from a moment on, at which phase and frequency are known as c says: what the
// trend itself thinks of these two gives way to that, and carries what it thinks of the rest along. Members of hardly any
// weight are left out: they would widen the 95 % bound by what has no part in it.
func (t *trend) anchor(from moment, c moments) span {
	const least = 5e-4
	s := span{from: from}
	g := course(t.last, from)
	z := seconds((from.tai - t.last.tai) - (from.raw - t.last.raw))
	sin, cos := math.Sincos(day(from.tai))
	h := [5]float64{0, 1, cos, sin, from.celsius}
	total := 0.0
	for i := range t.members {
		m := t.members[i]
		if m.weight < least {
			continue
		}
		if g[1] > 0 {
			m.advance(g, m.q, m.walk)
		}
		m.mean[0] -= z
		m.replace(h, c)
		total += m.weight
		s.members = append(s.members, m)
	}
	for i := range s.members {
		s.members[i].weight /= total
	}
	return s
}

// rate is the frequency that the trend itself thinks of at its last moment.
func (t *trend) rate(at moment) moments {
	s := span{from: at}
	for i := range t.members {
		s.members = append(s.members, t.members[i])
	}
	return s.bridge(at)
}

// replace makes phase and frequency, h times the state, what c says, and the rest of the state what follows from that.
func (s *trendState) replace(h [5]float64, c moments) {
	var y float64
	var cross [5][2]float64 // of the state with phase and frequency
	for i := range 5 {
		y += h[i] * s.mean[i]
		cross[i][0] = s.cov[i][0]
		for j := range 5 {
			cross[i][1] += s.cov[i][j] * h[j]
		}
	}
	xx, xy, yy := s.cov[0][0], cross[0][1], 0.0
	for i := range 5 {
		yy += h[i] * cross[i][1]
	}
	det := xx*yy - xy*xy
	if !(det > 1e-12*xx*yy) {
		return
	}
	dx, dy := c.x-s.mean[0], c.y-y
	var gain [5][2]float64
	for i := range 5 {
		gain[i][0] = (cross[i][0]*yy - cross[i][1]*xy) / det
		gain[i][1] = (cross[i][1]*xx - cross[i][0]*xy) / det
		s.mean[i] += gain[i][0]*dx + gain[i][1]*dy
	}
	exx, exy, eyy := c.pxx-xx, c.pxy-xy, c.pyy-yy
	for i := range 5 {
		for j := range 5 {
			s.cov[i][j] += gain[i][0]*(exx*gain[j][0]+exy*gain[j][1]) + gain[i][1]*(exy*gain[j][0]+eyy*gain[j][1])
		}
	}
}

// bridge foretells phase and frequency at a later moment. The phase is counted from TAI going on as the oscillator does.
func (s *span) bridge(to moment) (c moments) {
	g := course(s.from, to)
	dt := g[1]
	sin, cos := math.Sincos(day(to.tai))
	h := [5]float64{0, 1, cos, sin, to.celsius}
	for i := range s.members {
		m := &s.members[i]
		var x, y float64
		for j := range g {
			x += g[j] * m.mean[j]
			y += h[j] * m.mean[j]
		}
		c.x += m.weight * x
		c.y += m.weight * y
		c.q += m.weight * m.q
	}
	for i := range s.members {
		m := &s.members[i]
		dx, dy := -c.x, -c.y
		var xx, xy, yy float64
		for j := range g {
			dx += g[j] * m.mean[j]
			dy += h[j] * m.mean[j]
			var row float64
			for k := range g {
				row += m.cov[j][k] * g[k]
				yy += h[j] * h[k] * m.cov[j][k]
			}
			xx += g[j] * row
			xy += h[j] * row
		}
		// The day's swing goes on changing: as if its rate walked.
		swing := m.walk * dt * dt * dt / 3
		c.pxx += m.weight * (xx + m.q*dt*dt*dt/3 + swing + dx*dx)
		c.pxy += m.weight * (xy + m.q*dt*dt/2 + dx*dy)
		c.pyy += m.weight * (yy + (m.q+m.walk)*dt + dy*dy)
	}
	return c
}
