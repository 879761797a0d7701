package feed

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// noon is 2026-11-22T12:00:00Z; the local clock is 40 ms slow and stands at 0.123456789 s before it.
const (
	noon  = int64(1_795_348_800_000_000_000)
	stamp = refclock.Stamp(noon - 123_456_789 - 40_000_000)
)

// synchronised is a model that knows the time.
func synchronised() *status.Status {
	at := refclock.UTC{Seconds: noon / 1e9}.Instant(37).Add(-123_456_789)
	return &status.Status{
		Epoch: stamp, EpochInstant: at, State: status.Synchronised, Stratum: 1,
		Uncertainty95: 3 * time.Microsecond, MaxError: 20 * time.Millisecond, MaxErrorLimit: time.Second, MaxErrorGrowth: 1e-6,
	}
}

// TestOf: what is fed is the model's own time, and nothing is fed that the station does not stand for.
func TestOf(t *testing.T) {
	got, ok := Of(synchronised(), stamp+600, 0.1)
	if want := (Sample{Stamp: stamp + 600 - (stamp+600)%1000, Offset: 40 * time.Millisecond, Precision: -18}); !ok || got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	leapAt := func(in time.Duration) refclock.Instant { return synchronised().EpochInstant.Add(in) }
	for _, c := range []struct {
		name   string
		change func(*status.Status)
		fed    bool
		leap   int32
	}{
		{"synchronised", func(*status.Status) {}, true, 0},
		{"holdover", func(s *status.Status) { s.State = status.Holdover }, false, 0},
		{"unsynchronised", func(s *status.Status) { s.State = status.Unsynchronised }, false, 0},
		{"demonstration", func(s *status.Status) { s.Demonstration = true }, false, 0},
		{"too unsure for this feed", func(s *status.Status) { s.MaxError = 101 * time.Millisecond }, false, 0},
		{"old", func(s *status.Status) { s.Epoch -= 3e9 }, false, 0},
		{"leap in a month", func(s *status.Status) { s.Leap, s.LeapAt = refclock.LeapInsert, leapAt(30*24*time.Hour) }, true, 0},
		{"leap today", func(s *status.Status) { s.Leap, s.LeapAt = refclock.LeapInsert, leapAt(5*time.Hour) }, true, 1},
		{"second left out today", func(s *status.Status) { s.Leap, s.LeapAt = refclock.LeapDelete, leapAt(5*time.Hour) }, true, 2},
		{"23:59:60", func(s *status.Status) { s.Leap, s.LeapAt = refclock.LeapInsert, leapAt(-time.Millisecond) }, false, 0},
		{"after it", func(s *status.Status) { s.Leap, s.LeapAt = refclock.LeapInsert, leapAt(-1500*time.Millisecond) }, true, 0},
	} {
		s := synchronised()
		c.change(s)
		if got, ok := Of(s, stamp, 0.1); ok != c.fed || got.Leap != c.leap {
			t.Errorf("%s: %+v, %v", c.name, got, ok)
		}
	}
}

// TestDatagram: the bytes are chrony's struct sock_sample.
func TestDatagram(t *testing.T) {
	s := Sample{Stamp: refclock.Stamp(noon + 250_001_000), Offset: -1500 * time.Millisecond, Leap: 2}
	for wide, size := range map[bool]int{true: 40, false: 32} {
		p := datagram(s, wide)
		if len(p) != size {
			t.Fatalf("%d bytes", len(p))
		}
		end := p[size-24:]
		if offset := math.Float64frombits(binary.NativeEndian.Uint64(end)); offset != -1.5 ||
			binary.NativeEndian.Uint32(end[8:]) != 0 || binary.NativeEndian.Uint32(end[12:]) != 2 || string(end[20:]) != "KCOS" && string(end[20:]) != "SOCK" {
			t.Errorf("% x", p)
		}
		if wide && (binary.NativeEndian.Uint64(p) != uint64(noon/1e9) || binary.NativeEndian.Uint64(p[8:]) != 250_001) {
			t.Errorf("% x", p)
		}
	}
}

// TestSegment: the fields stand where struct shmTime has them, in both of its sizes.
func TestSegment(t *testing.T) {
	for size, at := range map[int][]int{96: {8, 16, 24, 32, 36, 48, 52, 56}, 80: {8, 12, 16, 20, 24, 36, 40, 44}} {
		memory := make([]byte, size)
		detached := false
		w := newSHMWriter(memory, func([]byte) error { detached = true; return nil })
		for range 3 {
			if err := w.write(Sample{Stamp: refclock.Stamp(noon - 1000), Offset: 1777, Leap: 1, Precision: -20}); err != nil {
				t.Fatal(err)
			}
		}
		field := func(i int) int64 { return int64(int32(binary.NativeEndian.Uint32(memory[at[i]:]))) }
		got := [...]int64{field(0), field(1), field(2), field(3), field(4), field(5), field(6), field(7)}
		if want := [...]int64{noon / 1e9, 0, noon/1e9 - 1, 999_999, 1, 1, 777, 999_999_000}; got != want {
			t.Errorf("%d bytes: %v, want %v", size, got, want)
		}
		if mode, count := binary.NativeEndian.Uint32(memory), binary.NativeEndian.Uint32(memory[4:]); mode != 1 || count != 6 {
			t.Errorf("mode %d, count %d", mode, count)
		}
		if w.Close(); !detached || field(5) != 0 {
			t.Error("what was written last still stands as valid")
		}
	}
}

