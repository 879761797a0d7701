package display

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// clock is a station in virtual time: the local clock is off by an amount that tests change, and the model is renewed at
// every look.
type clock struct {
	began time.Time
	mu    sync.Mutex
	// local is what the local clock is off by, station what the station's time is ahead of the true one.
	local, station time.Duration
	unknown        bool
	leapAt         refclock.Instant
}

// dawn is the station's time when a test begins: 250 ms before a full second.
var dawn = refclock.Date(2016, 12, 31, 23, 59, 55, 750e6).Instant(36)

func newClock() *clock { return &clock{began: time.Now()} }

// change does something to the clock while others look at it.
func (c *clock) change(what func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	what()
}

func (c *clock) Now() refclock.Stamp {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *clock) now() refclock.Stamp {
	return refclock.Stamp(1000).Add(time.Since(c.began) + c.local)
}

func (c *clock) Status() *status.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &status.Status{Epoch: c.now(), State: status.Synchronised, MaxError: time.Millisecond, Rate: 3e-6}
	if c.unknown {
		s.State = status.Unsynchronised
		return s
	}
	s.EpochInstant = dawn.Add(time.Since(c.began) + c.station)
	if !c.leapAt.IsZero() {
		s.Leap, s.LeapAt = refclock.LeapInsert, c.leapAt
		switch in := s.EpochInstant.TAI - c.leapAt.TAI; {
		case in >= 1e9:
			s.Leap, s.EpochInstant.TAIMinusUTC = refclock.LeapNone, s.EpochInstant.TAIMinusUTC+1
		case in >= 0:
			s.EpochInstant.InLeap = true
		}
	}
	return s
}

// seen is one frame: what it shows, and how long before the station's second it was asked for.
type seen struct {
	text  string
	early time.Duration
	after time.Duration
}

// watch runs Seconds for a while, with a lead, and lets the test meddle meanwhile.
func watch(t *testing.T, c *clock, lead, length time.Duration, meddle func()) []seen {
	t.Helper()
	var all []seen
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	if meddle != nil {
		go meddle()
	}
	Seconds(ctx, c, func() int { return 1 }, func() time.Duration { return lead }, func(tick Tick) {
		f := tick.Frame(DefaultConfig().Style(), time.UTC, "")
		text := "unknown"
		if f.Reading.Known {
			text = f.Second.UTC().String()[11:19]
		}
		all = append(all, seen{text, tick.At.Sub(c.Now()), time.Since(c.began)})
	})
	return all
}

func texts(all []seen) (out []string) {
	for _, s := range all {
		out = append(out, s.text)
	}
	return
}

// TestEverySecondIsShownInTimeAndOnce, the leap second too.
func TestEverySecondIsShownInTimeAndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClock()
		c.leapAt = refclock.Date(2016, 12, 31, 23, 59, 60, 0).Instant(36)
		const lead = 80 * time.Millisecond
		all := watch(t, c, lead, 7*time.Second, nil)
		want := []string{"23:59:55", "23:59:56", "23:59:57", "23:59:58", "23:59:59", "23:59:60", "00:00:00", "00:00:01"}
		if !slices.Equal(texts(all), want) {
			t.Fatalf("shown: %v", texts(all))
		}
		for _, s := range all[1:] {
			if off := s.early - lead; off < -time.Microsecond || off > time.Microsecond {
				t.Errorf("%s was asked for %v before its second, not %v", s.text, s.early, lead)
			}
		}
	})
}

