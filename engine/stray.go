package engine

import (
	"math"
	"time"

	"timestation/refclock"
)

// A source whose rate parts from the oscillator's within seconds has strayed: a receiver that is dragged off does this, and
// a crystal that is heated with a hair dryer. Alone, nobody can tell which of the two it was, so it loses its vote until
//   - its rate is steady again and its time within the station's bound, for steadyAgain: the oscillator may have changed its
//     rate by what it is assumed to wander, and what the two differ by then stands in the source's bound for a day, or
//   - an independent source, whose bias was learned while all was well, agrees with it for agreesAgain, or
//   - a person accepts its time.
const (
	steadyAgain = 10 * time.Minute
	agreesAgain = 30 * time.Minute
	// sameRate is how far a source's rate may move while it counts as steady.
	sameRate = 5e-8
	// onset is how long before it is seen a break may have begun.
	onset = 30 * time.Second
)

// stray is kept of a source that has strayed.
type stray struct {
	// since is the station's time when it was seen.
	since refclock.UTC
	// steady and agrees are the oscillator's counts since when either has been so; 0 while not. rate is the source's when it
	// began to be steady.
	steady, agrees int64
	rate           float64
}

// judgeStrays lets those back that may come back.
func (e *Engine) judgeStrays(raw int64) {
	for _, s := range e.sources {
		if s.broken && s.strayed == nil && !s.CompareOnly {
			e.options.Log.Warn("source strayed: its rate parted from the oscillator's", "source", s.Name)
			s.strayed = &stray{since: e.utc()}
			if e.doubtfulSince == 0 && s.member {
				e.doubtfulSince, e.ownRaw = raw-int64(onset), 0
			}
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
			if e.estimate != nil {
				s.jump = time.Duration(s.fresh.At(raw).TAI - e.own(raw).TAI)
			}
			e.restart(s, true)
			e.doubtfulSince = 0
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

// steady tells whether a strayed source keeps one rate that the oscillator may have taken on, within the station's bound.
func (e *Engine) steady(s *source, raw int64) bool {
	if e.estimate == nil || e.selected != nil && e.selected != s && e.selected.member {
		return false // another source is followed: that one can tell
	}
	own, says := e.own(raw), s.fresh.At(raw)
	if s.strayed.steady == 0 {
		s.strayed.rate = says.Frequency
	}
	wander := e.config.AssumedWanderPPM * 1e-6
	return math.Abs(says.Frequency-s.strayed.rate) < sameRate && math.Abs(says.Frequency-own.Frequency) < wander &&
		time.Duration(says.TAI-own.TAI).Abs() < own.MaxError
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
