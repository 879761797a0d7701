package pps

import (
	"time"

	"timestation/refclock"
)

const (
	period = time.Second
	// slack is how far a pulse may be off the beat: what an overloaded machine adds to a stamp, and a clock that is being
	// slewed by adjtime (500 ppm, in each second that passes) to the distance.
	slack    = 2 * time.Millisecond
	slackPPM = 500
	// dead is how long a beat must have been silent before another may take its place: a receiver that moved its pulse.
	dead = 2500 * time.Millisecond
	// forgotten is after how long without a pulse the old beat says nothing about the new one.
	forgotten = 10 * time.Minute
	// remembered is how many stamps are searched for a beat, so that other edges may come between.
	remembered = 16
	// window is of which time the rates of missing and extra pulses are.
	window = time.Minute
)

// beat finds the regular pulse among the leading edges, by the local clock alone.
type beat struct {
	locked bool
	last   refclock.Stamp // of the last pulse on the beat
	recent []refclock.Stamp
	// off counts edges off the beat since the last pulse on it: they are extra only if the beat goes on.
	off uint64

	seen, missing, extra uint64
	sequence             uint32
	notes                []note
}

// note is what went by unto one pulse on the beat.
type note struct {
	stamp          refclock.Stamp
	missing, extra uint64
}

// take takes a leading edge and tells whether it is on the beat, and whether that beat is a new one. Three in a row
// begin one.
func (b *beat) take(p pulse) (on, anew bool) {
	b.sequence += 1 + p.lost
	began := b.begins(p.stamp)
	b.recent = append(b.recent, p.stamp)
	if len(b.recent) > remembered {
		b.recent = b.recent[1:]
	}
	since := p.stamp.Sub(b.last)
	if !b.locked || since < 0 || since > forgotten {
		b.locked = began
		b.off = 0
		if began {
			b.on(p.stamp, 0)
		}
		return began, began
	}
	count := (since + period/2) / period
	distance := since - count*period
	if count > 0 && distance.Abs() <= slack+since/1e6*slackPPM {
		missing := uint64(count - 1)
		b.on(p.stamp, missing-min(missing, uint64(p.lost)))
		return true, false
	}
	if began && since > dead {
		b.off = 0
		b.on(p.stamp, 0)
		return true, true
	}
	b.off++
	return false, false
}

// begins tells whether two earlier edges, one and two periods ago, make a beat with this one.
func (b *beat) begins(at refclock.Stamp) bool {
	one, two := false, false
	for _, r := range b.recent {
		one = one || (at.Sub(r)-period).Abs() <= slack
		two = two || (at.Sub(r)-2*period).Abs() <= 2*slack
	}
	return one && two
}

func (b *beat) on(at refclock.Stamp, missing uint64) {
	b.locked, b.last = true, at
	b.seen++
	b.missing += missing
	b.extra += b.off
	b.notes = append(b.notes, note{at, missing, b.off})
	b.off = 0
	for len(b.notes) > 0 && at.Sub(b.notes[0].stamp).Abs() > window {
		b.notes = b.notes[1:]
	}
}

// rates are how many of the pulses of the last minute were there, missing and extra.
func (b *beat) rates() (there, missing, extra uint64) {
	for _, n := range b.notes {
		there, missing, extra = there+1, missing+n.missing, extra+n.extra
	}
	return there, missing, extra
}

// forget begins anew after the local clock was set; the counts stay.
func (b *beat) forget() {
	b.locked, b.recent, b.off, b.notes = false, nil, 0, nil
}
