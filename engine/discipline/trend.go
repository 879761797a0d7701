package discipline

import "math"

// The trend is how the oscillator's frequency goes over hours: what a silence of the sources is bridged with. It is a
// second bank, of filters that take the phase once in a block of minutes, and in which the frequency walks at random or
// flickers, follows the temperature, and follows the room's day. What a crystal's frequency flickers by comes back: it leads
// away from the time as fast as the silence lasts, where a walk leads away ever faster.

const (
	// blockLeast is the least length of a block; it is longer where the phase is known more slowly.
	blockLeast  = 100.0 // s
	blockMemory = 3.0
	trendLeast  = 1e-11 // 1/√s
	trendMost   = 1e-7
	trendLevels = 17
	trendKinds  = 3 // no day, one like the other, changing days
	// flickerLeast and flickerMost are floors of the Allan deviation; flickerPrior is the weight of flicker against a walk.
	flickerLeast  = 1e-11
	flickerMost   = 1e-8
	flickerLevels = 13
	flickerPrior  = 0.5
	trendSize     = 2 * trendKinds * (trendLevels + flickerLevels)
	// What is thought of a room's day and of a crystal's dependence on temperature before they are known, 1σ: the daily
	// swing, and how much a degree makes.
	swingPrior = 2e-6
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

// flickerMemories are those, in s, of the first-order processes whose sum is taken for flicker FM, flickerRatio apart: the
// blocks see nothing that is faster, and what is slower still is a walk.
var flickerMemories = [trendWide - trendNarrow]float64{flickerFastest, flickerFastest * flickerRatio,
	flickerFastest * flickerRatio * flickerRatio, flickerFastest * flickerRatio * flickerRatio * flickerRatio}

const (
	flickerFastest, flickerRatio = 60.0, 6.67
	// trendNarrow and trendWide are how many parts the state has without and with flicker.
	trendNarrow, trendWide = 5, 9
)

// trendState is phase, frequency, the cosine and sine of the day, the frequency per degree, and the parts of the flicker.
type trendState struct {
	mean [trendWide]float64
	cov  [trendWide][trendWide]float64
}

type trendMember struct {
	trendState
	size          int     // of the state: trendNarrow or trendWide
	q, walk       float64 // squares of the random walks of frequency and swing, in 1/s
	flicker       float64 // the variance of each part of the flicker
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
	// effects are the means of the day's cosine and sine and of the frequency per degree, by all members.
	effects [3]float64
}

// begin starts the trend with a frequency y, known to pyy, at a moment whose phase is known to pxx.
func (t *trend) begin(at moment, c moments) {
	*t = trend{last: at, blocks: 1}
	for kind := range 4 * trendKinds {
		members := t.kind(kind)
		for level := range members {
			m := &members[level]
			share := float64(level) / float64(len(members)-1)
			m.size, m.warm = trendNarrow, kind/trendKinds%2 == 1
			m.prior = trendPriors[kind%trendKinds] / (2 * float64(len(members)))
			q := trendLeast * math.Pow(trendMost/trendLeast, share)
			if kind < 2*trendKinds {
				m.prior *= 1 - flickerPrior
			} else {
				// An octave of flicker of the Allan deviation's floor a holds the variance a²/2.
				floor := flickerLeast * math.Pow(flickerMost/flickerLeast, share)
				m.size, m.flicker = trendWide, floor*floor/2*math.Log2(flickerRatio)
				m.prior *= flickerPrior
				slowest := flickerMemories[len(flickerMemories)-1] * flickerRatio
				q = math.Sqrt(2 * m.flicker / slowest)
			}
			m.q = q * q
			m.weight = m.prior
			m.mean[1] = c.y
			m.cov[0][0], m.cov[1][1] = c.pxx, c.pyy+frequencyPrior*frequencyPrior
			if walk := swingWalks[kind%trendKinds]; walk > 0 {
				m.walk = walk * walk / dayLength
				m.cov[2][2], m.cov[3][3] = swingPrior*swingPrior, swingPrior*swingPrior
			}
			if m.warm {
				m.cov[4][4] = warmPrior * warmPrior
			}
			for i := trendNarrow; i < m.size; i++ {
				m.cov[i][i] = m.flicker
			}
		}
	}
}

// kind gives the members of one kind: a walk without and with temperature, then flicker without and with it, each without a
// day, with days like each other, and with changing ones.
func (t *trend) kind(kind int) []trendMember {
	const walks = 2 * trendKinds
	if kind < walks {
		return t.members[kind*trendLevels : (kind+1)*trendLevels]
	}
	flickers := t.members[walks*trendLevels:]
	return flickers[(kind-walks)*flickerLevels : (kind-walks+1)*flickerLevels]
}

// day is the angle of the day at a moment of TAI, in rad.
func day(tai int64) float64 {
	const ns = int64(dayLength) * 1e9
	return 2 * math.Pi * float64(tai%ns) / float64(ns)
}

// course is what happens between two moments: how much phase each of the state's parts makes, what is left of the flicker's
// parts, and the noise that each of those adds to the phase, to both and to itself, for a variance of 1.
type course struct {
	phase [trendWide]float64
	keep  [len(flickerMemories)]float64
	noise [len(flickerMemories)][3]float64
}

func between(from, to moment) (c course) {
	const omega = 2 * math.Pi / dayLength
	dt := seconds(to.raw - from.raw)
	a, b := day(from.tai), day(to.tai)
	c.phase = [trendWide]float64{1, dt, (math.Sin(b) - math.Sin(a)) / omega, (math.Cos(a) - math.Cos(b)) / omega, to.warmth - from.warmth}
	for i, tau := range flickerMemories {
		s := climate{sigma: 1, tau: tau}.after(math.Max(dt, 0))
		c.phase[trendNarrow+i], c.keep[i] = s.a, s.phi
		c.noise[i] = [3]float64{s.n[2], s.n[4], s.n[5]}
	}
	return c
}

// rates is how much frequency each of the state's parts makes at a moment.
func rates(at moment) [trendWide]float64 {
	sin, cos := math.Sincos(day(at.tai))
	h := [trendWide]float64{0, 1, cos, sin, at.celsius}
	for i := range flickerMemories {
		h[trendNarrow+i] = 1
	}
	return h
}

// advance moves the state over a course.
func (m *trendMember) advance(c *course) {
	dt := c.phase[1]
	x := 0.0
	var row [trendWide]float64 // the phase's row of P after the course
	for j := range m.size {
		x += c.phase[j] * m.mean[j]
		for i := range m.size {
			row[j] += c.phase[i] * m.cov[i][j]
		}
	}
	m.mean[0] = x
	xx := m.q * dt * dt * dt / 3
	for j := range m.size {
		xx += row[j] * c.phase[j]
	}
	for j := 1; j < m.size; j++ {
		m.cov[0][j], m.cov[j][0] = row[j], row[j]
	}
	m.cov[0][1] += m.q * dt * dt / 2
	m.cov[1][0] = m.cov[0][1]
	m.cov[1][1] += m.q * dt
	m.cov[2][2] += m.walk * dt
	m.cov[3][3] += m.walk * dt
	for i := trendNarrow; i < m.size; i++ {
		keep, noise := c.keep[i-trendNarrow], &c.noise[i-trendNarrow]
		m.mean[i] *= keep
		for j := range m.size {
			m.cov[i][j] *= keep
			m.cov[j][i] *= keep
		}
		xx += m.flicker * noise[0]
		m.cov[0][i] += m.flicker * noise[1]
		m.cov[i][0] = m.cov[0][i]
		m.cov[i][i] += m.flicker * noise[2]
	}
	m.cov[0][0] = xx
}

// observe takes the phase z, known to variance r, and returns the logarithm of its likelihood.
func (m *trendMember) observe(z, r float64) float64 {
	const gate, back = 5, 4 // standard deviations
	v := z - m.mean[0]
	variance := m.cov[0][0] + r
	if v*v > gate*gate*variance { // not what this one can explain: its frequency must have jumped
		wider := v * v / (back * back * variance)
		for i := range 2 {
			for j := range 2 {
				m.cov[i][j] *= wider
			}
		}
		variance = m.cov[0][0] + r
	}
	row := m.cov[0]
	for i := range m.size {
		k := row[i] / variance
		m.mean[i] += k * v
		for j := range m.size {
			m.cov[i][j] -= k * row[j]
		}
	}
	return -0.5 * (v*v/variance + math.Log(variance))
}

// take ends a block: the phase at the moment is known to variance r.
func (t *trend) take(at moment, r float64) {
	g := between(t.last, at)
	z := seconds((at.tai - t.last.tai) - (at.raw - t.last.raw))
	const leak = 1e-3
	best := math.Inf(-1)
	var likely [trendSize]float64
	for i := range t.members {
		m := &t.members[i]
		m.advance(&g)
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

// sum works out the effects.
func (t *trend) sum() {
	t.effects = [3]float64{}
	for i := range t.members {
		m := &t.members[i]
		for j := range t.effects {
			t.effects[j] += m.weight * m.mean[2+j]
		}
	}
}

// change is what the day and the temperature make of the frequency between two moments, by all members.
func (t *trend) change(from, to moment) float64 {
	sin0, cos0 := math.Sincos(day(from.tai))
	sin1, cos1 := math.Sincos(day(to.tai))
	return t.effects[0]*(cos1-cos0) + t.effects[1]*(sin1-sin0) + t.effects[2]*(to.celsius-from.celsius)
}
