package discipline

import (
	"math"
	"time"
)

// State is what a filter has learned and what the next one may start from: the oscillator and the sources' noise. It is
// some kilobytes of JSON.
type State struct {
	// Raw and TAI are the last estimate: at the oscillator's count Raw (ns) it was TAI (ns), to Uncertainty (1σ).
	Raw         int64         `json:"raw"`
	TAI         int64         `json:"tai"`
	Uncertainty time.Duration `json:"uncertainty_ns"`
	// Frequency is how many seconds TAI gained on the oscillator in one of its seconds, to FrequencyUncertainty (1σ).
	Frequency            float64 `json:"frequency"`
	FrequencyUncertainty float64 `json:"frequency_uncertainty"`
	// Wander are the weights of the bank's members.
	Wander []float64 `json:"wander"`
	// Laws are the sources' noise, by name.
	Laws map[string]SavedLaw `json:"laws,omitempty"`
	// Trends are the kinds of long-term course that are still thought possible; Blocks is what they rest on.
	Trends []SavedTrend `json:"trends,omitempty"`
	Blocks int          `json:"blocks,omitempty"`
	// ZeroCelsius is the temperature that the trends count from, while TemperatureKnown.
	ZeroCelsius      float64 `json:"zero_celsius"`
	TemperatureKnown bool    `json:"temperature_known"`
}

// SavedLaw is the noise of one source: a mixture of Gaussians, and how many samples it was learned from.
type SavedLaw struct {
	Parts   []part  `json:"parts"`
	Learned float64 `json:"learned"`
}

// SavedTrend is one kind of long-term course.
type SavedTrend struct {
	Kind   int     `json:"kind"`
	Weight float64 `json:"weight"`
	// Levels are the weights of the wander levels.
	Levels []float64 `json:"levels"`
	// Mean and Covariance are of the frequency, the day's cosine and sine, the frequency per °C, and the parts of the flicker.
	Mean       [trendWide - 1]float64                `json:"mean"`
	Covariance [trendWide - 1][trendWide - 1]float64 `json:"covariance"`
}

const (
	// coldBoot is how far off the frequency may be after a power cut, 1σ: the crystal is cold.
	coldBoot = 1e-6
	// lawKept is how many samples a law from before counts for at most.
	lawKept = 10000
)

// Save gives what has been learned; before the first observation, what was restored.
func (f *Filter) Save() State {
	if f.samples == 0 {
		if f.remembered != nil {
			return *f.remembered
		}
		return State{}
	}
	s := State{
		Raw: f.raw, TAI: f.tai, Uncertainty: duration(math.Sqrt(f.state.pxx)),
		Frequency: f.state.y, FrequencyUncertainty: math.Sqrt(f.state.pyy),
		Laws:             map[string]SavedLaw{},
		TemperatureKnown: f.thermometer.known, ZeroCelsius: f.thermometer.first,
	}
	for i := range f.bank {
		s.Wander = append(s.Wander, f.bank[i].weight)
	}
	if f.remembered != nil {
		for name, l := range f.remembered.Laws {
			s.Laws[name] = l
		}
	}
	for name, v := range f.voices {
		s.Laws[name] = SavedLaw{append([]part(nil), v.law.parts[:]...), v.law.learned}
	}
	if f.trend.blocks > 0 {
		s.Trends, s.Blocks = f.trend.save(), f.trend.blocks
	}
	return s
}

// Restore makes the filter start anew from what another learned. The phase is not restored; the frequency is, with a
// bound that is widened by the time between the state and the first observation, and by more where the oscillator did
// not run through.
func (f *Filter) Restore(s State) {
	f.reset()
	f.opening, f.trend, f.remembered = nil, trend{}, nil
	if s.TAI == 0 || len(s.Wander) != bankSize {
		f.start = start{deviation: startFrequency}
		return
	}
	f.remembered = &s
	f.thermometer = thermometer{}
	if s.TemperatureKnown {
		f.thermometer.first, f.thermometer.anchored = s.ZeroCelsius, true
	}
	f.start = start{s.Frequency, math.Min(s.FrequencyUncertainty+coldBoot, startFrequency)}
}

