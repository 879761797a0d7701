package receiver

import (
	"fmt"
	"time"

	"timestation/refclock"
	"timestation/refclock/edge"
	"timestation/refclock/longwave"
)

const (
	// settle is how old an edge may be when it is read: what is later than this is not decoded yet. The kernel has stamped
	// it, so that a machine that is busy for so long costs no pulse.
	settle = 500 * time.Millisecond
	// stepped is by how much CLOCK_REALTIME and the monotonic clock may part between two ticks before it counts as a step
	// of the former; a slew is below 0.1 ms a tick.
	stepped = 20 * time.Millisecond
	// sampleEvery is how many seconds lie between samples: they come from one fit over minutes, and more of them would say
	// nothing new.
	sampleEvery = 8
	// quiet is after how long without an edge the receiver counts as silent.
	quiet = 10 * time.Second
	// noiseFloor is what the fit may be off by from one minute to the next, 1σ: cheap modules shift with the signal.
	noiseFloor = 3 * time.Millisecond
	// microseconds is the rate of the samples made of edges, in Hz.
	microseconds = 1e6
)

// Listener turns edges into bins and what the decoder makes of them into samples and signals.
type Listener struct {
	transmitter Transmitter
	config      Config
	env         refclock.Environment
	out         refclock.Sink
	decoder     *longwave.Decoder
	folder      *longwave.Folder
	active      bool
	// base is the stamp at which sample 0 was; it moves when the clock is stepped.
	base refclock.Stamp
	done int64 // samples folded
	// The clock and the monotonic clock at the last tick.
	stamp refclock.Stamp
	mono  time.Time
	// waiting are edges that are not older than settle.
	waiting  []edge.Edge
	sequence uint32
	heard    time.Time // last edge
	edges    int
	sampled  int64 // UTC second of the last sample
	told     time.Time
	last     refclock.SourceState
}

// NewListener begins now, at a level. Dates are from env.NotBefore to notAfter.
func NewListener(t Transmitter, c Config, env refclock.Environment, notAfter time.Time, active bool, out refclock.Sink) *Listener {
	now, mono := env.Now(), time.Now()
	l := &Listener{transmitter: t, config: c, env: env, out: out, active: active, base: now, stamp: now, mono: mono, heard: mono}
	l.decoder = longwave.New(t.Code, env.NotBefore, notAfter, func(longwave.Minute) {})
	l.folder = longwave.NewFolder(microseconds, l.decoder.Bin)
	out.Signal(refclock.Signal{State: refclock.Waiting, Text: l.silence(), Radio: &refclock.Radio{}})
	return l
}

func (l *Listener) silence() string {
	if l.config.Line == "" {
		return l.transmitter.Name + ": nothing is heard yet"
	}
	return fmt.Sprintf("%s: nothing is heard on %v; check the receiver's supply, its output and the resistor (bias)",
		l.transmitter.Name, l.config.options(""))
}

// Edge takes the next one. It is decoded a little later, when the line has been quiet or others have come.
func (l *Listener) Edge(e edge.Edge) {
	l.heard = time.Now()
	l.edges++
	l.waiting = append(l.waiting, e)
}

// Advance decodes what has settled by now; it wants to be called some times a second.
func (l *Listener) Advance() {
	now, mono := l.clocks()
	if step := now.Sub(l.stamp) - mono.Sub(l.mono); step.Abs() > stepped {
		// The clock was stepped: the samples go on, at other stamps. What lies around the step is lost.
		l.base = l.base.Add(step)
		l.waiting = l.waiting[:0]
		l.sequence = 0
		l.fold(l.stamp.Add(step), true)
	}
	l.stamp, l.mono = now, mono
	limit := now.Add(-settle)
	n := 0
	for _, e := range l.waiting {
		if e.Stamp > limit {
			break
		}
		n++
		lost := l.sequence != 0 && e.Sequence > l.sequence+1
		l.sequence = e.Sequence
		l.fold(e.Stamp, lost)
		l.active = e.Rising
	}
	l.waiting = l.waiting[:copy(l.waiting, l.waiting[n:])]
	l.fold(limit, false)
	l.report()
}

