package longwave

import "math"

// Limits for believing a time that comes out of nothing.
const (
	// leastSignificance is how far the second's pulse must stand out of its own scatter.
	leastSignificance = 7
	// leastOdds is the log odds against all other times: one in a hundred thousand, after tempering.
	leastOdds = 11.5
	// leastInformation, in nats, is what a window must hold for a search to be worth while: there are some 2e9 times.
	leastInformation = 40
	// freshSeconds is the end of the window that must agree by itself.
	freshSeconds = 45
	// leastWindow, in seconds: two disjoint minutes.
	leastWindow = 120
)

// acquisition is a time found in a window.
type acquisition struct {
	result
	grid
	inverted bool
	channel  *channel
	evidence []evidence
	refused  string // why it is not believed
}

// acquire looks for the time in the last seconds.
func (d *Decoder) acquire(window int) *acquisition {
	var best *acquisition
	// What this costs is estimated, not measured, so that the same recording always gives the same result.
	blocks := float64(window / blockSeconds)
	d.plan.cost += (1 + maxDriftPPM*1e-6*blocks*blockBins/1.5) * (3 + 0.15*blocks)
	strongest := 0.0
	for _, c := range findPhases(d.plan.code, &d.blocks, window/blockSeconds, 3) {
		strongest = max(strongest, c.strength)
		if c.significance < leastSignificance || c.strength < 0.6*strongest {
			continue
		}
		a := d.try(c, window)
		if best == nil || a.refused == "" && (best.refused != "" || a.odds > best.odds) {
			best = a
		}
		if best.refused == "" {
			break
		}
	}
	return best
}

// learnSeconds is how many seconds the noise model is learned from.
const learnSeconds = 300

// refineSeconds is how many of them the pulses' shape is refined with.
const refineSeconds = 150

func (d *Decoder) try(c candidate, window int) *acquisition {
	a := &acquisition{grid: c.grid, inverted: c.inverted}
	count := int((float64(d.history.end()) - c.origin) / c.period)
	a.channel = newChannel(d.plan.code, c.stretch)
	stride := max(1, count/learnSeconds)
	sample := d.sample[:0]
	read := func() {
		sample = sample[:0]
		for n := count % stride; n < count; n += stride {
			sample = append(sample, second{})
			a.channel.read(&d.history, a.at(n), a.inverted, &sample[len(sample)-1])
		}
		d.sample = sample
	}
	read()
	d.plan.cost += 12*float64(len(sample)) + 1.5*float64(count)
	a.channel.learn(sample)
	a.refine(d, read)
	a.evidence = make([]evidence, count)
	var s second
	for n := range a.evidence {
		a.channel.read(&d.history, a.at(n), a.inverted, &s)
		a.channel.weigh(&s, &a.evidence[n])
		a.expected += a.evidence[n].expected
	}
	if a.expected < leastInformation {
		a.refused = "information"
		return a
	}
	d.plan.temper = temperStrange
	if a.channel.strange < 0.03 && a.channel.missing <= leastMissing {
		d.plan.temper = temperSteady
	}
	a.result = d.plan.search(a.evidence)
	a.refused = a.judge(d.plan)
	return a
}

// refine adapts onset, stretch and jitter, so that the seconds become likelier.
func (a *acquisition) refine(d *Decoder, read func()) {
	stride := max(1, len(d.sample)/refineSeconds)
	total := func() float64 {
		a.channel.reshape()
		sum := 0.0
		var like [maxSymbols]float64
		for i := 0; i < len(d.sample); i += stride {
			if s := &d.sample[i]; s.known {
				_, pulse := a.channel.likelihood(s, &like)
				sum += pulse
			}
		}
		return sum - float64(a.channel.stretch*a.channel.stretch)/50
	}
	best := total()
	try := func(change, back func()) {
		change()
		if t := total(); t > best+0.5 {
			best = t
			return
		}
		back()
		a.channel.reshape()
	}
	for range 2 {
		was := [2]float64{a.channel.jitter, float64(a.channel.stretch)}
		for _, jitter := range []float64{0.5, 1, 2, 3, 4, 5, 6, 7.5} {
			before := a.channel.jitter
			try(func() { a.channel.jitter = jitter }, func() { a.channel.jitter = before })
		}
		for range 2 {
			for _, by := range []int{-1, 1} {
				try(func() { a.channel.stretch += by }, func() { a.channel.stretch -= by })
			}
		}
		if was == [2]float64{a.channel.jitter, float64(a.channel.stretch)} {
			break
		}
		read()
		a.channel.learn(d.sample)
		best = total()
	}
}

// stale is said of a time that was true of the window, but not of its end.
const stale = "stale"

// judge says why a result should not be believed, nothing if it should.
func (a *acquisition) judge(p *plan) string {
	all := len(a.evidence)
	switch {
	case a.odds < leastOdds:
		return "odds"
	case a.found < 0.7*a.expected-3*math.Sqrt(a.variance):
		return "fit"
	}
	// What was true of most of the window must be true of its end: samples may have been lost in between.
	found, _, _ := p.fit(a.evidence, a.hypothesis, all-freshSeconds, all)
	beat := 0.0
	for _, e := range a.evidence[all-freshSeconds:] {
		beat += e.beat()
	}
	for half := range 2 {
		from, to := half*all/2, (half+1)*all/2
		found, expected, variance := p.fit(a.evidence, a.hypothesis, from, to)
		if found < 0.5*expected-2*math.Sqrt(variance) || found < 5 {
			return "fit of a half"
		}
		if p.score(a.evidence, a.hypothesis, from, to)-p.score(a.evidence, a.rival, from, to) < 1 {
			return "half"
		}
	}
	if found < 4 || beat < 4 {
		return stale
	}
	return ""
}
