package engine

import (
	"fmt"
	"time"

	"timestation/engine/discipline"
	"timestation/engine/status"
	"timestation/refclock"
)

// source is one configured source and what the engine has learned of it.
type source struct {
	SourceConfig
	estimator *discipline.Estimator
	signal    refclock.Signal
	// lastRaw is the oscillator's count at the last accepted sample; interval the usual distance of samples.
	lastRaw  int64
	interval time.Duration
	heard    bool
	samples  uint64
	// offset is the last sample minus the station's time.
	offset time.Duration
	// phase is the last sample's TAI minus the oscillator's count.
	phase int64
	// refusing is set while the samples lie outside what the source's own past allows; gone from when the device was lost
	// until the next good sample.
	refusing, gone bool
	verdict        status.SourceState
	why            string
}

// silent reports whether the source has been quiet for too long.
func (s *source) silent(raw int64) bool {
	return !s.heard || time.Duration(raw-s.lastRaw) > max(silentAfter, silentIntervals*s.interval)
}

func (s *source) forget(config discipline.Config) {
	s.estimator = discipline.NewEstimator(config)
	s.heard, s.refusing, s.interval = false, false, 0
}

// take gives a sample to the estimator.
func (s *source) take(raw int64, sample refclock.Sample) discipline.Verdict {
	verdict := s.estimator.Update(raw, sample.Instant.TAI, sample.Noise, sample.Systematic)
	s.refusing = verdict != discipline.Accepted
	if s.refusing {
		return verdict
	}
	if !s.silent(raw) { // a gap says nothing of how often the source speaks
		s.interval += (time.Duration(raw-s.lastRaw) - s.interval) / 8
	}
	s.lastRaw, s.heard, s.gone = raw, true, false
	s.phase = sample.Instant.TAI - raw
	s.samples++
	return verdict
}

// describe gives the source as the surfaces show it; origin is what phases are counted from.
func (s *source) describe(raw, origin int64) status.Source {
	d := status.Source{
		Name: s.Name, Driver: s.Driver, Receiver: s.Receiver,
		State: s.verdict, Explanation: s.why,
		AgeSeconds: -1, Samples: s.samples, Signal: s.signal,
	}
	if s.heard {
		e := s.estimator.At(raw)
		d.OffsetSeconds = s.offset.Seconds()
		d.JitterSeconds = s.estimator.Jitter().Seconds()
		d.MaxErrorSeconds = e.MaxError.Seconds()
		d.FrequencyPPM = -e.Frequency * 1e6
		d.PhaseSeconds = float64(s.phase-origin) * 1e-9
		d.AgeSeconds = time.Duration(raw - s.lastRaw).Seconds()
	}
	return d
}

// withoutVote says why a source takes no part, or an empty state if it does.
func (s *source) withoutVote(raw int64) (status.SourceState, string) {
	switch {
	case s.signal.State == refclock.Lost:
		return status.Silent, s.signal.Text
	case s.signal.State == refclock.Receiving && (!s.heard || time.Duration(raw-s.lastRaw) > grace):
		return status.Unusable, s.signal.Text
	case s.refusing:
		return status.Falseticker, fmt.Sprintf("it is %v away from its own past, and not followed", s.offset.Round(time.Millisecond))
	case s.gone:
		return status.Silent, "back again, but nothing heard yet"
	case s.silent(raw) && s.heard:
		return status.Silent, fmt.Sprintf("no usable time for %v", time.Duration(raw-s.lastRaw).Round(time.Second))
	case s.silent(raw):
		return status.Silent, "nothing heard yet"
	case !s.estimator.Settled():
		return status.Settling, fmt.Sprintf("settling: %d consistent samples so far", s.estimator.Samples())
	}
	return "", ""
}