// fake is a program that may be away.
type fake struct {
	sync.Mutex
	away    bool
	samples []Sample
	opened  int
}

func (f *fake) open(Config) (writer, error) {
	f.Lock()
	defer f.Unlock()
	if f.away {
		return nil, errors.New("/run/chrony/x.sock: nobody receives there; start chronyd")
	}
	f.opened++
	return f, nil
}

func (f *fake) write(s Sample) error {
	f.Lock()
	defer f.Unlock()
	if f.away {
		return errors.New("/run/chrony/x.sock: nobody receives there; start chronyd")
	}
	f.samples = append(f.samples, s)
	return nil
}

func (f *fake) Close() error { return nil }

func (f *fake) is(away bool) {
	f.Lock()
	defer f.Unlock()
	f.away = away
}

func (f *fake) taken() []Sample {
	f.Lock()
	defer f.Unlock()
	return slices.Clone(f.samples)
}

// alertList is the engine's alerts.
type alertList struct {
	sync.Mutex
	standing map[string]status.Alert
}

func (a *alertList) Raise(al status.Alert) {
	a.Lock()
	defer a.Unlock()
	a.standing[al.Code+" "+al.Source] = al
}

func (a *alertList) Clear(code, source string) {
	a.Lock()
	defer a.Unlock()
	delete(a.standing, code+" "+source)
}

func (a *alertList) list() map[string]status.Alert {
	a.Lock()
	defer a.Unlock()
	return maps.Clone(a.standing)
}

// TestRun: one sample a second while there is something to say; a chronyd that is restarted is fed again; one that stays
// away is alerted, until it is back or the feed ends.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		local := func() refclock.Stamp { return stamp.Add(time.Since(began)) }
		board := &status.Board{}
		publish := func(state status.State) {
			s := synchronised()
			s.Epoch, s.EpochInstant, s.State = local(), s.EpochInstant.Add(time.Since(began)), state
			board.Publish(s)
		}
		config := DefaultConfig()
		config.Path = "/run/chrony/x.sock"
		chronyd, alerts := &fake{}, &alertList{standing: map[string]status.Alert{}}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			run(ctx, config, board, local, alerts, chronyd.open)
			close(done)
		}()
		live := func(seconds int, state status.State) {
			time.Sleep(10 * time.Millisecond)
			for range seconds {
				if state != "" {
					publish(state)
				}
				time.Sleep(time.Second)
			}
			synctest.Wait()
		}
		expect := func(samples, alerted int) {
			t.Helper()
			if got, alerts := chronyd.taken(), alerts.list(); len(got) != samples || len(alerts) != alerted {
				t.Errorf("%d samples, alerts %v; want %d, %d", len(got), alerts, samples, alerted)
			}
		}
		live(5, "")
		expect(0, 0)
		live(10, status.Synchronised)
		expect(10, 0)
		live(10, status.Holdover)
		expect(10, 0)
		live(10, status.Synchronised)
		expect(20, 0)
		live(10, "") // the engine hangs
		expect(21, 0)
		chronyd.is(true)
		live(20, status.Synchronised)
		expect(21, 0)
		live(20, status.Synchronised)
		expect(21, 1)
		if a := alerts.list()["feed-failing /run/chrony/x.sock"]; a.Severity != status.Warning || !strings.Contains(a.Text, "start chronyd") {
			t.Errorf("%+v", a)
		}
		chronyd.is(false)
		live(5, status.Synchronised)
		expect(26, 0)
		for _, s := range chronyd.taken() {
			if s.Offset != 40*time.Millisecond {
				t.Errorf("%+v", s)
			}
		}
		chronyd.is(true)
		live(40, status.Synchronised)
		stop()
		<-done
		expect(26, 0)
	})
}

// TestValidate: what cannot be is named by its key.
func TestValidate(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"":                        func(*Config) {},
		`kind: "pipe" is not`:     func(c *Config) { c.Kind = "pipe" },
		`path: "" is not an abs`:  func(c *Config) { c.Path = "" },
		"path: is for sock":       func(c *Config) { c.Kind = shm },
		"unit: -1 is not":         func(c *Config) { c.Kind, c.Path, c.Unit = shm, "", -1 },
		"max_error_seconds: 0 is": func(c *Config) { c.MaxErrorSeconds = 0 },
	} {
		c := DefaultConfig()
		c.Path = "/run/chrony/timestation.sock"
		change(&c)
		if err := c.Validate(); err == nil && want != "" || err != nil && (want == "" || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
