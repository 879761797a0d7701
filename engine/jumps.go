package engine

import (
	"time"

	"timestation/engine/guard"
	"timestation/engine/selection"
)

// latch is the configuration of the jump latch.
func (c Config) latch() guard.LatchConfig {
	l := guard.DefaultLatchConfig()
	l.Limit = time.Duration(c.JumpLimitSeconds * 1e9)
	l.Voices, l.ReturnFor = 1, returnAfter
	if c.AcceptJumps == byAgreement {
		l.Release = guard.ByAgreement
	}
	return l
}

func (e *Engine) jumpLimit() time.Duration { return time.Duration(e.config.JumpLimitSeconds * 1e9) }

// judgeJumps looks at the sources that insist on another time than their own past allows. Soon after the lock nobody knows
// which of the two times is right, so nothing is claimed until it has settled; a jump within what the source says of its
// own error, or a small one, is followed. Otherwise the oscillator's word stands against it, and the latch holds until a
// person, or agreement, releases it, or the source comes back.
func (e *Engine) judgeJumps(raw int64) {
	var claims []guard.Claim
	for _, s := range e.sources {
		claim := guard.Claim{Source: s.Name, Receiver: s.Receiver, CompareOnly: s.CompareOnly}
		switch {
		case s.pastless && e.latch.Holds(s.Name):
			if e.locked == 0 || e.estimate == nil || !s.heard || !s.witness.Settled() {
				continue // there is nothing to compare it with
			}
			claim.Offset = time.Duration(s.now(raw).TAI - e.own(raw).TAI)
			if claim.Offset.Abs() < e.own(raw).MaxError+s.now(raw).MaxError {
				claim.Offset = 0
			}
		case s.fresh == nil && s.heard && s.witness.Settled():
			claim.MaxError = s.now(raw).Uncertainty95
		case s.fresh == nil || !s.refusing || s.strayed != nil || s.broken:
			continue
		case e.cold(raw) && !e.latch.Holds(s.Name):
			if s == e.selected {
				e.estimate, e.selected, e.locked, e.lapsed = nil, nil, 0, true
			} else if s.fresh.Settled() {
				e.restart(s)
			}
			continue
		case s.fresh.Settled():
			old, says := s.now(raw), s.fresh.At(raw)
			claim.Offset = time.Duration(says.TAI - old.TAI)
			claim.MaxError = says.Uncertainty95 + old.Uncertainty95
			if claim.Offset.Abs() < s.systematic && !e.latch.Holds(s.Name) {
				e.restart(s)
				continue
			}
		default:
			continue
		}
		claims = append(claims, claim)
	}
	if e.locked != 0 {
		claims = append(claims, guard.Claim{Source: guard.TheVote, Offset: e.parted})
	}
	var bound time.Duration
	if e.estimate != nil {
		bound = e.own(raw).MaxError
	}
	latched, released := e.latch.Judge(e.utc(), time.Duration(raw), bound, claims)
	for _, h := range latched {
		e.options.Log.Warn("jump not followed", "reason", h.Explain())
	}
	for _, r := range released {
		if s := e.source(r.Source); s != nil {
			s.pastless = false
		}
		e.options.Log.Warn("jump released", "source", r.Source, "how", r.How, "by", r.By)
		if r.How == guard.ReleasedAgreement {
			e.accept(r.Source)
		}
	}
	for _, s := range e.sources {
		if s.fresh != nil && s.fresh.Settled() && s.refusing && !e.latch.Holds(s.Name) && s.strayed == nil && !s.broken {
			e.restart(s)
		}
	}
	if len(latched)+len(released) > 0 {
		e.save()
	}
}

// restart judges a source by its new time.
func (e *Engine) restart(s *source) {
	e.options.Log.Warn("source jumped; it is judged by its new time", "source", s.Name, "by", s.offset)
	s.witness, s.fresh = s.fresh, nil
	s.refused, s.refusing, s.broken = 0, false, false
	e.drift.Forget(s.Name)
	e.pulled = e.pulled || s == e.selected
}

// accept takes the new time of a source, or of the vote as a whole, for good.
func (e *Engine) accept(name string) {
	for _, s := range e.sources {
		if name != guard.TheVote && s.Name != name {
			continue
		}
		if s.fresh != nil && s.fresh.Samples() > 0 {
			s.witness, s.fresh = s.fresh, nil
			s.refused, s.refusing, s.broken = 0, false, false
		} else if name != guard.TheVote {
			e.forget(s)
		}
		s.bias, s.strayed, s.pastless = selection.Bias{}, nil, false
		e.drift.Forget(s.Name)
	}
	e.accepted++
	e.estimate, e.selected, e.anchor, e.locked, e.parted, e.lapsed = nil, nil, nil, 0, 0, true
}

// cold tells that the station was not locked yet, or so lately that a receiver may still be correcting itself.
func (e *Engine) cold(raw int64) bool {
	return e.locked == 0 || time.Duration(raw-e.locked) < coldFor
}

// mayFollow tells whether the time as a whole may move further than its own bound allows: soon after the lock, or because
// the configuration lets independent sources decide.
func (e *Engine) mayFollow(raw int64) bool {
	if e.cold(raw) {
		return true
	}
	return e.config.AcceptJumps == byAgreement && e.vote.Voices >= 2
}
