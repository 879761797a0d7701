package main

import (
	"testing"
	"time"

	"timestation/engine/discipline"
	"timestation/refclock"
	"timestation/refclock/dcf77"
	"timestation/refclock/longwave/radiotest"
	"timestation/refclock/longwave/receiver"
)

// TestLongwaveIsFollowed: what the driver of a long-wave receiver makes of its pulses is what the estimator takes: every
// sample is accepted, though many of them come from one fit, and the bound holds.
func TestLongwaveIsFollowed(t *testing.T) {
	for seed := range uint64(3) {
		scene := radiotest.Scene{Code: dcf77.Transmitter.Code, Length: 20 * time.Minute, Seed: seed, Late: 30 * time.Millisecond, Jitter: 6 * time.Millisecond}
		config := receiver.DefaultConfig()
		config.Line = "GPIO17"
		heard := scene.Drive(t, func(env refclock.Environment, open radiotest.Opener) refclock.Driver {
			return receiver.New(dcf77.Transmitter, config, env, open)
		})
		f := discipline.NewFilter(discipline.Config{WanderPPM: 5})
		var settled time.Time
		for _, s := range heard.Samples() {
			truth := heard.Truth(s.Stamp)
			o := discipline.Observation{Source: "dcf77", Raw: int64(s.Stamp), TAI: s.Instant.TAI, Noise: s.Noise, HalfWidth: s.HalfWidth,
				Systematic: s.Systematic}
			if v := f.Update(o); v != discipline.Accepted {
				t.Fatalf("seed %d: the sample of %v is not accepted (verdict %d)", seed, truth, v)
			}
			e := f.At(int64(s.Stamp))
			if off := time.Duration(e.TAI - 37e9 - truth.UnixNano()); off.Abs() > e.MaxError {
				t.Fatalf("seed %d: at %v it is %v off, bound %v", seed, truth, off, e.MaxError)
			}
			if settled.IsZero() && f.Settled() {
				settled = truth
			}
		}
		begin := heard.Truth(heard.Samples()[0].Stamp)
		t.Logf("seed %d: %d samples, settled %v after the first", seed, len(heard.Samples()), settled.Sub(begin).Round(time.Second))
		if settled.IsZero() || settled.Sub(begin) > 2*time.Minute {
			t.Errorf("seed %d: not settled", seed)
		}
	}
}
