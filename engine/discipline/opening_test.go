package discipline

import (
	"math"
	"testing"
	"time"
)

// TestCoarseSourceDoesNotBendTheFrequency: samples that scatter by tens of milliseconds say nothing of a crystal's rate for
// minutes, and until then a crystal is what the filter takes it for; whether it is as steady as usual or not.
func TestCoarseSourceDoesNotBendTheFrequency(t *testing.T) {
	for _, speed := range []float64{-38e-6, 12e-6, 90e-6} {
		for seed := range uint64(10) {
			l, f := newLab(seed), NewFilter(Config{WanderPPM: 5})
			l.speed = speed
			for second := range 300 {
				l.tick()
				o := l.heard("gps", 20e-3*l.random.NormFloat64())
				o.Noise = 20 * time.Millisecond
				f.Update(o)
				e := f.At(l.raw())
				if off := math.Abs(e.Frequency + l.speed/(1+l.speed)); off > 2*startFrequency {
					t.Errorf("seed %d, second %d: the oscillator is fast by %.0f ppm and thought to be by %.0f ppm", seed, second,
						l.speed*1e6, -e.Frequency*1e6)
					break
				}
			}
			if s := f.Save(); math.Abs(s.Frequency+l.speed) > 4*s.FrequencyUncertainty+2e-6 {
				t.Errorf("seed %d: kept is %.1f ppm ± %.1f ppm", seed, -s.Frequency*1e6, s.FrequencyUncertainty*1e6)
			}
		}
	}
}

// TestFastOscillator: a fine source shows at once how fast an oscillator is, however unlike a crystal.
func TestFastOscillator(t *testing.T) {
	l, f := newLab(1), NewFilter(Config{WanderPPM: 5})
	l.speed = 2e-3
	l.lock(f, 20)
	if off := math.Abs(f.At(l.raw()).Frequency + l.speed/(1+l.speed)); off > 1e-6 {
		t.Errorf("its rate is taken %.1f ppm wrong", off*1e6)
	}
}

// TestSamplesOfOneFit: samples that come from one fit lie on a line until it is fitted anew. Their scatter says nothing of
// their error, and HalfWidth does.
func TestSamplesOfOneFit(t *testing.T) {
	for seed := range uint64(20) {
		l, f := newLab(seed), NewFilter(Config{WanderPPM: 5})
		late, slope := 0.0, 0.0
		for second := range 1800 {
			l.tick()
			if second%60 == 0 {
				late, slope = 1.5e-3*l.random.NormFloat64(), 3e-6*l.random.NormFloat64()
			}
			if second%8 != 0 {
				continue
			}
			o := l.heard("radio", late+slope*float64(second%60)+100e-9*l.random.NormFloat64())
			o.Noise, o.HalfWidth = 3*time.Millisecond, 6*time.Millisecond
			if v := f.Update(o); v != Accepted {
				t.Fatalf("seed %d, second %d: verdict %d", seed, second, v)
			}
			e := f.At(l.raw())
			if off := math.Abs(l.wrong(f)); off > e.MaxError.Seconds() || second > 120 && e.MaxError > 40*time.Millisecond {
				t.Fatalf("seed %d, second %d: off by %.2f ms, bound %v", seed, second, off*1e3, e.MaxError)
			}
		}
	}
}
