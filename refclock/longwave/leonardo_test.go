package longwave_test

import (
	"compress/gzip"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"timestation/refclock/dcf77"
	"timestation/refclock/longwave"
)

// segment is a piece of a recording between two resets of the recorder: UTC of the start of line N is
// t0 + (N-first)*(1+drift); t0 is 0 where nobody knows.
type segment struct {
	file        string
	first, last int
	t0, drift   float64
}

var segments = []segment{
	{"leonardo_dcf", 2, 2591, 0, 0},
	{"leonardo_dcf", 2776, 5007, 0, 0},
	{"leonardo_dcf", 5167, 9897, 0, 0},
	{"leonardo_dcf", 10016, 22011, 1493383799.99, 422.7},
	{"leonardo_dcf", 22235, 25033, 1493396024.20, 382.9},
	{"leonardo_2017-04-29-07", 633, 7269, 1493439008.32, 413.8},
	{"leonardo_2017-04-29-14", 385, 10707, 1493478209.38, -5.2},
	{"leonardo_2017-04-29-14", 1893, 5811, 1493491362.88, 15.6},
	{"leonardo_2017-04-29-22", 5812, 50376, 1493495282.03, 8.2},
	{"leonardo_2017-08-31_2022", 40424, 93224, 1504244182.67, 0},
	{"leonardo_2017-08-31_2022", 127662, 132753, 0, 0},
	{"leonardo_20170504T210939Z", 86371, 88663, 0, 0},
	{"leonardo_20170504T210939Z", 88800, 91835, 1493934607.07, 347.0},
	{"leonardo_20170504T210939Z", 92161, 97388, 0, 0},
	{"leonardo_20170504T210939Z", 97516, 99892, 0, 0},
	{"leonardo_20170504T210939Z", 100282, 103149, 1493946093.27, 220.3},
	{"leonardo_20170504T210939Z", 103293, 118759, 0, 0},
}

// TestLeonardo plays the indoor recordings, whole files, and counts minutes right and wrong.
func TestLeonardo(t *testing.T) {
	folder := os.Getenv("TIMESTATION_RECORDINGS")
	if folder == "" {
		t.Log("not played: the recordings are GPL and not part of this tree; TIMESTATION_RECORDINGS names their folder")
		return
	}
	files, _ := filepath.Glob(filepath.Join(folder, "dcf77", "leonardo_*.scope.gz"))
	var right, wrong, unknown, coasting int
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".scope.gz")
		if only := os.Getenv("TIMESTATION_ROWS"); only != "" && !strings.Contains(name, only) {
			continue
		}
		began := time.Now()
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		var mine []segment
		for _, s := range segments {
			if s.file == name {
				mine = append(mine, s)
			}
		}
		var decoder *longwave.Decoder
		var run int64
		type count struct{ right, wrong, coasting int }
		counts := map[int]*count{}
		start := func(line int64) {
			run = line
			decoder = longwave.New(dcf77.Code, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC), func(m longwave.Minute) {
				n := float64(run) + m.Bin/100
				k := -1
				for i, s := range mine {
					if n >= float64(s.first) && n <= float64(s.last)+2 && int64(s.first) >= run && (k < 0 || int64(mine[k].first) != run) {
						k = i
					}
				}
				c := counts[k]
				if c == nil {
					c = &count{}
					counts[k] = c
				}
				// Where nobody else decodes, the recorder's clock of the rest of its run tells, if not to the second.
				s, limit := segment{}, 0.7
				if k >= 0 {
					s = mine[k]
				}
				if s.t0 == 0 {
					limit = 2
					for _, other := range mine {
						if other.t0 != 0 && int64(other.first) >= run && (s.t0 == 0 || math.Abs(float64(other.first)-n) < math.Abs(float64(s.first)-n)) {
							s = other
						}
					}
					unknown++
				}
				if s.t0 == 0 {
					t.Logf("%s line %.2f: truth unknown, published %v, confidence %.1f", name, n, m.UTC, m.Confidence)
					return
				}
				off := s.t0 + (n-float64(s.first))*(1+s.drift*1e-6) - float64(m.UTC.Unix())
				if math.Abs(off) > limit {
					if c.wrong < 3 {
						t.Logf("%s line %.2f: %v is off by %.2f s, %s, confidence %.1f", name, n, m.UTC, off, m.State, m.Confidence)
					}
					c.wrong++
					wrong++
					return
				}
				c.right++
				right++
				if m.State == longwave.Coasting {
					c.coasting++
					coasting++
				}
			})
		}
		err = longwave.Play(z, longwave.Scope, longwave.Player{
			Bin: func(v uint8) { decoder.Bin(v) },
			Gap: start,
		})
		for k, c := range counts {
			if k < 0 {
				t.Logf("%s, in no listed segment: %+v minutes", name, *c)
				continue
			}
			t.Logf("%s %d..%d (%.1f h): %+v minutes", name, mine[k].first, mine[k].last, float64(mine[k].last-mine[k].first)/3600, *c)
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		t.Logf("%s took %.1f s", name, time.Since(began).Seconds())
	}
	t.Logf("hours right %.1f (coasting %.1f), wrong %.2f; %.1f of them where the truth is extrapolated", float64(right)/60, float64(coasting)/60, float64(wrong)/60, float64(unknown)/60)
	if wrong > 0 {
		t.Error("wrong minutes were published")
	}
}
