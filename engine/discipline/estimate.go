package discipline

import (
	"math"
	"time"
)

const (
	// sigmas makes a 95 % bound of a standard deviation, with some room for what the filter does not know of itself.
	sigmas = 2.12
	// limitSigmas is what MaxError takes for the limit of the statistical error, in Uncertainty95, where it is of one Gaussian.
	limitSigmas = 3
	// settleSamples over at least settleTime make an estimate that may be followed.
	settleSamples = 10
	settleTime    = 8 * time.Second
)

// Estimate is what a filter says of one moment.
type Estimate struct {
	// TAI is nanoseconds since 1970-01-01T00:00:00 TAI.
	TAI int64
	// Frequency is how many seconds TAI gains on the oscillator in one of its seconds.
	Frequency float64
	// FrequencyUncertainty is its standard deviation.
	FrequencyUncertainty float64
	// Uncertainty95 is statistical. MaxError is what the statistical error never exceeds, by whichever wander of the oscillator
	// is still thought possible and with Student's tails while few samples were heard, and adds the sources' systematic limits
	// and the oscillator's assumed wander while nothing is heard. Neither covers an oscillator whose frequency steps in an
	// instant, as a damaged crystal's may: until the samples show it, for up to 10 s at a sample a second, the error may be what
	// the step makes in 3 s beyond them.
	Uncertainty95, MaxError time.Duration
	// The growths are in seconds per second from this moment on.
	Uncertainty95Growth, MaxErrorGrowth float64
}

// Settled reports whether enough has been heard for the estimate to be followed.
func (f *Filter) Settled() bool {
	return f.samples >= settleSamples && time.Duration(f.raw-f.firstRaw) >= settleTime
}

// Samples counts the observations that moved the estimate.
func (f *Filter) Samples() int { return f.samples }

// Jitter is the learned scatter of the source's regular samples, 1σ; 0 while nothing is known of it.
func (f *Filter) Jitter(source string) time.Duration {
	if v := f.voices[source]; v != nil {
		return duration(math.Sqrt(v.law.variance()))
	}
	return 0
}

// At says what time it is at the oscillator's count raw.
func (f *Filter) At(raw int64) Estimate {
	dt := seconds(raw - f.raw)
	c := f.ahead(dt)
	// The whole nanoseconds are added as integers: a float64 of a day in seconds has only ten digits left behind it.
	e := Estimate{TAI: f.tai + (raw - f.raw) + int64(math.Round(c.x*1e9)), Frequency: c.y,
		FrequencyUncertainty: math.Sqrt(c.pyy)}
	silent := math.Max(dt, 0)
	scale, floor, student := f.doubt()
	scale *= f.tails(dt)
	u0 := sigmas * math.Sqrt(scale*c.pxx+floor)
	u1 := sigmas * math.Sqrt(scale*(c.pxx+2*c.pxy+c.pyy)+floor)
	wander := f.config.WanderPPM * 1e-6
	systematic := 0.0
	for _, v := range f.voices {
		systematic += math.Abs(v.pullX+dt*v.pullY) * v.systematic
	}
	e.Uncertainty95 = bound(u0)
	reach := f.reach * student
	e.MaxError = bound(reach*u0 + wander*silent + systematic)
	e.Uncertainty95Growth = math.Max(u1-u0, 0)
	e.MaxErrorGrowth = reach*e.Uncertainty95Growth + wander
	return e
}

// doubt is what the variance of the phase is to be multiplied by and what to be added to it, for the sake of what the
// filter does not know of the source that the estimate rests on: its noise as long as that is hardly learned, and that it
// is not white; and that the mean of the noise, from which the time is counted, is known no better than a mean can be.
// student is by how much farther than a Gaussian's the limit of an error is whose scatter is known from few samples.
func (f *Filter) doubt() (scale, floor, student float64) {
	const unknown = 12 // samples
	pull, rests := -1.0, (*voice)(nil)
	for _, v := range f.voices {
		if p := math.Abs(v.pullX); p > pull {
			pull, rests = p, v
		}
	}
	if rests == nil {
		return 1, 0, 1
	}
	learned := math.Max(rests.law.learned, float64(rests.samples))
	excess := rests.colour.excess()
	scale = excess * (1 + unknown/(learned+3))
	// Of Gaussian noise the mean is what the filter follows anyway. The sharper the law, the more closely the filter knows
	// where the law lies, but not where its mean does: that is known like the mean of half the samples it is learned from,
	// for it is learned while the phase is estimated, and by the newest most.
	sharp := math.Max(1-1/(rests.law.widest*rests.colour.square+1e-9), 0)
	floor = excess * sharp * rests.law.widest / (math.Min(learned+lawPrior, lawMemory) / 2)
	const limit = limitSigmas * sigmas * limitSigmas * sigmas
	student = math.Sqrt(math.Expm1(limit/(learned+lawPrior)) * (learned + lawPrior) / limit)
	return scale, floor, student
}

// tails is the span's where the trend foretells.
func (f *Filter) tails(dt float64) float64 {
	reach := f.near()
	if !(dt > reach) || f.span.members == nil {
		return 1
	}
	raw := f.raw + int64(dt*1e9)
	far := f.span.tails(moment{raw, f.tai + (raw - f.raw), f.thermometer.celsius, f.thermometer.warmth})
	return 1 + math.Min(dt/reach-1, 1)*(far-1)
}

// ahead is the combined state dt seconds from the epoch.
func (f *Filter) ahead(dt float64) moments {
	const few = 4.0 // s
	if dt <= few {
		return f.state.after(dt)
	}
	reach := f.near()
	var near moments
	if dt < 2*reach {
		var s step
		s.set(dt)
		var later [bankSize]member
		copy(later[:], f.bank)
		for i := range later {
			later[i].advance(&s)
		}
		near = combined(later[:])
	}
	if dt <= reach {
		return near
	}
	if f.span.members == nil {
		f.span = f.trend.anchor(f.now(), f.state, f.thermometer.known)
	}
	raw := f.raw + int64(dt*1e9)
	far := f.span.bridge(moment{raw, f.tai + (raw - f.raw), f.thermometer.celsius, f.thermometer.warmth})
	if dt >= 2*reach {
		return far
	}
	share := dt/reach - 1 // from the one to the other without a step
	return moments{near.x + share*(far.x-near.x), near.y + share*(far.y-near.y), near.pxx + share*(far.pxx-near.pxx),
		near.pxy + share*(far.pxy-near.pxy), near.pyy + share*(far.pyy-near.pyy), near.q}
}

// bound is a duration that does not overflow.
func bound(s float64) time.Duration { return duration(math.Min(s, 1e9)) }

func duration(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }
