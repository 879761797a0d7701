package engine

import (
	"fmt"
	"time"

	"timestation/engine/guard"
	"timestation/engine/selection"
	"timestation/engine/status"
)

// provisional is how long two sources must have been heard together for the bias between them to be good enough to let
// both move the time; to narrow a bound it takes longer.
const provisional = time.Minute

// judge votes, and decides what the station claims to know.
func (e *Engine) judge(raw int64) {
	e.judgeJumps(raw)
	e.judgeStrays(raw)
	e.vote = e.ballot(raw)
	state, reason := status.Unsynchronised, ""
	switch {
	case e.vote.Selected != "" && e.follows(raw):
		state = status.Synchronised
	case e.vote.Contradiction:
		reason = "the sources contradict each other"
	case e.vote.Wanting:
		reason = e.vote.Sentence
		if e.estimate != nil && e.locked != 0 {
			state = status.Holdover
		}
	case e.estimate != nil && e.locked != 0:
		state, reason = status.Holdover, e.whyHoldover(raw)
	default:
		reason = e.nothingKnown()
	}
	if state != status.Unsynchronised {
		if bound := e.own(raw).MaxError; bound.Seconds() > e.config.MaxErrorSeconds {
			state, reason = status.Unsynchronised, fmt.Sprintf("the error bound has passed %g s", e.config.MaxErrorSeconds)
		}
	}
	if why := e.tooSoon(raw); state == status.Synchronised && why != "" {
		state, reason = e.state, why // what was claimed before is still claimed, or still not
	}
	switch {
	case state == status.Unsynchronised && e.state != status.Unsynchronised:
		e.lapsed = true
	case state == status.Synchronised:
		e.lapsed = false
		if e.locked == 0 {
			e.locked = raw
		}
	}
	e.enter(state, reason, raw)
}

// ballot collects the sources' claims and counts them.
func (e *Engine) ballot(raw int64) selection.Result {
	var base int64
	if e.estimate != nil {
		base = e.own(raw).TAI
	}
	var candidates []selection.Candidate
	for _, s := range e.sources {
		s.member = false
		if s.unsure && e.confirmed(s, raw) {
			s.unsure = false
		}
		s.verdict, s.why = s.withoutVote(raw)
		if e.latch.Holds(s.Name) && s.verdict == "" {
			s.verdict = status.Falseticker
			s.why = "it jumped, and nobody has accepted its new time (timestation accept-jump)"
		} else if s.verdict == "" && e.doubted(s) {
			s.verdict, s.why = status.Falseticker, "it is of the same receiver as a source that is not believed"
		}
		if s.verdict != "" {
			continue
		}
		if base == 0 {
			base = s.now(raw).TAI
		}
		candidates = append(candidates, e.claim(s, raw, base))
	}
	followed := ""
	if e.selected != nil {
		followed = e.selected.Name
	}
	policy := selection.Policy{Voices: e.config.RequiredSources}
	result := selection.Select(candidates, followed, policy)
	if result.Contradiction { // the oscillator's word decides, where it is plain who left his course
		if left, named := e.withoutSuspects(candidates); named {
			result = selection.Select(left, followed, policy)
		}
	}
	if result.Contradiction {
		e.contradicted = raw
	}
	for _, s := range e.sources {
		if v, ok := result.Verdicts[s.Name]; ok {
			s.verdict, s.why = v.State, v.Explanation
		}
	}
	for _, name := range result.Members {
		e.source(name).member = true
	}
	return result
}

// withoutSuspects leaves out the sources that the guard has seen drifting off, where others are left.
func (e *Engine) withoutSuspects(candidates []selection.Candidate) (left []selection.Candidate, named bool) {
	suspects := map[string]string{}
	for _, d := range e.drift.Alarms() {
		if d.Suspect != "" {
			suspects[d.Suspect] = d.Explain()
		}
	}
	for _, c := range candidates {
		why, suspect := suspects[c.Name]
		if !suspect {
			left = append(left, c)
			continue
		}
		s := e.source(c.Name)
		s.verdict, s.why = status.Falseticker, why
	}
	return left, len(left) > 0 && len(left) < len(candidates)
}

// claim is what a source says of the time against base. While the source that its bias was learned against is silent, the
// bias is taken off; as long as that one speaks for itself, each has its own word.
func (e *Engine) claim(s *source, raw, base int64) selection.Candidate {
	est := s.now(raw)
	c := selection.Candidate{
		Name: s.Name, Receiver: s.Receiver, CompareOnly: s.CompareOnly, Unproven: s.unproven,
		Offset: time.Duration(est.TAI - base), MaxError: est.MaxError,
	}
	if subtract, limit := s.bias.Correct(s.systematic); limit != s.systematic && !s.CompareOnly && e.anchorSilent(raw) {
		c.Offset -= subtract
		c.MaxError = max(est.MaxError-s.systematic+limit, est.Uncertainty95)
	}
	return c
}

