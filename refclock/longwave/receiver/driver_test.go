package receiver

import (
	"math"
	"testing"
	"time"

	"timestation/refclock"
	"timestation/refclock/longwave/radiotest"
)

func station(t *testing.T, s radiotest.Scene, config Config) *radiotest.Heard {
	t.Helper()
	s.Code, s.Seed = testCode, 11
	config.Line = "GPIO17"
	return s.Drive(t, func(env refclock.Environment, open radiotest.Opener) refclock.Driver {
		return New(Transmitter{Code: testCode, Name: "test", Places: []refclock.Position{{Latitude: 50, Longitude: 9}}}, config, env, open)
	})
}

func check(t *testing.T, heard *radiotest.Heard, delay, within time.Duration) {
	t.Helper()
	for _, s := range heard.Samples() {
		if off := heard.Error(s) - delay; off.Abs() > within {
			t.Fatalf("a sample says %v and is off by %v", s.Instant.UTC().Time(), off)
		}
	}
}

func TestSamples(t *testing.T) {
	delay := 0.02
	config := DefaultConfig()
	config.DelaySeconds = &delay
	heard := station(t, radiotest.Scene{Noise: radiotest.Noise{Flip: 0.002}, Length: 8 * time.Minute, Position: &refclock.Position{Latitude: 53, Longitude: 9}}, config)
	if len(heard.Samples()) < 40 {
		t.Fatalf("%d samples in 8 minutes", len(heard.Samples()))
	}
	// 333.6 km to the transmitter.
	path := 1113 * time.Microsecond
	check(t, heard, 20*time.Millisecond+path, 5*time.Millisecond)
	s := heard.Samples()[len(heard.Samples())-1]
	if s.TAIKnown || s.Kind != refclock.Absolute || s.Systematic < 10*time.Millisecond || s.Systematic > 11*time.Millisecond || s.Noise <= 0 {
		t.Errorf("sample %+v", s)
	}
	last := heard.Last()
	if last.State != refclock.Timing || len(last.Radio.Marks) == 0 || last.Radio.Confidence < 6 || len(last.Radio.Quality) < 6 {
		t.Errorf("signal %+v %+v", last, last.Radio)
	}
	if last.Radio.Quality[len(last.Radio.Quality)-1] < 0.9 {
		t.Errorf("quality of a clean signal: %v", last.Radio.Quality)
	}
	if heard.Signals()[0].State != refclock.Waiting {
		t.Errorf("the first signal is %+v", heard.Signals()[0])
	}
}

// TestUncertaintyIsTrue: whatever a module's delay within the limits, and its scatter, the bound that comes with each
// sample holds, and without a delay that was measured it is no narrower than such modules differ.
func TestUncertaintyIsTrue(t *testing.T) {
	for _, late := range []time.Duration{2 * time.Millisecond, 30 * time.Millisecond, 58 * time.Millisecond} {
		for _, jitter := range []time.Duration{0, 2 * time.Millisecond, 5 * time.Millisecond} {
			heard := station(t, radiotest.Scene{Late: late, Jitter: jitter, Length: 8 * time.Minute}, DefaultConfig())
			if len(heard.Samples()) < 35 {
				t.Fatalf("%v late, jitter %v: %d samples", late, jitter, len(heard.Samples()))
			}
			mean, square := 0.0, 0.0
			noise := time.Duration(0)
			for _, s := range heard.Samples() {
				off := heard.Error(s)
				if off.Abs() > s.Systematic+2*s.Noise {
					t.Errorf("%v late, jitter %v: off by %v; said %v and %v", late, jitter, off, s.Systematic, s.Noise)
				}
				mean += off.Seconds() / float64(len(heard.Samples()))
				square += off.Seconds() * off.Seconds() / float64(len(heard.Samples()))
				noise = max(noise, s.Noise)
			}
			if scatter := math.Sqrt(square - mean*mean); scatter > 1.2*noise.Seconds() {
				t.Errorf("%v late, jitter %v: samples scatter by %.4f s, said %v", late, jitter, scatter, noise)
			}
			if s := heard.Samples()[0]; s.Systematic < uncalibratedLimit {
				t.Errorf("an unknown delay with a limit of %v", s.Systematic)
			}
		}
	}
}

