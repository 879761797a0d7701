package pps

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"timestation/refclock"
	"timestation/refclock/sinktest"
)

const start = refclock.Stamp(1_800_000_000_000_000_000)

func alarm(r *sinktest.Record, code string) (refclock.Alarm, bool) {
	for _, a := range r.Last().Alarms {
		if a.Code == code {
			return a, true
		}
	}
	return refclock.Alarm{}, false
}

// receiverOf is the pure part of a driver, with everything configured.
func receiverOf(out refclock.Sink, change func(*Config)) *receiver {
	config := DefaultConfig()
	config.Device, config.With = "/dev/pps0", "gps0"
	if change != nil {
		change(&config)
	}
	return &receiver{config: config, out: out}
}

// feed gives pulses one by one, in the time they have themselves.
func feed(r *receiver, pulses ...pulse) {
	for _, p := range pulses {
		r.take([]pulse{p}, time.Duration(p.stamp-start))
	}
}

// train makes n pulses of a width by a clock that is off by ppm, with a jitter of each edge, 1σ.
func train(from refclock.Stamp, n int, width time.Duration, ppm float64, jitter, endJitter time.Duration) []pulse {
	random := rand.New(rand.NewPCG(1, 2))
	var pulses []pulse
	for i := range n {
		at := from.Add(time.Duration(i) * (period + time.Duration(ppm*1000)))
		pulses = append(pulses, pulse{stamp: at.Add(time.Duration(random.NormFloat64() * float64(jitter)))})
		if width > 0 {
			pulses = append(pulses, pulse{stamp: at.Add(width + time.Duration(random.NormFloat64()*float64(endJitter))), trailing: true})
		}
	}
	return pulses
}

// TestSamples: each pulse of a regular series, from the third on, is a phase sample with the delay taken off.
func TestSamples(t *testing.T) {
	out := &sinktest.Record{}
	r := receiverOf(out, func(c *Config) { c.Delay, c.DelayLimit = 250e-9, 5e-6 })
	pulses := train(start, 100, 0, 20, time.Microsecond, 0)
	feed(r, pulses...)
	if len(out.Samples()) != 98 {
		t.Fatalf("%d samples of 100 pulses", len(out.Samples()))
	}
	for i, s := range out.Samples() {
		if s.Kind != refclock.Phase || s.Stamp != pulses[i+2].stamp.Add(-250) || s.Systematic != 5*time.Microsecond ||
			s.Pulse.Period != time.Second || s.Pulse.With != "gps0" || s.Pulse.Sequence != uint32(i+3) || s.Noise <= 0 {
			t.Fatalf("sample %d: %+v %+v", i, s, s.Pulse)
		}
	}
	if s := out.Last(); s.State != refclock.Timing || s.Text != "" || len(s.Alarms) > 0 || s.Pulses.Seen != 98 || s.Pulses.Missing+s.Pulses.Extra != 0 {
		t.Errorf("%+v %+v", s, s.Pulses)
	}
}

// TestScatter: jitter and histogram are those of the stamps, whatever the clock's frequency.
func TestScatter(t *testing.T) {
	for _, jitter := range []time.Duration{200 * time.Nanosecond, 5 * time.Microsecond, 300 * time.Microsecond} {
		out := &sinktest.Record{}
		feed(receiverOf(out, nil), train(start, 300, 0, -80, jitter, 0)...)
		p := out.Last().Pulses
		// Neighbouring stamps scatter independently.
		if want := jitter.Seconds() * 1.414; p.JitterSeconds < 0.8*want || p.JitterSeconds > 1.2*want {
			t.Errorf("jitter %v: said %v", want, p.JitterSeconds)
		}
		total, middle := uint32(0), uint32(0)
		for i, n := range p.Histogram {
			total += n
			if i >= bins/4 && i < bins-bins/4 {
				middle += n
			}
		}
		if len(p.Histogram) != bins || total != kept || middle < 100 || p.Histogram[bins/2] == 0 {
			t.Errorf("histogram %v in steps of %v", p.Histogram, p.HistogramStepSeconds)
		}
		if width := p.HistogramStepSeconds * bins; width < 7*jitter.Seconds() || width > 25*jitter.Seconds() {
			t.Errorf("jitter %v: the histogram is %v wide", jitter, width)
		}
	}
}

