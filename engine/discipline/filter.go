// Package discipline is the estimator: it takes the observations of a source, or of several that agree, and says what
// time it is, how fast the oscillator runs, and how far off both can be. It is pure: no I/O, no clock of its own.
package discipline

import (
	"math"
	"time"
)

const (
	// startFrequency is how far off an unknown oscillator may run, 1σ, as a fraction. Pi crystals are within 30 ppm, a
	// virtual machine's uncalibrated counter within some 100 ppm.
	startFrequency = 100e-6
	// slight is the weight below which a member's evidence may be approximated.
	slight = 1e-3
	// lateBy is how much older than the newest observation one of another source may be.
	lateBy = 4.0 // s
	// farthest is how far from the last observation's time a new one may be, in ns: the differences of two such fit an int64.
	farthest = 4e18
	// widestHalf bounds what an observation may say of its own error; with more it tells nothing anyway.
	widestHalf = 10 * time.Second
)

// Config is what is assumed of the oscillator.
type Config struct {
	// WanderPPM is how far the oscillator's frequency may have moved since the last sample, as a limit: MaxError grows by
	// it while nothing is heard.
	WanderPPM float64
}

// Verdict is what became of an observation.
type Verdict uint8

const (
	// Accepted observations moved the estimate.
	Accepted Verdict = iota
	// Refused observations are outliers, or not newer than the last of their source.
	Refused
	// Jumped: like Refused, and so were all before it for so long that it is no outlier. The estimate stays where it was:
	// whether the source or its past is wrong is not for the filter to say.
	Jumped
	// Broke: the only source's rate parted from the oscillator's within seconds, as no crystal does. The estimate was
	// taken back to before that and stays there.
	Broke
)

// Filter estimates the time and the frequency from the observations of one source, or of several that agree. It knows
// nothing of the oscillator and of the sources' noise beforehand, and learns both. It is not safe for concurrent use, At
// included.
type Filter struct {
	config Config
	// The bank's phases are seconds of TAI beyond tai at the count raw.
	raw, tai int64
	bank     []member
	// state is the whole bank's at the last sample that moved it.
	state moments
	// reach is how far off the phase may be, in Uncertainty95.
	reach float64
	step  step
	// interval is the usual distance of samples, in s.
	interval float64
	voices   map[string]*voice
	samples  int
	firstRaw int64
	// opening are the first observations, kept to be read again once their scatter is known.
	opening []Observation
	watch   watch
	start   start
	// remembered is what was restored.
	remembered *State

	thermometer thermometer
	trend       trend
	span        span   // the trend anchored at the epoch; empty until it is asked for
	before      *trend // as it was before its last block
	// celsius and warmth are the thermometer's at the epoch.
	celsius, warmth float64
}

// start is what is known before the first observation.
type start struct{ frequency, deviation float64 }

// voice is what the filter knows of one source.
type voice struct {
	law        law
	lastRaw    int64
	systematic float64
	// pull is how far the phase and frequency follow a constant error of this source: 1 and 0 if it is alone.
	pullX, pullY float64
	samples      int
	run          run
	colour       colour
}

// NewFilter makes a filter that knows nothing.
func NewFilter(c Config) *Filter {
	f := &Filter{config: c, start: start{deviation: startFrequency}}
	f.reset()
	return f
}

func (f *Filter) reset() {
	f.bank, f.samples, f.voices, f.watch = nil, 0, map[string]*voice{}, watch{}
}

// Update takes an observation. One that is not newer than the last of its source is refused and changes nothing.
func (f *Filter) Update(o Observation) Verdict {
	if v := f.voices[o.Source]; v != nil && o.Raw <= v.lastRaw {
		return Refused
	}
	if f.samples > 0 && (seconds(o.Raw-f.raw) < -lateBy || math.Abs(float64(o.TAI)-float64(f.tai)) > farthest) {
		return Refused
	}
	o.HalfWidth = min(max(o.HalfWidth, 0), widestHalf)
	if len(f.opening) < openingLength {
		f.opening = append(f.opening, o)
		if reread[len(f.opening)] {
			return f.reopen()
		}
	}
	return f.take(o)
}

func seconds(ns int64) float64 { return float64(ns) * 1e-9 }

