//go:build board && linux

package main

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"timestation/app/scenario"
)

// TestMain lets the tests run on the board only: they set the system clock.
func TestMain(m *testing.M) {
	if err := onBoard(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	source, _ := os.ReadFile("/sys/devices/system/clocksource/clocksource0/current_clocksource")
	fmt.Printf("Linux's clock is %s", source)
	os.Exit(m.Run())
}

// busy is for how long the processors have worked since the start, all together.
func busy() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	var user, nice, system, idle, wait, irq, soft int64
	_, _ = fmt.Sscanf(string(text), "cpu %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &wait, &irq, &soft)
	const tick = 10 * time.Millisecond // USER_HZ
	return time.Duration(user+nice+system+irq+soft) * tick
}

// nature begins a scenario of testdata; it ends with the test.
func nature(t *testing.T, name string) *World {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".toml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenario.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	w, err := Begin(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	before := busy()
	t.Cleanup(func() {
		t.Logf("of two processors %.0f %% were busy", 50*(busy()-before).Seconds()/w.since().Seconds())
		stop()
		if err := w.End(); err != nil {
			t.Error("the world:", err)
		}
		w.lateness(t)
	})
	return w
}

// lateness says how late the edges were made: what the board adds to every pulse.
func (w *World) lateness(t *testing.T) {
	worst, sum, n := time.Duration(0), time.Duration(0), 0
	for _, p := range w.Made() {
		if late := time.Duration(w.At(p.After).TAI - p.DueTAI); late < 100*time.Millisecond {
			worst, sum, n = max(worst, late), sum+late, n+1
		}
	}
	if n > 0 {
		t.Logf("%d edges, on average %v late, at most %v", n, sum/time.Duration(n), worst)
	}
}

// until waits for something at most until a true time after the scenario's beginning.
func (w *World) until(t *testing.T, limit time.Duration, what any, done func() bool) time.Duration {
	t.Helper()
	for {
		at := w.since()
		if done() {
			return at
		}
		if at > limit {
			t.Fatalf("%v after the beginning: %v", at.Round(time.Second), what)
		}
		time.Sleep(time.Second)
	}
}

// since is true time since the scenario began.
func (w *World) since() time.Duration { return w.Now().Sub(w.begin) }
