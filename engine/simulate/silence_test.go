package simulate

import (
	"math"
	"testing"

	"timestation/engine/discipline"
)

// TestDisplacedIsNeverTakenBack: a lone source that comes back 1 ms off after ten minutes stays 1 ms off. The oscillator
// wanders as well, and when it has wandered by about as much, the two meet: that is no return.
func TestDisplacedIsNeverTakenBack(t *testing.T) {
	seeds := 6
	if measure() {
		seeds = sweep(1000)
	}
	const leaves, returns = 2 * hour, 2*hour + 600
	s, _ := FindScenario("a")
	for seed := range uint64(seeds) {
		trace := s.Make(7000+fresh(seed), 6)
		silence(trace, leaves, returns)
		for k := returns; k < len(trace.Pulse); k++ {
			trace.Pulse[k] += 1e-3
		}
		taken, outside := 0, 0
		if _, err := Run(trace, Options{Each: func(r Second) {
			if r.Second > returns && r.Heard && r.Verdict == discipline.Accepted {
				taken++
			}
			if r.Second > returns && !(r.ErrorSeconds < r.MaxErrorSeconds && -r.ErrorSeconds < r.MaxErrorSeconds) {
				outside++
			}
		}}); err != nil {
			t.Fatal(err)
		}
		if taken > 0 || outside > 0 {
			t.Errorf("seed %d: %d samples were believed; %d s outside of MaxError", seed, taken, outside)
		}
	}
}

// TestFlickerHoldover: a crystal whose frequency flickers but does not walk leads away from the time as fast as the silence
// lasts, and the bound must not be that of one that walks.
func TestFlickerHoldover(t *testing.T) {
	seeds, locks := 2, []int{12}
	if measure() {
		seeds, locks = sweep(200), []int{12, 24}
	}
	hours := []int{1, 2, 4, 8, 12}
	s, _ := FindScenario("flicker")
	for _, lock := range locks {
		var inside, squares, bound [5]float64
		all, seconds, insideMax, allSquares, allBounds := 0.0, 0.0, 0.0, 0.0, 0.0
		for seed := range uint64(seeds) {
			trace := s.Make(9000+fresh(seed), float64(lock+12)+0.01)
			silence(trace, lock*hour, len(trace.Frequency))
			if _, err := Run(trace, Options{Each: func(r Second) {
				if r.Second <= lock*hour {
					return
				}
				e := math.Abs(r.ErrorSeconds)
				within := 0.0
				if e <= r.UncertaintySeconds {
					within = 1
				}
				all, seconds = all+within, seconds+1
				allSquares, allBounds = allSquares+e*e, allBounds+r.UncertaintySeconds
				if e <= r.MaxErrorSeconds {
					insideMax++
				}
				for i, h := range hours {
					if r.Second == (lock+h)*hour {
						inside[i] += within / float64(seeds)
						squares[i] += e * e / float64(seeds)
						bound[i] += r.UncertaintySeconds / float64(seeds)
					}
				}
			}}); err != nil {
				t.Fatal(err)
			}
		}
		for i, h := range hours {
			rms := math.Sqrt(squares[i])
			t.Logf("flicker, locked %d h, silent %2d h: rms %.3g s, inside %.3f, bound/rms %.2f", lock, h, rms, inside[i], bound[i]/rms)
			if bound[i] > 0.1e-3*float64(h) {
				t.Errorf("the bound is %.3g s", bound[i])
			}
		}
		width := allBounds / seconds / math.Sqrt(allSquares/seconds)
		t.Logf("flicker, locked %d h: inside %.4f, MaxError %.6f, bound/rms %.2f", lock, all/seconds, insideMax/seconds, width)
		if insideMax < seconds || measure() && (all < 0.94*seconds || all > 0.99*seconds || width > 2.5) {
			t.Errorf("the bound is not true")
		}
	}
}
