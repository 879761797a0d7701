package selection

import (
	"math"
	"time"
)

const (
	// biasMemory is over how long a bias is averaged: long against what a receiver's delay does in minutes, short against
	// the seasons.
	biasMemory = 4 * time.Hour
	// biasAfter is how long two sources must have been heard together before the bias between them counts.
	biasAfter = 10 * time.Minute
	// biasSigmas is how many standard deviations of the seen differences are allowed for.
	biasSigmas = 3
)

// Bias is the constant part of a source's error, learned against a better source while both were heard. It is saved, so
// all of it is exported; the zero Bias has learned nothing.
type Bias struct {
	// Reference is the source it was learned against.
	Reference string `json:"reference,omitempty"`
	// MeanSeconds is this source minus the reference; VarianceSeconds2 is how the difference scattered around it.
	MeanSeconds      float64 `json:"mean_seconds"`
	VarianceSeconds2 float64 `json:"variance_seconds2"`
	// LearnedSeconds is for how long.
	LearnedSeconds float64 `json:"learned_seconds"`
	// ReferenceLimitSeconds is the systematic limit of the reference, which no learning can go below.
	ReferenceLimitSeconds float64 `json:"reference_limit_seconds"`
}

// Learn takes what the source differs by from the reference, whose systematic limit is given, for a stretch of dt. A
// bias against another reference is forgotten.
func (b *Bias) Learn(reference string, limit, difference, dt time.Duration) {
	if b.Reference != reference {
		*b = Bias{Reference: reference}
	}
	b.ReferenceLimitSeconds = limit.Seconds()
	step := dt.Seconds()
	if step <= 0 {
		return
	}
	b.LearnedSeconds += step
	share := step / math.Min(b.LearnedSeconds, biasMemory.Seconds())
	d := difference.Seconds() - b.MeanSeconds
	b.MeanSeconds += share * d
	b.VarianceSeconds2 = (1 - share) * (b.VarianceSeconds2 + share*d*d)
}

// Aged is the bias after a restart: what it scatters by counts twice, since nobody knows for how long the station was off.
func (b Bias) Aged() Bias {
	b.VarianceSeconds2 *= 4
	return b
}

// Known tells whether enough was learned for the bias to count.
func (b Bias) Known() bool { return b.LearnedSeconds >= biasAfter.Seconds() }

// Mean is the source minus its reference.
func (b Bias) Mean() time.Duration { return time.Duration(b.MeanSeconds * 1e9) }

// Limit is the systematic limit of the source once its bias is taken off: the reference's own, and what the difference
// was seen to scatter by.
func (b Bias) Limit() time.Duration {
	return time.Duration((b.ReferenceLimitSeconds + biasSigmas*math.Sqrt(b.VarianceSeconds2)) * 1e9)
}

// Correct gives what is to be subtracted from a source whose own systematic limit is given, and the limit that then
// holds: where nothing is known, or the source itself is better than what was learned of it, nothing changes.
func (b Bias) Correct(own time.Duration) (subtract, limit time.Duration) {
	if learned := b.Limit(); b.Known() && learned < own {
		return b.Mean(), learned
	}
	return 0, own
}
