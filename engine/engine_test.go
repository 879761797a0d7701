package engine

import (
	"context"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"timestation/engine/clock"
	"timestation/engine/leap"
	"timestation/engine/status"
	"timestation/refclock"
)

// machine is a Pi without a battery: CLOCK_REALTIME starts in 1970, the oscillator runs off by frequency, which wanders,
// and somebody else may set or slew CLOCK_REALTIME. The bubble's time is the truth.
type machine struct {
	mu        sync.Mutex // the engine and the test read it in the same instant
	start     time.Time
	truth     refclock.Instant // at start
	frequency float64          // the oscillator's, fast positive
	phase     float64          // seconds the oscillator has gained, up to at
	at        time.Time
	slew      float64 // foreign, of REALTIME against the oscillator
	slewed    float64 // seconds
	stepped   time.Duration
}

func newMachine() *machine {
	now := time.Now()
	return &machine{start: now, at: now, truth: leap.Embedded().Instant(refclock.Date(2026, 11, 22, 12, 0, 0, 0))}
}

// turn changes the machine from now on.
func (m *machine) turn(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance()
	change()
}

func (m *machine) advance() {
	d := time.Since(m.at).Seconds()
	m.at = time.Now()
	m.phase += m.frequency * d
	m.slewed += m.slew * d
}

// Read is exact: the width of real readings is clock's own concern.
func (m *machine) Read() clock.Reading {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance()
	raw := int64(m.at.Sub(m.start)) + int64(m.phase*1e9)
	mono := raw + int64(m.slewed*1e9)
	return clock.Reading{Realtime: refclock.Stamp(mono + int64(m.stepped)), Raw: raw, Monotonic: mono, Boot: mono}
}

// now is the true time.
func (m *machine) now() refclock.Instant { return m.truth.Add(time.Since(m.start)) }

// station is an engine on a machine, with receivers that speak once a second.
type station struct {
	*Engine
	*machine
	stop context.CancelFunc
}

func newStation(t *testing.T, sources ...SourceConfig) *station {
	return newStationIn(t, "", sources...)
}

// newStationIn keeps its state in a folder.
func newStationIn(t *testing.T, dir string, sources ...SourceConfig) *station {
	m := newMachine()
	if len(sources) == 0 {
		sources = []SourceConfig{{Name: "gps", ReferenceID: "GPS"}}
	}
	config := DefaultConfig()
	config.MaxErrorSeconds = 0.3 // an hour of holdover in a test takes a second under the race detector
	e := New(config, sources, Options{Clock: m, Leap: leap.Embedded(), Log: slog.New(slog.DiscardHandler), StateDir: dir})
	ctx, stop := context.WithCancel(t.Context())
	go e.Run(ctx)
	return &station{e, m, stop}
}

// hear lets each named source give one sample a second for the stretch, off by its error; it ends on a whole second.
func (s *station) hear(stretch time.Duration, errors map[string]time.Duration) {
	for range int(stretch / time.Second) {
		time.Sleep(time.Second)
		stamp, instant := s.Read().Realtime, s.now()
		for name, off := range errors {
			s.Sample(refclock.Sample{
				Source: name, Stamp: stamp, Instant: instant.Add(off),
				Noise: 5 * time.Millisecond, Systematic: 50 * time.Millisecond,
			})
		}
		synctest.Wait()
	}
}

func (s *station) reading() status.Reading { return s.Board().Load().At(s.Read().Realtime) }

// off is the station's error.
func (s *station) off() time.Duration { return s.reading().Instant.Sub(s.now()) }

var truthful = map[string]time.Duration{"gps": 0}

func TestFrom1970ToStratum1(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t)
		defer s.stop()
		s.turn(func() { s.frequency = 40e-6 })
		time.Sleep(5 * time.Second)
		if r := s.reading(); r.Synchronised() || r.Known || r.Stratum != status.Stratum16 {
			t.Errorf("before any sample: %+v", r)
		}
		s.hear(30*time.Second, truthful)
		r := s.reading()
		if r.State != status.Synchronised || r.Stratum != 1 || s.off().Abs() > time.Millisecond {
			t.Fatalf("after 30 s: state %s, stratum %d, off by %v (%s)", r.State, r.Stratum, s.off(), s.Board().Load().Reason)
		}
		if got := r.Instant.UTC().String()[:17]; got != "2026-11-22T12:00:" {
			t.Errorf("it is %s", got)
		}
		if id := s.Board().Load().ReferenceIDText(); id != "GPS" {
			t.Errorf("reference ID %q", id)
		}
	})
}

func TestAntennaCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t)
		defer s.stop()
		s.turn(func() { s.frequency = -15e-6 })
		s.hear(10*time.Minute, truthful)
		s.turn(func() { s.frequency += 2e-6 }) // the room cools while nobody listens
		time.Sleep(11 * time.Second)
		if r := s.reading(); r.State != status.Holdover || r.Stratum != 1 {
			t.Fatalf("11 s after the cut: %s, stratum %d", r.State, r.Stratum)
		}
		limit := time.Duration(s.config.MaxErrorSeconds * 1e9)
		var given time.Duration
		for began := time.Now(); time.Since(began) < 80*time.Hour; time.Sleep(10 * time.Second) {
			r := s.reading()
			if s.off().Abs() > r.MaxError {
				t.Fatalf("%v into holdover: off by %v, bound %v", time.Since(began), s.off(), r.MaxError)
			}
			if r.Synchronised() == (r.MaxError > limit) {
				t.Fatalf("%v into holdover: bound %v of %v, state %s", time.Since(began), r.MaxError, limit, r.State)
			}
			if !r.Synchronised() {
				given = time.Since(began)
				break
			}
		}
		t.Logf("the station gave up after %v", given)
		if given == 0 {
			t.Fatal("it never stopped claiming to know")
		}
		if a := s.Alerts().List(); len(a) == 0 || a[0].Code != "unsynchronised" {
			t.Errorf("alerts: %+v", a)
		}
		s.hear(90*time.Second, truthful)
		if r := s.reading(); r.State != status.Synchronised || s.off().Abs() > r.MaxError {
			t.Errorf("after the antenna came back: %s, off by %v", r.State, s.off())
		}
		if a := s.Alerts().List(); len(a) != 0 {
			t.Errorf("alerts still stand: %+v", a)
		}
	})
}

// Somebody else's daemon slews and steps CLOCK_REALTIME: the published time does not move.
func TestForeignStepAndSlewAreRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t)
		defer s.stop()
		s.hear(2*time.Minute, truthful)
		s.turn(func() { s.slew = 500e-6 })
		for range 100 {
			s.hear(time.Second, truthful)
			// 500 ppm for as long as a slew that just began may go unseen: one publication and one reading.
			if limit := 5e-4 * (publishEvery + readEvery).Seconds() * 1e9; s.off().Abs() > time.Duration(limit) {
				t.Fatalf("slewed: off by %v", s.off())
			}
		}
		s.turn(func() { s.stepped = -20 * time.Minute })
		time.Sleep(readEvery)
		synctest.Wait()
		if r := s.reading(); !r.Synchronised() || s.off().Abs() > 100*time.Microsecond {
			t.Fatalf("%v after the step: %s, off by %v", readEvery, r.State, s.off())
		}
		s.hear(time.Minute, truthful)
		if s.off().Abs() > 100*time.Microsecond {
			t.Errorf("a minute after the step: off by %v", s.off())
		}
	})
}

func TestSourcesThatContradict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, SourceConfig{Name: "a"}, SourceConfig{Name: "b"}, SourceConfig{Name: "c"})
		defer s.stop()
		s.hear(30*time.Second, map[string]time.Duration{"a": 0, "b": time.Second})
		if r := s.reading(); r.Synchronised() {
			t.Errorf("two that contradict: %s on %q", r.State, s.Board().Load().Selected)
		}
		s.hear(settledAfter+30*time.Second, map[string]time.Duration{"a": 0, "b": time.Second, "c": 10 * time.Millisecond})
		st := s.Board().Load()
		if st.State != status.Synchronised || st.Selected == "b" || s.off().Abs() > 60*time.Millisecond {
			t.Errorf("two against one: %s on %q, off by %v", st.State, st.Selected, s.off())
		}
	})
}

// A receiver that jumps after hours of agreement is not followed, however long it insists; when it comes back to its old
// time it is.
func TestJumpIsNotFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t)
		defer s.stop()
		s.hear(time.Hour, truthful)
		for minute := range 20 {
			s.hear(time.Minute, map[string]time.Duration{"gps": 10 * time.Second})
			r, a := s.reading(), s.Alerts().List()
			if s.off().Abs() > r.MaxError || r.State != status.Holdover {
				t.Fatalf("minute %d: %s, off by %v", minute, r.State, s.off())
			}
			if len(a) == 0 || a[0].Code != "jump-latched" || a[0].Severity != status.Critical {
				t.Fatalf("minute %d: alerts %+v", minute, a)
			}
			if src := s.Board().Load().Sources[0]; src.State != status.Falseticker || !strings.Contains(src.Explanation, "10 s") {
				t.Fatalf("minute %d: %s: %s", minute, src.State, src.Explanation)
			}
		}
		s.hear(2*time.Minute, truthful)
		if r := s.reading(); r.State != status.Synchronised || s.off().Abs() > time.Millisecond || len(s.Alerts().List()) != 0 {
			t.Errorf("after it came back: %s, off by %v, %+v", r.State, s.off(), s.Alerts().List())
		}
	})
}

// A cold receiver that corrects its leap seconds soon after the first lock is followed; while it is unclear, nothing is
// claimed.
func TestColdReceiverCorrectsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t)
		defer s.stop()
		s.hear(5*time.Minute, map[string]time.Duration{"gps": 3 * time.Second})
		s.hear(35*time.Second, truthful)
		if r := s.reading(); r.Synchronised() {
			t.Errorf("35 s after the correction: %s, off by %v", r.State, s.off())
		}
		s.hear(45*time.Second, truthful)
		if r := s.reading(); r.State != status.Synchronised || s.off().Abs() > time.Millisecond {
			t.Errorf("80 s after the correction: %s, off by %v", r.State, s.off())
		}
	})
}

// What is wrong from the start must be said too, but not in the first minute.
func TestNoFixFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t)
		defer s.stop()
		s.Signal(refclock.Signal{Source: "gps", State: refclock.Receiving, Text: "no fix"})
		time.Sleep(30 * time.Second)
		if a := s.Alerts().List(); len(a) != 0 {
			t.Errorf("after 30 s: %+v", a)
		}
		time.Sleep(time.Minute)
		var codes []string
		for _, a := range s.Alerts().List() {
			codes = append(codes, a.Code)
		}
		if got := strings.Join(codes, " "); got != "unsynchronised source-no-time" {
			t.Errorf("after 90 s: %s", got)
		}
	})
}

// An outage does not teach the station patience, and a receiver that was pulled out is back only when it speaks.
func TestOutagesAreNotIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t)
		defer s.stop()
		s.hear(time.Minute, truthful)
		time.Sleep(3 * time.Hour)
		s.hear(returnAfter+5*time.Second, truthful)
		time.Sleep(silentAfter + time.Second)
		if r := s.reading(); r.State != status.Holdover {
			t.Errorf("%v of silence after an outage: %s", silentAfter+time.Second, r.State)
		}
		s.hear(10*time.Second, truthful)
		s.Signal(refclock.Signal{Source: "gps", State: refclock.Lost, Text: "unplugged"})
		time.Sleep(2 * time.Second)
		s.Signal(refclock.Signal{Source: "gps", State: refclock.Timing})
		time.Sleep(time.Second)
		if r := s.reading(); r.State != status.Holdover {
			t.Errorf("plugged in again, before any sample: %s", r.State)
		}
		s.hear(2*time.Second, truthful)
		if r := s.reading(); r.State != status.Holdover {
			t.Errorf("after its first samples: %s", r.State)
		}
		s.hear(returnAfter, truthful)
		if r := s.reading(); r.State != status.Synchronised {
			t.Errorf("after half a minute: %s: %s", r.State, s.Board().Load().Reason)
		}
	})
}

// A whole day through the engine: late, jittering sentences, a wandering oscillator, an hour of silence.
func TestBoundHoldsThroughTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t)
		defer s.stop()
		random := rand.New(rand.NewPCG(7, 7))
		late := -40 * time.Millisecond // of the 50 the source admits to
		var seconds, inside int
		hours := 24
		if underRace {
			hours = 4
		}
		for second := range hours * 3600 {
			s.turn(func() {
				s.frequency += 1e-9*random.NormFloat64() + 3e-6*2*math.Pi/86400*math.Cos(2*math.Pi*float64(second)/86400)
			})
			if second > 7200 && second < 10800 {
				time.Sleep(time.Second)
			} else {
				jitter := time.Duration(15e6 * (random.ExpFloat64() - 1))
				s.hear(time.Second, map[string]time.Duration{"gps": late + jitter})
			}
			if r := s.reading(); r.Synchronised() {
				seconds++
				if s.off().Abs() <= r.MaxError {
					inside++
				}
			}
		}
		t.Logf("synchronised %d s, inside the bound %.3f %%", seconds, 100*float64(inside)/float64(seconds))
		if seconds < hours*3600-400 || float64(inside) < 0.95*float64(seconds) {
			t.Errorf("inside %d of %d s", inside, seconds)
		}
	})
}
