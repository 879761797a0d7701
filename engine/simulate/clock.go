package simulate

import (
	"fmt"
	"math"
	"time"

	"timestation/engine/discipline"
)

// Source is a kind of driver, by what it promises of its samples.
type Source struct {
	Name, Help string
	noise      time.Duration
	exchange   bool
}

// Sources are the kinds of drivers a trace can be heard through.
var Sources = []Source{
	{Name: "pps", Help: "a pulse per second: ref.txt, 1 µs expected", noise: time.Microsecond},
	{Name: "dcf77", Help: "second marks of a long-wave receiver: ref.txt, 5 ms expected", noise: 5 * time.Millisecond},
	{Name: "ntp", Help: "an NTP server: net.txt", noise: 10 * time.Microsecond, exchange: true},
}

// Options say how a trace is run.
type Options struct {
	// Source names one of Sources; empty is pps, or ntp where the trace has no pulses.
	Source string
	// Skip is how many seconds at the start the figures leave out.
	Skip int
	// Each, if set, is called with every second.
	Each func(Second)
}

// Second is one second of a run; the errors are station minus true.
type Second struct {
	Second             int
	ErrorSeconds       float64
	UncertaintySeconds float64
	MaxErrorSeconds    float64
	FrequencyError     float64
	Verdict            discipline.Verdict
	Known, Heard       bool
}

// Figures are how well a run went. Seconds before the first estimate have no bound: they count as the local clock's own
// error, and not in the figures about the bound and the frequency.
type Figures struct {
	Seconds int `json:"seconds"`
	// RMSSeconds and MaxSeconds are of the true error.
	RMSSeconds float64 `json:"rms_seconds"`
	MaxSeconds float64 `json:"max_seconds"`
	// SecondsTo1ms and SecondsTo10us are from the start until the error stays below for 10 min; -1 never.
	SecondsTo1ms  int `json:"seconds_to_1ms"`
	SecondsTo10us int `json:"seconds_to_10us"`
	// InsideBound is the share of seconds in which the 95 % bound held, InsideMax the same of MaxError.
	InsideBound      float64 `json:"inside_bound"`
	InsideMax        float64 `json:"inside_max_error"`
	MeanBoundSeconds float64 `json:"mean_bound_seconds"`
	// FrequencyRMS is of the fractional frequency's error.
	FrequencyRMS float64 `json:"frequency_rms"`
	// Jumped and Broke count the samples with these verdicts.
	Jumped int `json:"jumped"`
	Broke  int `json:"broke"`
}

// staysFor is how long the error must stay below a limit to count as there, in s.
const staysFor = 600

// settling finds the first second from which the error stays below limit for staysFor.
type settling struct {
	limit float64
	since int
	found int
}

func (s *settling) add(second int, error float64) {
	switch {
	case s.found >= 0:
	case !(math.Abs(error) < s.limit):
		s.since = second + 1
	case second-s.since >= staysFor:
		s.found = s.since
	}
}

// sum gathers the figures.
type sum struct {
	n, known, inside, insideMax int
	squares, most, bound, rate  float64
}

// Begin of the simulated world: an ordinary TAI and an arbitrary count of the oscillator, in ns.
const (
	beginTAI = 1_800_000_000_000_000_000
	beginRaw = 86_400_000_000_000
)

// Run lives through a trace second by second: the filter gets what can be heard, and after each second its estimate is
// held against the truth.
func Run(t *Trace, o Options) (Figures, error) {
	source, err := pick(t, o.Source)
	if err != nil {
		return Figures{}, err
	}
	return run(t, o, source, discipline.NewFilter(discipline.Config{WanderPPM: 5})), nil
}

func pick(t *Trace, name string) (Source, error) {
	if name == "" {
		name = "pps"
		if t.Pulse == nil {
			name = "ntp"
		}
	}
	for _, s := range Sources {
		if s.Name == name {
			if s.exchange && t.Up == nil || !s.exchange && t.Pulse == nil {
				return s, fmt.Errorf("--source: the trace has no file that %s could hear", name)
			}
			return s, nil
		}
	}
	return Source{}, fmt.Errorf(`--source: %q is not known; write pps, dcf77 or ntp`, name)
}