func TestSecondsFollowTheStation(t *testing.T) {
	within := func(t *testing.T, all []seen, text string, at, slack time.Duration) {
		t.Helper()
		for _, s := range all {
			if s.text == text {
				if s.after < at || s.after > at+slack {
					t.Errorf("%s came at %v, want %v to %v later", text, s.after, at, slack)
				}
				return
			}
		}
		t.Errorf("%s was never shown: %v", text, texts(all))
	}
	for name, test := range map[string]func(*testing.T, *clock){
		// The model stands for CLOCK_REALTIME; a step of it moves stamp and model together, and nothing on the wall.
		"the local clock is stepped": func(t *testing.T, c *clock) {
			all := watch(t, c, 0, 4*time.Second, func() { time.Sleep(1500 * time.Millisecond); c.change(func() { c.local += 20 * time.Hour }) })
			if want := []string{"23:59:55", "23:59:56", "23:59:57", "23:59:58", "23:59:59"}; !slices.Equal(texts(all), want) {
				t.Errorf("shown: %v", texts(all))
			}
			within(t, all, "23:59:58", 2250*time.Millisecond, time.Millisecond)
		},
		"the station jumps ahead": func(t *testing.T, c *clock) {
			all := watch(t, c, 0, 3*time.Second, func() { time.Sleep(500 * time.Millisecond); c.change(func() { c.station += time.Hour }) })
			within(t, all, "00:59:56", 500*time.Millisecond, look)
		},
		"the station goes back": func(t *testing.T, c *clock) {
			all := watch(t, c, 0, 3*time.Second, func() { time.Sleep(500 * time.Millisecond); c.change(func() { c.station -= time.Hour }) })
			within(t, all, "22:59:56", 500*time.Millisecond, look)
		},
		"the station creeps back": func(t *testing.T, c *clock) {
			all := watch(t, c, 0, 3*time.Second, func() { time.Sleep(260 * time.Millisecond); c.change(func() { c.station -= 50 * time.Millisecond }) })
			if want := []string{"23:59:55", "23:59:56", "23:59:57", "23:59:58"}; !slices.Equal(texts(all), want) {
				t.Errorf("shown: %v", texts(all))
			}
		},
		"the time becomes known": func(t *testing.T, c *clock) {
			c.unknown = true
			all := watch(t, c, 0, 4*time.Second, func() { time.Sleep(1700 * time.Millisecond); c.change(func() { c.unknown = false }) })
			if len(all) < 4 || all[0].text != "unknown" || all[1].text != "unknown" {
				t.Errorf("shown: %v", texts(all))
			}
			within(t, all, "23:59:57", 1700*time.Millisecond, look)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, newClock()) })
		})
	}
}

// TestPartsOfSecondsAreShown: with several frames a second each comes at its time, and the whole seconds stay where they are.
func TestPartsOfSecondsAreShown(t *testing.T) {
	for _, rate := range []int{2, 3, 20, 60} {
		synctest.Test(t, func(t *testing.T) {
			c := newClock()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			frames, whole := 0, 0
			Seconds(ctx, c, func() int { return rate }, func() time.Duration { return 0 }, func(tick Tick) {
				if frames++; frames == 1 {
					return // it runs already
				}
				if late := c.Now().Sub(tick.At); late < -time.Microsecond || late > time.Microsecond || tick.Jump {
					t.Errorf("rate %d: part %v came %v late, as a jump: %v", rate, tick.Part, late, tick.Jump)
				}
				if tick.Part == 0 {
					whole++
				}
			})
			if whole != 3 || frames < 3*rate-1 || frames > 3*rate+1 {
				t.Errorf("rate %d: %d frames, %d of whole seconds in 3 s", rate, frames, whole)
			}
		})
	}
}

func TestRecentForgets(t *testing.T) {
	var r Recent
	r.Add(5 * time.Millisecond)
	for range recentFew - 2 {
		r.Add(40 * time.Millisecond)
	}
	if _, _, ok := r.Range(); ok {
		t.Errorf("there is a range of %d durations", recentFew-1)
	}
	for range recentCount - recentFew + 1 {
		r.Add(40 * time.Millisecond)
	}
	if a, b, _ := r.Range(); a != 5*time.Millisecond || b != 40*time.Millisecond {
		t.Errorf("%v to %v", a, b)
	}
	if m, ok := r.Median(); m != 40*time.Millisecond || !ok {
		t.Errorf("the median is %v", m)
	}
	r.Add(30 * time.Millisecond)
	if a, b, _ := r.Range(); a != 30*time.Millisecond || b != 40*time.Millisecond {
		t.Errorf("%v to %v after the shortest is forgotten", a, b)
	}
}

func TestLatenessFigures(t *testing.T) {
	var l Lateness
	if _, _, n := l.Figures(); n != 0 {
		t.Errorf("%d frames before the first", n)
	}
	for i := range 2 * latenessFrames {
		l.Add(time.Duration(i) * time.Millisecond)
	}
	median, p99, n := l.Figures()
	if median != 900*time.Millisecond || p99 != 1194*time.Millisecond || n != latenessFrames {
		t.Errorf("median %v, 99 %% %v of %d", median, p99, n)
	}
}
