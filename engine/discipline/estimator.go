// Package discipline is the estimator: it takes a source's samples and says what time it is, how fast the oscillator
// runs, and how far off both can be. It is pure: no I/O, no clock of its own.
package discipline

import (
	"math"
	"time"
)

const (
	// startFrequency is how far off an unknown oscillator may run, 1σ, as a fraction. Pi crystals are within 30 ppm, a
	// virtual machine's uncalibrated counter within some 100 ppm.
	startFrequency = 100e-6
	// wanderFM is the assumed random walk of the frequency per √second: an uncompensated crystal in a room, taken on the
	// cautious side of the 1e-9 that good rooms show.
	wanderFM = 1e-8
	// gate is how many standard deviations an innovation may have before the sample is refused.
	gate = 5
	// jumpAfter is how many samples in a row must be refused before the source is taken to have jumped.
	jumpAfter = 30
	// gapAfter is how long a silence must have lasted for the oscillator's assumed wander to count as possible in full.
	gapAfter = 60.0 // s
	// noiseMemory is over how many samples the scatter is learned; the driver's expectation counts for the first
	// noisePrior of them, so that a few samples that happen to agree do not make the gate too narrow for the rest.
	noiseMemory = 256
	noisePrior  = 32
	// correlated is the share of one sample's scatter that averaging is never trusted to remove: a serial sentence's
	// delay wanders over minutes with the satellites in view, so its errors are not independent.
	correlated = 1.0
	// settleSamples over at least settleTime make an estimate that may be followed.
	settleSamples = 10
	settleTime    = 8 * time.Second
)

// Config is what the estimator assumes of the oscillator.
type Config struct {
	// WanderPPM is how far the oscillator's frequency may have moved since the last sample, as a limit: MaxError grows by
	// it while nothing is heard.
	WanderPPM float64
}

// Verdict is what became of a sample.
type Verdict uint8

const (
	// Accepted samples moved the estimate.
	Accepted Verdict = iota
	// Refused samples lay outside the gate, or were older than the last accepted one.
	Refused
	// Jumped: like Refused, and so were all before it for so long that it is no outlier. The estimate stays where it was:
	// whether the source or its past is wrong is not for the estimator to say.
	Jumped
)

// Estimator follows one source: a two-state Kalman filter over the phase and frequency of TAI against the oscillator's
// count, whose measurement noise is learned from the innovations.
type Estimator struct {
	config Config
	// The state at count raw: TAI is tai + x seconds, and gains y seconds on the oscillator in each of its seconds.
	raw, tai int64
	x, y     float64
	// pxx, pxy, pyy is the covariance.
	pxx, pxy, pyy float64
	// variance is the learned variance of one sample, in s².
	variance   float64
	systematic time.Duration
	samples    int
	firstRaw   int64
	refused    int
}

// NewEstimator makes an estimator that knows nothing.
func NewEstimator(c Config) *Estimator { return &Estimator{config: c} }

// Estimate is what an estimator says of one moment.
type Estimate struct {
	// TAI is nanoseconds since 1970-01-01T00:00:00 TAI.
	TAI int64
	// Frequency is how many seconds TAI gains on the oscillator in one of its seconds.
	Frequency float64
	// Uncertainty95 is statistical; MaxError adds the source's systematic limit and the oscillator's assumed wander.
	Uncertainty95, MaxError time.Duration
	// The growths are in seconds per second from this moment on.
	Uncertainty95Growth, MaxErrorGrowth float64
}

// Settled reports whether enough has been heard for the estimate to be followed.
func (e *Estimator) Settled() bool {
	return e.samples >= settleSamples && time.Duration(e.raw-e.firstRaw) >= settleTime
}

// Jitter is the learned scatter of one sample, 1σ.
func (e *Estimator) Jitter() time.Duration { return duration(math.Sqrt(e.variance)) }

// Samples counts the accepted samples since the estimator started (again).
func (e *Estimator) Samples() int { return e.samples }

