package engine

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"timestation/engine/clock"
	"timestation/engine/discipline"
	"timestation/engine/guard"
	"timestation/engine/leap"
	"timestation/engine/selection"
	"timestation/engine/status"
	"timestation/refclock"
)

// Options are what a station gives the engine beside its configuration.
type Options struct {
	Clock clock.Source
	Leap  *leap.Table
	Log   *slog.Logger
	// Temperature reads the sensor nearest to the oscillator; nil where there is none.
	Temperature func() (celsius float64, ok bool)
	// Demonstration marks every status, and answers under the reference ID DEMO.
	Demonstration bool
}

// Engine keeps the station's time. It is a refclock.Sink for the drivers.
type Engine struct {
	config  Config
	options Options
	alerts  *guard.Alerts
	board   status.Board
	events  chan event
	dropped atomic.Uint64

	// What follows belongs to the loop alone.
	mapper   clock.Mapper
	last     clock.Reading
	sources  []*source
	followed *source
	state    status.State
	reason   string
	since    refclock.Instant
	number   uint64
	// began is the oscillator's count at the start, and locked at the first lock; 0 before.
	began, locked int64
	lost          uint64 // of dropped, what has been reported
	// origin is what the sources' phases are counted from: the first sample's.
	origin int64
	// celsius is the last temperature, read at the oscillator's count felt.
	celsius float64
	warm    bool
	felt    int64
}

type event struct {
	sample *refclock.Sample
	signal *refclock.Signal
}

// New makes an engine; config must be valid.
func New(config Config, sources []SourceConfig, options Options) *Engine {
	e := &Engine{
		config: config, options: options,
		events: make(chan event, queue),
		state:  status.Unsynchronised, reason: "no source has been heard yet",
	}
	e.alerts = guard.NewAlerts(e.utc)
	for _, s := range sources {
		src := &source{SourceConfig: s, signal: refclock.Signal{Source: s.Name, State: refclock.Waiting}}
		src.forget(e.assumptions())
		e.sources = append(e.sources, src)
	}
	return e
}

// Board is where the status is published.
func (e *Engine) Board() *status.Board { return &e.board }

// Alerts is where whoever sees something wrong raises it.
func (e *Engine) Alerts() *guard.Alerts { return e.alerts }

// Sample takes a driver's sample.
func (e *Engine) Sample(s refclock.Sample) { e.enqueue(event{sample: &s}) }

// Signal takes a driver's word on its reception.
func (e *Engine) Signal(s refclock.Signal) { e.enqueue(event{signal: &s}) }

func (e *Engine) enqueue(ev event) {
	select {
	case e.events <- ev:
	default:
		e.dropped.Add(1)
	}
}

// Run keeps the time until ctx ends.
func (e *Engine) Run(ctx context.Context) {
	read := time.NewTicker(readEvery)
	defer read.Stop()
	publish := time.NewTicker(publishEvery)
	defer publish.Stop()
	e.publish()
	for {
		select {
		case <-ctx.Done():
			return
		case <-read.C:
			e.observe()
		case ev := <-e.events:
			e.take(ev)
		case <-publish.C:
			e.publish()
		}
	}
}

func (e *Engine) assumptions() discipline.Config {
	return discipline.Config{WanderPPM: e.config.AssumedWanderPPM}
}

// observe reads the local clocks, and renews the model at once if something happened to them.
func (e *Engine) observe() {
	if e.readClocks() != clock.Steady {
		e.renew()
	}
}

// readClocks takes a new bracket of the local clocks and acts on what happened to them.
func (e *Engine) readClocks() clock.Change {
	e.last = e.options.Clock.Read()
	if e.began == 0 {
		e.began = e.last.Raw
	}
	change := e.mapper.Add(e.last)
	switch change {
	case clock.Stepped:
		e.options.Log.Warn("the system clock was set by someone; the station's own time is not moved by it")
	case clock.Suspended:
		e.options.Log.Warn("the machine was suspended; the station's time is lost until the sources are heard again")
		for _, s := range e.sources {
			s.forget(e.assumptions())
		}
		e.followed, e.locked = nil, 0
	}
	return change
}

func (e *Engine) take(ev event) {
	if ev.signal != nil {
		if s := e.source(ev.signal.Source); s != nil {
			s.signal = *ev.signal
			s.gone = s.gone || s.signal.State == refclock.Lost
		}
		return
	}
	sample := ev.sample
	s := e.source(sample.Source)
	if s == nil || sample.Kind != refclock.Absolute {
		return
	}
	e.observe() // a step since the last reading must be seen before the stamp is mapped
	raw, ok := e.mapper.Raw(sample.Stamp)
	if !ok {
		return // from before a step, or not of this clock
	}
	if e.followed != nil {
		s.offset = time.Duration(sample.Instant.TAI - e.followed.estimator.At(raw).TAI)
	}
	if e.origin == 0 {
		e.origin = sample.Instant.TAI - raw
	}
	if s.take(raw, *sample) == discipline.Jumped && e.mayStartAgain(s, raw) {
		e.options.Log.Warn("source jumped; it is judged from its new time on", "source", s.Name, "by", s.offset)
		s.forget(e.assumptions())
		s.take(raw, *sample)
		if e.followed == s {
			e.followed, e.locked = nil, 0
		}
	}
}

// mayStartAgain tells whether a source that jumped may be judged by its new time: where another source is followed, that
// one is the judge; soon after the start neither of its times has more behind it, and nothing is claimed until it has
// settled again. Otherwise the oscillator's word stands against it.
func (e *Engine) mayStartAgain(s *source, raw int64) bool {
	if e.followed == nil || e.followed != s && !e.followed.silent(raw) {
		return true
	}
	return e.followed == s && time.Duration(raw-e.locked) < coldFor
}

