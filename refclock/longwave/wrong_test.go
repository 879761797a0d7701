package longwave_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"timestation/refclock/dcf77"
	"timestation/refclock/jjy"
	"timestation/refclock/longwave"
	"timestation/refclock/longwave/radiotest"
	"timestation/refclock/msf60"
	"timestation/refclock/wwvb"
)

// kinds are all the kinds of noise, each with a strength from 0 to 1.
var kinds = []struct {
	name string
	make func(r *rand.Rand, x float64) radiotest.Noise
}{
	{"flips", func(_ *rand.Rand, x float64) radiotest.Noise { return radiotest.Noise{Flip: 0.5 * x} }},
	{"carrier to noise", func(_ *rand.Rand, x float64) radiotest.Noise { return radiotest.Noise{CarrierDBHz: 32 - 16*x} }},
	{"band-limited", func(r *rand.Rand, x float64) radiotest.Noise {
		return radiotest.Noise{BandHz: 2 + 100*r.Float64(), BandFlip: 0.49 * x}
	}},
	{"bursts", func(_ *rand.Rand, x float64) radiotest.Noise { return radiotest.Noise{Bursts: 50 * x, Flip: 0.1} }},
	{"stuck", func(_ *rand.Rand, x float64) radiotest.Noise { return radiotest.Noise{Stuck: 15 * x, Flip: 0.05} }},
	{"missing", func(_ *rand.Rand, x float64) radiotest.Noise { return radiotest.Noise{Missing: 0.9 * x} }},
	{"extra", func(_ *rand.Rand, x float64) radiotest.Noise { return radiotest.Noise{Extra: 3 * x} }},
	{"stretched", func(r *rand.Rand, x float64) radiotest.Noise {
		return radiotest.Noise{LongerMS: 160*x - 60, JitterMS: 40 * r.Float64()}
	}},
	{"jitter", func(_ *rand.Rand, x float64) radiotest.Noise { return radiotest.Noise{JitterMS: 120 * x} }},
	{"inverted", func(_ *rand.Rand, x float64) radiotest.Noise { return radiotest.Noise{Inverted: true, Flip: 0.47 * x} }},
	{"drift", func(r *rand.Rand, x float64) radiotest.Noise {
		return radiotest.Noise{DriftPPM: 1000*x - 500, Flip: 0.45 * r.Float64()}
	}},
	{"lost blocks", func(r *rand.Rand, x float64) radiotest.Noise {
		return radiotest.Noise{LostBlocks: 1 + 20*x, Flip: 0.42 * r.Float64()}
	}},
	{"no signal", func(r *rand.Rand, x float64) radiotest.Noise {
		return radiotest.Noise{NoSignal: true, SilentFlip: 0.5 * x, BandHz: 5 + 50*r.Float64(), BandFlip: 0.4 * r.Float64()}
	}},
	{"signal lost", func(r *rand.Rand, x float64) radiotest.Noise {
		return radiotest.Noise{SilentFrom: 20 * time.Minute, SilentTo: 80 * time.Minute, SilentFlip: 0.5 * x, Flip: 0.3 * r.Float64()}
	}},
	{"everything", func(r *rand.Rand, x float64) radiotest.Noise {
		return radiotest.Noise{Flip: 0.35 * x * r.Float64(), JitterMS: 40 * r.Float64() * x, Missing: 0.3 * r.Float64() * x, Extra: r.Float64() * x,
			Bursts: 10 * r.Float64() * x, Stuck: 3 * r.Float64() * x, LongerMS: 60 * r.Float64(), DriftPPM: 1000*r.Float64() - 500,
			Inverted: r.Float64() < 0.5, LostBlocks: 4 * r.Float64() * x}
	}},
}

