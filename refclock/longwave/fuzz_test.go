package longwave_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"timestation/refclock/dcf77"
	"timestation/refclock/longwave"
)

// FuzzDecode reads anything as a recording, in every format.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("0101 \n10"), uint8(0))
	f.Add([]byte("1, +---------+---------+---------+--XXXXX5--+---------+---------+---------+---------+---------+---------\n3, "), uint8(1))
	f.Add([]byte("58 ___________________________________________________?||||||||||||v___________________________________ 1000   0 126    0   0   0 18\n"), uint8(1))
	f.Add([]byte("2021-10-18 03:00:00 UTC ####______|_______________|_______________|_#########\n"), uint8(1))
	f.Add([]byte("0 00110110000011 000101 10101010 1100011 100011 110 01001 000100000  Mi, 31.12.08 23:55:00, WZ  \n"), uint8(2))
	f.Add([]byte("00011011010011100100110101100100010010011011000001100010000\n00111001001111000100101101100100010010011011000001100010000"), uint8(3))
	formats := []longwave.Format{longwave.Levels, longwave.Scope, longwave.Minutes, ""}
	f.Fuzz(func(t *testing.T, data []byte, which uint8) {
		// Not more than some minutes of anything: a number far ahead stands for hours of lost lines.
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, _ = longwave.Decode(ctx, bytes.NewReader(data), formats[int(which)%len(formats)], dcf77.Code, 1000,
			time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2021, 12, 31, 0, 0, 0, 0, time.UTC), func(m longwave.PlacedMinute) {
				if m.UTC.Year() < 2019 || m.UTC.Year() > 2022 {
					t.Errorf("%v is out of bounds", m.UTC)
				}
			})
	})
}

// FuzzFolder folds runs of any lengths; every bin must hold what was put in.
func FuzzFolder(f *testing.F) {
	f.Add([]byte{3, 200, 7, 0, 255}, uint16(1000))
	f.Add([]byte{1, 1, 1}, uint16(50))
	f.Fuzz(func(t *testing.T, runs []byte, rate uint16) {
		if rate < 20 {
			return
		}
		bins := 0
		folder := longwave.NewFolder(float64(rate), func(v uint8) {
			if v > 10 && v != longwave.Unknown {
				t.Errorf("a bin of %d", v)
			}
			bins++
		})
		total := int64(0)
		for i, n := range runs {
			if i%7 == 6 {
				folder.Lost(int64(n))
			} else {
				folder.Add(i%2 == 1, int64(n))
			}
			total += int64(n)
		}
		if want := float64(total) * 100 / float64(rate); float64(bins) > want+1 || float64(bins) < want-1 {
			t.Errorf("%d bins of %d samples at %d Hz", bins, total, rate)
		}
	})
}
