package stability

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// nbs14 is the data set of SP 1065 section 12.4, table 29: nine fractional frequencies at 1 s.
var nbs14 = []float64{892, 809, 823, 798, 671, 644, 883, 903, 677}

// nbs14Phase is the same as phase with the mean frequency removed, as printed in that table.
var nbs14Phase = []float64{
	0, 103.11111, 123.22222, 157.33333, 166.44444, 48.55555, -96.33333, -2.22222, 111.88889, 0}

// thousand is the 1000-point data set of the same section, made by its generator.
func thousand() []float64 {
	y := make([]float64, 1000)
	n := int64(1234567890)
	for i := range y {
		y[i] = float64(n) / 2147483647
		n = 16807 * n % 2147483647
	}
	return y
}

func TestGeneratorAgreesWithItsPublishedStatistics(t *testing.T) {
	y := thousand()
	want := []int64{395529916, 1209410747, 633705974}
	for i, n := range want {
		if got := int64(math.Round(y[i+1] * 2147483647)); got != n {
			t.Errorf("n[%d] = %d, published %d", i+1, got, n)
		}
	}
}

type statisticOf func(Series, []int) []Point

// TestPublishedValues holds every estimator to all digits of SP 1065 tables 30 (NBS14) and 31 (1000 points).
func TestPublishedValues(t *testing.T) {
	phase := Series{Phase: nbs14Phase, Tau0Seconds: 1}
	cases := []struct {
		name    string
		compute statisticOf
		nbs14   [2]string
		long    [3]string
	}{
		{"ADEV", ADEV, [2]string{"91.22945", "85.95287"}, [3]string{"2.922319e-01", "9.159953e-02", "3.241343e-02"}},
		{"MDEV", MDEV, [2]string{"91.22945", "74.78849"}, [3]string{"2.922319e-01", "6.172376e-02", "2.170921e-02"}},
		{"TDEV", TDEV, [2]string{"52.67135", "86.35831"}, [3]string{"1.687202e-01", "3.563623e-01", "1.253382e+00"}},
		{"HDEV", HDEV, [2]string{"70.80607", "85.61487"}, [3]string{"2.943883e-01", "9.581083e-02", "3.237638e-02"}},
	}
	for _, c := range cases {
		for set, s := range map[string]Series{"frequency": FromFrequency(nbs14, 1), "phase": phase} {
			for i, p := range c.compute(s, []int{1, 2}) {
				if got := fmt.Sprintf("%.5f", p.Deviation); got != c.nbs14[i] {
					t.Errorf("NBS14 (%s) %s(%v s) = %s, published %s", set, c.name, p.TauSeconds, got, c.nbs14[i])
				}
			}
		}
		points := c.compute(FromFrequency(thousand(), 1), []int{1, 10, 100})
		if len(points) != 3 {
			t.Fatalf("%s gave %d points", c.name, len(points))
		}
		for i, p := range points {
			if got := fmt.Sprintf("%.6e", p.Deviation); got != c.long[i] {
				t.Errorf("1000 points %s(%v s) = %s, published %s", c.name, p.TauSeconds, got, c.long[i])
			}
		}
	}
}

