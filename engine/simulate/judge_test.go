package simulate

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"timestation/engine/discipline"
)

// measure tells whether the long sweeps are asked for.
func measure() bool { return os.Getenv("TIMESTATION_MEASURE") != "" }

// sweep is how many seeds a long sweep has: n, or what TIMESTATION_SEEDS says.
func sweep(n int) int {
	if own, err := strconv.Atoi(os.Getenv("TIMESTATION_SEEDS")); err == nil && own > 0 {
		return own
	}
	return n
}

// fresh is the seed that is taken for number i: TIMESTATION_FIRST_SEED lets a long sweep be judged on seeds nobody saw before.
func fresh(i uint64) uint64 {
	first, err := strconv.ParseUint(os.Getenv("TIMESTATION_FIRST_SEED"), 10, 32)
	if err != nil || !measure() {
		first = 1
	}
	return first + i
}

// trial is a scenario and what is demanded of it, over an ensemble of seeds.
type trial struct {
	scenario string
	hours    float64
	skip     int // s
	// seeds and short are how many are run by the long sweep and always.
	seeds, short int
	// ratio is the most that the RMS error may be of the optimum's; rms the most it may be in itself, in s.
	ratio, rms float64
	// others are what chrony's default, chrony tuned by hand and ntpsec reach in clknetsim.
	others string
}

var trials = []trial{
	{"a", 5, hour, 200, 2, 1.08, 0, "414 / 256 / 313 ns"},
	{"a0", 5, hour, 200, 0, 1.08, 0, "202 / 172 / 233 ns"},
	{"b", 5, hour, 200, 2, 1.08, 0, "1.75 / 1.38 / 2.49 µs"},
	{"c", 5, hour, 200, 0, 1.08, 0, "495 / 290 / 344 ns"},
	{"c2", 5, hour, 200, 2, 1.15, 0, "1480 / 404 / 862 ns"},
	{"c2-temperature", 5, hour, 200, 0, 1.3, 0, "1480 / 404 / 862 ns"},
	{"d1", 24, 4 * hour, 200, 2, 1.08, 0, "273 / 117 / 297 µs"},
	{"d2", 24, 4 * hour, 200, 0, 1.08, 0, "284 / 210 / 336 µs"},
	{"g", 5, hour, 200, 2, 2.9, 2.5e-6, "103 / 4.8 / 14 µs at 16 s; the optimum is 0.86 µs at 1 s"},
	{"flicker", 5, hour, 200, 0, 0, 200e-9, ""},
	{"quantised", 5, hour, 200, 0, 0, 300e-9, ""},
	{"late", 5, hour, 200, 0, 0, 240e-9, ""},
}

// ensemble gathers, over the seconds of many seeds, the errors and how true the bounds were.
type ensemble struct {
	sum
	// worst is the largest share of MaxError that an error was, by the seed and the second.
	worst  float64
	seed   uint64
	second int
}

func (e *ensemble) take(seed uint64, r Second) {
	if !r.Known {
		return
	}
	e.add(r)
	if share := math.Abs(r.ErrorSeconds) / r.MaxErrorSeconds; share > e.worst {
		e.worst, e.seed, e.second = share, seed, r.Second
	}
}

func (e *ensemble) figures() (f Figures, width float64) {
	e.into(&f)
	return f, f.MeanBoundSeconds / f.RMSSeconds
}

func (e *ensemble) String() string {
	f, width := e.figures()
	return fmt.Sprintf("rms %.4g s, inside %.4f, bound/rms %.2f, MaxError %.6f, at most %.2f of it (seed %d, second %d)",
		f.RMSSeconds, f.InsideBound, width, f.InsideMax, e.worst, e.seed, e.second)
}

// judge demands both bounds.
func (e *ensemble) judge(t *testing.T, few float64) {
	t.Helper()
	e.always(t)
	e.mostly(t, few)
}

// always demands that MaxError held.
func (e *ensemble) always(t *testing.T) {
	t.Helper()
	if f, _ := e.figures(); f.InsideMax < 1 {
		t.Errorf("the maximum error did not hold: %v", e)
	}
}

// mostly demands that the 95 % bound held as often as it says and is not too wide; of the short run, of few seeds, that it held
// for at least the share few.
func (e *ensemble) mostly(t *testing.T, few float64) {
	t.Helper()
	const widest = 2.5 // times the RMS error
	f, width := e.figures()
	if f.InsideBound < few || measure() && (f.InsideBound < 0.94 || f.InsideBound > 0.99) {
		t.Errorf("the 95 %% bound held %.2f %% of the time", 100*f.InsideBound)
	}
	if measure() && width > widest {
		t.Errorf("the bound is %.2f times the error", width)
	}
}

