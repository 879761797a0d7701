package dcf77

import (
	"slices"
	"testing"
	"time"

	"timestation/refclock"
	"timestation/refclock/longwave"
	"timestation/refclock/longwave/radiotest"
	"timestation/refclock/longwave/receiver"
)

// TestReceivedTelegrams: the encoder makes what was received (gheja/dcf77-decoder, samples.txt, MIT) at the time that was
// written beside it, but for the bits that are anybody's.
func TestReceivedTelegrams(t *testing.T) {
	for telegram, local := range map[string]string{
		"000010100101001000101110010011000001010010001100010000010000": "2020-11-12 01:13",
		"001100011100000000101001010001000001010010001100010000010000": "2020-11-12 01:14",
		"001011111000111000101100001001000001010010001100010000010000": "2020-11-12 01:21",
	} {
		announced, err := time.Parse("2006-01-02 15:04", local)
		if err != nil {
			t.Fatal(err)
		}
		begin := announced.Add(-time.Hour - time.Minute) // CET; the telegram tells the next minute
		for i, y := range Code.Encode(Code.At(begin)) {
			if y > one {
				continue
			}
			if want := longwave.Symbol(telegram[i] - '0'); y != want {
				t.Errorf("%s: second %d is %d, received %d", local, i, y, want)
			}
		}
	}
}

// TestAnnouncements: A1 stands during the hour before summer time begins or ends, Z1 and Z2 change with it, A2 stands with
// a leap second.
func TestAnnouncements(t *testing.T) {
	const a1, z1, z2, a2 = 16, 17, 18, 19
	change := time.Date(2021, 10, 31, 1, 0, 0, 0, time.UTC)
	for minutes, want := range map[int][3]longwave.Symbol{-61: {0, 1, 0}, -60: {1, 1, 0}, -2: {1, 1, 0}, -1: {1, 0, 1}, 0: {0, 0, 1}} {
		s := Code.Encode(Code.At(change.Add(time.Duration(minutes) * time.Minute)))
		if got := [3]longwave.Symbol{s[a1], s[z1], s[z2]}; got != want {
			t.Errorf("%d minutes from the change: %v, not %v", minutes, got, want)
		}
	}
	c := Code.At(time.Date(2016, 12, 31, 23, 30, 0, 0, time.UTC))
	if c.Leap = true; Code.Encode(c)[a2] != one {
		t.Error("no A2")
	}
	if f := Code.Fields(c); !slices.Contains(f, refclock.Field{Name: "announced", Value: "leap second"}) {
		t.Errorf("%v", f)
	}
}

func TestDriver(t *testing.T) {
	// Braunschweig, 272 km away.
	radiotest.CheckDriver(t, Code, refclock.Position{Latitude: 52.2964, Longitude: 10.4636}, 910*time.Microsecond,
		func(env refclock.Environment, open radiotest.Opener) refclock.Driver {
			c := receiver.DefaultConfig()
			c.Line = "GPIO17"
			return receiver.New(Transmitter, c, env, open)
		})
}
