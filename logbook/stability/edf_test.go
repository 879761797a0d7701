package stability

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// stable32Intervals are 68 % limits that Stable32 printed for two records of other people (241218 points of a GPS
// pulse, 19983 of a quartz oscillator), with the noise it named: statistic, factor, terms, α, low, deviation, high.
// They bear every branch of the degrees of freedom: short and long sums, the tables, and all five noises.
const stable32Intervals = `
	ADEV     1 241216  2 6.1122e-09 6.1244e-09 6.1367e-09
	ADEV     2 241214  1 3.2008e-09 3.2071e-09 3.2134e-09
	ADEV    16 241186  1 5.6936e-10 5.7120e-10 5.7306e-10
	ADEV   512 240194  2 2.2773e-11 2.2819e-11 2.2864e-11
	ADEV  1024 239170  1 1.1793e-11 1.1946e-11 1.2106e-11
	ADEV  2048 237122  2 6.3086e-12 6.3212e-12 6.3339e-12
	ADEV  4096 233026  1 3.4343e-12 3.5113e-12 3.5937e-12
	ADEV  8192 224834  0 1.5384e-12 1.6969e-12 1.9173e-12
	ADEV 32768 175682  0 6.3634e-13 7.6823e-13 1.0423e-12
	MDEV     2 241213  1 2.3031e-09 2.3078e-09 2.3126e-09
	MDEV    32 241123  2 1.7045e-10 1.7167e-10 1.7291e-10
	MDEV  2048 235075  2 2.2627e-12 2.3894e-12 2.5402e-12
	MDEV  4096 228931  1 1.3669e-12 1.4891e-12 1.6512e-12
	MDEV 16384 192067  0 4.3907e-13 5.1913e-13 6.6875e-13
	MDEV 32768 142915  0 4.0404e-13 5.1068e-13 8.0246e-13
	HDEV     1 241215  2 6.4060e-09 6.4199e-09 6.4340e-09
	HDEV     8 241194  1 9.9374e-10 9.9665e-10 9.9959e-10
	HDEV  2048 235074  2 6.5522e-12 6.5666e-12 6.5811e-12
	HDEV  4096 228930  1 3.6184e-12 3.7060e-12 3.8003e-12
	HDEV 16384 192066  0 8.5810e-13 9.9588e-13 1.2320e-12
	HDEV 32768 142914  0 6.5156e-13 8.0438e-13 1.1644e-12
	ADEV     4  19975  0 1.8650e-11 1.8816e-11 1.8987e-11
	ADEV    16  19951 -2 6.0842e-12 6.2088e-12 6.3413e-12
	ADEV   128  19727 -1 5.1239e-12 5.3841e-12 5.6888e-12
	ADEV   512  18959 -2 4.6879e-12 5.2159e-12 5.9752e-12
	ADEV  1024  17935 -1 5.7328e-12 6.5443e-12 7.8393e-12
	ADEV  4096  11791  0 7.2435e-12 9.1057e-12 1.4019e-11
	MDEV    16  19936 -2 3.4048e-12 3.4813e-12 3.5632e-12
	MDEV   128  19600 -1 4.2034e-12 4.4401e-12 4.7222e-12
	MDEV  1024  16912 -1 5.1767e-12 6.0005e-12 7.4049e-12
	MDEV  4096   7696  0 7.3831e-12 9.8071e-12 1.9848e-11
	HDEV    16  19935 -2 5.4935e-12 5.6036e-12 5.7207e-12
	HDEV   256  19215 -1 4.1723e-12 4.4968e-12 4.9112e-12
	HDEV   512  18447 -2 3.8499e-12 4.2789e-12 4.8931e-12
	HDEV  1024  16911 -1 4.2162e-12 4.8704e-12 5.9683e-12
	HDEV  4096   7695  0 6.5430e-12 8.4681e-12 1.4748e-11
`

func TestIntervalsAgreeWithStable32(t *testing.T) {
	kinds := map[string]statistic{"ADEV": allan, "MDEV": modified, "HDEV": hadamard}
	for line := range strings.Lines(strings.TrimSpace(stable32Intervals)) {
		var kind string
		var m, terms, alpha int
		var low, deviation, high float64
		if _, err := fmt.Sscan(line, &kind, &m, &terms, &alpha, &low, &deviation, &high); err != nil {
			t.Fatal(err)
		}
		st := kinds[kind]
		edf := degreesOfFreedom(alpha, st.order, m, terms, st.averaged)
		gotLow, gotHigh := interval(deviation, edf)
		if !near(gotLow, low, 5e-4) || !near(gotHigh, high, 5e-4) {
			t.Errorf("%s(%d), α = %d: %.4e … %.4e, Stable32 %.4e … %.4e", kind, m, alpha, gotLow, gotHigh, low, high)
		}
	}
}

// TestDegreesOfFreedomAgainstDefinition sums the squared autocovariances of all pairs of terms, which is what the
// approximations stand for.
func TestDegreesOfFreedomAgainstDefinition(t *testing.T) {
	for _, st := range []statistic{allan, modified, hadamard} {
		for alpha := 2; alpha > 2-2*st.order-1; alpha-- {
			for _, m := range []int{1, 3, 20, 50} {
				for _, r := range []float64{0.3, 2, 5, 25} {
					terms := max(int(r*float64(m)), 1)
					e := edf{alpha: alpha, order: st.order, filter: float64(m), stride: float64(m)}
					if st.averaged {
						e.filter = 1
					}
					exact := float64(terms) * square(e.sz(0)) / e.sum(terms, terms)
					got := degreesOfFreedom(alpha, st.order, m, terms, st.averaged)
					if math.Abs(got/exact-1) > 0.12 {
						t.Errorf("order %d averaged %v α %d m %d terms %d: edf %.3f, by the definition %.3f",
							st.order, st.averaged, alpha, m, terms, got, exact)
					}
				}
			}
		}
	}
}

func TestChiSquared(t *testing.T) {
	// Abramowitz and Stegun, table 26.8; the last two are 2·ln 2 and 2·ln 20, exact for two degrees of freedom.
	for _, c := range []struct{ p, k, want float64 }{
		{0.05, 1, 0.00393214}, {0.95, 1, 3.84146}, {0.95, 10, 18.3070}, {0.05, 30, 18.4926}, {0.95, 100, 124.342},
		{0.5, 2, 2 * math.Ln2}, {0.95, 2, 2 * math.Log(20)},
	} {
		if got := chiSquared(c.p, c.k); !near(got, c.want, 5e-6) {
			t.Errorf("χ²(%v; %v) = %v, tables %v", c.p, c.k, got, c.want)
		}
	}
	for k := 1.0; k < 3e6; k *= 1.7 {
		for _, p := range []float64{(1 - sigma1) / 2, 0.5, (1 + sigma1) / 2} {
			if got := gammaP(k/2, chiSquared(p, k)/2); math.Abs(got-p) > 1e-8 {
				t.Errorf("χ² with %v degrees of freedom stays below its %v point with probability %v", k, p, got)
			}
		}
	}
}