// expected is what the driver expects of the scatter, 1σ in s, where that is possible.
func expected(o Observation) float64 { return math.Min(math.Max(o.Noise.Seconds(), 100e-9), 10) }

func (f *Filter) take(o Observation) Verdict {
	v := f.voices[o.Source]
	if v == nil {
		scale := expected(o)
		if len(f.opening) < openingLength {
			scale *= promised // until the first rereading
		}
		v = &voice{law: f.lawOf(o, scale)}
		f.voices[o.Source] = v
	}
	v.lastRaw, v.systematic = o.Raw, o.Systematic.Seconds()
	half := o.HalfWidth.Seconds()
	if f.samples == 0 {
		f.begin(o, v)
		return Accepted
	}
	dt := seconds(o.Raw - f.raw)
	foretold := f.ahead(dt)
	innovation, p := seconds((o.TAI-f.tai)-(o.Raw-f.raw))-foretold.x, foretold.pxx
	verdict := v.run.judge(v, innovation, p, half)
	if v.run.estranged != Accepted {
		return v.run.estranged
	}
	if v.run.length >= jumpAfter && v.samples <= openingLength && len(f.voices) == 1 {
		f.reset() // it began wrong
		f.opening = nil
		return Refused
	}
	late := math.Min(dt, 0)
	if dt > 0 {
		f.advance(o.Raw)
	}
	z := seconds(o.TAI-f.tai) - late
	if verdict == Refused && f.giveWay(v, innovation, p) {
		v.run, verdict, p = run{}, Accepted, f.state.pxx
	}
	if verdict == Refused && v.law.unexplained(innovation, p, half) > 0.5 {
		near := v.law.expand(innovation, p, half)
		f.watch.observe(&v.law, &near, clutter, z, late, half)
		return f.orBroken(v, Refused)
	}
	gx, gy := f.weigh(v, z, late, half)
	for _, other := range f.voices {
		d := -other.pullX - late*other.pullY
		if other == v {
			d++
		}
		other.pullX += gx * d
		other.pullY += gy * d
	}
	v.law.learn(innovation, p, half, v.run.share())
	if verdict == Accepted {
		if dt < f.near() { // a silence says nothing of how often the sources speak
			f.interval += (math.Max(dt, 0) - f.interval) / 8
		}
		f.samples++
		v.samples++
	}
	f.rebase()
	if verdict = f.orBroken(v, verdict); verdict != Broke {
		f.followTrend()
	}
	return verdict
}

// giveWay lets the phase go to a source that is better than what the estimate rests on, if it is not farther away than the
// systematic limits allow: it is not the outlier that the statistics alone would take it for.
func (f *Filter) giveWay(v *voice, innovation, p float64) bool {
	limit := 0.0
	for _, other := range f.voices {
		if other != v {
			limit += math.Abs(other.pullX) * other.systematic
		}
	}
	if limit <= v.systematic || math.Abs(innovation) > limit+v.systematic+5*math.Sqrt(p) {
		return false
	}
	for i := range f.bank {
		f.bank[i].pxx += limit * limit
	}
	f.state.pxx += limit * limit
	f.watch.begin(f.state)
	return true
}

// orBroken replaces the verdict on a lone source's sample where its rate is found to have broken.
func (f *Filter) orBroken(v *voice, verdict Verdict) Verdict {
	if v.samples > openingLength && f.alone(v) {
		if moved, is := f.broken(v); is {
			v.run = run{estranged: Broke, away: moved}
			return Broke
		}
	}
	return verdict
}

// alone reports whether no other source was heard of late.
func (f *Filter) alone(v *voice) bool {
	const late = 600 // s
	for _, other := range f.voices {
		if other != v && seconds(v.lastRaw-other.lastRaw) < late {
			return false
		}
	}
	return true
}

// now is the moment of the epoch.
func (f *Filter) now() moment {
	return moment{f.raw, f.tai, f.celsius, f.warmth}
}

// followTrend ends a block of the trend when it is long enough.
func (f *Filter) followTrend() {
	if !f.Settled() || len(f.opening) < openingLength {
		return
	}
	if f.trend.blocks > 0 && seconds(f.raw-f.trend.last.raw) < blockLeast {
		return
	}
	c := f.state
	if f.trend.blocks == 0 {
		f.trend.begin(f.now(), c)
	} else if seconds(f.raw-f.trend.last.raw) >= blockMemory*math.Sqrt(c.pxx/c.pyy) {
		before := f.trend
		f.before = &before
		f.trend.take(f.now(), c.pxx)
	}
}

