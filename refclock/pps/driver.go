package pps

import (
	"context"
	"time"

	"timestation/refclock"
	"timestation/refclock/edge"
)

const (
	// patience is how long one wait for edges is: also how long the driver may take to end.
	patience = 500 * time.Millisecond
	// silence is after how long without a pulse on the beat a person is told.
	silence = 3 * time.Second
	// stepped is by how much the local clock and the monotonic one must part within one wait to count as a step. Slewing
	// moves both alike; the reading of the two is good to microseconds.
	stepped = time.Millisecond
)

// driver reads one pulse.
type driver struct {
	config Config
	env    refclock.Environment
	open   func(Config) (source, error)
}

// New makes a pulse's driver; open is [edge.Open], and something else in tests.
func New(c Config, env refclock.Environment, open func(edge.Options) (edge.Line, error)) refclock.Driver {
	return &driver{config: c, env: env, open: openLine(open).source}
}

// Run implements [refclock.Driver].
func (d *driver) Run(ctx context.Context, out refclock.Sink) error {
	source, err := d.open(d.config)
	if err != nil {
		return err
	}
	defer source.Close()
	began := time.Now()
	r := receiver{config: d.config, out: out}
	r.take(nil, 0)
	clock := stepDetector{now: d.env.Now, monotonic: func() time.Duration { return time.Since(began) }}
	clock.stepped()
	for ctx.Err() == nil {
		pulses, err := source.next(patience)
		if err != nil {
			return err
		}
		if clock.stepped() {
			r.restart() // nobody knows on which side of the step these were stamped
			continue
		}
		r.take(pulses, time.Since(began))
	}
	return nil
}

// stepDetector tells when somebody sets the local clock.
type stepDetector struct {
	now       func() refclock.Stamp
	monotonic func() time.Duration
	offset    time.Duration
	known     bool
}

// stepped tells whether the clock was set since the last call.
func (s *stepDetector) stepped() bool {
	before := s.monotonic()
	stamp := s.now()
	after := s.monotonic()
	for range 3 { // the program may be held up between the readings
		if after-before < stepped/4 {
			break
		}
		before, stamp, after = after, s.now(), s.monotonic()
	}
	offset := time.Duration(stamp) - before
	moved := (offset - s.offset).Abs()
	result := s.known && moved > stepped+(after-before)
	s.offset, s.known = offset, true
	return result
}

// receiver turns edges into samples and keeps the statistics. It is pure: its time comes in as arguments.
type receiver struct {
	config Config
	out    refclock.Sink

	beat              beat
	leading, trailing scatter
	widths            widths
	// lastOn and lastAny are when by the monotonic clock a pulse came on the beat, and any edge.
	lastOn, lastAny time.Duration
	heard           bool
	state, told     refclock.SourceState
	text, toldText  string
	toldAt          time.Duration
}

// take takes the edges of one wait, at a time of the monotonic clock.
func (r *receiver) take(pulses []pulse, now time.Duration) {
	beating := false
	for _, p := range pulses {
		r.heard, r.lastAny = true, now
		if p.trailing {
			r.end(p)
			continue
		}
		on, anew := r.beat.take(p)
		if anew {
			r.leading, r.trailing, r.widths = scatter{}, scatter{}, nil
		}
		if on {
			beating = true
			r.lastOn = now
			r.leading.add(p.stamp)
			r.out.Sample(r.sample(p))
		}
	}
	switch {
	case beating:
		r.state, r.text = refclock.Timing, ""
	case !r.heard:
		r.state, r.text = refclock.Waiting, "no pulse yet; check the wire, and that the receiver's time pulse is on: many pulse only with a fix"
	case now-r.lastOn < silence && r.told == refclock.Timing:
		r.state = refclock.Timing
	case now-r.lastAny < silence:
		r.state, r.text = refclock.Receiving, "edges come, but not once a second; set the receiver's time pulse to 1 Hz, and check the wire for noise"
	default:
		r.state, r.text = refclock.Receiving, "the pulses have stopped; check the receiver's fix and the wire"
	}
	if beating || r.state != r.told || r.text != r.toldText || len(pulses) > 0 && now-r.toldAt >= period {
		r.tell()
		r.toldAt = now
	}
}

// end takes the edge that ends a pulse.
func (r *receiver) end(p pulse) {
	width := p.stamp.Sub(r.beat.last)
	if r.beat.locked && width > 0 && width < period {
		r.widths.add(width)
		r.trailing.add(p.stamp)
	}
}

func (r *receiver) sample(p pulse) refclock.Sample {
	return refclock.Sample{
		Kind:       refclock.Phase,
		Stamp:      p.stamp.Add(-refclock.Seconds(r.config.Delay)),
		Noise:      noise,
		Systematic: refclock.Seconds(r.config.DelayLimit),
		Pulse:      &refclock.Pulse{Period: period, Sequence: r.beat.sequence, With: r.config.With},
	}
}

// restart begins anew after a step of the clock.
func (r *receiver) restart() { r.beat.forget() }

// tell sends the signal.
func (r *receiver) tell() {
	r.told, r.toldText = r.state, r.text
	counts, step := r.leading.histogram()
	r.out.Signal(refclock.Signal{
		State: r.state, Text: r.text, Alarms: r.alarms(),
		Pulses: &refclock.Pulses{
			JitterSeconds: r.leading.jitter().Seconds(), WidthSeconds: r.widths.median().Seconds(),
			Seen: r.beat.seen, Missing: r.beat.missing, Extra: r.beat.extra,
			Histogram: counts, HistogramStepSeconds: step.Seconds(),
		},
	})
}
