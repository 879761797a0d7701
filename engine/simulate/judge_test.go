package simulate

import (
	"encoding/json"
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
	// width is how many times the RMS error the mean bound may be.
	width float64
	// others are what chrony's default, chrony tuned by hand and ntpsec reach in clknetsim.
	others string
}

var trials = []trial{
	{"a", 5, hour, 200, 2, 1.08, 0, 2.5, "414 / 256 / 313 ns"},
	{"a0", 5, hour, 200, 0, 1.08, 0, 2.5, "202 / 172 / 233 ns"},
	{"b", 5, hour, 200, 2, 1.08, 0, 2.5, "1.75 / 1.38 / 2.49 µs"},
	{"c", 5, hour, 200, 0, 1.08, 0, 2.5, "495 / 290 / 344 ns"},
	{"c2", 5, hour, 200, 2, 1.15, 0, 2.5, "1480 / 404 / 862 ns"},
	{"c2-temperature", 5, hour, 200, 0, 1.3, 0, 2.5, "1480 / 404 / 862 ns"},
	{"d1", 24, 4 * hour, 200, 2, 1.08, 0, 2.5, "273 / 117 / 297 µs"},
	{"d2", 24, 4 * hour, 200, 0, 1.08, 0, 2.5, "284 / 210 / 336 µs"},
	{"g", 5, hour, 200, 2, 2.9, 2.5e-6, 2.5, "103 / 4.8 / 14 µs at 16 s; the optimum is 0.86 µs at 1 s"},
	{"flicker", 5, hour, 200, 0, 0, 200e-9, 2.5, ""},
	{"quantised", 5, hour, 200, 0, 0, 300e-9, 2.5, ""},
	{"late", 5, hour, 200, 0, 0, 240e-9, 2.5, ""},
}

// ensemble is the result of many seeds.
type ensemble struct {
	rms, optimum, inside, insideMax, width float64
	jumped, broke                          int
}

