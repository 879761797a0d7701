package engine

import (
	"math"
	"time"
)

// A source whose rate parts from the oscillator's within seconds has strayed: a receiver that is dragged off does this, and
// a crystal that is heated with a hair dryer. Alone, nobody can tell which of the two it was, so it loses its vote until
//   - its rate is the oscillator's again and its time within the station's bound, for steadyAgain, or
//   - an independent source, whose bias was learned while all was well, agrees with it for agreesAgain, or
//   - a person accepts its time.
const (
	steadyAgain = 10 * time.Minute
	agreesAgain = 30 * time.Minute
	// sameRate is how far apart two rates may be and still count as one.
	sameRate = 2e-8
)

// stray is kept of a source that has strayed.
type stray struct {
	// steady and agrees are the oscillator's counts since when either has been so; 0 while not.
	steady, agrees int64
}

// judgeStrays lets those back that may come back.
func (e *Engine) judgeStrays(raw int64) {
	for _, s := range e.sources {
		if s.broken && s.strayed == nil && !s.CompareOnly {
			e.options.Log.Warn("source strayed: its rate parted from the oscillator's", "source", s.Name)
			s.strayed = &stray{}
			e.save()
		}
		if s.strayed == nil || s.fresh == nil || !s.fresh.Settled() {
			continue
		}
		since(&s.strayed.steady, raw, e.steady(s, raw))
		since(&s.strayed.agrees, raw, e.agreesWithOthers(s, raw))
		if lasted(s.strayed.steady, raw, steadyAgain) || lasted(s.strayed.agrees, raw, agreesAgain) {
			e.options.Log.Warn("source is back on its course", "source", s.Name)
			s.strayed = nil
			e.restart(s)
			e.save()
		}
	}
}

func since(at *int64, raw int64, holds bool) {
	switch {
	case !holds:
		*at = 0
	case *at == 0:
		*at = raw
	}
}

func lasted(since, raw int64, enough time.Duration) bool {
	return since != 0 && time.Duration(raw-since) >= enough
}

// steady tells whether a strayed source has the oscillator's rate again, within the station's bound.
func (e *Engine) steady(s *source, raw int64) bool {
	if e.estimate == nil || e.selected != nil && e.selected != s && e.selected.member {
		return false // another source is followed: that one can tell
	}
	own, says := e.own(raw), s.fresh.At(raw)
	return math.Abs(says.Frequency-own.Frequency) < sameRate && time.Duration(says.TAI-own.TAI).Abs() < own.MaxError
}

// agreesWithOthers tells whether an independent source that is heard says the same as a strayed one.
func (e *Engine) agreesWithOthers(s *source, raw int64) bool {
	says := s.fresh.At(raw)
	for _, other := range e.sources {
		if other.voice() == s.voice() || !other.member || !other.bias.Known() {
			continue
		}
		theirs := other.now(raw)
		apart := time.Duration(says.TAI-theirs.TAI) + other.bias.Mean()
		if apart.Abs() < other.bias.Limit()+theirs.Uncertainty95+says.Uncertainty95 {
			return true
		}
	}
	return false
}

// doubted tells whether a source shares its hardware with one that has strayed or whose jump is held back: what leads one
// astray leads both.
func (e *Engine) doubted(s *source) bool {
	for _, other := range e.sources {
		if other.voice() == s.voice() && !other.CompareOnly && (other.strayed != nil || e.latch.Holds(other.Name)) {
			return true
		}
	}
	return false
}
