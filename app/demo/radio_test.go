package demo

import (
	"bytes"
	"testing"
	"time"

	"timestation/refclock/dcf77"
	"timestation/refclock/longwave"
)

// TestRadio: what is written tells the time that it is said to begin at, second by second.
func TestRadio(t *testing.T) {
	begin := time.Date(2026, 10, 25, 0, 57, 41, 0, time.UTC) // summer time ends
	var recording bytes.Buffer
	if err := WriteRadio(&recording, begin, 8*time.Minute); err != nil {
		t.Fatal(err)
	}
	found := 0
	_, err := longwave.Decode(t.Context(), &recording, longwave.Scope, dcf77.Code, 1000, begin.AddDate(-1, 0, 0), begin.AddDate(1, 0, 0), func(m longwave.PlacedMinute) {
		found++
		if off := begin.Add(time.Duration(m.Sample * float64(time.Millisecond))).Sub(m.UTC); off.Abs() > 20*time.Millisecond {
			t.Errorf("%v is off by %v", m.UTC, off)
		}
	})
	if err != nil || found < 5 {
		t.Errorf("%d minutes, %v", found, err)
	}
}