// clocks reads the local clock and the monotonic one at the same moment. A program that is held up between the two reads
// again: that would look like a step.
func (l *Listener) clocks() (now refclock.Stamp, mono time.Time) {
	for range 4 {
		before := time.Now()
		now, mono = l.env.Now(), time.Now()
		if mono.Sub(before) < stepped/4 {
			break
		}
	}
	return now, mono
}

// Lost tells that what the line did from one stamp to another is not known.
func (l *Listener) Lost(from, to refclock.Stamp) {
	for _, e := range l.waiting {
		if e.Stamp <= from {
			l.fold(e.Stamp, false)
			l.active, l.sequence = e.Rising, e.Sequence
		}
	}
	l.waiting = l.waiting[:0]
	l.fold(from, false)
	l.fold(to, true)
}

// fold hands the level up to a stamp to the decoder.
func (l *Listener) fold(until refclock.Stamp, lost bool) {
	n := until.Sub(l.base).Microseconds() - l.done
	if n <= 0 {
		return
	}
	if lost {
		l.folder.Lost(n)
	} else {
		l.folder.Add(l.active, n)
	}
	l.done += n
}

// report yields samples and signals.
func (l *Listener) report() {
	s := l.decoder.Status()
	if since := s.UTC.Seconds - l.sampled; s.Heard && (since >= sampleEvery || since < 0) && !s.UTC.InLeap {
		l.sampled = s.UTC.Seconds
		l.out.Sample(l.sample(s))
	}
	state := l.state(s)
	if state == l.last && time.Since(l.told) < time.Second {
		return
	}
	l.last, l.told = state, time.Now()
	l.out.Signal(l.signal(s, state))
}

func (l *Listener) sample(s longwave.Status) refclock.Sample {
	delay, limit := l.transmitter.delay(l.config, l.env.Position)
	bin := float64(longwave.BinMilliseconds * time.Millisecond)
	noise := max(time.Duration(s.Sigma*bin), noiseFloor)
	return refclock.Sample{
		Kind:       refclock.Absolute,
		Stamp:      l.base.Add(time.Duration(s.Bin * bin)),
		Instant:    s.UTC.Instant(l.env.TAIMinusUTC(s.UTC)).Add(delay),
		Noise:      noise,
		HalfWidth:  2 * noise,
		Systematic: limit,
		Leap:       s.Leap,
	}
}

func (l *Listener) state(s longwave.Status) refclock.SourceState {
	switch {
	case s.Heard:
		return refclock.Timing
	case l.edges > 0 && time.Since(l.heard) < quiet || s.Known:
		return refclock.Receiving
	}
	return refclock.Waiting
}

func (l *Listener) signal(s longwave.Status, state refclock.SourceState) refclock.Signal {
	name := l.transmitter.Name
	signal := refclock.Signal{State: state, Radio: &refclock.Radio{
		Marks: l.decoder.Marks(), Confidence: s.Confidence, Quality: l.decoder.Quality(), Coasting: s.Known && !s.Heard,
	}}
	if s.Known && l.transmitter.Code.Fields != nil {
		signal.Radio.Fields = l.transmitter.Code.Fields(s.Telegram)
	}
	silent := time.Since(l.heard) >= quiet
	switch {
	case state == refclock.Waiting:
		signal.Text = l.silence()
	case state == refclock.Receiving && s.Known:
		signal.Text = name + ": nothing is decoded at the moment; its time is held but not used"
	case state == refclock.Receiving:
		signal.Text = name + ": pulses arrive, but no time is sure yet; a clean signal takes 2 minutes, a noisy one up to an hour: turn the antenna, move it away from screens and power supplies"
	}
	if s.Known && silent {
		signal.Alarms = append(signal.Alarms, refclock.Alarm{
			Code: "no-carrier", Text: name + ": the receiver's output does not change any more: the transmitter is off, or the receiver is",
			Mend: "look whether others report a shut-down; check the receiver's supply and antenna",
		})
	}
	if s.Heard && s.Call {
		signal.Alarms = append(signal.Alarms, refclock.Alarm{
			Code: "call-bit", Text: name + ": the transmitter calls for service (a fault, or works, on its side)",
			Mend: "nothing to do here; expect interruptions",
		})
	}
	return signal
}
