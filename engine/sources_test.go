package engine

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// within lets the loop do something, as a person's command does.
func (s *station) within(do func()) {
	var err error
	s.ask(context.Background(), &err, func() error { do(); return nil })
}

// speak lets a function say what the sources deliver at each second.
func (s *station) speak(stretch time.Duration, each func(stamp refclock.Stamp, now refclock.Instant)) {
	for range int(stretch / time.Second) {
		time.Sleep(time.Second)
		each(s.Read().Realtime, s.now())
		synctest.Wait()
	}
}

func sentence(name string, stamp refclock.Stamp, at refclock.Instant) refclock.Sample {
	return refclock.Sample{Source: name, Stamp: stamp, Instant: at, Noise: 5 * time.Millisecond, Systematic: 50 * time.Millisecond}
}

var ublox = []SourceConfig{{Name: "gps", Receiver: "ublox", Driver: "gps"}, {Name: "pps", Receiver: "ublox", Driver: "pps", ReferenceID: "PPS"}}

// A pulse is nothing without its companion: not before that has a fix, not while it does not know the second. Then the
// pulse leads, and the receiver's word on its next pulse is applied to that very pulse.
func TestPulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, ublox...)
		defer s.stop()
		fixed := false
		second := func(stamp refclock.Stamp, now refclock.Instant) {
			sawtooth := time.Duration(now.TAI/1e9%5-2) * 10 * time.Microsecond
			if fixed {
				s.Signal(refclock.Signal{Source: "gps", State: refclock.Timing})
				s.Sample(sentence("gps", stamp, now.Add(30*time.Millisecond)))
				s.Sample(refclock.Sample{Source: "gps", Kind: refclock.Correction, Correction: &refclock.PulseCorrection{Second: now, Quantisation: sawtooth}})
			}
			s.Sample(refclock.Sample{
				Source: "pps", Kind: refclock.Phase, Stamp: stamp.Add(-sawtooth), Noise: time.Microsecond, Systematic: time.Microsecond,
				Pulse: &refclock.Pulse{Period: time.Second, With: "gps"},
			})
		}
		s.speak(30*time.Second, second)
		if r, src := s.reading(), s.Board().Load().Sources[1]; r.Synchronised() || !strings.Contains(src.Explanation, "timing fix") {
			t.Errorf("pulses without a fix: %s, %s: %s", r.State, src.State, src.Explanation)
		}
		fixed = true
		s.speak(2*time.Minute, second)
		st := s.Board().Load()
		if st.Selected != "pps" || s.off().Abs() > time.Microsecond || s.reading().MaxError > 20*time.Microsecond {
			t.Errorf("followed %q, off by %v, bound %v: %s", st.Selected, s.off(), s.reading().MaxError, st.Vote)
		}
	})
}

// A receiver without its almanac may be whole seconds off: nothing is claimed on its word alone, unless this machine's
// clock says the same to a second.
func TestUnsure(t *testing.T) {
	for name, realtime := range map[string]bool{"clock of 1970": false, "clock kept by a battery": true} {
		synctest.Test(t, func(t *testing.T) {
			s := newStation(t)
			defer s.stop()
			if realtime {
				utc, realtimeNow := s.now().UTC(), int64(s.Read().Realtime)
				s.turn(func() { s.stepped = time.Duration(utc.Seconds*1e9 - realtimeNow) })
			}
			unsure := true
			second := func(stamp refclock.Stamp, now refclock.Instant) {
				sample := sentence("gps", stamp, now)
				sample.Unsure = unsure
				s.Sample(sample)
			}
			s.speak(2*time.Minute, second)
			if r := s.reading(); r.Synchronised() != realtime {
				t.Errorf("%s: %s (%s)", name, r.State, s.Board().Load().Reason)
			}
			unsure = false
			s.speak(10*time.Second, second)
			if r := s.reading(); !r.Synchronised() {
				t.Errorf("%s, with its almanac: %s (%s)", name, r.State, s.Board().Load().Reason)
			}
		})
	}
}

