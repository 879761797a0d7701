package discipline

import (
	"math"
	"math/rand/v2"
	"os"
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

// TestBoundHoldsOverADay lives through 24 hours of each world and asks every second whether the true error was within the
// stated bound.
func TestBoundHoldsOverADay(t *testing.T) {
	const limit = 50 * time.Millisecond
	seeds, hours := uint64(1), 12
	if os.Getenv("TIMESTATION_MEASURE") != "" {
		seeds, hours = 20, 24
	}
	worlds := []world{
		{name: "quiet", systematic: limit, jitter: 5 * time.Millisecond, q: 1e-9},
		{name: "late at the limit", delayError: limit, systematic: limit, jitter: 20 * time.Millisecond, wander: 5 * time.Millisecond, q: 1e-9, sinePPM: 3},
		{name: "early at the limit", delayError: -limit, systematic: limit, jitter: 20 * time.Millisecond, q: 1e-8, sinePPM: 3},
		{name: "uncalibrated", delayError: 240 * time.Millisecond, systematic: 300 * time.Millisecond, jitter: 40 * time.Millisecond, wander: 20 * time.Millisecond, q: 1e-8, sinePPM: 3},
		{name: "12 h silent", systematic: limit, jitter: 10 * time.Millisecond, q: 3e-9, sinePPM: 3, silentFrom: 6 * 3600, silentTo: 18 * 3600},
	}
	for _, w := range worlds {
		var inside95, insideMax, seconds float64
		var widest time.Duration
		for seed := range seeds {
			in95, inMax, n, wide := w.run(seed+100, hours)
			inside95, insideMax, seconds, widest = inside95+in95, insideMax+inMax, seconds+n, max(widest, wide)
		}
		t.Logf("%-20s inside MaxError %.3f %%, widest %v", w.name, 100*insideMax/seconds, widest.Round(time.Millisecond))
		if insideMax < seconds {
			t.Errorf("%s: the bound held only %.2f %% of the time", w.name, 100*insideMax/seconds)
		}
		// The mean of few independent stretches, each as long as the filter's memory.
		if few := 0.90; w.delayError == 0 && w.jitter <= 5*time.Millisecond && (inside95 < few*seconds || seeds > 1 && inside95 < 0.94*seconds) {
			t.Errorf("%s: the statistical bound held only %.2f %%", w.name, 100*inside95/seconds)
		}
	}
}

func (w world) run(seed uint64, hours int) (inside95, insideMax, seconds float64, widest time.Duration) {
	random := rand.New(rand.NewPCG(seed, 1))
	e := NewFilter(Config{WanderPPM: 5})
	const start = 1.8e18 // TAI ns
	frequency, phase, delay := 20e-6*random.NormFloat64(), 0.0, 0.0
	for second := range hours * 3600 {
		frequency += w.q * random.NormFloat64()
		now := frequency + w.sinePPM*1e-6*math.Sin(2*math.Pi*float64(second)/86400)
		phase += now // the oscillator has gained this many seconds on true time
		trueTAI := int64(start) + int64(second)*1e9
		raw := int64(second)*1e9 + int64(phase*1e9)
		delay = 0.99*delay + w.wander.Seconds()*math.Sqrt(1-0.99*0.99)*random.NormFloat64()
		if second < w.silentFrom || second >= w.silentTo {
			// Exponential lateness about its own mean: the mean belongs to the delay the limit speaks of.
			late := w.delayError + time.Duration((delay+w.jitter.Seconds()*(random.ExpFloat64()-1))*1e9)
			e.Update(Observation{Source: "gps", Raw: raw + int64(late), TAI: trueTAI, Noise: 20 * time.Millisecond, Systematic: w.systematic})
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
