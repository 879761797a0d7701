package jjy

import (
	"math/rand/v2"
	"testing"
	"time"

	"timestation/refclock"
	"timestation/refclock/longwave"
	"timestation/refclock/longwave/radiotest"
	"timestation/refclock/longwave/receiver"
)

// The weights of the seconds, as NICT's table has them ("Time code", "Information of the time code").
var (
	minuteWeights  = map[int]int{1: 40, 2: 20, 3: 10, 5: 8, 6: 4, 7: 2, 8: 1}
	hourWeights    = map[int]int{12: 20, 13: 10, 15: 8, 16: 4, 17: 2, 18: 1}
	dayWeights     = map[int]int{22: 200, 23: 100, 25: 80, 26: 40, 27: 20, 28: 10, 30: 8, 31: 4, 32: 2, 33: 1}
	yearWeights    = map[int]int{41: 80, 42: 40, 43: 20, 44: 10, 45: 8, 46: 4, 47: 2, 48: 1}
	weekdayWeights = map[int]int{50: 4, 51: 2, 52: 1}
)

func value(s [60]longwave.Symbol, weights map[int]int) (sum, ones int) {
	for second, weight := range weights {
		if s[second] == one {
			sum += weight
			ones++
		}
	}
	return sum, ones
}

func TestCode(t *testing.T) {
	japan := time.FixedZone("JST", 9*3600)
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		at := time.Date(2001, 1, 1, 0, 0, 0, 0, japan).Add(time.Duration(r.Int64N(50*365*24*60)) * time.Minute)
		s := Code.Encode(Code.At(at.UTC()))
		minute, minuteOnes := value(s, minuteWeights)
		hour, hourOnes := value(s, hourWeights)
		day, _ := value(s, dayWeights)
		if minute != at.Minute() || hour != at.Hour() || day != at.YearDay() {
			t.Fatalf("%v is sent as %v", at, s)
		}
		if int(s[36]) != hourOnes%2 || int(s[37]) != minuteOnes%2 {
			t.Fatalf("%v: parities %d %d", at, s[36], s[37])
		}
		if minute == 15 || minute == 45 {
			continue // the call sign and the state of service instead
		}
		year, _ := value(s, yearWeights)
		weekday, _ := value(s, weekdayWeights)
		if year != at.Year()%100 || weekday != int(at.Weekday()) {
			t.Fatalf("%v is sent as %v", at, s)
		}
	}
}

func TestDriver(t *testing.T) {
	// Tokyo, 213 km from the nearer transmitter.
	radiotest.CheckDriver(t, Code, refclock.Position{Latitude: 35.6895, Longitude: 139.6917}, 715*time.Microsecond,
		func(env refclock.Environment, open radiotest.Opener) refclock.Driver {
			c := receiver.DefaultConfig()
			c.Line = "GPIO17"
			return receiver.New(Transmitter, c, env, open)
		})
}