func (e *Engine) source(name string) *source {
	for _, s := range e.sources {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// publish reads the clocks and renews the model: nothing that happened to them may lie between the two.
func (e *Engine) publish() {
	e.readClocks()
	e.renew()
}

// renew votes and publishes the model of the last reading.
func (e *Engine) renew() {
	if lost := e.dropped.Load(); lost != e.lost {
		e.options.Log.Warn("samples came faster than they could be taken", "lost", lost-e.lost)
		e.lost = lost
	}
	raw := e.last.Raw
	e.vote(raw)
	e.number++
	s := &status.Status{
		Generation:    e.number,
		Epoch:         e.last.Realtime,
		MaxErrorLimit: time.Duration(e.config.MaxErrorSeconds * 1e9),
		State:         e.state,
		Reason:        e.reason,
		Stratum:       status.Stratum16,
		Demonstration: e.options.Demonstration,
	}
	if e.followed != nil {
		est := e.followed.estimator.At(raw)
		s.EpochInstant = e.options.Leap.FromTAI(est.TAI)
		s.Rate = (1+est.Frequency)/(1+e.mapper.RealtimeRate()) - 1
		s.FrequencyPPM = -est.Frequency * 1e6
		s.Uncertainty95, s.Uncertainty95Growth = est.Uncertainty95, est.Uncertainty95Growth
		s.MaxError, s.MaxErrorGrowth = est.MaxError+e.last.Width/2, est.MaxErrorGrowth
		s.Leap, s.LeapAt = e.options.Leap.Next(s.EpochInstant)
		s.Since = e.since
		s.ReferenceTime = e.options.Leap.FromTAI(e.followed.estimator.At(e.followed.lastRaw).TAI)
		if e.state != status.Unsynchronised {
			s.Stratum, s.Selected = 1, e.followed.Name
			copy(s.ReferenceID[:], e.followed.ReferenceID)
		}
	}
	if e.options.Demonstration {
		s.ReferenceID = [4]byte{'D', 'E', 'M', 'O'}
	}
	e.feel(raw)
	s.TemperatureCelsius, s.TemperatureKnown = e.celsius, e.warm
	e.watch(s)
	for _, src := range e.sources {
		s.Sources = append(s.Sources, src.describe(raw, e.origin))
	}
	s.Alerts = e.alerts.List()
	e.board.Publish(s)
}

// feel reads the temperature now and then.
func (e *Engine) feel(raw int64) {
	const every = 10 * time.Second // a crystal in a case does not follow faster
	if e.options.Temperature != nil && (e.felt == 0 || time.Duration(raw-e.felt) >= every) {
		e.celsius, e.warm = e.options.Temperature()
		e.felt = raw
	}
}

// vote judges the sources and decides what the station claims to know.
func (e *Engine) vote(raw int64) {
	var base int64
	if e.followed != nil {
		base = e.followed.estimator.At(raw).TAI
	}
	var candidates []selection.Candidate
	for _, s := range e.sources {
		s.verdict, s.why = s.withoutVote(raw)
		if s.verdict != "" {
			continue
		}
		est := s.estimator.At(raw)
		if base == 0 {
			base = est.TAI
		}
		candidates = append(candidates, selection.Candidate{
			Name: s.Name, Receiver: s.Receiver, CompareOnly: s.CompareOnly,
			Offset: time.Duration(est.TAI - base), MaxError: est.MaxError,
		})
	}
	followed := ""
	if e.followed != nil {
		followed = e.followed.Name
	}
	result := selection.Select(candidates, followed)
	for _, s := range e.sources {
		if v, ok := result.Verdicts[s.Name]; ok {
			s.verdict, s.why = v.State, v.Explanation
		}
	}
	state, reason := status.Unsynchronised, ""
	switch {
	case result.Selected != "":
		e.followed = e.source(result.Selected)
		state = status.Synchronised
		if e.locked == 0 {
			e.locked = raw
		}
	case result.Contradiction:
		reason = "the sources contradict each other"
	case e.followed != nil:
		state = status.Holdover
		reason = e.whyHoldover()
	default:
		reason = e.nothingKnown()
	}
	if e.followed != nil && state != status.Unsynchronised {
		if bound := e.followed.estimator.At(raw).MaxError; bound.Seconds() > e.config.MaxErrorSeconds {
			state = status.Unsynchronised
			reason = fmt.Sprintf("the error bound has passed %g s", e.config.MaxErrorSeconds)
		}
	}
	e.enter(state, reason, raw)
}

// whyHoldover says why nothing is followed any more.
func (e *Engine) whyHoldover() string {
	for _, s := range e.sources {
		if s.refusing && s.verdict == status.Falseticker {
			return fmt.Sprintf("%s jumped by %v and is not followed; the oscillator carries the time", s.Name, s.offset.Round(time.Millisecond))
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
		e.state, e.since = state, refclock.Instant{}
	}
	if e.since.IsZero() && e.followed != nil {
		e.since = e.options.Leap.FromTAI(e.followed.estimator.At(raw).TAI)
	}
	e.reason = reason
}

// utc is the station's time for stamping alerts; zero while it is unknown.
func (e *Engine) utc() refclock.UTC {
	s := e.board.Load()
	if s.EpochInstant.IsZero() {
		return refclock.UTC{}
	}
	return s.EpochInstant.UTC()
}
