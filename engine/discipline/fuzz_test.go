package discipline

import (
	"math"
	"testing"
	"time"
)

// FuzzFilter lets anything be heard: no estimate may be void, and no bound narrower than what it holds.
func FuzzFilter(f *testing.F) {
	f.Add(uint64(1), []byte{0, 0, 0, 0, 1, 2, 3, 4, 5, 250, 250, 9, 9, 9})
	f.Add(uint64(2), []byte("DCF77 is late, and then it is silent for days; then it comes back at another time"))
	f.Fuzz(func(t *testing.T, seed uint64, script []byte) {
		l, filter := newLab(seed), NewFilter(Config{WanderPPM: 5})
		for i, b := range script {
			l.tick()
			o := l.heard("pps", 1e-6*l.random.NormFloat64())
			switch b % 16 {
			case 0:
				l.second += int64(b) * 997 // silence, up to three days
				o = l.heard("pps", 0)
			case 1:
				o.Raw += int64(b) * 1e6
			case 2:
				o.TAI += int64(b) << (b / 4) // up to the end of the world
			case 3:
				o.Source, o.Noise, o.Systematic = "radio", 5*time.Millisecond, time.Millisecond
			case 4:
				o.HalfWidth = time.Duration(b) * time.Microsecond
			case 5:
				o.Raw -= int64(b) * 1e8
			case 6:
				o.Noise = time.Duration(math.MaxInt64)
			case 7:
				filter.Temperature(l.raw(), float64(b)-100)
			case 8:
				if b > 200 {
					filter.Forget()
				}
			}
			filter.Update(o)
			if filter.Samples() == 0 {
				continue
			}
			for _, ahead := range []int64{0, 1e9, 3600e9} {
				e := filter.At(o.Raw + ahead)
				if math.IsNaN(e.Frequency) || math.Abs(e.Frequency) > 1e3 || e.Uncertainty95 < 0 || e.MaxError < e.Uncertainty95 && e.MaxError >= 0 ||
					math.IsNaN(e.MaxErrorGrowth) || e.MaxErrorGrowth < 0 {
					t.Fatalf("step %d, %v ahead: %+v", i, time.Duration(ahead), e)
				}
			}
		}
	})
}
