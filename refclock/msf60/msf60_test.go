package msf60

import (
	"testing"
	"time"

	"timestation/refclock"
	"timestation/refclock/longwave/radiotest"
	"timestation/refclock/longwave/receiver"
)

// TestReceivedTelegrams: the encoder makes what was received (rene0/radio_datetime_analyzer, sample_msf.log, MIT) around
// the beginning of summer time 2020, but for DUT1.
func TestReceivedTelegrams(t *testing.T) {
	for telegram, local := range map[string]string{
		"400000000220000000010000000011101000110100011101100101133110": "2020-03-28 23:59 GMT",
		"400000000220000000010000000011101001000000000000000003113310": "2020-03-29 00:00 GMT",
	} {
		announced, err := time.Parse("2006-01-02 15:04 MST", local)
		if err != nil {
			t.Fatal(err)
		}
		for i, y := range Code.Encode(Code.At(announced.Add(-time.Minute))) {
			if got, ok := digits(i, telegram[i]); y < dut && (!ok || got != y) {
				t.Errorf("%s: second %d is %d, received %d", local, i, y, got)
			}
		}
	}
}

func TestDriver(t *testing.T) {
	// Teddington, 424 km away.
	radiotest.CheckDriver(t, Code, refclock.Position{Latitude: 51.4257, Longitude: -0.3440}, 1443*time.Microsecond,
		func(env refclock.Environment, open radiotest.Opener) refclock.Driver {
			c := receiver.DefaultConfig()
			c.Line = "GPIO17"
			return receiver.New(Transmitter, c, env, open)
		})
}
