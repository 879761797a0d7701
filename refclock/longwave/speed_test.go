package longwave_test

import (
	"bytes"
	"context"
	"os"
	"testing"
	"time"

	"timestation/refclock/dcf77"
	"timestation/refclock/longwave"
	"timestation/refclock/longwave/radiotest"
)

// BenchmarkDay decodes a day of samples at 1 kHz from their characters; a day must take less than 10 s.
func BenchmarkDay(b *testing.B) {
	length := 24 * time.Hour
	if h, err := time.ParseDuration(os.Getenv("TIMESTATION_LENGTH")); err == nil {
		length = h
	}
	for _, kind := range []struct {
		name  string
		noise radiotest.Noise
	}{
		{"clean", radiotest.Noise{}}, {"flip 0.30", radiotest.Noise{Flip: 0.3}}, {"flip 0.48", radiotest.Noise{Flip: 0.48}},
		{"no signal", radiotest.Noise{NoSignal: true, SilentFlip: 0.5}},
		{"bad", radiotest.Noise{Flip: 0.2, Missing: 0.6, Extra: 2, JitterMS: 60}},
	} {
		b.Run(kind.name, func(b *testing.B) {
			day := radiotest.Simulate(dcf77.Code, time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), length, kind.noise, 1)
			text := make([]byte, len(day.Levels))
			for i, on := range day.Levels {
				text[i] = '0'
				if on {
					text[i] = '1'
				}
			}
			b.ResetTimer()
			for b.Loop() {
				n := 0
				if _, err := longwave.Decode(context.Background(), bytes.NewReader(text), "", dcf77.Code, 1000, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2060, 12, 31, 0, 0, 0, 0, time.UTC),
					func(longwave.PlacedMinute) { n++ }); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(n), "minutes")
			}
		})
	}
}
