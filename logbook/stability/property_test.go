package stability

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// brute computes one statistic by its definition, term by term.
func brute(name string, s Series, m int) (deviation float64, terms, possible int, ok bool) {
	n := len(s.Phase)
	span := map[string]int{"ADEV": 2 * m, "MDEV": 3*m - 1, "TDEV": 3*m - 1, "HDEV": 3 * m, "MTIE": m}[name]
	possible = n - span
	if possible < 1 {
		return 0, 0, 0, false
	}
	x := s.Phase
	tau := float64(m) * s.Tau0Seconds
	squares, greatest := 0.0, 0.0
	for i := range possible {
		broken := slices.ContainsFunc(s.Breaks, func(b int) bool { return b > i && b <= i+span })
		var sum float64 // of the second differences of MDEV that are there
		there := 0
		switch name {
		case "ADEV", "HDEV":
			for j := i; j <= i+span; j += m {
				broken = broken || !finite(x[j])
			}
		case "MDEV", "TDEV":
			for j := i; j < i+m; j++ {
				if d := x[j+2*m] - 2*x[j+m] + x[j]; finite(d) {
					sum += d
					there++
				}
			}
			broken = broken || there*10 < 9*m
		case "MTIE":
			broken = broken || slices.ContainsFunc(x[i:i+m+1], func(v float64) bool { return !finite(v) })
		}
		if name == "MTIE" {
			greatest = max(greatest, widest(s, i, m+1))
		}
		if broken {
			continue
		}
		terms++
		switch name {
		case "ADEV":
			squares += square(x[i+2*m]-2*x[i+m]+x[i]) / (2 * tau * tau)
		case "HDEV":
			squares += square(x[i+3*m]-3*x[i+2*m]+3*x[i+m]-x[i]) / (6 * tau * tau)
		case "MDEV":
			squares += square(sum/float64(there)) / (2 * tau * tau)
		case "TDEV":
			squares += square(sum/float64(there)) / 6
		}
	}
	if name == "MTIE" {
		return greatest, terms, possible, true
	}
	if terms == 0 {
		return 0, 0, possible, true
	}
	return math.Sqrt(squares / float64(terms)), terms, possible, true
}

// widest is the greatest excursion between two points of a window with no break between them.
func widest(s Series, from, points int) float64 {
	greatest := 0.0
	low, high := math.Inf(1), math.Inf(-1)
	for i := from; i < from+points; i++ {
		if slices.Contains(s.Breaks, i) {
			low, high = math.Inf(1), math.Inf(-1)
		}
		if finite(s.Phase[i]) {
			low, high = min(low, s.Phase[i]), max(high, s.Phase[i])
			greatest = max(greatest, high-low)
		}
	}
	return greatest
}

var statistics = map[string]statisticOf{"ADEV": ADEV, "MDEV": MDEV, "HDEV": HDEV, "TDEV": TDEV, "MTIE": MTIE}

// checkAgainstBrute holds all statistics of a series to their definitions; magnitude is that of its phases.
func checkAgainstBrute(t *testing.T, s Series, magnitude float64) {
	t.Helper()
	for name, compute := range statistics {
		points := compute(s, All.Factors(len(s.Phase)))
		next := 0
		for m := 1; m < len(s.Phase); m++ {
			want, terms, possible, ok := brute(name, s, m)
			if !ok {
				break
			}
			if next >= len(points) {
				t.Fatalf("%s has no value at factor %d of %d points", name, m, len(s.Phase))
			}
			p := points[next]
			next++
			if p.Terms != terms || p.Missing != possible-terms {
				t.Fatalf("%s(%d): %d terms and %d missing; want %d of %d", name, m, p.Terms, p.Missing, terms, possible)
			}
			tolerance := 1e-12 * magnitude
			if name != "TDEV" && name != "MTIE" {
				tolerance /= p.TauSeconds
			}
			if math.Abs(p.Deviation-want) > tolerance+1e-10*want {
				t.Fatalf("%s(%d) of %v with breaks %v = %v, by its definition %v", name, m, s.Phase, s.Breaks, p.Deviation, want)
			}
			if name != "MTIE" && p.Terms > 0 && !(p.Low <= p.Deviation && p.Deviation <= p.High && p.EDF >= 1) {
				t.Fatalf("%s(%d) = %v within %v … %v with %v degrees of freedom",
					name, m, p.Deviation, p.Low, p.High, p.EDF)
			}
		}
		if next != len(points) {
			t.Fatalf("%s has %d values too many", name, len(points)-next)
		}
	}
}

func TestEveryStatisticIsWhatItsDefinitionSays(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		s := Series{Phase: make([]float64, r.IntN(90)), Tau0Seconds: []float64{1, 16, 0.1}[r.IntN(3)]}
		phase, frequency := 1e-3, 20e-6
		for i := range s.Phase {
			frequency += 1e-9 * r.NormFloat64()
			phase += frequency * s.Tau0Seconds
			s.Phase[i] = phase + 1e-6*r.NormFloat64()
			if r.IntN(12) == 0 {
				s.Phase[i] = []float64{math.NaN(), math.Inf(1), math.Inf(-1)}[r.IntN(3)]
			}
			if r.IntN(30) == 0 {
				s.Breaks = append(s.Breaks, i)
				phase = r.Float64()
			}
		}
		checkAgainstBrute(t, s, 1)
	}
}

