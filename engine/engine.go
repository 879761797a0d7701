package engine

import (
	"context"
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
	// Steps tells at once that somebody has set CLOCK_REALTIME; nil leaves it to the readings to find out.
	Steps func(context.Context) (<-chan struct{}, error)
	// Steer is the system clock where the configuration wants it steered; nil otherwise.
	Steer Steerer
	Leap  *leap.Table
	Log   *slog.Logger
	// Temperature reads the sensor nearest to the oscillator; nil where there is none.
	Temperature func() (celsius float64, ok bool)
	// StateDir is the folder whose state file keeps what was learned over a restart; empty keeps nothing.
	StateDir string
	// Elapsed is a clock that never goes back, for a station in virtual time; nil is Go's monotonic one.
	Elapsed func() time.Duration
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
	mapper  clock.Mapper
	last    clock.Reading
	sources []*source
	// estimate is the station's own: it takes the samples of all sources that agree. nil before the first lock.
	estimate *discipline.Filter
	// selected is the source followed now or last; anchor the one the others' biases are learned against.
	selected, anchor *source
	// pulled is set when a followed source and the station's estimate have parted.
	pulled      bool
	vote        selection.Result
	corrections map[string][]refclock.PulseCorrection
	latch       *guard.Latch
	// leaps is the table with what the sources have decided; announced what the operator says of it, disputed why a person
	// should look.
	leaps     *leap.Table
	published atomic.Pointer[leap.Table] // the same, for whoever asks
	announced announced
	disputed  string
	// doubtfulSince is the oscillator's count from which on its rate may have changed: a source that was followed has
	// strayed, and nobody knows which of the two it was; 0 otherwise.
	doubtfulSince int64
	// parted is how far the vote as a whole has moved from the station's time against its bound; 0 while it has not.
	parted time.Duration
	drift  *guard.Drift
	state  status.State
	reason string
	since  refclock.Instant
	number uint64
	// began is the oscillator's count at the start, and locked at the first lock; 0 before. lapsed is set from when the
	// time was lost until it is claimed again.
	began, locked int64
	lapsed        bool
	contradicted  int64 // and at the last contradiction
	learned       int64 // the oscillator's count when the biases were last looked at
	saved         int64 // and when the state was last written, at which revision of the alerts
	revision      uint64
	saveSoon      bool
	// remembered is the oscillator as the last run left it.
	remembered *discipline.State
	// accepted counts jumps that the station's time has followed; ours is set when the system clock was set by the station.
	accepted uint64
	ours     bool
	// shared is the oscillator's count when another program was last seen to steer it; steerError what failed last.
	shared     int64
	steerError string
	lost       uint64 // of dropped, what has been reported
	// origin is what the sources' phases are counted from: the first sample's.
	origin int64
	// celsius is the last temperature, read at the oscillator's count felt.
	celsius float64
	warm    bool
	felt    int64
	// alone says what cannot be seen of a drift with the sources there are; empty where they check each other.
	alone string
	// drifting are the codes and sources of the drift alerts that stand.
	drifting map[[2]string]bool

	ownIs  discipline.Estimate
	ownRaw int64
	ownOf  *discipline.Filter
}

// event is one thing that happens to the loop.
type event struct {
	sample *refclock.Sample
	signal *refclock.Signal
	// do is what a person asked for.
	do func()
}

// New makes an engine; config must be valid.
func New(config Config, sources []SourceConfig, options Options) *Engine {
	e := &Engine{
		config: config, options: options,
		events: make(chan event, queue),
		state:  status.Unsynchronised, reason: "no source has been heard yet",
		corrections: map[string][]refclock.PulseCorrection{},
	}
	e.alerts = guard.NewAlerts(e.utc)
	if options.Elapsed != nil {
		e.alerts = guard.NewAlertsAt(e.utc, options.Elapsed)
	}
	e.useLeaps(options.Leap)
	e.announced, _ = parseLeapSecond(config.LeapSecond) // validated
	e.drift = guard.NewDrift(config.AssumedWanderPPM)
	e.latch = guard.NewLatch(config.latch())
	for _, s := range sources {
		src := &source{SourceConfig: s, signal: refclock.Signal{Source: s.Name, State: refclock.Waiting}}
		e.forget(src)
		e.sources = append(e.sources, src)
	}
	e.restore()
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
	steps := e.watchSteps(ctx)
	defer e.Close()
	e.publish()
	for {
		select {
		case <-ctx.Done():
			return
		case _, more := <-steps:
			if !more {
				steps = nil
				continue
			}
			e.observe()
		case <-read.C:
			e.observe()
		case ev := <-e.events:
			e.handle(ev)
		case <-publish.C:
			e.publish()
		}
	}
}

func (e *Engine) watchSteps(ctx context.Context) <-chan struct{} {
	if e.options.Steps == nil {
		return nil
	}
	steps, err := e.options.Steps(ctx)
	if err != nil {
		e.options.Log.Info("steps of the system clock are seen with the next reading only", "reason", err)
	}
	return steps
}

// Step does at once what Run does in its own time: it takes what has been given to it, reads the clocks and publishes.
// It is for simulations, which keep time themselves; never beside Run.
func (e *Engine) Step() {
	e.observe()
	for {
		select {
		case ev := <-e.events:
			e.handle(ev)
		default:
			e.publish()
			return
		}
	}
}

func (e *Engine) handle(ev event) {
	switch {
	case ev.sample != nil:
		e.take(*ev.sample)
	case ev.signal != nil:
		if s := e.source(ev.signal.Source); s != nil {
			s.signal = *ev.signal
			s.gone = s.gone || s.signal.State == refclock.Lost
		}
	case ev.do != nil:
		ev.do()
	}
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
		if !e.stepIsOurs() {
			e.options.Log.Warn("the system clock was set by someone; the station's own time is not moved by it")
		}
	case clock.Suspended:
		e.options.Log.Warn("the machine was suspended; the station's time is lost until the sources are heard again")
		for _, s := range e.sources {
			e.forget(s)
		}
		e.estimate, e.selected, e.locked, e.lapsed = nil, nil, 0, true
		e.drift.Restart()
	}
	return change
}

// take lets a sample speak for its source, and for the station's time if the source agreed in the last vote.
func (e *Engine) take(sample refclock.Sample) {
	s := e.source(sample.Source)
	if s == nil {
		return
	}
	if sample.Kind == refclock.Correction {
		if sample.Correction != nil {
			e.correct(s, *sample.Correction)
		}
		return
	}
	e.observe() // a step since the last reading must be seen before the stamp is mapped
	o, ok := e.observation(s, sample)
	if !ok {
		return
	}
	if e.estimate != nil {
		s.offset = time.Duration(o.TAI - e.estimate.At(o.Raw).TAI)
	}
	if e.origin == 0 {
		e.origin = o.TAI - o.Raw
	}
	if sample.Leap != refclock.LeapUnknown {
		s.leap, s.leapRaw = sample.Leap, o.Raw
	}
	frequency := 0.0
	if s.heard {
		frequency = s.now(o.Raw).Frequency
	}
	e.drift.Add(s.Name, o.Raw, float64(o.TAI-o.Raw-e.origin)*1e-9, frequency)
	switch s.take(o) {
	case discipline.Accepted:
		e.believe(s, o)
	case discipline.Jumped, discipline.Broke:
		if s.fresh == nil {
			s.fresh = discipline.NewFilter(e.assumptions())
		}
	}
	if s.fresh != nil && (s.refusing || s.strayed != nil) {
		s.fresh.Update(o)
	}
}

// believe lets a good sample of a source that agreed move the station's time.
func (e *Engine) believe(s *source, o discipline.Observation) {
	if s.row >= backAfter && s.strayed == nil {
		s.fresh = nil // it is back at its old time
	}
	if e.estimate == nil || !s.member || e.doubted(s) {
		return
	}
	if s != e.selected && s != e.anchor && s.bias.LearnedSeconds < provisional.Seconds() {
		return // it would pull the time by what it differs
	}
	if s != e.anchor {
		_, o.Systematic = s.bias.Correct(o.Systematic)
		o.TAI -= int64(s.bias.Mean())
	}
	e.ownRaw = 0
	if e.estimate.Update(o) == discipline.Jumped && s == e.selected {
		e.pulled = true
	}
}

func (e *Engine) assumptions() discipline.Config {
	return discipline.Config{WanderPPM: e.config.AssumedWanderPPM}
}

func (e *Engine) forget(s *source) {
	s.witness = discipline.NewFilter(e.assumptions())
	s.fresh, s.heard, s.refused, s.refusing, s.broken, s.interval, s.row = nil, false, 0, false, false, 0, 0
	switch { // the oscillator is the same
	case e.estimate != nil:
		s.witness.Restore(e.estimate.Save())
	case e.remembered != nil:
		s.witness.Restore(*e.remembered)
	}
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
	e.steer(e.renew())
	e.keepState()
}

// Close leaves everything as a restart wants to find it. Run does it by itself.
func (e *Engine) Close() {
	e.save()
	if e.options.Steer != nil {
		if err := e.options.Steer.Release(); err != nil {
			e.options.Log.Error("the system clock", "reason", err)
		}
	}
}

// utc is the station's time for stamping alerts; zero while it is unknown.
func (e *Engine) utc() refclock.UTC {
	s := e.board.Load()
	if s.EpochInstant.IsZero() {
		return refclock.UTC{}
	}
	return s.EpochInstant.UTC()
}
