package discipline

import "time"

// Observation is one measurement: at the oscillator's count Raw (ns) it was TAI (ns since 1970).
type Observation struct {
	// Source names whose it is: the noise of each source is learned apart.
	Source   string
	Raw, TAI int64
	// Noise is the driver's expectation of the scatter, 1σ, used until the real one is learned.
	Noise time.Duration
	// HalfWidth is an error that averaging over this source's other measurements may take out, anywhere within ± it: half of
	// what a round trip took longer than the quickest, or what the fit that this sample shares with some others is off by.
	HalfWidth time.Duration
	// Systematic is the limit of the error that all measurements of this source share.
	Systematic time.Duration
}