// TestMissingAndExtra: gaps, edges between the pulses and lost stamps are told apart, and none of the wrong edges
// becomes a sample.
func TestMissingAndExtra(t *testing.T) {
	for _, c := range []struct {
		name           string
		alter          func(i int, p pulse) []pulse
		missing, extra uint64
		alarms         []string
	}{
		{"none", func(_ int, p pulse) []pulse { return []pulse{p} }, 0, 0, nil},
		{"three missing", func(i int, p pulse) []pulse {
			if i == 50 || i == 60 || i == 61 {
				return nil
			}
			return []pulse{p}
		}, 3, 0, nil},
		{"every fourth missing", func(i int, p pulse) []pulse {
			if i%4 == 3 && i < 99 {
				return nil
			}
			return []pulse{p}
		}, 24, 0, []string{"missing-pulses"}},
		{"three lost by a busy program", func(i int, p pulse) []pulse {
			switch i {
			case 50, 51, 52:
				return nil
			case 53:
				p.lost = 3
			}
			return []pulse{p}
		}, 0, 0, nil},
		{"bounces", func(i int, p pulse) []pulse {
			if i%5 == 0 && i > 5 && i < 99 {
				return []pulse{p, {stamp: p.stamp.Add(70 * time.Microsecond)}, {stamp: p.stamp.Add(290 * time.Microsecond)}}
			}
			return []pulse{p}
		}, 0, 36, []string{"extra-pulses"}},
		{"five a second", func(_ int, p pulse) []pulse {
			all := []pulse{p}
			for i := range 4 {
				all = append(all, pulse{stamp: p.stamp.Add(time.Duration(i+1) * 200 * time.Millisecond)})
			}
			return all
		}, 0, 4 * 97, []string{"extra-pulses"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := &sinktest.Record{}
			r := receiverOf(out, nil)
			for i, p := range train(start, 100, 0, 30, time.Microsecond, 0) {
				feed(r, c.alter(i, p)...)
			}
			for _, s := range out.Samples() {
				offset := s.Stamp.Sub(start) % period
				if offset > period/2 {
					offset -= period
				}
				if offset.Abs() > 4*time.Millisecond { // 30 ppm in 100 s
					t.Fatalf("a sample %v off the second", offset)
				}
			}
			p := out.Last().Pulses
			if p.Missing != c.missing || p.Extra != c.extra {
				t.Errorf("%d missing, %d extra; want %d and %d", p.Missing, p.Extra, c.missing, c.extra)
			}
			var codes []string
			for _, a := range out.Last().Alarms {
				codes = append(codes, a.Code)
			}
			if strings.Join(codes, " ") != strings.Join(c.alarms, " ") {
				t.Errorf("alarms %v, want %v", out.Last().Alarms, c.alarms)
			}
		})
	}
}

// TestFivePerSecondIsCritical: which of five beats is the second, nobody can tell.
func TestFivePerSecondIsCritical(t *testing.T) {
	out := &sinktest.Record{}
	r := receiverOf(out, nil)
	for i := range 300 {
		feed(r, pulse{stamp: start.Add(time.Duration(i) * 200 * time.Millisecond)})
	}
	if a, ok := alarm(out, "extra-pulses"); !ok || !a.Critical {
		t.Errorf("%+v", out.Last())
	}
}