// TestUnplugged: while the line is gone nothing is said of the time; when it is back, so is the time.
func TestUnplugged(t *testing.T) {
	const gone, back = 5 * time.Minute, 7*time.Minute + 13*time.Second
	heard := station(t, radiotest.Scene{AbsentFrom: gone, AbsentTo: back, Length: 12 * time.Minute}, DefaultConfig())
	var before, meanwhile, after int
	begin := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, s := range heard.Samples() {
		switch at := heard.Truth(s.Stamp).Sub(begin); {
		case at < gone:
			before++
		case at < back:
			meanwhile++
		default:
			after++
		}
	}
	if before < 15 || meanwhile > 0 || after < 10 {
		t.Errorf("%d samples before, %d while the line was gone, %d after", before, meanwhile, after)
	}
	check(t, heard, uncalibratedDelay+unknownPath, 15*time.Millisecond)
	lost := 0
	for _, s := range heard.Signals() {
		if s.State == refclock.Lost {
			lost++
			if s.Text == "" || s.Source != "radio" {
				t.Errorf("%+v", s)
			}
		}
	}
	if lost == 0 || heard.Last().State != refclock.Timing {
		t.Errorf("lost was said %d times, and last %+v", lost, heard.Last())
	}
}

// TestTransmitterOff: a minute without carrier raises an alarm, and the alarm ends with it.
func TestTransmitterOff(t *testing.T) {
	heard := station(t, radiotest.Scene{Noise: radiotest.Noise{SilentFrom: 5 * time.Minute, SilentTo: 7 * time.Minute}, Length: 12 * time.Minute}, DefaultConfig())
	alarms := 0
	for _, s := range heard.Signals() {
		for _, a := range s.Alarms {
			if a.Code == "no-carrier" && a.Text != "" && a.Mend != "" {
				alarms++
			}
		}
	}
	if last := heard.Last(); alarms == 0 || len(last.Alarms) > 0 || last.State != refclock.Timing {
		t.Errorf("%d alarms; last %+v", alarms, last)
	}
	check(t, heard, uncalibratedDelay+unknownPath, 15*time.Millisecond)
}

// TestClockStep: the samples follow the clock that was stepped, and none mixes the two.
func TestClockStep(t *testing.T) {
	for _, step := range []time.Duration{3 * time.Second, -2500 * time.Millisecond, 40 * 365 * 24 * time.Hour} {
		heard := station(t, radiotest.Scene{Length: 8 * time.Minute, StepAt: 5 * time.Minute, Step: step}, DefaultConfig())
		if len(heard.Samples()) < 35 {
			t.Fatalf("step %v: %d samples", step, len(heard.Samples()))
		}
		if step < 0 {
			continue // which of the two clocks a stamp is of cannot be told from the stamp alone
		}
		check(t, heard, uncalibratedDelay+unknownPath, 15*time.Millisecond)
	}
}

// TestBusyMachine: edges that are read late are stamped in time, and cost nothing.
func TestBusyMachine(t *testing.T) {
	idle := station(t, radiotest.Scene{Length: 6 * time.Minute}, DefaultConfig())
	busy := station(t, radiotest.Scene{Length: 6 * time.Minute, Busy: 350 * time.Millisecond}, DefaultConfig())
	if len(busy.Samples()) < len(idle.Samples())-1 || len(idle.Samples()) == 0 {
		t.Errorf("%d samples, %d on an idle machine", len(busy.Samples()), len(idle.Samples()))
	}
	check(t, busy, uncalibratedDelay+unknownPath, 5*time.Millisecond)
}

func TestSilence(t *testing.T) {
	heard := station(t, radiotest.Scene{Noise: radiotest.Noise{NoSignal: true}, Length: time.Minute}, DefaultConfig())
	if len(heard.Samples()) > 0 {
		t.Error("samples out of nothing")
	}
	if last := heard.Last(); last.State != refclock.Waiting || last.Text == "" {
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