func TestMTIENeverFalls(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	s := walk(r, 3000, 1e-9)
	for i := range s.Phase {
		if r.IntN(40) == 0 {
			s.Phase[i] = math.NaN()
		}
	}
	s.Breaks = []int{700, 701, 2500}
	before := 0.0
	for _, p := range MTIE(s, All.Factors(len(s.Phase))) {
		if p.Deviation < before {
			t.Fatalf("MTIE(%v s) = %v is less than %v of a shorter interval", p.TauSeconds, p.Deviation, before)
		}
		before = p.Deviation
	}
}

// TestHugeOffsetsKeepTheirDigits: after a year an oscillator 10 ppm off is 315 s away; its noise is nanoseconds.
func TestHugeOffsetsKeepTheirDigits(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	small := Series{Phase: make([]float64, 50_000), Tau0Seconds: 16}
	far := Series{Phase: make([]float64, len(small.Phase)), Tau0Seconds: 16}
	for i := range small.Phase {
		small.Phase[i] = 20e-9 * r.NormFloat64()
		far.Phase[i] = small.Phase[i] + 300 + 10e-6*16*float64(i)
	}
	factors := Octave.Factors(len(small.Phase))
	for name, compute := range statistics {
		if name == "MTIE" {
			continue
		}
		want := compute(small, factors)
		for i, p := range compute(far, factors) {
			if !near(p.Deviation, want[i].Deviation, 1e-4) {
				t.Errorf("%s(%v s) = %v far from zero, %v near it", name, p.TauSeconds, p.Deviation, want[i].Deviation)
			}
		}
	}
}

func TestFrequencyGapsBreakTheSeries(t *testing.T) {
	nan := math.NaN()
	s := FromFrequency([]float64{1, 2, nan, nan, 3, 4, nan, 5}, 2)
	want := []float64{0, 2, 6, nan, 0, 6, 14, 0, 10}
	if !slices.EqualFunc(s.Phase, want, same) || !slices.Equal(s.Breaks, []int{4, 7}) {
		t.Fatalf("phase %v with breaks %v", s.Phase, s.Breaks)
	}
	p := ADEV(s, []int{1})[0]
	if p.Terms != 2 || p.Missing != 5 || !near(p.Deviation, math.Sqrt(0.5), 1e-12) {
		t.Errorf("two adjacent pairs of frequencies, 1 apart each, of seven: %+v", p)
	}
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func TestARebootDoesNotLookLikeNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	quiet := walk(r, 4000, 1e-9)
	quiet.StartNS = 1_900_000_000e9
	jumped := quiet
	jumped.Phase = slices.Clone(quiet.Phase)
	for i := 2000; i < 4000; i++ {
		jumped.Phase[i] += 7.5
	}
	jumped.Break(quiet.StartNS + 2000e9 - 3e8)
	jumped.Break(quiet.StartNS - 10e9)
	want, got := ADEV(quiet, []int{1, 16}), ADEV(jumped, []int{1, 16})
	for i, p := range got {
		if !near(p.Deviation, want[i].Deviation, 0.05) || p.Missing == 0 {
			t.Errorf("ADEV(%v s) = %v with %d missing; without the reboot %v", p.TauSeconds, p.Deviation, p.Missing,
				want[i].Deviation)
		}
	}
	if p := MTIE(jumped, []int{100})[0]; p.Deviation > 1e-6 {
		t.Errorf("MTIE took the reboot for an excursion of %v s", p.Deviation)
	}
}

func TestNothingToSay(t *testing.T) {
	for _, s := range []Series{{}, {Tau0Seconds: 1}, {Phase: []float64{1}, Tau0Seconds: 1},
		{Phase: make([]float64, 50)}, {Phase: make([]float64, 50), Tau0Seconds: math.NaN()}} {
		a := Analyse(s, []int{-3, 0, 1, 2, math.MaxInt})
		if len(a.ADEV)+len(a.MDEV)+len(a.HDEV)+len(a.TDEV)+len(a.MTIE) != 0 {
			t.Errorf("%d points at %v s have statistics: %+v", len(s.Phase), s.Tau0Seconds, a)
		}
	}
	all := slices.Repeat([]float64{math.NaN()}, 50)
	for _, p := range Analyse(Series{Phase: all, Tau0Seconds: 1}, []int{1, 4}).ADEV {
		if p.Terms != 0 || p.Deviation != 0 || p.Missing != 50-2*int(p.TauSeconds) {
			t.Errorf("of missing points alone: %+v", p)
		}
	}
}

func TestTaus(t *testing.T) {
	for name, want := range map[string][]int{
		"octave": {1, 2, 4, 8, 16}, "decade": {1, 2, 4, 10, 20}, "all": {1, 2, 3, 4, 5, 6, 7}} {
		taus, err := ParseTaus(name)
		points := map[string]int{"octave": 17, "decade": 21, "all": 8}[name]
		if got := taus.Factors(points); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s of %d points: %v, %v", name, points, got, err)
		}
	}
	if _, err := ParseTaus("octaves"); err == nil {
		t.Error("octaves were accepted")
	}
}
