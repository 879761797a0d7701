package engine

import (
	"fmt"
	"time"

	"timestation/engine/guard"
	"timestation/engine/selection"
	"timestation/engine/status"
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
		if s.followed > 0 && time.Duration(raw-s.followedRaw) > aDay {
			s.followed = 0
			e.alerts.Clear("jump-followed", s.Name)
		}
		claim := guard.Claim{Source: s.Name, Receiver: s.Receiver, CompareOnly: s.CompareOnly}
		switch {
		case e.latch.Holds(s.Name):
			// Against the station's time, not against its own past: that one's bound grows and would swallow the jump.
			says := s.fresh
			if says == nil {
				says = s.witness
			}
			if e.estimate == nil || e.locked == 0 || !s.heard || s.silentFor(raw) || !says.Settled() {
				continue // there is nothing to compare, or nothing to compare it with
			}
			at := says.At(raw)
			claim.MaxError = at.Uncertainty95
			claim.Offset = s.charged(time.Duration(at.TAI-e.own(raw).TAI)-s.usual, at.Uncertainty95+e.own(raw).Uncertainty95)
		case s.fresh == nil && s.heard && s.witness.Settled():
			claim.MaxError = s.now(raw).Uncertainty95
		case s.fresh == nil || !s.refusing || s.strayed != nil || s.broken:
			continue
		case e.cold(raw) && !e.latch.Holds(s.Name):
			if s == e.selected {
				e.estimate, e.selected, e.locked, e.lapsed = nil, nil, 0, true
			} else if s.fresh.Settled() {
				e.restart(s, false)
			}
			continue
		case s.fresh.Settled():
			old, says := s.now(raw), s.fresh.At(raw)
			s.jump = time.Duration(says.TAI - old.TAI)
			claim.MaxError = says.Uncertainty95 + old.Uncertainty95
			claim.Offset = s.charged(s.jump, 0)
			if s.jump.Abs()+s.followed < s.systematic-s.followed {
				e.restart(s, s.jump.Abs() > e.bound(raw))
				continue
			}
			if e.estimate != nil {
				s.usual = time.Duration(old.TAI - e.own(raw).TAI)
			}
		default:
			continue
		}
		claims = append(claims, claim)
	}
	if e.locked != 0 {
		claims = append(claims, guard.Claim{Source: guard.TheVote, Offset: e.parted})
	}
	latched, released := e.latch.Judge(e.utc(), time.Duration(raw), e.bound(raw), claims)
	for _, h := range latched {
		e.options.Log.Warn("jump not followed", "reason", h.Explain())
	}
	for _, r := range released {
		e.options.Log.Warn("jump released", "source", r.Source, "how", r.How, "by", r.By)
		switch s := e.source(r.Source); {
		case r.How == guard.ReleasedAgreement:
			e.accept(r.Source)
		case s != nil && s.fresh != nil: // it is back, and judged by what it says now
			e.restart(s, false)
		}
	}
	for _, s := range e.sources {
		if s.fresh != nil && s.fresh.Settled() && s.refusing && !e.latch.Holds(s.Name) && s.strayed == nil && !s.broken {
			e.restart(s, s.jump.Abs() > e.bound(raw))
		}
	}
	if len(latched)+len(released) > 0 {
		e.save()
	}
}

// bound is the station's own error bound; 0 before it has a time.
func (e *Engine) bound(raw int64) time.Duration {
	if e.estimate == nil {
		return 0
	}
	return e.own(raw).MaxError
}

// charged adds to how far a source is from its old time what it was allowed before: a staircase of small jumps is a large
// one. A source that is back within noise is back.
func (s *source) charged(off, noise time.Duration) time.Duration {
	switch {
	case off > noise:
		return off + s.followed
	case off < -noise:
		return off - s.followed
	}
	return off
}

// aDay is for how long a jump that was followed counts against its source.
const aDay = 24 * time.Hour

// restart judges a source by its new time. A jump that is followed after the station was locked, and that the oscillator
// cannot have made, is a doubt about the source: for a day it stands in its bound.
func (e *Engine) restart(s *source, doubtful bool) {
	e.options.Log.Warn("source jumped; it is judged by its new time", "source", s.Name, "by", s.jump)
	if doubtful && e.locked != 0 && !e.cold(e.last.Raw) {
		s.followed, s.followedRaw = s.followed+s.jump.Abs(), e.last.Raw
		e.alerts.Raise(status.Alert{
			Code: "jump-followed", Source: s.Name, Severity: status.Warning,
			Text: fmt.Sprintf("%s has moved by %s, less than the limit, and is followed; the jump stands in its error bound for a day.", s.Name, selection.Span(s.jump)),
			Mend: "compare it with another clock if it happens again",
		})
	}
	s.jump = 0
	s.witness, s.fresh = s.fresh, nil
	s.refused, s.refusing, s.broken = 0, false, false
	e.drift.Forget(s.Name)
	e.pulled = e.pulled || s == e.selected
}

// accept takes the new time of a source, or of the vote as a whole, for good.
func (e *Engine) accept(name string) {
	receiver := ""
	if s := e.source(name); s != nil {
		receiver = s.voice()
	}
	for _, s := range e.sources {
		if name != guard.TheVote && s.voice() != receiver {
			continue // its companions jumped with it
		}
		if s.fresh != nil && s.fresh.Samples() > 0 {
			s.witness, s.fresh = s.fresh, nil
			s.refused, s.refusing, s.broken = 0, false, false
		} else if name != guard.TheVote {
			e.forget(s)
		}
		s.bias, s.strayed, s.jump, s.usual, s.followed = selection.Bias{}, nil, 0, 0, 0
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
