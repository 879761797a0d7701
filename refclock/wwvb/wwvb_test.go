package wwvb

import (
	"math/rand/v2"
	"testing"
	"time"

	"timestation/refclock"
	"timestation/refclock/longwave"
	"timestation/refclock/longwave/radiotest"
	"timestation/refclock/longwave/receiver"
)

// The weights of the seconds, as NIST's table has them (Special Publication 250-67, figure 4.1).
var (
	minuteWeights = map[int]int{1: 40, 2: 20, 3: 10, 5: 8, 6: 4, 7: 2, 8: 1}
	hourWeights   = map[int]int{12: 20, 13: 10, 15: 8, 16: 4, 17: 2, 18: 1}
	dayWeights    = map[int]int{22: 200, 23: 100, 25: 80, 26: 40, 27: 20, 28: 10, 30: 8, 31: 4, 32: 2, 33: 1}
	yearWeights   = map[int]int{45: 80, 46: 40, 47: 20, 48: 10, 50: 8, 51: 4, 52: 2, 53: 1}
)

func value(s [60]longwave.Symbol, weights map[int]int) (sum int) {
	for second, weight := range weights {
		if s[second] == one {
			sum += weight
		}
	}
	return sum
}

func TestCode(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		at := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.Int64N(50*365*24*60)) * time.Minute)
		s := Code.Encode(Code.At(at))
		if value(s, minuteWeights) != at.Minute() || value(s, hourWeights) != at.Hour() || value(s, dayWeights) != at.YearDay() || value(s, yearWeights) != at.Year()%100 {
			t.Fatalf("%v is sent as %v", at, s)
		}
		if leap := time.Date(at.Year(), 12, 31, 0, 0, 0, 0, time.UTC).YearDay() == 366; leap != (s[55] == one) {
			t.Fatalf("%v: the leap year's bit is %v", at, s[55])
		}
		for i := range s {
			if (s[i] == mark) != (i == 0 || i%10 == 9) {
				t.Fatalf("second %d is %d", i, s[i])
			}
		}
	}
}

// TestDaylight: 10 March and 3 November 2024 are the days of change; both bits differ on these.
func TestDaylight(t *testing.T) {
	for date, want := range map[string][2]longwave.Symbol{
		"2024-03-09": {likelyZero, likelyZero}, "2024-03-10": {likelyOne, likelyZero}, "2024-03-11": {likelyOne, likelyOne},
		"2024-11-02": {likelyOne, likelyOne}, "2024-11-03": {likelyZero, likelyOne}, "2024-11-04": {likelyZero, likelyZero},
	} {
		at, err := time.Parse(time.DateOnly, date)
		if err != nil {
			t.Fatal(err)
		}
		if s := Code.Encode(Code.At(at)); [2]longwave.Symbol{s[57], s[58]} != want {
			t.Errorf("%s: %d %d, not %v", date, s[57], s[58], want)
		}
	}
}

func TestDriver(t *testing.T) {
	// Boulder, 77 km away.
	radiotest.CheckDriver(t, Code, refclock.Position{Latitude: 40.0150, Longitude: -105.2705}, 255*time.Microsecond,
		func(env refclock.Environment, open radiotest.Opener) refclock.Driver {
			c := receiver.DefaultConfig()
			c.Line = "GPIO17"
			return receiver.New(Transmitter, c, env, open)
		})
}
