// Package clock reads this machine's clocks and turns local time stamps into the oscillator's own count.
//
// The estimator models the oscillator, CLOCK_MONOTONIC_RAW, because nobody steers it: whatever another program does to
// CLOCK_REALTIME is seen here as a moved reading and removed, not estimated.
package clock

import (
	"time"

	"timestation/refclock"
)

// Reading is one simultaneous reading of the machine's clocks, in nanoseconds of each.
type Reading struct {
	Realtime refclock.Stamp
	// Raw is CLOCK_MONOTONIC_RAW: the oscillator, unsteered. It stands still while the machine is suspended.
	Raw int64
	// Monotonic is CLOCK_MONOTONIC: slewed like Realtime, never stepped. Boot also counts suspends.
	Monotonic int64
	Boot      int64
	// Width is how long the reading took: it is uncertain by half of that.
	Width time.Duration
}

// Source is a machine's set of clocks.
type Source interface{ Read() Reading }

// stepTolerance is how far REALTIME and MONOTONIC may part between two readings before it counts as a step: readings
// are rarely wider than some microseconds, and a leap or a person's correction is far larger.
const stepTolerance = 100 * time.Microsecond

// keep is how many readings a Mapper remembers: at ten a second more than half a minute, longer than any sample is on
// its way to the engine.
const keep = 400

// Change says what happened to the local clocks between two readings.
type Change uint8

// The changes a Mapper tells apart.
const (
	Steady Change = iota
	// Stepped: CLOCK_REALTIME was set.
	Stepped
	// Suspended: the machine slept; the oscillator's count has a hole.
	Suspended
)

// rateSpan is the least stretch that a rate is taken from: over less, the width of the readings would show.
const rateSpan = 500 * time.Millisecond

// Mapper turns stamps into the oscillator's count through the readings on both sides. It is for one goroutine.
type Mapper struct {
	readings []Reading
	// rate is REALTIME's against the oscillator as last known; a step does not change it.
	rate float64
}

// Add takes a new reading and says what changed since the one before. After a change, stamps from before it can no
// longer be mapped.
func (m *Mapper) Add(r Reading) Change {
	change := Steady
	if n := len(m.readings); n > 0 {
		last := m.readings[n-1]
		switch {
		case outside((r.Boot-last.Boot)-(r.Monotonic-last.Monotonic), time.Millisecond):
			change = Suspended
		case outside((int64(r.Realtime)-int64(last.Realtime))-(r.Monotonic-last.Monotonic), stepTolerance+r.Width+last.Width):
			change = Stepped
		}
	}
	if change != Steady {
		m.readings = m.readings[:0]
	}
	if len(m.readings) == keep {
		m.readings = append(m.readings[:0], m.readings[keep/4:]...)
	}
	m.readings = append(m.readings, r)
	m.learnRate()
	return change
}

// Raw gives the oscillator's count at a local stamp, and whether the stamp lies in the mapped stretch (or at most a
// second after it). What lies before belongs to another setting of the clock, or to none.
func (m *Mapper) Raw(stamp refclock.Stamp) (int64, bool) {
	n := len(m.readings)
	if n == 0 {
		return 0, false
	}
	last := m.readings[n-1]
	if stamp < m.readings[0].Realtime || stamp > last.Realtime.Add(time.Second) {
		return 0, false
	}
	i := n - 1
	for i > 0 && m.readings[i].Realtime > stamp {
		i--
	}
	at := m.readings[i]
	next := at
	if i+1 < n {
		next = m.readings[i+1]
	} else if i > 0 {
		next = at
		at = m.readings[i-1]
	}
	rate := 1.0
	if span := next.Realtime.Sub(at.Realtime); span > 0 {
		rate = float64(next.Raw-at.Raw) / float64(span)
	}
	return at.Raw + int64(float64(stamp.Sub(at.Realtime))*rate), true
}

// RealtimeRate is how many seconds REALTIME gains on the oscillator in one of its seconds, over about the last second.
func (m *Mapper) RealtimeRate() float64 { return m.rate }

func (m *Mapper) learnRate() {
	n := len(m.readings)
	last := m.readings[n-1]
	i := n - 1
	for i > 0 && last.Raw-m.readings[i].Raw < int64(time.Second) {
		i--
	}
	first := m.readings[i]
	if span := last.Raw - first.Raw; span >= int64(rateSpan) {
		m.rate = float64(last.Realtime.Sub(first.Realtime))/float64(span) - 1
	}
}

func outside(ns int64, tolerance time.Duration) bool {
	return ns > int64(tolerance) || ns < -int64(tolerance)
}