func (tr trial) run(t *testing.T, seeds int, hours float64, skip int) ensemble {
	s, ok := FindScenario(tr.scenario)
	if !ok {
		t.Fatalf("no scenario %q", tr.scenario)
	}
	var e ensemble
	var squares, best, bound float64
	for seed := range uint64(seeds) {
		trace := s.Make(fresh(seed), hours)
		f, err := Run(trace, Options{Source: s.Source, Skip: skip})
		if err != nil {
			t.Fatal(err)
		}
		squares += f.RMSSeconds * f.RMSSeconds
		bound += f.MeanBoundSeconds
		e.inside += f.InsideBound / float64(seeds)
		e.insideMax += f.InsideMax / float64(seeds)
		e.jumped += f.Jumped
		e.broke += f.Broke
		if tr.ratio > 0 {
			source, _ := pick(trace, s.Source)
			r := run(trace, Options{Skip: skip}, source, reference(s))
			best += r.RMSSeconds * r.RMSSeconds
		}
	}
	e.rms, e.optimum = math.Sqrt(squares/float64(seeds)), math.Sqrt(best/float64(seeds))
	e.width = bound / float64(seeds) / e.rms
	return e
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
			e := tr.run(t, seeds, hours, skip)
			t.Logf("%-14s rms %.4g s, optimum %.4g s, ratio %.3f, inside %.4f, MaxError %.6f, bound/rms %.2f   (others: %s)",
				tr.scenario, e.rms, e.optimum, e.rms/e.optimum, e.inside, e.insideMax, e.width, tr.others)
			if tr.ratio > 0 && e.rms > slack*tr.ratio*e.optimum {
				t.Errorf("the error is %.3f times the optimum's, more than %.2f", e.rms/e.optimum, tr.ratio)
			}
			if tr.rms > 0 && e.rms > slack*tr.rms {
				t.Errorf("the error is %.3g s, more than %.3g s", e.rms, tr.rms)
			}
			// Repeated samples can look like a break once in a blue moon; it must heal by itself, after 600 samples.
			if few := 2e-4 * float64(seeds) * hours * hour; float64(e.jumped+e.broke) > few {
				t.Errorf("false alarms: %d samples refused for a jump, %d for a break", e.jumped, e.broke)
			}
			if e.inside < 0.90 || measure() && (e.inside < 0.94 || e.inside > 0.99) {
				t.Errorf("the 95 %% bound held %.2f %% of the time", 100*e.inside)
			}
			if measure() && e.width > tr.width {
				t.Errorf("the bound is %.2f times the error", e.width)
			}
			if e.insideMax < 0.9999 {
				t.Errorf("the maximum error held only %.4f %% of the time", 100*e.insideMax)
			}
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
		inside, first := 0.0, 0.0
		for seed := range uint64(seeds) {
			f, err := Run(s.Make(fresh(seed), 0.3), Options{Each: func(r Second) {
				if r.Second >= 2 && r.Second <= 10 && math.Abs(r.ErrorSeconds) <= r.UncertaintySeconds {
					first += 1 / float64(9*seeds)
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			if f.SecondsTo10us < 0 {
				f.SecondsTo10us = math.MaxInt
			}
			reached = append(reached, f.SecondsTo10us)
			inside += f.InsideBound / float64(seeds)
		}
		slices.Sort(reached)
		t.Logf("%-3s within 10 µs after %d s (median), %d s (95 %%), %d s (worst); inside %.3f, in seconds 2–10 %.3f   (chrony 54 s, tuned 5–66 s; ntpsec 562 s)",
			name, reached[seeds/2], reached[seeds*95/100], reached[seeds-1], inside, first)
		if late := reached[seeds*99/100]; late > limit {
			t.Errorf("%s: %d s", name, late)
		}
		if inside < 0.94 && measure() || inside < 0.90 {
			t.Errorf("%s: the 95 %% bound held %.2f %% of the first 18 min", name, 100*inside)
		}
		if first < 0.94 && measure() || first < 0.80 {
			t.Errorf("%s: the 95 %% bound held %.2f %% of seconds 2–10", name, 100*first)
		}
	}
}

// TestHoldover: a day locked, a day silent, with and without a thermometer.
func TestHoldover(t *testing.T) {
	seeds, slack := sweep(200), 1.0
	if !measure() {
		seeds, slack = 2, 3 // of two days each: too few for more than the order of magnitude
	}
	hours := []int{1, 4, 12, 24}
	tuned := []float64{0.9e-3, 10e-3, 26e-3, 34e-3} // chrony's best, blind
	for _, name := range []string{"f", "f-temperature"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := FindScenario(name)
			source := Sources[0]
			var errors, optimum [4]float64
			var inside, silent, bound, squares, insideMax float64
			for seed := range uint64(seeds) {
				trace := s.Make(fresh(seed), 0)
				at := func(into *[4]float64, whole bool) func(Second) {
					return func(r Second) {
						for i, h := range hours {
							if r.Second == day+h*hour {
								into[i] += r.ErrorSeconds * r.ErrorSeconds / float64(seeds)
							}
						}
						if r.Second > day && whole {
							silent++
							squares += r.ErrorSeconds * r.ErrorSeconds
							bound += r.UncertaintySeconds
							if math.Abs(r.ErrorSeconds) <= r.UncertaintySeconds {
								inside++
							}
							if math.Abs(r.ErrorSeconds) <= r.MaxErrorSeconds {
								insideMax++
							}
						}
					}
				}
				run(trace, Options{Each: at(&errors, true)}, source, discipline.NewFilter(discipline.Config{WanderPPM: 5}))
				run(trace, Options{Each: at(&optimum, false)}, source, reference(s))
			}
			for i, h := range hours {
				e, o := math.Sqrt(errors[i]), math.Sqrt(optimum[i])
				t.Logf("%-14s after %2d h: %.3g ms, optimum %.3g ms, ratio %.2f   (chrony's best %.3g ms)", name, h, e*1e3, o*1e3, e/o, tuned[i]*1e3)
				if name == "f" && e > slack*tuned[i] {
					t.Errorf("worse than chrony's best")
				}
				if name != "f" && measure() && e > 2*o {
					t.Errorf("more than twice the optimum")
				}
			}
			share, width := inside/silent, bound/silent/math.Sqrt(squares/silent)
			t.Logf("%-14s inside %.4f, MaxError %.6f, bound/rms %.2f", name, share, insideMax/silent, width)
			if measure() && (share < 0.94 || share > 0.99 || width > 2.5) || insideMax < silent {
				t.Errorf("the bound is not true")
			}
		})
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
		seeds, hours = 1, 24
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

// TestSilences: the bound through gaps of minutes to two days, and after a source that came back 1 ms off.
func TestSilences(t *testing.T) {
	seeds := sweep(200)
	if !measure() {
		seeds = 2 // too few to judge the 95 % bound by: a silence of two days is one sample
	}
	for _, name := range []string{"gaps", "displaced"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := trial{scenario: name}.run(t, seeds, 0, hour)
			t.Logf("%-14s rms %.4g s, inside %.4f, MaxError %.6f, bound/rms %.2f, jumped %d", name, e.rms, e.inside, e.insideMax, e.width, e.jumped)
			if e.insideMax < 0.99999 || measure() && (e.inside < 0.94 || e.inside > 0.99 || e.width > 2.5) {
				t.Errorf("the bound is not true")
			}
			if (name == "displaced") != (e.jumped > 0) {
				t.Errorf("%d samples refused for a jump", e.jumped)
			}
		})
	}
}

// TestRestart: what was saved helps the next start, and the bound is true from the first second on.
func TestRestart(t *testing.T) {
	seeds, names := 1, []string{"a", "d1"}
	if measure() {
		seeds, names = sweep(200), []string{"a", "b", "c", "d1"}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := FindScenario(name)
			source, _ := pick(s.Make(1, 0.01), s.Source)
			const locked = 4 * hour
			var inside, seconds, bound, squares float64
			for seed := range uint64(seeds) {
				away := []int{60, hour, 6 * hour}[seed%3]
				trace := s.Make(fresh(seed), 10.3)
				first, second := *trace, *trace
				first.Frequency = trace.Frequency[:locked]
				f := discipline.NewFilter(discipline.Config{WanderPPM: 5})
				run(&first, Options{}, source, f)
				written, err := json.Marshal(f.Save())
				if err != nil {
					t.Fatal(err)
				}
				var state discipline.State
				if err := json.Unmarshal(written, &state); err != nil {
					t.Fatal(err)
				}
				// The simulation begins its time anew; the machine was off, so that its count does too.
				state.TAI -= int64(locked+away) * 1e9
				state.Raw -= int64(seed+1) * 1e15
				g := discipline.NewFilter(discipline.Config{WanderPPM: 5})
				g.Restore(state)
				second.Frequency, second.Pulse = trace.Frequency[locked+away:locked+away+900], trace.Pulse[locked+away:]
				run(&second, Options{Each: func(r Second) {
					if !r.Known {
						return
					}
					seconds++
					bound += r.UncertaintySeconds
					squares += r.ErrorSeconds * r.ErrorSeconds
					if math.Abs(r.ErrorSeconds) <= r.UncertaintySeconds {
						inside++
					}
				}}, source, g)
			}
			share, rms := inside/seconds, math.Sqrt(squares/seconds)
			t.Logf("%-3s after a restart: rms %.3g s, inside %.4f, bound/rms %.2f", name, rms, share, bound/seconds/rms)
			// A crystal that was without power may be cold, and the bound has room for that; the simulated one is not.
			if measure() && (share < 0.94 || share > 0.995) || share < 0.80 {
				t.Errorf("the bound held %.2f %% of the time", 100*share)
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