// stable32 is what the program Stable32 1.60 printed for its sample file PHASE.DAT (the 1000-point set without its mean
// frequency): averaging factor, terms, lower limit, deviation, upper limit; it named the noise α = 0 everywhere.
var stable32 = map[string]string{
	"ADEV": `
		  1 999 2.8515e-01 2.9223e-01 2.9987e-01
		  2 997 1.9520e-01 2.0102e-01 2.0738e-01
		  4 993 1.3931e-01 1.4479e-01 1.5098e-01
		  8 985 1.0038e-01 1.0570e-01 1.1198e-01
		 16 969 5.7696e-02 6.1915e-02 6.7217e-02
		 32 937 4.3654e-02 4.8082e-02 5.4202e-02
		 64 873 3.1755e-02 3.6237e-02 4.3377e-02
		128 745 2.3045e-02 2.7674e-02 3.7027e-02`,
	"MDEV": `
		  1 999 2.8515e-01 2.9223e-01 2.9987e-01
		  2 996 1.5336e-01 1.5821e-01 1.6355e-01
		  4 990 1.0322e-01 1.0780e-01 1.1304e-01
		  8 978 6.9840e-02 7.4192e-02 7.9481e-02
		 16 954 3.8022e-02 4.1376e-02 4.5809e-02
		 32 906 3.0466e-02 3.4255e-02 3.9933e-02
		 64 810 2.3687e-02 2.7871e-02 3.5511e-02
		128 618 1.4874e-02 1.8669e-02 2.8584e-02`,
	"HDEV": `
		  1 998 2.8635e-01 2.9439e-01 3.0315e-01
		  2 995 1.9491e-01 2.0125e-01 2.0825e-01
		  4 989 1.3777e-01 1.4368e-01 1.5043e-01
		  8 977 1.0388e-01 1.0987e-01 1.1704e-01
		 16 953 5.6173e-02 6.0638e-02 6.6369e-02
		 32 905 4.0664e-02 4.5095e-02 5.1382e-02
		 64 809 2.9271e-02 3.3824e-02 4.1477e-02
		128 617 2.3761e-02 2.9147e-02 4.1367e-02`,
	"TDEV": `
		  1 999 1.6463e-01 1.6872e-01 1.7313e-01
		  2 996 1.7709e-01 1.8268e-01 1.8885e-01
		  4 990 2.3838e-01 2.4895e-01 2.6106e-01
		  8 978 3.2258e-01 3.4268e-01 3.6710e-01
		 16 954 3.5123e-01 3.8221e-01 4.2317e-01
		 32 906 5.6287e-01 6.3287e-01 7.3777e-01
		 64 810 8.7525e-01 1.0298e+00 1.3122e+00
		128 618 1.0992e+00 1.3797e+00 2.1124e+00`,
}

func TestAgreesWithStable32(t *testing.T) {
	y := thousand()
	mean := 0.0
	for _, v := range y {
		mean += v / float64(len(y))
	}
	for i := range y {
		y[i] -= mean
	}
	s := FromFrequency(y, 1)
	for name, compute := range map[string]statisticOf{"ADEV": ADEV, "MDEV": MDEV, "HDEV": HDEV, "TDEV": TDEV} {
		for line := range strings.Lines(strings.TrimSpace(stable32[name])) {
			var m, terms int
			var low, deviation, high float64
			if _, err := fmt.Sscan(line, &m, &terms, &low, &deviation, &high); err != nil {
				t.Fatal(err)
			}
			p := compute(s, []int{m})[0]
			if p.Terms != terms || p.Missing != 0 {
				t.Errorf("%s(%d): %d terms and %d missing, Stable32 %d", name, m, p.Terms, p.Missing, terms)
			}
			if got := fmt.Sprintf("%.4e", p.Deviation); got != fmt.Sprintf("%.4e", deviation) {
				t.Errorf("%s(%d) = %s, Stable32 %.4e", name, m, got, deviation)
			}
			if p.Noise != WhiteFM {
				t.Errorf("%s(%d): the noise was taken for %v, Stable32 white FM", name, m, p.Noise)
			}
			// Its confidence factor is the rounded 0.683.
			if !near(p.Low, low, 5e-4) || !near(p.High, high, 5e-4) {
				t.Errorf("%s(%d) within %.4e … %.4e, Stable32 %.4e … %.4e", name, m, p.Low, p.High, low, high)
			}
		}
	}
	for m, want := range map[int]string{1: "5.0597e-01", 3: "1.2984e+00", 7: "2.2922e+00", 15: "2.9949e+00",
		31: "4.4550e+00", 63: "6.5989e+00", 127: "6.8061e+00", 255: "7.8205e+00", 511: "7.8205e+00"} {
		p := MTIE(s, []int{m})[0]
		if got := fmt.Sprintf("%.4e", p.Deviation); got != want || p.Terms != 1001-m {
			t.Errorf("MTIE(%d) = %s of %d intervals, Stable32 %s of %d", m, got, p.Terms, want, 1001-m)
		}
	}
}

func near(got, want, relative float64) bool { return math.Abs(got-want) <= relative*math.Abs(want) }
