package longwave_test

import (
	"fmt"
	"os"
	"slices"
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

// row is an input of the table of decoders, and the others' median minutes to lock on it.
type row struct {
	name                string
	noise               radiotest.Noise
	usual, klein, trial string
	limit               float64 // minutes
	hours               float64
}

var table = []row{
	{"clean", radiotest.Noise{}, "2.6", "7.1", "2.3", 2.3, 1},
	{"flip 0.30", radiotest.Noise{Flip: 0.30}, "never", "7.3 / 7.1", "2.2", 2.3, 1},
	{"flip 0.40", radiotest.Noise{Flip: 0.40}, "never", "14 / 9.7", "4.7", 4.7, 1},
	{"flip 0.44", radiotest.Noise{Flip: 0.44}, "never", "33 / 18", "12", 12, 1},
	{"flip 0.45", radiotest.Noise{Flip: 0.45}, "never", "45 / 24", "17", 17, 1},
	{"flip 0.46", radiotest.Noise{Flip: 0.46}, "never", "64 / 38", "27", 27, 1.5},
	{"cn 32", radiotest.Noise{CarrierDBHz: 32}, "4.1", "7.1", "2.7", 2.7, 1},
	{"cn 30", radiotest.Noise{CarrierDBHz: 30}, "never", "7.1", "2.7", 2.7, 1},
	{"cn 26", radiotest.Noise{CarrierDBHz: 26}, "never", "9", "3.0", 3.0, 1},
	{"cn 24", radiotest.Noise{CarrierDBHz: 24}, "never", "18", "3.2", 3.2, 1},
	{"cn 22", radiotest.Noise{CarrierDBHz: 22}, "never", "59", "4.0", 4.0, 1},
	{"cn 21", radiotest.Noise{CarrierDBHz: 21}, "never", "11 of 34 wrong", "4.8", 4.8, 1},
	{"cn 20", radiotest.Noise{CarrierDBHz: 20}, "never", "14 of 14 wrong", "5.7", 5.7, 1},
	{"jitter 20 ms", radiotest.Noise{JitterMS: 20}, "3.5", "8", "3.0", 3.0, 1},
	{"jitter 40 ms", radiotest.Noise{JitterMS: 40}, "never", "16", "6.2", 6.2, 1},
	{"jitter 60 ms", radiotest.Noise{JitterMS: 60}, "never", "32", "12.5", 12.5, 1},
	{"missing 10 %", radiotest.Noise{Missing: 0.10}, "never", "13", "4.8", 4.8, 1},
	{"missing 30 %", radiotest.Noise{Missing: 0.30}, "never", "49", "9.8", 9.8, 1},
	{"missing 50 %", radiotest.Noise{Missing: 0.50}, "never", "never", "44", 44, 1.5},
	{"bursts 20/min", radiotest.Noise{Bursts: 20}, "never", "18", "5.3", 5.3, 1},
	{"stuck 4/min", radiotest.Noise{Stuck: 4}, "never", "14.5", "5.2", 5.2, 1},
	{"30 ms too long", radiotest.Noise{LongerMS: 30}, "2.6", "7.1", "20", 3, 1},
	{"60 ms too long", radiotest.Noise{LongerMS: 60}, "never", "never", "5 of 6 wrong", 3, 1},
	{"clock 200 ppm", radiotest.Noise{DriftPPM: 200}, "28", "7.1", "2.3", 2.3, 1},
}

// TestTable measures the minutes to lock, beside those of other decoders.
func TestTable(t *testing.T) {
	runs, from := 1, 0
	measure := os.Getenv("TIMESTATION_MEASURE") == "1" || os.Getenv("TIMESTATION_RUNS") != ""
	if n, err := strconv.Atoi(os.Getenv("TIMESTATION_RUNS")); err == nil {
		runs = n
	}
	if os.Getenv("TIMESTATION_MEASURE") == "1" {
		runs = 20
	}
	if n, err := strconv.Atoi(os.Getenv("TIMESTATION_SEEDS")); err == nil {
		from = n
	}
	start := time.Now()
	out := &strings.Builder{}
	fmt.Fprintf(out, "%-16s %14s %16s %14s | %8s %8s %6s %6s %6s %8s\n", "input", "usual", "Klein", "trial", "median", "worst", "locked", "right", "wrong", "off")
	for k, row := range table {
		if !measure && row.limit > 6 || underRace && row.limit > 3 {
			continue // these take their time
		}
		if only := os.Getenv("TIMESTATION_ROWS"); only != "" && !strings.Contains(row.name, only) {
			continue
		}
		var locks []float64
		right, wrong := 0, 0
		worst := time.Duration(0)
		for run := range runs {
			seed := uint64(1000*k + run + from)
			hours := row.hours
			if !measure {
				hours = min(hours, 0.1+row.limit/25)
			}
			s := radiotest.Simulate(dcf77.Code, radiotest.Random(seed), time.Duration(hours*float64(time.Hour)), row.noise, seed)
			o := s.Decode(dcf77.Code)
			if o.LockMinutes >= 0 {
				locks = append(locks, o.LockMinutes)
			}
			right += o.Right
			wrong += o.Wrong
			worst = max(worst, o.Worst)
			if o.Wrong > 0 {
				t.Errorf("%s, seed %d: %d minutes wrong: %s", row.name, seed, o.Wrong, o.First)
			}
		}
		slices.Sort(locks)
		median, last := -1.0, -1.0
		if len(locks) > runs/2 {
			median = locks[runs/2]
		}
		if len(locks) == runs {
			last = locks[len(locks)-1]
		}
		if measure {
			fmt.Fprintf(os.Stderr, "%-16s %v %v wrong %d lock %.1f %.1fs\n", row.name, median, last, wrong, locks, time.Since(start).Seconds())
		}
		fmt.Fprintf(out, "%-16s %14s %16s %14s | %8.2f %8.2f %6d %6d %6d %8s\n", row.name, row.usual, row.klein, row.trial, median, last, len(locks), right, wrong, worst.Round(time.Millisecond))
	}
	t.Log("minutes to lock\n" + out.String())
}

// TestOtherCodesTable measures the minutes to lock of the other transmitters.
func TestOtherCodesTable(t *testing.T) {
	if os.Getenv("TIMESTATION_MEASURE") != "1" {
		t.Log("TestOtherCodes is the small share of this; TIMESTATION_MEASURE=1 measures")
		return
	}
	const runs = 8
	out := &strings.Builder{}
	fmt.Fprintf(out, "%-16s %-6s %8s %8s %6s %6s %6s %8s\n", "input", "code", "median", "worst", "locked", "right", "wrong", "off")
	for k, row := range table {
		if strings.Contains("flip 0.44 flip 0.45 flip 0.46 cn 32 cn 30 cn 21 jitter 60 ms missing 50 %", row.name) {
			continue
		}
		for c, code := range []*longwave.Code{msf60.Code, wwvb.Code, jjy.Code} {
			var locks []float64
			right, wrong := 0, 0
			worst := time.Duration(0)
			for run := range runs {
				seed := uint64(200000 + 10000*c + 100*k + run)
				o := radiotest.Simulate(code, radiotest.Random(seed), 30*time.Minute, row.noise, seed).Decode(code)
				if o.LockMinutes >= 0 {
					locks = append(locks, o.LockMinutes)
				}
				right, wrong, worst = right+o.Right, wrong+o.Wrong, max(worst, o.Worst)
				if o.Wrong > 0 {
					t.Errorf("%s, %s, seed %d: %d minutes wrong: %s", code.Name, row.name, seed, o.Wrong, o.First)
				}
			}
			slices.Sort(locks)
			median, last := -1.0, -1.0
			if len(locks) > runs/2 {
				median = locks[runs/2]
			}
			if len(locks) == runs {
				last = locks[runs-1]
			}
			fmt.Fprintf(out, "%-16s %-6s %8.2f %8.2f %6d %6d %6d %8s\n", row.name, code.Name, median, last, len(locks), right, wrong, worst.Round(time.Millisecond))
		}
	}
	t.Log("minutes to lock\n" + out.String())
}
