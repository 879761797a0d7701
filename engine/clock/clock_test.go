package clock

import (
	"math"
	"testing"
	"time"

	"timestation/refclock"
)

// slewed is a machine whose REALTIME and MONOTONIC run fast against the oscillator by a rate another program may
// change, as the kernel does it: both together.
type slewed struct{ r Reading }

func (s *slewed) advance(d time.Duration, ppm float64) Reading {
	gained := d + time.Duration(float64(d)*ppm*1e-6)
	s.r.Raw += int64(d)
	s.r.Realtime = s.r.Realtime.Add(gained)
	s.r.Monotonic += int64(gained)
	s.r.Boot += int64(gained)
	return s.r
}

func TestMapperRemovesForeignSlew(t *testing.T) {
	m, machine := Mapper{}, &slewed{r: Reading{Realtime: 1e18, Raw: 5e9}}
	type point struct {
		stamp refclock.Stamp
		raw   int64
	}
	var points []point
	for i := range 300 {
		ppm := 0.0
		if i > 100 {
			ppm = 500 // timesyncd's largest slew
		}
		r := machine.advance(100*time.Millisecond, ppm)
		if m.Add(r) != Steady {
			t.Fatalf("reading %d: a slew was taken for a step", i)
		}
		points = append(points, point{r.Realtime, r.Raw})
	}
	for _, p := range points {
		if raw, ok := m.Raw(p.stamp); !ok || math.Abs(float64(raw-p.raw)) > 1000 {
			t.Fatalf("stamp %d: raw %d, %t; want %d", p.stamp, raw, ok, p.raw)
		}
	}
	if rate := m.RealtimeRate() * 1e6; math.Abs(rate-500) > 0.1 {
		t.Errorf("rate %.2f ppm, want 500", rate)
	}
}

func TestMapperNoticesStepAndSuspend(t *testing.T) {
	m, machine := Mapper{}, &slewed{r: Reading{Realtime: 1e18}}
	for range 20 {
		m.Add(machine.advance(100*time.Millisecond, 0))
	}
	before := machine.r.Realtime
	machine.r.Realtime = machine.r.Realtime.Add(-time.Hour)
	if got := m.Add(machine.advance(100*time.Millisecond, 0)); got != Stepped {
		t.Errorf("step: got %d", got)
	}
	if _, ok := m.Raw(before); ok {
		t.Error("a stamp from before the step was mapped")
	}
	machine.r.Boot += int64(time.Minute)
	machine.r.Realtime = machine.r.Realtime.Add(time.Minute)
	if got := m.Add(machine.advance(100*time.Millisecond, 0)); got != Suspended {
		t.Errorf("suspend: got %d", got)
	}
}

func TestSystemReadingsAreSteady(t *testing.T) {
	var m Mapper
	s := System()
	for i := range 200 {
		if c := m.Add(s.Read()); c != Steady {
			t.Fatalf("reading %d: change %d on a machine whose clock nobody touched", i, c)
		}
	}
	now := Now()
	m.Add(s.Read())
	if _, ok := m.Raw(now); !ok {
		t.Error("the present cannot be mapped")
	}
}