// Update takes a sample: at the oscillator's count raw (ns) it was tai (ns). noise is the driver's expectation of the
// scatter, 1σ, used until the real one is learned; systematic is the source's limit. A sample older than the last accepted
// one is refused and changes nothing.
func (e *Estimator) Update(raw, tai int64, noise, systematic time.Duration) Verdict {
	if e.samples == 0 {
		e.start(raw, tai, noise)
		e.systematic = systematic
		return Accepted
	}
	if raw < e.raw {
		return Refused
	}
	dt := float64(raw-e.raw) * 1e-9
	pxx, pxy, pyy := e.propagated(dt)
	if dt > gapAfter {
		wander := e.config.WanderPPM * 1e-6
		pxx, pyy = pxx+wander*wander*dt*dt/4, pyy+wander*wander/4
	}
	predicted := e.x + (1+e.y)*dt
	innovation := float64(tai-e.tai)*1e-9 - predicted
	s := pxx + e.variance
	outside := innovation*innovation > gate*gate*s
	if !outside || e.refused < jumpAfter {
		e.learnNoise(innovation, pxx, s)
	}
	if outside {
		if e.refused++; e.refused < jumpAfter {
			return Refused
		}
		return Jumped
	}
	e.refused, e.systematic = 0, systematic
	e.samples++
	kx, ky := pxx/s, pxy/s
	e.rebase(raw, predicted+kx*innovation)
	e.y += ky * innovation
	e.pxx, e.pxy, e.pyy = (1-kx)*pxx, (1-kx)*pxy, pyy-ky*pxy
	return Accepted
}

// learnNoise moves the learned variance towards what this innovation shows, clipped so that one outlier moves it little.
// Refused samples count too: a variance learned too small would otherwise refuse everything for ever.
func (e *Estimator) learnNoise(innovation, pxx, s float64) {
	const floor = 1e-7 * 1e-7 // s²: nothing here measures finer than 100 ns
	share := 1 / math.Min(float64(e.samples+noisePrior), noiseMemory)
	clipped := math.Min(innovation*innovation, 9*s)
	e.variance = math.Max(floor, e.variance+share*(clipped-pxx-e.variance))
}

func (e *Estimator) start(raw, tai int64, noise time.Duration) {
	sigma := math.Max(noise.Seconds(), 1e-6)
	*e = Estimator{
		config: e.config,
		raw:    raw, tai: tai, firstRaw: raw, samples: 1,
		variance: sigma * sigma, pxx: sigma * sigma, pyy: startFrequency * startFrequency,
	}
}

// rebase moves the epoch to raw, where TAI is the old tai plus x seconds, and keeps the fraction small.
func (e *Estimator) rebase(raw int64, x float64) {
	whole := math.Floor(x * 1e9)
	e.raw, e.tai, e.x = raw, e.tai+int64(whole), x-whole*1e-9
}

// propagated is the covariance dt seconds after the epoch, under random-walk frequency noise.
func (e *Estimator) propagated(dt float64) (pxx, pxy, pyy float64) {
	const q = wanderFM * wanderFM
	pxx = e.pxx + 2*dt*e.pxy + dt*dt*e.pyy + q*dt*dt*dt/3
	pxy = e.pxy + dt*e.pyy + q*dt*dt/2
	pyy = e.pyy + q*dt
	return
}

// At says what time it is at the oscillator's count raw.
func (e *Estimator) At(raw int64) Estimate {
	dt := float64(raw-e.raw) * 1e-9
	// The whole nanoseconds are added as integers: a float64 of a day in seconds has only ten digits left behind it.
	est := Estimate{
		TAI:       e.tai + (raw - e.raw) + int64(math.Round((e.x+e.y*dt)*1e9)),
		Frequency: e.y,
	}
	ahead := math.Max(dt, 0)
	u0, u1 := e.uncertainty(ahead), e.uncertainty(ahead+1)
	est.Uncertainty95 = duration(u0)
	est.MaxError = duration(u0+e.config.WanderPPM*1e-6*ahead) + e.systematic
	est.Uncertainty95Growth = u1 - u0
	est.MaxErrorGrowth = u1 - u0 + e.config.WanderPPM*1e-6
	return est
}

// uncertainty is the 95 % figure in seconds, dt seconds after the epoch.
func (e *Estimator) uncertainty(dt float64) float64 {
	const sigmas = 2 // 95.4 % of a Gaussian error
	pxx, _, _ := e.propagated(dt)
	return sigmas * math.Sqrt(pxx+correlated*correlated*e.variance/(sigmas*sigmas))
}

func duration(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }
