package simulate

import (
	"math"
	"testing"
)

// TestFrequencyStep: a crystal whose frequency steps in an instant, as no undamaged one does, takes the time along until the
// pulses show it. For how long and how far is what discipline.Estimate states: 10 s, and what the step makes in 3 s.
func TestFrequencyStep(t *testing.T) {
	const at = 2 * hour
	s, _ := FindScenario("a")
	for _, test := range []struct{ step, over float64 }{{0.1e-6, 1}, {0.5e-6, 1}, {2e-6, 1}, {-2e-6, 1}, {5e-6, 1}, {2e-6, 300}} {
		outside, furthest := 0.0, 0.0
		const seeds = 4
		for seed := range uint64(seeds) {
			trace := s.Make(300+seed, 2.1)
			for k := at; k < len(trace.Frequency); k++ {
				trace.Frequency[k] += test.step * math.Min(float64(k-at+1)/test.over, 1)
			}
			if _, err := Run(trace, Options{Each: func(r Second) {
				e := math.Abs(r.ErrorSeconds)
				if r.Second > at && e > r.MaxErrorSeconds {
					outside += 1.0 / seeds
					furthest = math.Max(furthest, e-r.MaxErrorSeconds)
				}
			}}); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%+.1f ppm within %3.0f s: %.1f s outside of MaxError, by up to %.2g s", test.step*1e6, test.over, outside, furthest)
		if outside > 10 || furthest > 3*math.Abs(test.step)+0.8e-6 || test.over > 1 && furthest > 0.5e-6 {
			t.Errorf("%+.1f ppm within %.0f s: %.1f s outside of MaxError, by up to %.2g s", test.step*1e6, test.over, outside, furthest)
		}
	}
}
