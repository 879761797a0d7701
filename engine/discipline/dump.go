package discipline

import (
	"fmt"
	"math"
)

func (f *Filter) Dump() (s string) {
	for i, m := range f.bank {
		if i == 0 || m.climate != f.bank[i-1].climate || m.fed != f.bank[i-1].fed {
			s += fmt.Sprintf("\n%d %v:", m.climate, m.fed)
		}
		s += fmt.Sprintf(" %.3f", m.weight)
	}
	for i, m := range f.trend.members {
		if i%trendLevels == 0 {
			s += fmt.Sprintf("\ntrend walk %.2g warm %v:", m.walk, m.warm)
		}
		s += fmt.Sprintf(" %.3f", m.weight)
	}
	for n, v := range f.voices {
		s += fmt.Sprintf("\n%s core %v sd %.3g:", n, v.law.core(), v.law.variance())
		for _, p := range v.law.parts {
			s += fmt.Sprintf(" [%.4f %.3g %.3g]", p.Weight, p.Mean, sqrt(p.Variance))
		}
	}
	return
}
func sqrt(x float64) float64 { return math.Sqrt(x) }
