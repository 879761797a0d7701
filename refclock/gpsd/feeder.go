package gpsd

import (
	"errors"
	"fmt"
	"math"
	"time"

	"timestation/refclock"
)

// What other programs feed: "true time was this when the clock of this machine said that". Nobody says how good it is.

const (
	// smallestNoise is how little a feeder's sample is ever expected to scatter by.
	smallestNoise = time.Microsecond
	largestNoise  = 100 * time.Millisecond
)

// fed is one sample of a feeder.
type fed struct {
	stamp refclock.Stamp
	// offset is true time minus the local clock, as POSIX counts; of a pulse only its part within a second means something.
	offset time.Duration
	pulse  bool
	leap   refclock.LeapNotice
	noise  time.Duration
}

// leapNotice reads the leap indicator of NTP. Feeders write 0 whether they know of no leap second or know nothing at all.
func leapNotice(indicator int32) (n refclock.LeapNotice, synchronised bool) {
	switch indicator {
	case 0:
		return refclock.LeapUnknown, true
	case 1:
		return refclock.LeapInsert, true
	case 2:
		return refclock.LeapDelete, true
	}
	return refclock.LeapUnknown, false
}

const withoutLimit = "delay_limit_seconds: is missing; write how wrong the feeder may be: 1e-4 for gpsd's pulses, 0.9 for its sentences, whose delay it only guesses"

// feederConfig is what shm and sock share.
type feederConfig struct {
	with         string
	delay, limit float64
}

// validate names the first key that cannot be. The limit has no default: nobody but the user knows the feeder.
func (c feederConfig) validate() error {
	switch {
	case c.limit == 0:
		return errors.New(withoutLimit)
	case !(c.limit > 0 && c.limit <= 1):
		return fmt.Errorf("delay_limit_seconds: %v is not above 0 and up to 1", c.limit)
	case !(c.delay > -1 && c.delay < 1):
		return fmt.Errorf("delay_seconds: %v is not between -1 and 1", c.delay)
	}
	return nil
}

// feeder turns what is fed into samples and a signal.
type feeder struct {
	config   feederConfig
	env      refclock.Environment
	out      refclock.Sink
	sequence uint32
	told     refclock.Signal
	ever     bool
}

// take takes a sample.
func (f *feeder) take(s fed) {
	if s.pulse && f.config.with == "" {
		f.tell(refclock.Receiving, `what is fed are pulses, which do not know their second; name the source that does, with = "…"`)
		return
	}
	at := s.stamp
	truth := int64(at) + int64(s.offset)
	utc := refclock.UTC{Seconds: truth / 1e9, Nanoseconds: int32(truth % 1e9)}
	if truth < 0 || utc.Time().Before(f.env.NotBefore) && f.config.with == "" {
		f.tell(refclock.Receiving, "what is fed is a time before this program was built; look at the feeder")
		return
	}
	sample := refclock.Sample{
		Noise: min(max(s.noise, smallestNoise), largestNoise), Systematic: refclock.Seconds(f.config.limit), Leap: s.leap,
	}
	if f.config.with != "" {
		f.sequence++
		fraction := time.Duration(utc.Nanoseconds)
		if fraction > time.Second/2 {
			fraction -= time.Second
		}
		sample.Kind = refclock.Phase
		sample.Stamp = at.Add(-fraction - refclock.Seconds(f.config.delay))
		sample.Pulse = &refclock.Pulse{Period: time.Second, Sequence: f.sequence, With: f.config.with}
	} else {
		sample.Stamp = at
		sample.Instant = utc.Instant(f.env.TAIMinusUTC(utc)).Add(refclock.Seconds(f.config.delay))
	}
	f.out.Sample(sample)
	f.tell(refclock.Timing, "")
}

func (f *feeder) tell(state refclock.SourceState, text string) {
	s := refclock.Signal{State: state, Text: text}
	if !f.ever || f.told.State != state || f.told.Text != text {
		f.ever, f.told = true, s
		f.out.Signal(s)
	}
}

// precisionNoise is 2^log2 seconds.
func precisionNoise(log2 int32) time.Duration {
	return refclock.Seconds(math.Ldexp(1, int(min(max(log2, -40), 0))))
}