func (e *Engine) anchorSilent(raw int64) bool {
	return e.anchor != nil && !e.anchor.member && (e.anchor.silent(raw) || e.doubted(e.anchor))
}

// confirmed tells whether something else here knows to a second that an unsure source is right: the station's own time,
// another source that is sure, or this machine's clock, which a battery or another daemon may have kept.
func (e *Engine) confirmed(s *source, raw int64) bool {
	says := s.now(raw).TAI
	near := func(tai int64) bool { return time.Duration(says-tai).Abs() < time.Second }
	if e.estimate != nil && e.locked != 0 {
		return near(e.own(raw).TAI)
	}
	for _, other := range e.sources {
		if other != s && !other.unsure && !other.silent(raw) && other.witness.Settled() && other.voice() != s.voice() {
			return near(other.now(raw).TAI)
		}
	}
	utc := e.leaps.FromTAI(says).UTC()
	return time.Duration(utc.Seconds*1e9+int64(utc.Nanoseconds)-int64(e.last.Realtime)).Abs() < time.Second
}

// follows lets the station's time follow what was selected, unless that would be a jump after lock.
func (e *Engine) follows(raw int64) bool {
	s := e.source(e.vote.Selected)
	e.parted = 0
	if e.estimate != nil && e.locked != 0 {
		says, own := e.claim(s, raw, e.own(raw).TAI), e.own(raw)
		if e.latch.Holds(guard.TheVote) {
			e.parted = says.Offset
			return false
		}
		if says.Offset.Abs() > own.MaxError+says.MaxError+e.jumpLimit() && !e.mayFollow(raw) {
			e.parted = says.Offset
			return false
		}
		if better := keepFactor*says.MaxError.Seconds() < own.MaxError.Seconds(); !better && !e.pulled {
			e.selected = s
			return true
		}
	}
	e.adopt(s, raw)
	return true
}

// keepFactor is how much better a source's own estimate must be before the station's is replaced by it.
const keepFactor = 1.5

// adopt takes the station's time from one source's estimate: at the first lock, and when a source knows it far better
// than the station does, as after a holdover.
func (e *Engine) adopt(s *source, raw int64) {
	estimate := s.witness.Clone()
	if subtract, limit := s.bias.Correct(s.systematic); limit != s.systematic && e.anchorSilent(raw) {
		estimate.Shift(-subtract, limit)
	} else {
		e.anchor = s
	}
	e.estimate, e.selected, e.pulled, e.doubtfulSince = estimate, s, false, 0
}

// tooSoon says why a time that was lost is not claimed again yet: sources that contradicted each other must have agreed,
// and a source that nothing checks must have been consistent, for a while.
func (e *Engine) tooSoon(raw int64) string {
	if e.contradicted != 0 && time.Duration(raw-e.contradicted) < settledAfter {
		return fmt.Sprintf("the sources contradicted each other a moment ago: they are believed after %.0f min of agreement", settledAfter.Minutes())
	}
	if !e.lapsed && e.state != status.Holdover || e.selected == nil || e.vote.Voices > 1 {
		return ""
	}
	if left := returnAfter - time.Duration(raw-e.selected.consistent); left > 0 {
		return fmt.Sprintf("%s is back and alone: it is believed after %.0f s of agreement with itself", e.selected.Name, returnAfter.Seconds())
	}
	return ""
}

// whyHoldover says why nothing is followed any more.
func (e *Engine) whyHoldover(raw int64) string {
	for _, s := range e.sources {
		switch {
		case s.refusing && s.broken:
			return s.Name + "'s rate broke away, and alone that cannot be told from the oscillator's; the oscillator carries the time"
		case e.latch.Holds(s.Name) || s.refusing && s.verdict == status.Falseticker:
			return s.Name + ": " + s.why + "; the oscillator carries the time"
		}
	}
	if e.latch.Holds(guard.TheVote) || e.parted != 0 {
		return "the sources together have moved by " + selection.Span(e.parted) + " and are not followed; the oscillator carries the time"
	}
	for _, s := range e.sources {
		if s.refused > 0 && !s.silentFor(raw) {
			return s.Name + ": " + s.whyRefused() + "; the oscillator carries the time"
		}
	}
	return "no source is heard; the oscillator carries the time"
}

// nothingKnown says what the station waits for.
func (e *Engine) nothingKnown() string {
	for _, s := range e.sources {
		if s.verdict == status.Settling {
			return s.Name + " is " + s.why
		}
	}
	for _, s := range e.sources {
		if s.why != "" {
			return s.Name + ": " + s.why
		}
	}
	return "no source has been heard yet"
}

func (e *Engine) enter(state status.State, reason string, raw int64) {
	if state != e.state {
		e.options.Log.Info("state", "from", e.state, "to", state, "reason", reason)
		e.state, e.since = state, zeroInstant
	}
	if e.since.IsZero() && e.estimate != nil {
		e.since = e.leaps.FromTAI(e.own(raw).TAI)
	}
	e.reason = reason
}