// TestNearTheOptimum judges the estimator by the best causal filter that knew each scenario's noise beforehand.
func TestNearTheOptimum(t *testing.T) {
	for _, tr := range trials {
		if tr.short == 0 && !measure() {
			continue // only in the long sweep
		}
		t.Run(tr.scenario, func(t *testing.T) {
			seeds, hours, skip, slack := sweep(tr.seeds), tr.hours, tr.skip, 1.0
			if !measure() {
				seeds, hours, skip, slack = tr.short, tr.hours/3, tr.skip/2, 1.15
				if tr.hours > 12 { // DCF77's filter remembers half an hour: few independent samples
					hours, skip, slack = tr.hours/2, tr.skip, 1.3
				}
			}
			t.Parallel()
			s, _ := FindScenario(tr.scenario)
			var ours, best ensemble
			alarms := 0
			for i := range uint64(seeds) {
				seed := fresh(i)
				trace := s.Make(seed, hours)
				after := func(e *ensemble) Options {
					return Options{Source: s.Source, Each: func(r Second) {
						if r.Second > skip {
							e.take(seed, r)
						}
					}}
				}
				f, err := Run(trace, after(&ours))
				if err != nil {
					t.Fatal(err)
				}
				alarms += f.Jumped + f.Broke
				if tr.ratio > 0 {
					source, _ := pick(trace, s.Source)
					run(trace, after(&best), source, reference(s))
				}
			}
			own, _ := ours.figures()
			optimum, _ := best.figures()
			t.Logf("%-14s %v", tr.scenario, &ours)
			if tr.ratio > 0 {
				ratio := own.RMSSeconds / optimum.RMSSeconds
				t.Logf("%-14s ratio %.3f to the optimum's %.4g s   (others: %s)", tr.scenario, ratio, optimum.RMSSeconds, tr.others)
				if ratio > slack*tr.ratio {
					t.Errorf("the error is %.3f times the optimum's, more than %.2f", ratio, tr.ratio)
				}
			}
			if tr.rms > 0 && own.RMSSeconds > slack*tr.rms {
				t.Errorf("the error is %.3g s, more than %.3g s", own.RMSSeconds, tr.rms)
			}
			// Repeated samples can look like a break once in a blue moon; it must heal by itself, after 600 samples.
			if few := 2e-4 * float64(seeds) * hours * hour; float64(alarms) > few {
				t.Errorf("false alarms: %d samples refused for a jump or a break", alarms)
			}
			ours.judge(t, 0.90)
		})
	}
}

// TestColdStart: half a second and 50 ppm off, and within 10 µs to stay after 10 s, or 30 s on a busy machine.
func TestColdStart(t *testing.T) {
	seeds := 4
	if measure() {
		seeds = sweep(300)
	}
	for name, limit := range map[string]int{"e": 10, "eb": 30} {
		s, _ := FindScenario(name)
		var reached []int
		var first, settled ensemble // settled: the estimate may be followed
		for i := range uint64(seeds) {
			seed := fresh(i)
			filter := discipline.NewFilter(discipline.Config{WanderPPM: 5})
			f := run(s.Make(seed, 0.3), Options{Each: func(r Second) {
				if filter.Settled() {
					settled.take(seed, r)
				}
				if r.Second >= 2 && r.Second <= 10 {
					first.take(seed, r)
				}
			}}, Sources[0], filter)
			if f.SecondsTo10us < 0 {
				f.SecondsTo10us = math.MaxInt
			}
			reached = append(reached, f.SecondsTo10us)
		}
		slices.Sort(reached)
		t.Logf("%-3s within 10 µs after %d s (median), %d s (95 %%), %d s (worst)   (chrony 54 s, tuned 5–66 s; ntpsec 562 s)",
			name, reached[seeds/2], reached[seeds*95/100], reached[seeds-1])
		t.Logf("%-3s seconds 2–10: %v", name, &first)
		t.Logf("%-3s settled:      %v", name, &settled)
		if late := reached[seeds*99/100]; late > limit {
			t.Errorf("%s: %d s", name, late)
		}
		if f, _ := first.figures(); f.InsideBound < 0.80 || measure() && f.InsideBound < 0.94 {
			t.Errorf("%s: the 95 %% bound held %.2f %% of seconds 2–10", name, 100*f.InsideBound)
		}
		settled.judge(t, 0.90)
	}
}

