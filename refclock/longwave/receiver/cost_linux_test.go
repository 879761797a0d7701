package receiver

import (
	"syscall"
	"testing"
	"time"

	"timestation/refclock/longwave/radiotest"
)

// TestCost: a listening driver takes less than half a percent of a processor, whatever it hears; the limit that matters, for
// all drivers on a small machine, is 2 %.
func TestCost(t *testing.T) {
	if underRace {
		t.Log("left to the run without the race detector")
		return
	}
	for name, noise := range map[string]radiotest.Noise{
		"clean":     {},
		"noisy":     {Extra: 2, JitterMS: 40, Missing: 0.2, Flip: 0.01},
		"no signal": {NoSignal: true, BandHz: 20, BandFlip: 0.4},
	} {
		const length = 8 * time.Minute
		before := used(t)
		heard := station(t, radiotest.Scene{Noise: noise, Length: length}, DefaultConfig())
		share := (used(t) - before).Seconds() / length.Seconds()
		t.Logf("%s: %.2f %% of a processor, %d samples", name, 100*share, len(heard.Samples()))
		if share > 0.005 {
			t.Errorf("%s: %.2f %% of a processor", name, 100*share)
		}
	}
}

// used is the processor time of this process.
func used(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
