package longwave

import (
	"fmt"
	"os"
)

func init() {
	if os.Getenv("TRACE") != "" {
		Trace = func(bin int64, w int, a *acquisition) {
			c := a.channel
			fmt.Fprintf(os.Stderr, "t=%ds w=%d odds %.1f score %.1f found %.1f expected %.1f sd %.1f refused %q period %.4f inv %v str %d jit %.1f miss %.2f strange %.3f temper %.3f phase %d origin %.0f\n", bin/100, w, a.odds, a.score, a.found, a.expected, sqrt(a.variance), a.refused, a.period, a.inverted, c.stretch, c.jitter, c.missing, c.strange, c.temper, a.phase, a.origin)
			if os.Getenv("TRACE") == "2" {
				for k, cl := range c.class {
					fmt.Fprintf(os.Stderr, "   class %d on %.3f off %.3f\n", k, cl.on, cl.off)
				}
			}
		}
	}
}

func sqrt(x float64) float64 {
	y := x
	for range 40 {
		y = (y + x/(y+1e-9)) / 2
	}
	return y
}