// recall takes what was restored into account when the first observation is there and tells how long ago it was.
func (f *Filter) recall(o Observation, r float64) {
	s := f.remembered
	away := seconds(o.TAI - s.TAI)
	if !(away > -1) { // the saved state is of the future: one of the two times is wrong, and the frequency may still be right
		away = dayLength
	}
	away = math.Max(away, 0)
	// An oscillator that ran through has counted that time.
	cold := 0.0
	if counted := seconds(o.Raw - s.Raw); !(math.Abs(counted-away) < 1e-3*away+1) {
		cold = coldBoot
	}
	var q float64
	for i := range f.bank {
		f.bank[i].weight = 0.99*s.Wander[i] + 0.01*f.bank[i].prior
		q += s.Wander[i] * f.bank[i].q
	}
	now := moment{o.Raw, o.TAI, f.thermometer.celsius, f.thermometer.warmth}
	y, variance := s.Frequency, s.FrequencyUncertainty*s.FrequencyUncertainty+q*away
	if s.Trends != nil {
		c := moments{y: y, pxx: r, pyy: coldBoot * coldBoot}
		f.trend.begin(now, c)
		f.trend.restore(s.Trends, away, cold, r)
		f.trend.blocks = s.Blocks
		c = f.trend.rate(now)
		if s.Blocks >= matureBlocks && away > 2*blockLeast {
			y, variance = c.y, c.pyy
		}
	}
	variance += cold * cold
	variance = math.Min(variance, startFrequency*startFrequency)
	f.start = start{y, math.Sqrt(variance)}
	for i := range f.bank {
		f.bank[i].y, f.bank[i].pyy = y, variance
	}
}

// save collapses each kind's levels to one mean and covariance.
func (t *trend) save() (saved []SavedTrend) {
	for kind := range 4 * trendKinds {
		members := t.kind(kind)
		s := SavedTrend{Kind: kind}
		for i := range members {
			s.Weight += members[i].weight
		}
		if s.Weight < 1e-3 {
			continue
		}
		for i := range members {
			m := &members[i]
			w := m.weight / s.Weight
			s.Levels = append(s.Levels, w)
			for j := range s.Mean {
				s.Mean[j] += w * m.mean[1+j]
			}
		}
		for i := range members {
			m := &members[i]
			w := m.weight / s.Weight
			for j := range s.Mean {
				for k := range s.Mean {
					s.Covariance[j][k] += w * (m.cov[1+j][1+k] + (m.mean[1+j]-s.Mean[j])*(m.mean[1+k]-s.Mean[k]))
				}
			}
		}
		saved = append(saved, s)
	}
	return saved
}

// restore takes back what save gave, away seconds ago, with the frequency changed by up to cold (1σ) since.
func (t *trend) restore(saved []SavedTrend, away, cold, r float64) {
	total := 0.0
	for i := range t.members {
		t.members[i].weight *= 1e-3
		total += t.members[i].weight
	}
	for _, s := range saved {
		if s.Kind < 0 || s.Kind >= 4*trendKinds || len(s.Levels) != len(t.kind(s.Kind)) {
			continue
		}
		members := t.kind(s.Kind)
		for i := range members {
			m := &members[i]
			m.weight += s.Weight * s.Levels[i]
			total += s.Weight * s.Levels[i]
			m.trendState = trendState{}
			for j := range m.size - 1 {
				m.mean[1+j] = s.Mean[j]
				for k := range m.size - 1 {
					m.cov[1+j][1+k] = s.Covariance[j][k]
				}
			}
			m.cov[0][0] = r
			m.cov[1][1] += m.q*away + cold*cold
			m.cov[2][2] += m.walk * away
			m.cov[3][3] += m.walk * away
			m.fade(away)
		}
	}
	for i := range t.members {
		t.members[i].weight /= total
	}
	t.sum()
}

// fade lets the flicker go on unheard.
func (m *trendMember) fade(away float64) {
	for i := trendNarrow; i < m.size; i++ {
		keep := math.Exp(-away / flickerMemories[i-trendNarrow])
		m.mean[i] *= keep
		for j := range m.size {
			m.cov[i][j] *= keep
			m.cov[j][i] *= keep
		}
		m.cov[i][i] += m.flicker * (1 - keep*keep)
	}
}

// lawOf is the law a source starts with: the one restored, unless its samples now scatter quite differently.
func (f *Filter) lawOf(o Observation, scale float64) law {
	l := firstLaw(scale)
	if f.remembered == nil {
		return l
	}
	s, ok := f.remembered.Laws[o.Source]
	if !ok || len(s.Parts) != lawParts {
		return l
	}
	var old law
	copy(old.parts[:], s.Parts)
	old.learned = math.Min(s.Learned, lawKept)
	old.restart()
	if ratio := math.Sqrt(old.variance()) / scale; len(f.opening) >= openingLength/2 && (ratio > 5 || ratio < 0.2) {
		return l
	}
	return old
}

// Forget drops the phase, and keeps what is known of the oscillator and of the sources' noise: after a suspend, or when a
// person accepted a source's jump.
func (f *Filter) Forget() { f.Restore(f.Save()) }
