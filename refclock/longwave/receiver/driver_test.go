package receiver

import (
	"context"
	"io"
	"log/slog"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"timestation/refclock"
	"timestation/refclock/edge"
	"timestation/refclock/longwave/radiotest"
)

// line replays a simulated recording as edges.
type line struct {
	edges  chan edge.Edge
	active bool
}

func (l *line) Edges() <-chan edge.Edge { return l.edges }
func (l *line) Err() error              { return io.EOF }
func (l *line) Active() (bool, error)   { return l.active, nil }
func (l *line) Close() error            { return nil }

type sink struct {
	mu      sync.Mutex
	samples []refclock.Sample
	signals []refclock.Signal
}

func (s *sink) Sample(x refclock.Sample) {
	s.mu.Lock()
	s.samples = append(s.samples, x)
	s.mu.Unlock()
}
func (s *sink) Signal(x refclock.Signal) {
	s.mu.Lock()
	s.signals = append(s.signals, x)
	s.mu.Unlock()
}

// station runs a driver on a simulation in virtual time. The local clock is wrong by offset, and by step more from stepAt on.
func station(t *testing.T, noise radiotest.Noise, length, stepAt, step time.Duration, config Config, position *refclock.Position) (*sink, func(refclock.Stamp) time.Time) {
	t.Helper()
	out := &sink{}
	const offset = -1000 * time.Hour
	var truth func(refclock.Stamp) time.Time
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		signal := radiotest.Simulate(testCode, begin, length, noise, 11)
		at := func(elapsed time.Duration) refclock.Stamp {
			s := refclock.Stamp(begin.UnixNano()).Add(offset + elapsed)
			if stepAt > 0 && elapsed >= stepAt {
				s = s.Add(step)
			}
			return s
		}
		truth = func(s refclock.Stamp) time.Time {
			elapsed := time.Duration(s) - time.Duration(begin.UnixNano()) - offset
			if stepAt > 0 && elapsed >= stepAt+step {
				elapsed -= step
			}
			return begin.Add(elapsed)
		}
		env := refclock.Environment{
			Name: "radio", Log: slog.New(slog.NewTextHandler(io.Discard, nil)), NotBefore: begin.AddDate(-1, 0, 0), Position: position,
			TAIMinusUTC: func(refclock.UTC) int32 { return 37 },
			Now:         func() refclock.Stamp { return at(time.Since(begin)) },
		}
		l := &line{edges: make(chan edge.Edge, 256), active: signal.Levels[0]}
		d := newDriver(Transmitter{Code: testCode, Name: "test", Places: []refclock.Position{{Latitude: 50, Longitude: 9}}}, config, env,
			func(edge.Options) (edge.Line, error) { return l, nil })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- d.Run(ctx, out) }()
		sequence := uint32(0)
		for i := 1; i < len(signal.Levels); i++ {
			if signal.Levels[i] == signal.Levels[i-1] {
				continue
			}
			moment := time.Duration(i) * time.Millisecond
			time.Sleep(moment - time.Since(begin))
			sequence++
			l.edges <- edge.Edge{Stamp: at(moment), Rising: signal.Levels[i], Sequence: sequence}
		}
		time.Sleep(time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return out, truth
}

func check(t *testing.T, out *sink, truth func(refclock.Stamp) time.Time, delay, within time.Duration) {
	t.Helper()
	for _, s := range out.samples {
		said := s.Instant.UTC().Time().Add(-delay)
		if off := said.Sub(truth(s.Stamp)); off.Abs() > within {
			t.Fatalf("a sample says %v and is off by %v", said, off)
		}
	}
}

func TestSamples(t *testing.T) {
	delay := 0.02
	config := DefaultConfig()
	config.Line, config.DelaySeconds = "GPIO17", &delay
	out, truth := station(t, radiotest.Noise{Flip: 0.002}, 8*time.Minute, 0, 0, config, &refclock.Position{Latitude: 53, Longitude: 9})
	if len(out.samples) < 40 {
		t.Fatalf("%d samples in 8 minutes", len(out.samples))
	}
	// 333.6 km to the transmitter.
	path := 1113 * time.Microsecond
	check(t, out, truth, 20*time.Millisecond+path, 5*time.Millisecond)
	s := out.samples[len(out.samples)-1]
	if s.TAIKnown || s.Kind != refclock.Absolute || s.Systematic < 10*time.Millisecond || s.Systematic > 11*time.Millisecond || s.Noise <= 0 {
		t.Errorf("sample %+v", s)
	}
	last := out.signals[len(out.signals)-1]
	if last.State != refclock.Timing || len(last.Radio.Marks) == 0 || last.Radio.Confidence < 6 || len(last.Radio.Quality) < 6 {
		t.Errorf("signal %+v %+v", last, last.Radio)
	}
	if last.Radio.Quality[len(last.Radio.Quality)-1] < 0.9 {
		t.Errorf("quality of a clean signal: %v", last.Radio.Quality)
	}
	if out.signals[0].State != refclock.Waiting {
		t.Errorf("the first signal is %+v", out.signals[0])
	}
}

// TestClockStep: the samples follow the clock that was stepped, and none mixes the two.
func TestClockStep(t *testing.T) {
	for _, step := range []time.Duration{3 * time.Second, -2500 * time.Millisecond, 40 * 365 * 24 * time.Hour} {
		config := DefaultConfig()
		config.Line = "GPIO17"
		out, truth := station(t, radiotest.Noise{}, 8*time.Minute, 5*time.Minute, step, config, nil)
		if len(out.samples) < 35 {
			t.Fatalf("step %v: %d samples", step, len(out.samples))
		}
		if step < 0 {
			continue // which of the two clocks a stamp is of cannot be told from the stamp alone
		}
		check(t, out, truth, uncalibratedDelay+unknownPath, 15*time.Millisecond)
	}
}

func TestSilence(t *testing.T) {
	config := DefaultConfig()
	config.Line = "GPIO17"
	out, _ := station(t, radiotest.Noise{NoSignal: true}, time.Minute, 0, 0, config, nil)
	if len(out.samples) > 0 {
		t.Error("samples out of nothing")
	}
	if last := out.signals[len(out.signals)-1]; last.State != refclock.Waiting || last.Text == "" {
		t.Errorf("signal %+v", last)
	}
}

func TestDistance(t *testing.T) {
	// Mainflingen to Braunschweig is 272 km.
	d := distance(refclock.Position{Latitude: 50.0155, Longitude: 9.0108}, refclock.Position{Latitude: 52.2964, Longitude: 10.4636})
	if math.Abs(d-273e3) > 2e3 {
		t.Errorf("%.0f m", d)
	}
}

func TestConfigSaysTheMend(t *testing.T) {
	bad := 0.7
	for _, c := range []Config{{DelayLimitSeconds: 0.01}, {Line: "GPIO17"}, {Line: "GPIO17", DelaySeconds: &bad, DelayLimitSeconds: 0.01}} {
		if c.Validate() == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