// Follower is what is run over a trace: a discipline.Filter, or a reference to judge it by.
type Follower interface {
	Update(discipline.Observation) discipline.Verdict
	Temperature(raw int64, celsius float64)
	At(raw int64) discipline.Estimate
}

func run(t *Trace, o Options, source Source, filter Follower) Figures {
	to1ms, to10us := settling{limit: 1e-3, found: -1}, settling{limit: 10e-6, found: -1}
	var trips discipline.RoundTrips
	var s sum
	var figures Figures
	// The local clock reads true time plus phase; it is kept apart from the seconds, so that no digit is lost.
	phase := t.Offset0
	local := func(second int, more float64) int64 {
		return beginRaw + int64(second)*1e9 + int64(math.Round((phase+more)*1e9))
	}
	known := false
	for k, frequency := range t.Frequency {
		if k < len(t.Temperature) {
			filter.Temperature(local(k, 0), t.Temperature[k])
		}
		row := Second{Second: k + 1}
		if source.exchange && k < len(t.Up) && !math.IsNaN(t.Up[k]) {
			trip := t.Up[k] + t.Down[k]
			server := int64(beginTAI) + int64(k)*1e9 + int64(math.Round(t.Up[k]*1e9))
			row.Verdict = filter.Update(trips.Observation(discipline.Observation{Source: source.Name, Noise: source.noise},
				local(k, 0), local(k, trip*(1+frequency)), server, server, 0, 0))
			row.Heard, known = true, true
		}
		phase += frequency
		if !source.exchange && k < len(t.Pulse) && !math.IsNaN(t.Pulse[k]) {
			row.Verdict = filter.Update(discipline.Observation{Source: source.Name, Noise: source.noise,
				Raw: local(k+1, t.Pulse[k]), TAI: beginTAI + int64(k+1)*1e9})
			row.Heard, known = true, true
		}
		row.Known = known
		if known {
			e := filter.At(local(k+1, 0))
			row.ErrorSeconds = float64(e.TAI-beginTAI-int64(k+1)*1e9) * 1e-9
			row.UncertaintySeconds, row.MaxErrorSeconds = e.Uncertainty95.Seconds(), e.MaxError.Seconds()
			row.FrequencyError = -e.Frequency/(1+e.Frequency) - frequency
		} else {
			row.ErrorSeconds = phase
		}
		to1ms.add(k, row.ErrorSeconds)
		to10us.add(k, row.ErrorSeconds)
		if row.Heard && row.Verdict == discipline.Jumped {
			figures.Jumped++
		}
		if row.Heard && row.Verdict == discipline.Broke {
			figures.Broke++
		}
		if k >= o.Skip {
			s.add(row)
		}
		if o.Each != nil {
			o.Each(row)
		}
	}
	s.into(&figures)
	figures.Seconds = len(t.Frequency)
	figures.SecondsTo1ms, figures.SecondsTo10us = to1ms.found, to10us.found
	return figures
}

func (s *sum) add(row Second) {
	s.n++
	size := math.Abs(row.ErrorSeconds)
	s.squares += size * size
	s.most = math.Max(s.most, size)
	if !row.Known {
		return
	}
	s.known++
	s.bound += row.UncertaintySeconds
	s.rate += row.FrequencyError * row.FrequencyError
	if size <= row.UncertaintySeconds {
		s.inside++
	}
	if size <= row.MaxErrorSeconds {
		s.insideMax++
	}
}

func (s *sum) into(f *Figures) {
	n, known := math.Max(float64(s.n), 1), math.Max(float64(s.known), 1)
	f.RMSSeconds, f.MaxSeconds = math.Sqrt(s.squares/n), s.most
	f.InsideBound, f.InsideMax = float64(s.inside)/known, float64(s.insideMax)/known
	f.MeanBoundSeconds, f.FrequencyRMS = s.bound/known, math.Sqrt(s.rate/known)
}

// KnownSource reports whether a source of that name exists.
func KnownSource(name string) bool {
	for _, s := range Sources {
		if s.Name == name {
			return true
		}
	}
	return false
}

// Outcome names what became of the second's sample.
func (s Second) Outcome() string {
	switch {
	case !s.Heard:
		return "none"
	case s.Verdict == discipline.Refused:
		return "refused"
	case s.Verdict == discipline.Jumped:
		return "jumped"
	case s.Verdict == discipline.Broke:
		return "broke"
	}
	return "accepted"
}