// near is how long the bank foretells by itself, in s; what is farther ahead is left to the trend.
func (f *Filter) near() float64 {
	if f.trend.blocks < matureBlocks {
		return math.Inf(1)
	}
	return math.Max(blockLeast, 4*f.interval)
}

// begin takes the very first observation.
func (f *Filter) begin(o Observation, v *voice) {
	half := o.HalfWidth.Seconds()
	r := v.law.variance() + half*half/3
	f.raw, f.tai, f.firstRaw, f.samples = o.Raw, o.TAI, o.Raw, 1
	f.bank = newBank(r, f.start.frequency, f.start.deviation*f.start.deviation)
	if f.remembered != nil {
		f.recall(o, r)
	}
	f.state, f.reach = combined(f.bank), limitSigmas
	f.watch.begin(f.state)
	v.samples, v.pullX = 1, 1
}

// advance moves the whole filter to the count raw.
func (f *Filter) advance(raw int64) {
	dt := seconds(raw - f.raw)
	s := &f.step
	s.set(dt)
	later := moment{raw, f.tai + (raw - f.raw), f.thermometer.celsius, f.thermometer.warmth}
	feed, bridged := 0.0, dt > f.near()
	if f.trend.blocks >= matureBlocks {
		feed = f.trend.change(f.now(), later)
	}
	var c moments
	if bridged {
		c = f.ahead(dt)
	}
	for i := range f.bank {
		m := &f.bank[i]
		m.advance(s)
		if m.fed {
			m.x += feed * dt / 2
			m.y += feed
		}
		if bridged {
			m.x, m.y, m.pxx, m.pxy, m.pyy = c.x, c.y, c.pxx, c.pxy, c.pyy
			m.d, m.pxd, m.pyd, m.pdd = 0, 0, 0, climates[m.climate].sigma*climates[m.climate].sigma
		}
	}
	f.watch.advance(s)
	if bridged {
		f.watch.begin(c)
	}
	for _, v := range f.voices {
		v.pullX += dt * v.pullY
	}
	stay := 1 - switching*math.Min(dt, 10)
	for i := range f.bank {
		m := &f.bank[i]
		m.weight = stay*m.weight + (1-stay)*m.prior
	}
	f.tai += raw - f.raw
	f.raw, f.celsius, f.warmth = raw, later.celsius, later.warmth
	f.state = combined(f.bank)
}

// weigh gives the measurement of the phase z to the bank, and weighs its members by how likely each found it. It returns
// the gains of phase and frequency.
func (f *Filter) weigh(v *voice, z, late, half float64) (gainX, gainY float64) {
	here := f.state.after(late)
	near := v.law.expand(z-here.x, here.pxx, half)
	total := 0.0
	for i := range f.bank {
		m := &f.bank[i]
		p, innovation := m.spread(late), z-m.x-late*m.y
		var density, score, information float64
		if m.weight >= slight {
			density, score, information = v.law.evidence(innovation, p, half)
		} else if d, s, i, ok := near.at(innovation, p, 4); ok {
			density, score, information = d, s, i
		} else {
			density, score, information = v.law.coarse(innovation, p, half)
		}
		gainX += m.weight * (m.pxx + late*m.pxy) * information
		gainY += m.weight * (m.pxy + late*m.pyy) * information
		m.weight *= density
		total += m.weight
		m.observe(late, score, information)
	}
	for i := range f.bank {
		f.bank[i].weight /= total
	}
	f.watch.observe(&v.law, &near, total, z, late, half)
	v.colour.observe(near.score)
	return gainX, gainY
}

// rebase keeps the phases small: whole nanoseconds go to tai.
func (f *Filter) rebase() {
	f.state = combined(f.bank)
	f.reach = f.state.reach(f.bank)
	whole := math.Round(f.state.x * 1e9)
	x := whole * 1e-9
	for i := range f.bank {
		f.bank[i].x -= x
	}
	f.state.x -= x
	f.watch.rebase(x)
	f.span = span{}
	f.tai += int64(whole)
}
