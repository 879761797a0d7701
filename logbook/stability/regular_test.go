package stability

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRegularSnapsMergesAndLeavesHoles(t *testing.T) {
	ms := int64(time.Millisecond)
	times := []int64{16000 * ms, 100 * ms, 32010 * ms, 79990 * ms, 32050 * ms, 95800 * ms}
	phase := []float64{2, 1, 3, 6, 5, math.NaN()}
	s, grid, err := Regular(times, phase, 16*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	if want := []float64{1, 2, 4, nan, nan, 6, nan}; !slices.EqualFunc(s.Phase, want, same) {
		t.Errorf("phase %v, want %v", s.Phase, want)
	}
	if grid.Rows != 6 || grid.Unusable != 1 || grid.Merged != 1 || grid.Holes != 3 || s.Missing() != 3 {
		t.Errorf("grid %+v, %d missing", grid, s.Missing())
	}
	if grid.WorstShift < 50*time.Millisecond || grid.WorstShift > 120*time.Millisecond {
		t.Errorf("the furthest row was moved by %v", grid.WorstShift)
	}
	if s.Tau0Seconds != 16 || s.StartNS < -50*ms || s.StartNS > 50*ms {
		t.Errorf("interval %v s from %d ns", s.Tau0Seconds, s.StartNS)
	}
}

// TestRegularDoesNotSplitHairs: a first row that came late must not put every other row on the edge between two points.
func TestRegularDoesNotSplitHairs(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	times, phase := make([]int64, 1000), make([]float64, 1000)
	for i := range times {
		times[i] = 1_900_000_000e9 + int64(i)*16e9 + int64(r.NormFloat64()*0.2e9)
	}
	times[0] += 8e9
	_, grid, err := Regular(times, phase, 16*time.Second)
	if err != nil || grid.Merged > 1 || grid.Holes > 1 {
		t.Errorf("1000 rows with 0.2 s of jitter: %+v, %v", grid, err)
	}
}

func TestRegularRefuses(t *testing.T) {
	for want, call := range map[string]func() error{
		"above 0":    func() error { _, _, err := Regular([]int64{1}, []float64{1}, 0); return err },
		"one for ea": func() error { _, _, err := Regular([]int64{1}, nil, 1); return err },
		"wrong date": func() error {
			_, _, err := Regular([]int64{0, 1_900_000_000e9}, []float64{1, 2}, time.Second)
			return err
		},
		"longer": func() error {
			_, _, err := Regular([]int64{math.MinInt64, math.MaxInt64}, []float64{1, 2}, math.MaxInt64)
			return err
		},
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	if s, _, err := Regular(nil, nil, time.Second); err != nil || len(s.Phase) != 0 {
		t.Errorf("no rows: %v, %v", s, err)
	}
}
