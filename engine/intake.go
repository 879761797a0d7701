package engine

import (
	"time"

	"timestation/engine/discipline"
	"timestation/engine/selection"
	"timestation/refclock"
)

// observation turns a sample of any kind into one the estimators take: at a count of the oscillator it was this time.
// It is false for what cannot be used; why is said in the source.
func (e *Engine) observation(s *source, sample refclock.Sample) (discipline.Observation, bool) {
	o := discipline.Observation{Source: s.Name, Noise: sample.Noise, Systematic: sample.Systematic + s.followed}
	switch sample.Kind {
	case refclock.Absolute:
		s.unsure = sample.Unsure
		raw, ok := e.mapper.Raw(sample.Stamp)
		o.Raw, o.TAI, o.HalfWidth = raw, sample.Instant.TAI, sample.HalfWidth
		return o, ok // not where the stamp is from before a step, or not of this clock
	case refclock.Phase:
		return e.numbered(s, o, sample)
	case refclock.Exchange:
		return e.exchanged(s, o, sample)
	}
	return o, false
}

// numbered gives a pulse its second, by what its companion says the time is.
func (e *Engine) numbered(s *source, o discipline.Observation, sample refclock.Sample) (discipline.Observation, bool) {
	raw, ok := e.mapper.Raw(sample.Stamp)
	if !ok || sample.Pulse == nil {
		return o, false
	}
	companion := e.source(sample.Pulse.With)
	if companion == nil {
		s.unusable = "its companion " + sample.Pulse.With + " is not a source of this station"
		return o, false
	}
	if companion.signal.State != refclock.Timing || companion.silent(raw) {
		s.unusable = "waits for " + companion.Name + " to have a timing fix: pulses go on without one"
		return o, false
	}
	says := companion.now(raw)
	tai, ok := selection.Number(says.TAI, says.MaxError, sample.Pulse.Period)
	if !ok || !companion.witness.Settled() {
		s.unusable = "waits for " + companion.Name + " to know the second to " + selection.Span(selection.SecondKnownWithin)
		return o, false
	}
	s.unusable, s.unsure = "", companion.unsure
	o.TAI, o.Raw = tai, raw+int64(e.quantisation(s.voice(), tai))
	return o, true
}

// The TIM-TP corrections kept of one receiver: the next pulse's, and some that came early.
const keepCorrections = 8

// correct keeps what a receiver says of one pulse.
func (e *Engine) correct(s *source, c refclock.PulseCorrection) {
	all := append(e.corrections[s.voice()], c)
	if len(all) > keepCorrections {
		all = all[len(all)-keepCorrections:]
	}
	e.corrections[s.voice()] = all
}

// quantisation is what the receiver said is to be added to the stamp of the pulse at a second; 0 where it said nothing.
func (e *Engine) quantisation(receiver string, tai int64) time.Duration {
	for _, c := range e.corrections[receiver] {
		if c.Second.TAI == tai {
			return c.Quantisation
		}
	}
	return 0
}

// exchanged halves a round trip: the error that this exchange alone may have is half of what it took longer than the
// quickest did, the one they all may share half of the quickest (RFC 5905, section 10).
func (e *Engine) exchanged(s *source, o discipline.Observation, sample refclock.Sample) (discipline.Observation, bool) {
	x := sample.Exchange
	if x == nil {
		return o, false
	}
	sent, ok1 := e.mapper.Raw(x.T1)
	got, ok4 := e.mapper.Raw(x.T4)
	if !ok1 || !ok4 || got < sent {
		return o, false
	}
	s.unproven, s.stratum = !x.Authenticated, x.Stratum
	return s.trips.Observation(o, sent, got, x.T2.TAI, x.T3.TAI, x.RootDelay, x.RootDispersion), true
}
