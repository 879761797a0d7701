package draw

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestFormatBound(t *testing.T) {
	for _, test := range []struct {
		d    time.Duration
		want string
	}{
		{0, "±0 ns"}, {-5, "±0 ns"}, {7, "±7 ns"}, {99, "±99 ns"}, {100, "±100 ns"}, {101, "±110 ns"}, {990, "±990 ns"},
		{991, "±1.0 µs"}, {1380, "±1.4 µs"}, {9_900, "±9.9 µs"}, {9_901, "±10 µs"}, {38_000, "±38 µs"},
		{178 * time.Millisecond, "±180 ms"}, {180 * time.Millisecond, "±180 ms"}, {180*time.Millisecond + 1, "±190 ms"},
		{991 * time.Millisecond, "±1.0 s"}, {59 * time.Second, "±59 s"}, {99 * time.Second, "±99 s"},
		{100 * time.Second, "±1.7 min"}, {time.Hour, "±60 min"}, {3 * time.Hour, "±3.0 h"}, {72 * time.Hour, "±3.0 d"},
	} {
		if got := FormatBound(test.d); got != test.want {
			t.Errorf("%v: %s, want %s", test.d, got, test.want)
		}
	}
}

// FuzzFormatBound: what is written holds the bound, and is not more than a tenth too large.
func FuzzFormatBound(f *testing.F) {
	for _, d := range []int64{0, 1, 99, 991, 1_000_000, 999_999_999, 100_000_000_000, math.MaxInt64} {
		f.Add(d)
	}
	scale := map[string]float64{"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9, "min": 60e9, "h": 3600e9, "d": 86400e9}
	f.Fuzz(func(t *testing.T, d int64) {
		if d < 0 {
			return // there is no such bound
		}
		text := FormatBound(time.Duration(d))
		number, unit, ok := strings.Cut(strings.TrimPrefix(text, "±"), " ")
		v, err := strconv.ParseFloat(number, 64)
		if !ok || err != nil || scale[unit] == 0 {
			t.Fatalf("%d: %q", d, text)
		}
		// Above 2^53 the float64 of this test itself is rough.
		if v *= scale[unit]; v < float64(d)*(1-1e-12) || v > float64(d)*1.12+1 {
			t.Errorf("%d ns is written as %s", d, text)
		}
		if digits := strings.Trim(strings.Replace(number, ".", "", 1), "0"); len(digits) > 2 {
			t.Errorf("%s has %d significant digits", text, len(digits))
		}
	})
}
