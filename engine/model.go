package engine

import (
	"time"

	"timestation/engine/discipline"
	"timestation/engine/guard"
	"timestation/engine/status"
	"timestation/refclock"
)

var zeroInstant refclock.Instant

// renew votes and publishes the model of the last reading.
func (e *Engine) renew() *status.Status {
	if lost := e.dropped.Load(); lost != e.lost {
		e.options.Log.Warn("samples came faster than they could be taken", "lost", lost-e.lost)
		e.lost = lost
	}
	raw := e.last.Raw
	e.feel(raw)
	e.judge(raw)
	e.learn(raw)
	s := e.model(raw)
	e.watch(s)
	for _, src := range e.sources {
		s.Sources = append(s.Sources, src.describe(raw, e.origin))
	}
	s.Alerts = e.alerts.List()
	e.board.Publish(s)
	return s
}

// model is what the station knows at a count of the oscillator.
func (e *Engine) model(raw int64) *status.Status {
	e.number++
	s := &status.Status{
		Generation:    e.number,
		Epoch:         e.last.Realtime,
		MaxErrorLimit: time.Duration(e.config.MaxErrorSeconds * 1e9),
		State:         e.state,
		Reason:        e.reason,
		Vote:          e.vote.Sentence,
		Unseen:        e.alone,
		Stratum:       status.Stratum16,
		Demonstration: e.options.Demonstration,
	}
	if e.estimate != nil {
		est := e.own(raw)
		s.EpochInstant = e.leaps.FromTAI(est.TAI)
		s.Rate = (1+est.Frequency)/(1+e.mapper.RealtimeRate()) - 1
		s.FrequencyPPM = -est.Frequency * 1e6
		s.Uncertainty95, s.Uncertainty95Growth = est.Uncertainty95, est.Uncertainty95Growth
		s.MaxError, s.MaxErrorGrowth = est.MaxError+e.last.Width/2, est.MaxErrorGrowth
		e.tellLeap(s)
		s.Since = e.since
		if e.selected != nil {
			s.ReferenceTime = e.leaps.FromTAI(e.estimate.At(e.selected.lastRaw).TAI)
		}
		if e.state != status.Unsynchronised && e.selected != nil {
			s.Stratum, s.Selected = 1, e.selected.Name
			copy(s.ReferenceID[:], e.selected.ReferenceID)
			if e.selected.stratum > 0 {
				s.Stratum, s.ReferenceID = e.selected.stratum+1, e.selected.serverID()
			}
		}
	}
	if e.options.Demonstration {
		s.ReferenceID = [4]byte{'D', 'E', 'M', 'O'}
	}
	s.TemperatureCelsius, s.TemperatureKnown = e.celsius, e.warm
	return s
}

// own is what the station's estimate says of the count raw; it is worked out once for each.
func (e *Engine) own(raw int64) discipline.Estimate {
	if e.ownRaw != raw || e.ownOf != e.estimate {
		e.ownIs, e.ownRaw, e.ownOf = e.estimate.At(raw), raw, e.estimate
		if e.doubtfulSince != 0 { // the oscillator may have changed its rate by as much as is assumed possible
			wander := e.config.AssumedWanderPPM * 1e-6
			more := time.Duration(float64(raw-e.doubtfulSince) * wander)
			e.ownIs.MaxError += more
			e.ownIs.Uncertainty95 += more
			e.ownIs.MaxErrorGrowth += wander
			e.ownIs.Uncertainty95Growth += wander
		}
	}
	return e.ownIs
}

// feel reads the temperature now and then.
func (e *Engine) feel(raw int64) {
	const every = 10 * time.Second // a crystal in a case does not follow faster
	if e.options.Temperature == nil || e.felt != 0 && time.Duration(raw-e.felt) < every {
		return
	}
	e.celsius, e.warm = e.options.Temperature()
	e.felt = raw
	if !e.warm {
		return
	}
	for _, s := range e.sources {
		s.witness.Temperature(raw, e.celsius)
	}
	if e.estimate != nil {
		e.estimate.Temperature(raw, e.celsius)
	}
}

// learn looks at what the sources differ by: the constant part is learned as their bias, never while anything is doubted;
// what drifts is the guard's.
func (e *Engine) learn(raw int64) {
	dt := time.Duration(raw - e.learned)
	if dt < learnEvery {
		return
	}
	first := e.learned == 0
	e.learned = raw
	if first || e.estimate == nil || e.selected == nil {
		return
	}
	own := e.own(raw)
	calm := e.state == status.Synchronised && e.selected == e.anchor && len(e.latch.Held()) == 0 && len(e.drift.Alarms()) == 0
	for _, s := range e.sources {
		if calm && s.member && s != e.anchor && s.row > 0 {
			s.bias.Learn(e.anchor.Name, e.anchor.systematic, time.Duration(s.now(raw).TAI-own.TAI), dt)
		}
	}
	e.compare(raw)
}

// accused tells whether a source is part of a drift that stands.
func (e *Engine) accused(name string) bool {
	for _, d := range e.drift.Alarms() {
		if d.A == name || d.B == name {
			return true
		}
	}
	return false
}

// compare lets the guard look for a source that drifts off.
func (e *Engine) compare(raw int64) {
	var tracked []guard.Tracked
	for _, s := range e.sources {
		// One that is far off from one moment to the next is no drift: the vote and the latch say what there is to say.
		drifts := s.member || s.CompareOnly || s.strayed != nil || e.vote.Contradiction || e.accused(s.Name)
		if s.heard && !s.silentFor(raw) && drifts && !e.latch.Holds(s.Name) {
			tracked = append(tracked, guard.Tracked{
				Source: s.Name, Receiver: s.Receiver, Systematic: s.systematic, CompareOnly: s.CompareOnly,
			})
		}
	}
	e.alone = e.drift.Alone(tracked)
	if e.drift.Compare(e.utc(), raw, tracked) {
		e.save()
	}
}
