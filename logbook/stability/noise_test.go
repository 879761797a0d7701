package stability

import (
	"math"
	"math/rand/v2"
	"testing"
)

// walk is white frequency noise: a random walk of the phase.
func walk(r *rand.Rand, n int, step float64) Series {
	return powerLaw(r, n, WhiteFM, step)
}

// powerLaw makes phase of a spectral density of frequency ∝ f^α by N. J. Kasdin's filter (Proc. IEEE 83-5, 1995): white
// noise through (1−z⁻¹)^(−β/2), with β = 2 − α for the phase.
func powerLaw(r *rand.Rand, n int, noise Noise, step float64) Series {
	exponent := (2 - float64(noise)) / 2
	h, w := make([]float64, n), make([]float64, n)
	h[0] = 1
	for i := range n {
		if i > 0 {
			h[i] = h[i-1] * (exponent + float64(i) - 1) / float64(i)
		}
		w[i] = step * r.NormFloat64()
	}
	s := Series{Phase: make([]float64, n), Tau0Seconds: 1}
	whole := exponent == math.Trunc(exponent)
	for i := range n {
		if whole { // so many sums
			s.Phase[i] = w[i]
			continue
		}
		var sum float64
		for j, k := range h[:i+1] {
			sum += k * w[i-j]
		}
		s.Phase[i] = sum
	}
	for k := 0.0; whole && k < exponent; k++ {
		for i := 1; i < n; i++ {
			s.Phase[i] += s.Phase[i-1]
		}
	}
	return s
}

// TestSlopes: on a log-log plot a noise is a straight line of known slope (SP 1065 section 7.2), and is named rightly.
func TestSlopes(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, c := range []struct {
		noise                  Noise
		adev, mdev, hdev, tdev float64
	}{
		{WhitePM, -1, -1.5, -1, -0.5},
		{FlickerPM, -1, -1, -1, 0},
		{WhiteFM, -0.5, -0.5, -0.5, 0.5},
		{FlickerFM, 0, 0, 0, 1},
		{RandomWalkFM, 0.5, 0.5, 0.5, 1.5},
	} {
		n := 60_000
		if c.noise == FlickerPM || c.noise == FlickerFM {
			n = 8_000
		}
		s := powerLaw(r, n, c.noise, 1e-9)
		// A steady frequency of 5 ppm must not mislead it.
		for i := range s.Phase {
			s.Phase[i] += 5e-6 * float64(i)
		}
		a := Analyse(s, []int{4, 8, 16, 32})
		for name, x := range map[string]struct {
			points []Point
			want   float64
		}{"ADEV": {a.ADEV, c.adev}, "MDEV": {a.MDEV, c.mdev}, "HDEV": {a.HDEV, c.hdev}, "TDEV": {a.TDEV, c.tdev}} {
			slope := math.Log(x.points[3].Deviation/x.points[0].Deviation) / math.Log(8)
			if math.Abs(slope-x.want) > 0.15 {
				t.Errorf("%v: %s has the slope %.2f, theory says %.1f", c.noise, name, slope, x.want)
			}
			for _, p := range x.points {
				if p.Noise != c.noise {
					t.Errorf("%v was taken for %v by %s(%v s)", c.noise, p.Noise, name, p.TauSeconds)
				}
			}
		}
	}
}

func TestNoiseIsNamedAcrossGaps(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, noise := range []Noise{WhitePM, WhiteFM, RandomWalkFM} {
		s := powerLaw(r, 20_000, noise, 1e-9)
		for i := range s.Phase {
			if i%1000 < 100 || r.IntN(50) == 0 {
				s.Phase[i] = math.NaN()
			}
		}
		for _, p := range ADEV(s, []int{1, 7, 50}) {
			if p.Noise != noise {
				t.Errorf("%v with gaps was taken for %v at %v s", noise, p.Noise, p.TauSeconds)
			}
		}
	}
}

func TestNoiseNames(t *testing.T) {
	for n, want := range map[Noise]string{2: "white PM", 1: "flicker PM", 0: "white FM", -1: "flicker FM",
		-2: "random walk FM", -3: "flicker walk FM", -4: "random run FM", 9: "unknown noise"} {
		if n.String() != want {
			t.Errorf("α = %d is %q", int(n), n)
		}
	}
}

// TestIntervalsHoldTheTruth: of many records of white frequency noise, with and without gaps, about 68 % must have the
// true deviation inside their interval. White frequency noise of 1 has the Allan deviation 1/√τ exactly.
func TestIntervalsHoldTheTruth(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for _, gaps := range []bool{false, true} {
		inside, all := 0, 0
		for range 300 {
			s := walk(r, 600, 1)
			for i := range s.Phase {
				if gaps && (i%100 < 15 || r.IntN(40) == 0) {
					s.Phase[i] = math.NaN()
				}
			}
			for _, p := range ADEV(s, []int{1, 4, 16}) {
				truth := 1 / math.Sqrt(p.TauSeconds)
				all++
				if p.Low <= truth && truth <= p.High {
					inside++
				}
			}
		}
		share := float64(inside) / float64(all)
		t.Logf("gaps %v: %.1f %% of %d intervals hold the true deviation", gaps, 100*share, all)
		if share < 0.62 || share > 0.76 {
			t.Errorf("gaps %v: %.1f %% of the 68 %% intervals hold the true deviation", gaps, 100*share)
		}
	}
}
