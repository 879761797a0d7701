package discipline

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// world is a receiver whose sentences come late, and an oscillator that wanders.
type world struct {
	name string
	// delayError is how far the sentence's true delay is from the one the driver assumes, within systematic.
	delayError, systematic time.Duration
	// jitter is exponential (sentences are late, never early), wander is of the delay over minutes.
	jitter, wander time.Duration
	// q is the oscillator's random walk FM per √s, sinePPM a daily swing.
	q, sinePPM float64
	// silent is the span of seconds in which nothing is heard.
	silentFrom, silentTo int
}

// TestBoundHoldsOverADay lives through 24 hours of each world with several seeds, and asks every second whether the true
// error was within the stated bound.
func TestBoundHoldsOverADay(t *testing.T) {
	const limit = 50 * time.Millisecond
	worlds := []world{
		{name: "quiet", systematic: limit, jitter: 5 * time.Millisecond, q: 1e-9},
		{name: "late at the limit", delayError: limit, systematic: limit, jitter: 20 * time.Millisecond, wander: 5 * time.Millisecond, q: 1e-9, sinePPM: 3},
		{name: "early at the limit", delayError: -limit, systematic: limit, jitter: 20 * time.Millisecond, q: 1e-8, sinePPM: 3},
		{name: "uncalibrated", delayError: 240 * time.Millisecond, systematic: 300 * time.Millisecond, jitter: 40 * time.Millisecond, wander: 20 * time.Millisecond, q: 1e-8, sinePPM: 3},
		{name: "12 h silent", systematic: limit, jitter: 10 * time.Millisecond, q: 3e-9, sinePPM: 3, silentFrom: 6 * 3600, silentTo: 18 * 3600},
	}
	for _, w := range worlds {
		for seed := range uint64(4) {
			inside95, insideMax, seconds, widest := w.run(seed + 100)
			t.Logf("%-20s seed %d: inside MaxError %.3f %%, widest %v", w.name, seed, 100*insideMax/seconds, widest.Round(time.Millisecond))
			if insideMax < 0.95*seconds {
				t.Errorf("%s, seed %d: the bound held only %.2f %% of the day", w.name, seed, 100*insideMax/seconds)
			}
			if w.delayError == 0 && w.jitter <= 5*time.Millisecond && inside95 < 0.94*seconds {
				t.Errorf("%s, seed %d: the statistical bound held only %.2f %%", w.name, seed, 100*inside95/seconds)
			}
		}
	}
}

func (w world) run(seed uint64) (inside95, insideMax, seconds float64, widest time.Duration) {
	random := rand.New(rand.NewPCG(seed, 1))
	e := NewEstimator(Config{WanderPPM: 5})
	const start = 1.8e18 // TAI ns
	frequency, phase, delay := 20e-6*random.NormFloat64(), 0.0, 0.0
	for second := range 24 * 3600 {
		frequency += w.q * random.NormFloat64()
		now := frequency + w.sinePPM*1e-6*math.Sin(2*math.Pi*float64(second)/86400)
		phase += now // the oscillator has gained this many seconds on true time
		trueTAI := int64(start) + int64(second)*1e9
		raw := int64(second)*1e9 + int64(phase*1e9)
		delay = 0.99*delay + w.wander.Seconds()*math.Sqrt(1-0.99*0.99)*random.NormFloat64()
		if second < w.silentFrom || second >= w.silentTo {
			// Exponential lateness about its own mean: the mean belongs to the delay the limit speaks of.
			late := w.delayError + time.Duration((delay+w.jitter.Seconds()*(random.ExpFloat64()-1))*1e9)
			e.Update(raw+int64(late), trueTAI, 20*time.Millisecond, w.systematic)
		}
		if !e.Settled() {
			continue
		}
		est := e.At(raw)
		err := time.Duration(est.TAI - trueTAI).Abs()
		seconds++
		if err <= est.MaxError {
			insideMax++
		}
		if err <= est.Uncertainty95 {
			inside95++
		}
		widest = max(widest, est.MaxError)
	}
	return
}

func TestJumpIsRefusedThenReported(t *testing.T) {
	e := NewEstimator(Config{WanderPPM: 5})
	at := func(second int, tai time.Duration) Verdict {
		return e.Update(int64(second)*1e9, 1e18+int64(second)*1e9+int64(tai), time.Millisecond, 0)
	}
	for s := range 120 {
		at(s, 0)
	}
	for s := 120; s < 1000; s++ {
		want := Refused
		if s >= 120+jumpAfter-1 {
			want = Jumped
		}
		if v := at(s, time.Second); v != want {
			t.Fatalf("second %d: verdict %d, want %d", s, v, want)
		}
	}
	if off := e.At(1000e9).TAI - (1e18 + 1000e9); time.Duration(off).Abs() > time.Millisecond {
		t.Errorf("refused samples pulled the estimate by %v", time.Duration(off))
	}
	if v := at(1000, 0); v != Accepted {
		t.Errorf("back at its old time: verdict %d", v)
	}
}

func TestLateSampleChangesNothing(t *testing.T) {
	e := NewEstimator(Config{WanderPPM: 5})
	for s := range int64(60) {
		e.Update(s*1e9, 1e18+s*1e9, time.Millisecond, 0)
	}
	before := e.At(60e9)
	if v := e.Update(57.5e9, 1e18+3600e9, time.Millisecond, time.Hour); v != Refused || e.At(60e9) != before {
		t.Errorf("verdict %d, estimate %+v, before %+v", v, e.At(60e9), before)
	}
}

func TestBoundGrowsWithoutSamples(t *testing.T) {
	e := NewEstimator(Config{WanderPPM: 5})
	for s := range int64(600) {
		e.Update(s*1e9, 1e18+s*1e9, time.Millisecond, 10*time.Millisecond)
	}
	last := e.At(600e9)
	for _, hours := range []int64{1, 4, 12, 24} {
		now := e.At(600e9 + hours*3600e9)
		if wander := time.Duration(hours) * 18 * time.Millisecond; now.MaxError < last.MaxError+wander {
			t.Errorf("after %d h the bound is %v, less than the assumed wander alone (%v)", hours, now.MaxError, wander)
		}
	}
	if g := last.MaxErrorGrowth; g < 5e-6 || g > 20e-6 {
		t.Errorf("growth %.1f µs/s", g*1e6)
	}
}
