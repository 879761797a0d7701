package longwave_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"timestation/refclock/dcf77"
	"timestation/refclock/longwave"
	"timestation/refclock/longwave/radiotest"
)

// TestOddsAreTrue: of the times that are found with some odds, no more are wrong than these odds say, in every kind of
// noise. Those far below what is believed are looked at: above, nothing is ever wrong.
func TestOddsAreTrue(t *testing.T) {
	runs := 2
	switch {
	case os.Getenv("TIMESTATION_MEASURE") == "1":
		runs = 80
	case underRace:
		t.Log("left to the run without the race detector")
		return
	}
	limits := []float64{0.5, 2, 4, 7, 9, 11.5, math.Inf(1)} // nats
	type bucket struct{ all, wrong, expected float64 }
	total := make([]bucket, len(limits)-1)
	out := &strings.Builder{}
	for k, kind := range kinds {
		if kind.name == "no signal" || kind.name == "signal lost" || kind.name == "lost blocks" {
			continue
		}
		mine := make([]bucket, len(total))
		for run := range runs {
			seed := uint64(60000 + 1000*k + run)
			random := rand.New(rand.NewPCG(seed, 3))
			noise := kind.make(random, 0.3+0.6*random.Float64())
			noise.LostBlocks = 0 // a window across a hole has no one truth; these are judged by other tests
			s := radiotest.Simulate(dcf77.Code, radiotest.Random(seed), 6*time.Minute, noise, seed)
			d := longwave.New(dcf77.Code, date(2000), date(2060), func(longwave.Minute) {})
			folder := longwave.NewFolder(radiotest.Rate, d.Hear)
			for _, on := range s.Levels {
				folder.Add(on, 1)
			}
			for _, window := range []int{130, 220, 330} {
				bin, utc, odds, ok := d.Acquire(window)
				for b := range mine {
					if ok && odds >= limits[b] && odds < limits[b+1] {
						mine[b].all++
						mine[b].expected += 1 / (1 + math.Exp(odds))
						if s.At(bin*radiotest.Rate/100).Sub(utc).Abs() > 500*time.Millisecond {
							mine[b].wrong++
						}
					}
				}
			}
		}
		fmt.Fprintf(out, "%-18s", kind.name)
		for b, m := range mine {
			fmt.Fprintf(out, " %4.0f/%-5.0f", m.wrong, m.all)
			total[b].all, total[b].wrong, total[b].expected = total[b].all+m.all, total[b].wrong+m.wrong, total[b].expected+m.expected
		}
		fmt.Fprintln(out)
	}
	for b, m := range total {
		fmt.Fprintf(out, "odds e^%.1f and up: %.0f of %.0f wrong, expected %.2f\n", limits[b], m.wrong, m.all, m.expected)
		// Three times as many as expected, by chance, in so few.
		if m.wrong > 2*m.expected+3*math.Sqrt(m.expected)+1 {
			t.Errorf("odds from e^%.1f on: %.0f of %.0f are wrong, expected %.2f", limits[b], m.wrong, m.all, m.expected)
		}
	}
	t.Log("wrong of all, by kind and odds\n" + out.String())
}

func date(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }
