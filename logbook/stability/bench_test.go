package stability

import (
	"math/rand/v2"
	"testing"
	"time"
)

// year is 1 971 000 rows, one each 16 s, with jitter and a few holes, as a logbook would hand them over.
func year() (timesNS []int64, phase []float64) {
	r := rand.New(rand.NewPCG(17, 18))
	x, y := 0.0, 10e-6
	for i := range int64(365 * 86400 / 16) {
		y += 1e-10 * r.NormFloat64()
		x += y * 16
		if i%5000 > 20 {
			timesNS = append(timesNS, 1_900_000_000e9+i*16e9+int64(r.NormFloat64()*1e7))
			phase = append(phase, x+50e-9*r.NormFloat64())
		}
	}
	return timesNS, phase
}

// BenchmarkYear is what a report over a year costs: all five statistics at octave averaging times.
func BenchmarkYear(b *testing.B) {
	times, phase := year()
	s, _, err := Regular(times, phase, 16*time.Second)
	if err != nil {
		b.Fatal(err)
	}
	factors := Octave.Factors(len(s.Phase))
	b.Run("regular", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := Regular(times, phase, 16*time.Second); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, compute := range statistics {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				compute(s, factors)
			}
		})
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			Analyse(s, factors)
		}
		b.ReportMetric(float64(len(s.Phase)), "points")
	})
}