// TestNoise: edges without a beat are no pulse, however many come.
func TestNoise(t *testing.T) {
	out := &sinktest.Record{}
	r := receiverOf(out, nil)
	random := rand.New(rand.NewPCG(3, 4))
	at := start
	for range 2000 {
		at = at.Add(time.Duration(random.ExpFloat64() * float64(1300*time.Millisecond)))
		feed(r, pulse{stamp: at})
	}
	// Three edges within 2 ms of a beat are chance: about 2000 × (0.003)² of them.
	if len(out.Samples()) > 20 {
		t.Errorf("%d samples from noise", len(out.Samples()))
	}
}

// TestWrongEdge: an edge that ends the pulse is alarmed, and the right one is not.
func TestWrongEdge(t *testing.T) {
	const us, ms = time.Microsecond, time.Millisecond
	for _, c := range []struct {
		name              string
		width             time.Duration
		jitter, endJitter time.Duration
		expected          float64
		code              string
		critical          bool
	}{
		{"short pulse, right edge", 100 * ms, us, us, 0, "", false},
		{"short pulse, its end", 900 * ms, us, us, 0, "wrong-edge", true},
		{"1 µs pulse, its end", period - us, 100, 100, 0, "wrong-edge", true},
		{"long pulse, as said", 800 * ms, us, us, 0.8, "", false},
		{"long pulse, its end", 200 * ms, us, us, 0.8, "wrong-edge", true},
		{"the end is the better edge", 100 * ms, 100 * us, us, 0, "wrong-edge", false},
		{"the end is worse", 100 * ms, us, 100 * us, 0, "", false},
		{"not as long as said", 20 * ms, us, us, 0.1, "pulse-width", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := &sinktest.Record{}
			r := receiverOf(out, func(config *Config) { config.Width = c.expected })
			feed(r, train(start, 40, c.width, 10, c.jitter, c.endJitter)...)
			alarms := out.Last().Alarms
			if c.code == "" {
				if len(alarms) != 0 {
					t.Errorf("%+v", alarms)
				}
				return
			}
			if len(alarms) != 1 || alarms[0].Code != c.code || alarms[0].Critical != c.critical {
				t.Fatalf("%+v", alarms)
			}
			if c.code == "wrong-edge" && !strings.Contains(alarms[0].Mend, `set edge = "clear"`) {
				t.Error(alarms[0].Mend)
			}
			if got := out.Last().Pulses.WidthSeconds; got < c.width.Seconds()-1e-4 || got > c.width.Seconds()+1e-4 {
				t.Errorf("width %v", got)
			}
		})
	}
}

// TestMovedPulse: a receiver that starts again with its pulse elsewhere is followed there after three pulses, and its
// jitter is not that of the jump.
func TestMovedPulse(t *testing.T) {
	out := &sinktest.Record{}
	r := receiverOf(out, nil)
	feed(r, train(start, 60, 0, 0, time.Microsecond, 0)...)
	feed(r, train(start.Add(60*period+300*time.Millisecond), 60, 0, 0, time.Microsecond, 0)...)
	p := out.Last().Pulses
	if p.Extra != 0 || p.Missing != 0 || p.Seen < 114 || p.JitterSeconds > 3e-6 {
		t.Errorf("%+v", p)
	}
}

// pulser is a source in virtual time: a pulse at every whole second since it was made while on.
type pulser struct {
	clock *virtualClock
	on    func(second int) bool
	fails func() error
	last  int
}

// virtualClock is CLOCK_REALTIME, which somebody may set.
type virtualClock struct {
	began time.Time
	set   atomic.Int64
}

func (v *virtualClock) now() refclock.Stamp {
	return start.Add(time.Since(v.began) + time.Duration(v.set.Load()))
}

func (p *pulser) next(wait time.Duration) ([]pulse, error) {
	if p.fails != nil {
		if err := p.fails(); err != nil {
			return nil, err
		}
	}
	now := time.Since(p.clock.began)
	edge := now.Truncate(period) + period
	if edge-now > wait {
		time.Sleep(wait)
		return nil, nil
	}
	time.Sleep(edge - now)
	if second := int(edge / period); p.on(second) {
		lost := uint32(0)
		if p.last > 0 && p.on(second-1) {
			lost = uint32(second-p.last) - 1
		}
		p.last = second
		return []pulse{{stamp: p.clock.now(), lost: lost}}, nil
	}
	return nil, nil
}

