package simulate

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"timestation/engine/discipline"
)

// TestRestart: what was saved helps the next start, and the bound is true from the first second on. Half of the machines were
// off: their crystals are cold, as far as the filter has room for, and warm up.
func TestRestart(t *testing.T) {
	seeds, names := 2, []string{"a", "d1"}
	if measure() {
		seeds, names = sweep(200), []string{"a", "b", "c", "d1"}
	}
	const locked, lasts = 4 * hour, 900
	const cold, warmUp = 1e-6, 600 // 1σ; s
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := FindScenario(name)
			source, _ := pick(s.Make(1, 0.01), s.Source)
			var all, settled ensemble // settled: the estimate may be followed
			for i := range uint64(seeds) {
				seed := fresh(i)
				away := [...]int{60, hour, 6 * hour}[i%3]
				trace := s.Make(seed, 10.3)
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
				// The simulation begins its time anew, so that what was saved lies before it.
				state.TAI -= int64(locked+away) * 1e9
				state.Raw -= int64(locked+away) * 1e9
				second.Frequency = slices.Clone(trace.Frequency[locked+away : locked+away+lasts])
				second.Pulse = trace.Pulse[locked+away:]
				if i%2 == 1 {
					state.Raw -= 1e15 // and the count began anew
					off := cold * rand.New(rand.NewPCG(seed, 0x636f_6c64)).NormFloat64()
					for k := range second.Frequency {
						second.Frequency[k] += off * math.Exp(-float64(k)/warmUp)
					}
				}
				g := discipline.NewFilter(discipline.Config{WanderPPM: 5})
				g.Restore(state)
				run(&second, Options{Each: func(r Second) {
					all.take(seed, r)
					if g.Settled() {
						settled.take(seed, r)
					}
				}}, source, g)
			}
			t.Logf("%-3s after a restart: %v; settled: %v", name, &all, &settled)
			all.mostly(t, 0.80)
			settled.always(t)
		})
	}
}