// TestDeceptiveCalm: for four hours this oscillator looks ten times calmer than it is, and then the noise leads even the
// optimum astray by five standard deviations. The error is beyond what the likeliest wander allows, and MaxError is not for that.
func TestDeceptiveCalm(t *testing.T) {
	s, _ := FindScenario("d2")
	trace := s.Make(59, 24)
	trace.Frequency = trace.Frequency[:5*hour]
	var e ensemble
	beyond := 0.0
	if _, err := Run(trace, Options{Source: s.Source, Each: func(r Second) {
		if r.Second > 4*hour {
			e.take(59, r)
			beyond = math.Max(beyond, math.Abs(r.ErrorSeconds)/r.UncertaintySeconds)
		}
	}}); err != nil {
		t.Fatal(err)
	}
	t.Logf("%v; up to %.1f of the 95 %% bound", &e, beyond)
	if beyond < 3 || e.worst > 0.9 {
		t.Errorf("%v; up to %.1f of the 95 %% bound", &e, beyond)
	}
}

// TestDriftingPulse: the pulse leaves at 1 µs/s; how far it pulls the time along before it is refused.
func TestDriftingPulse(t *testing.T) {
	seeds := 2
	if measure() {
		seeds = sweep(200)
	}
	s, _ := FindScenario("h")
	var pulls []float64
	const leaves = 2 * hour
	for seed := range uint64(seeds) {
		trace := s.Make(fresh(seed), 24.1)
		trace.Frequency, trace.Pulse = trace.Frequency[day-leaves:], trace.Pulse[day-leaves:]
		refused, before, pull := false, 0.0, 0.0
		if _, err := Run(trace, Options{Each: func(r Second) {
			switch {
			case r.Second <= leaves:
				before = r.ErrorSeconds
				if r.Verdict == discipline.Broke || r.Verdict == discipline.Jumped {
					t.Errorf("seed %d: false alarm in second %d", seed, r.Second)
				}
			case !refused:
				pull = math.Max(pull, math.Abs(r.ErrorSeconds-before))
				refused = r.Verdict == discipline.Broke
			}
		}}); err != nil {
			t.Fatal(err)
		}
		if !refused {
			t.Errorf("seed %d: it was never refused", seed)
		}
		pulls = append(pulls, pull)
	}
	slices.Sort(pulls)
	t.Logf("h   pull %.2g s (median), %.2g s (worst)   (chrony 300–900 µs, tuned 111 µs)", pulls[seeds/2], pulls[seeds-1])
	if pulls[seeds-1] > 5e-6 {
		t.Errorf("pulled by %.3g s", pulls[seeds-1])
	}
}

// TestNoFalseAlarmInThreeDays: what is watched for must not be seen where it is not.
func TestNoFalseAlarmInThreeDays(t *testing.T) {
	seeds, hours := sweep(20), 72.0
	if !measure() {
		seeds, hours = 1, 12
	}
	for _, name := range []string{"a", "b", "c2", "flicker"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := FindScenario(name)
			for seed := range uint64(seeds) {
				f, err := Run(s.Make(fresh(seed), hours), Options{Skip: 2 * hour})
				if err != nil {
					t.Fatal(err)
				}
				if f.Jumped+f.Broke > 0 {
					t.Errorf("seed %d: %d samples refused for a jump, %d for a break", seed, f.Jumped, f.Broke)
				}
			}
		})
	}
}

// TestBlindToTheDriver: a wrong --source costs next to nothing.
func TestBlindToTheDriver(t *testing.T) {
	s, _ := FindScenario("d1")
	trace := s.Make(1, 6)
	right, err := Run(trace, Options{Source: "dcf77", Skip: hour})
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := Run(trace, Options{Source: "pps", Skip: hour})
	if err != nil {
		t.Fatal(err)
	}
	if wrong.RMSSeconds > 1.2*right.RMSSeconds {
		t.Errorf("%.3g s instead of %.3g s", wrong.RMSSeconds, right.RMSSeconds)
	}
	if _, err := Run(trace, Options{Source: "ntp"}); err == nil {
		t.Error("a trace without net.txt was heard through ntp")
	}
	if _, err := Run(trace, Options{Source: "sundial"}); err == nil {
		t.Error("a source that nobody knows was accepted")
	}
}