func (p *pulser) Close() error { return nil }

// TestRun lives through a start without pulses, a good minute, a step of the clock by half a century, pulses that stop,
// and a device that goes away.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := &virtualClock{began: time.Now()}
		fail := errors.New("/dev/pps0: the device is gone; plug the receiver in again")
		opened := 0
		d := &driver{config: receiverOf(nil, nil).config, env: refclock.Environment{Now: clock.now}, open: func(Config) (source, error) {
			opened++
			return &pulser{clock: clock,
				on: func(second int) bool { return second > 10 && second <= 120 || second > 150 },
				fails: func() error {
					if opened == 1 && time.Since(clock.began) > 199900*time.Millisecond {
						return fail
					}
					return nil
				}}, nil
		}}
		out := &sinktest.Record{}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			refclock.Supervise(ctx, "pps0", d, slog.New(slog.DiscardHandler), out)
			close(done)
		}()
		at := func(second float64, state refclock.SourceState, words string) {
			t.Helper()
			time.Sleep(time.Duration(second*1e9) - time.Since(clock.began))
			synctest.Wait()
			if s := out.Last(); s.State != state || !strings.Contains(s.Text, words) {
				t.Errorf("after %v s: %+v", second, s)
			}
		}
		at(5, refclock.Waiting, "no pulse yet")
		at(60.5, refclock.Timing, "")
		if n := len(out.Samples()); n != 48 {
			t.Errorf("%d samples in 50 s", n)
		}
		clock.set.Add(int64(56*365*24*time.Hour + 123456*time.Microsecond))
		at(70.5, refclock.Timing, "")
		if n := len(out.Samples()); n != 55 { // of ten pulses one came with the step, two begin the new beat
			t.Errorf("%d samples after the step", n)
		}
		clock.set.Add(-30e9)
		at(119.5, refclock.Timing, "")
		if p := out.Last().Pulses; p.Missing != 0 || p.Extra != 0 {
			t.Errorf("a step of the clock counted as %+v", p)
		}
		at(130.5, refclock.Receiving, "have stopped")
		at(160.5, refclock.Timing, "")
		if p := out.Last().Pulses; p.Missing != 30 {
			t.Errorf("%+v", p)
		}
		at(200.4, refclock.Lost, "plug the receiver in")
		at(210.5, refclock.Timing, "")
		stop()
		<-done
		if time.Since(clock.began) > 212*time.Second {
			t.Error("it took long to end")
		}
	})
}

// TestValidate: what cannot be is named by its key.
func TestValidate(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"":                         func(*Config) {},
		"device: is missing":       func(c *Config) { c.Device = "" },
		"line: stands beside":      func(c *Config) { c.Line = "GPIO18" },
		"bias: is for a GPIO":      func(c *Config) { c.Bias = "pull-up" },
		"with: is missing":         func(c *Config) { c.With = "" },
		`edge: "up" is not known`:  func(c *Config) { c.Edge = "up" },
		"width_seconds: 1 is":      func(c *Config) { c.Width = 1 },
		"delay_seconds: -0.5":      func(c *Config) { c.Delay = -0.5 },
		"delay_limit_seconds: 0 i": func(c *Config) { c.DelayLimit = 0 },
		`line: 18 is a number`:     func(c *Config) { c.Device, c.Line = "", "18" },
		`bias: "both" is not`:      func(c *Config) { c.Device, c.Line, c.Bias = "", "GPIO18", "both" },
	} {
		c := receiverOf(nil, change).config
		if err := c.Validate(); err == nil && want != "" || err != nil && (want == "" || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