// TestNoWrongTime lives through hours of noise of all kinds and strengths: whatever is published must be right.
func TestNoWrongTime(t *testing.T) {
	runs, from := 1, uint64(0)
	length := 30 * time.Minute
	if underRace {
		length = 8 * time.Minute
	}
	if os.Getenv("TIMESTATION_MEASURE") == "1" {
		runs, length = 40, 100*time.Minute
	}
	if n, err := strconv.Atoi(os.Getenv("TIMESTATION_RUNS")); err == nil {
		runs, length = n, 100*time.Minute
	}
	if n, err := strconv.Atoi(os.Getenv("TIMESTATION_SEEDS")); err == nil {
		from = uint64(n)
	}
	out := &strings.Builder{}
	var right, wrong int
	var hours float64
	for k, kind := range kinds {
		if underRace && k%3 > 0 {
			continue
		}
		if only := os.Getenv("TIMESTATION_ROWS"); only != "" && !strings.Contains(kind.name, only) {
			continue
		}
		began := time.Now()
		var r, w, c, locked int
		for run := range runs {
			seed := from + uint64(k)*1000 + uint64(run)
			random := rand.New(rand.NewPCG(seed, 3))
			noise := kind.make(random, random.Float64())
			o := radiotest.Simulate(dcf77.Code, radiotest.Random(seed), length, noise, seed).Decode(dcf77.Code)
			r, w, c = r+o.Right, w+o.Wrong, c+o.Coasting
			if o.LockMinutes >= 0 {
				locked++
			}
			hours += length.Hours()
			if o.Wrong > 0 {
				t.Errorf("%s, seed %d, %+v: %d minutes wrong (%d right), first %s", kind.name, seed, noise, o.Wrong, o.Right, o.First)
			}
		}
		right, wrong = right+r, wrong+w
		line := fmt.Sprintf("%-18s locked %d of %d, minutes right %d (coasting %d), wrong %d, %.1fs\n", kind.name, locked, runs, r, c, w, time.Since(began).Seconds())
		if runs > 1 {
			fmt.Fprint(os.Stderr, line)
		}
		out.WriteString(line)
	}
	t.Logf("%.0f simulated hours: %d seconds published, %d of them wrong\n%s", hours, (right+wrong)*60, wrong*60, out)
}

// TestNoWrongTimeOtherCodes is the same for the other transmitters.
func TestNoWrongTimeOtherCodes(t *testing.T) {
	codes := []*longwave.Code{msf60.Code, wwvb.Code, jjy.Code}
	runs, length := 1, 10*time.Minute
	measure := os.Getenv("TIMESTATION_MEASURE") == "1"
	switch {
	case measure:
		runs, length = 3, 60*time.Minute
	case underRace:
		length = 5 * time.Minute
	}
	out := &strings.Builder{}
	for c, code := range codes {
		var right, wrong, locked, all int
		for k, kind := range kinds {
			if !measure && k%6 != c {
				continue
			}
			for run := range runs {
				seed := uint64(40000 + 10000*c + 1000*k + run)
				random := rand.New(rand.NewPCG(seed, 3))
				noise := kind.make(random, random.Float64())
				o := radiotest.Simulate(code, radiotest.Random(seed), length, noise, seed).Decode(code)
				right, wrong, all = right+o.Right, wrong+o.Wrong, all+1
				if o.LockMinutes >= 0 {
					locked++
				}
				if o.Wrong > 0 {
					t.Errorf("%s, %s, seed %d, %+v: %d minutes wrong (%d right), first %s", code.Name, kind.name, seed, noise, o.Wrong, o.Right, o.First)
				}
			}
		}
		fmt.Fprintf(out, "%-6s locked %d of %d, minutes right %d, wrong %d, of %.1f h\n", code.Name, locked, all, right, wrong, float64(all)*length.Hours())
	}
	t.Log("\n" + out.String())
}

// TestLostLines: lines that are lost are unknown. With only the even seconds known, or few of any, nothing wrong may come of
// what is left.
func TestLostLines(t *testing.T) {
	for name, lost := range map[string]func(r *rand.Rand, n int) bool{
		"every second":  func(_ *rand.Rand, n int) bool { return n%2 == 1 },
		"half of them":  func(r *rand.Rand, _ int) bool { return r.Float64() < 0.5 },
		"every quarter": func(_ *rand.Rand, n int) bool { return n%60 < 15 },
	} {
		if underRace && name != "every second" {
			continue
		}
		s := radiotest.Simulate(dcf77.Code, radiotest.Random(6), 25*time.Minute, radiotest.Noise{Flip: 0.01}, 6)
		r := rand.New(rand.NewPCG(1, 8))
		right := 0
		d := longwave.New(dcf77.Code, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC), func(m longwave.Minute) {
			if off := s.At(m.Bin * radiotest.Rate / 100).Sub(m.UTC); off.Abs() > 500*time.Millisecond {
				t.Errorf("%s: %v is off by %v", name, m.UTC, off)
			}
			right++
		})
		bin, gone := 0, false
		folder := longwave.NewFolder(radiotest.Rate, func(v uint8) {
			if bin%100 == 0 {
				gone = lost(r, bin/100)
			}
			if bin++; gone {
				v = longwave.Unknown
			}
			d.Bin(v)
		})
		for _, on := range s.Levels {
			folder.Add(on, 1)
		}
		t.Logf("%s lost: %d minutes of 25", name, right)
		if right < 10 && name != "every second" {
			t.Errorf("%s lost: only %d minutes", name, right)
		}
	}
}