// While a good source was heard, the constant error of another was learned. When the good one falls silent, the other
// carries on without a jump, and with a narrower bound than its own word: one that still holds.
func TestBiasCarriesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, SourceConfig{Name: "gps"}, SourceConfig{Name: "dcf", Driver: "dcf77"})
		defer s.stop()
		good, random := true, rand.New(rand.NewPCG(5, 6))
		second := func(stamp refclock.Stamp, now refclock.Instant) {
			if good {
				sample := sentence("gps", stamp, now)
				sample.Noise, sample.Systematic = time.Microsecond, time.Microsecond
				s.Sample(sample)
			}
			sample := sentence("dcf", stamp, now.Add(18*time.Millisecond+time.Duration(2e6*random.NormFloat64())))
			sample.Systematic = 30 * time.Millisecond
			s.Sample(sample)
		}
		s.speak(20*time.Minute, second)
		good = false
		for range 12 {
			s.speak(5*time.Minute, second)
			r := s.reading()
			if s.off().Abs() > r.MaxError || s.off().Abs() > 2*time.Millisecond || r.State != status.Synchronised {
				t.Fatalf("alone: %s, off by %v, bound %v (%s)", r.State, s.off(), r.MaxError, s.Board().Load().Vote)
			}
		}
		if r, st := s.reading(), s.Board().Load(); st.Selected != "dcf" || r.MaxError > 15*time.Millisecond {
			t.Errorf("an hour alone: followed %q, bound %v", st.Selected, r.MaxError)
		}
	})
}

// required_sources = 2 wants two receivers, and an unsigned server is none.
func TestRequiredSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, SourceConfig{Name: "gps"}, SourceConfig{Name: "ntp", Driver: "ntp"})
		defer s.stop()
		s.within(func() { s.config.RequiredSources = 2 })
		signed := false
		second := func(stamp refclock.Stamp, now refclock.Instant) {
			s.Sample(sentence("gps", stamp, now))
			s.Sample(refclock.Sample{Source: "ntp", Kind: refclock.Exchange, Noise: 10 * time.Microsecond, Exchange: &refclock.ExchangeData{
				T1: stamp, T4: stamp.Add(20 * time.Millisecond), T2: now.Add(10 * time.Millisecond), T3: now.Add(10 * time.Millisecond),
				Stratum: 1, Authenticated: signed,
			}})
		}
		s.speak(time.Minute, second)
		if st := s.Board().Load(); st.State == status.Synchronised || !strings.Contains(st.Reason, "1 of the 2") {
			t.Errorf("with an unsigned server: %s (%s)", st.State, st.Reason)
		}
		signed = true
		s.speak(time.Minute, second)
		if st := s.Board().Load(); st.State != status.Synchronised || st.Stratum != 2 && st.Selected == "ntp" {
			t.Errorf("with a signed one: %s, stratum %d (%s)", st.State, st.Stratum, st.Reason)
		}
	})
}

// What is latched is released by a person, whose name is kept, and only then; a restart does not release it.
func TestAcceptJump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t)
		dir := t.TempDir()
		s.within(func() { s.options.StateDir = dir })
		s.hear(16*time.Minute, truthful)
		moved := map[string]time.Duration{"gps": 2 * time.Second}
		s.hear(time.Minute, moved)
		if !s.latch.Holds("gps") {
			t.Fatal("not latched")
		}
		s.stop()
		synctest.Wait()

		again := newStationIn(t, dir)
		defer func() {
			again.stop()
			synctest.Wait() // it writes its state
		}()
		again.hear(time.Minute, moved)
		if r := again.reading(); r.Synchronised() {
			t.Errorf("a restart released it: %s", r.State)
		}
		if done, err := again.AcceptJump(t.Context(), "", "ada"); err != nil || !strings.Contains(done, "gps") {
			t.Errorf("accepted: %q, %v", done, err)
		}
		again.hear(time.Minute, moved)
		if r := again.reading(); !r.Synchronised() || (again.off()-2*time.Second).Abs() > time.Millisecond {
			t.Errorf("after it was accepted: %s, off by %v", r.State, again.off())
		}
		if _, err := again.AcceptJump(t.Context(), "", "ada"); err == nil {
			t.Error("accepted twice")
		}
	})
}
