package longwave

import (
	"time"
)

// State says how a published minute is known.
type State string

const (
	// Locked: the signal of these minutes was heard and agrees.
	Locked State = "locked"
	// Coasting: nothing is decoded; the time is that of the oscillator, phase-locked before.
	Coasting State = "coasting"
)

// Minute is a published minute.
type Minute struct {
	// Bin is where its second 0 began, in bins since the beginning.
	Bin float64
	UTC time.Time
	// Decided is how many bins had been read.
	Decided int64
	// Confidence is the odds against it being wrong, as log10.
	Confidence float64
	// Summer: summer time is in force. Change: its beginning or end is announced. Leap: a leap second is announced. Call: the
	// transmitter calls for service.
	Summer, Change, Leap, Call bool
	State                      State
}

// Decoder decodes one receiver's levels.
type Decoder struct {
	plan    *plan
	publish func(Minute)
	history history
	blocks  blocks
	track   *track
	rival   *acquisition // disagrees with the track
	rivalAt int64
	sample  []second   // scratch
	tried   []evidence // of the last attempt
	triedAt int64
	// vainFor is how much of its window must be new before the last attempt is worth repeating; vain is until when each window
	// is not tried again.
	vainFor float64
	vain    [8]int64
	credit  float64 // work that may still be done, in µs
	since   int64   // bin before which nothing is to be acquired
}

// New makes a decoder for dates within the bounds; publish is called with each minute.
func New(code *Code, notBefore, notAfter time.Time, publish func(Minute)) *Decoder {
	return &Decoder{plan: newPlan(code, notBefore, notAfter), publish: publish, credit: mostCredit}
}

// A signal that is never decoded must not cost a processor: so much work, in µs, may be done a second of signal, and so
// much may be saved up, which is enough for the first quarter of an hour.
const (
	creditASecond = 40
	mostCredit    = 3e6
)

// windows are how much is looked at while the time is sought, in seconds, after the first minutes.
var windows = []int{180, 360, 720, 1440, 2880, 3600}

// Bin takes the next bin.
func (d *Decoder) Bin(v uint8) {
	d.history.add(v)
	if d.track != nil {
		d.track.advance()
		if d.track.over() {
			d.track = nil
		}
	}
	if d.history.end()%blockBins != 0 {
		return
	}
	d.blocks.add(&d.history)
	elapsed := int(d.history.end()-d.since) / binsASecond
	if elapsed < leastWindow {
		return
	}
	d.credit = min(d.credit+blockSeconds*creditASecond, mostCredit)
	tick := int(d.history.end() / blockBins)
	if d.track != nil && d.track.healthy() {
		if tick%60 == 0 {
			d.attempt(min(240, elapsed))
		}
		return
	}
	// Long windows seldom, short ones often; the longest first, since it tells what the others can hold.
	if elapsed < windows[len(windows)-1] && tick%max(1, elapsed/240) == 0 && d.attempt(elapsed) {
		return
	}
	for i := len(windows) - 1; i >= 0; i-- {
		w := windows[i]
		if w >= elapsed || elapsed <= 480 || tick%max(1, w/90) != 0 || d.history.end() < d.vain[i] || !d.promising(w) {
			continue
		}
		if d.attempt(w) {
			return
		}
		d.vain[i] = d.history.end() + int64(d.vainFor*float64(w)*binsASecond)
	}
}

// promising: by the last attempt on a longer window, one of w seconds may hold enough.
func (d *Decoder) promising(w int) bool {
	const recent = 120
	age := int(d.history.end()-d.triedAt) / binsASecond
	if age > max(recent, w/4) || len(d.tried) < w {
		return true
	}
	sum := 0.0
	for _, e := range d.tried[len(d.tried)-w:] {
		sum += e.expected
	}
	return sum > 0.8*leastInformation
}

// attempt tries to find the time in the last w seconds.
func (d *Decoder) attempt(w int) bool {
	d.vainFor = 0
	if d.credit < 0 {
		return false
	}
	d.plan.cost = 0
	a := d.acquire(w)
	d.credit -= d.plan.cost
	switch {
	case a == nil: // nothing beats once a second
		d.vainFor = 1.0 / 6
		return false
	case a.odds < 3:
		d.vainFor = 1.0 / 3
	}
	d.tried, d.triedAt = a.evidence, d.history.end()
	if a.refused == stale && d.track == nil {
		d.track = newTrack(d, a)
	}
	if a.refused != "" {
		return false
	}
	d.believe(a)
	return true
}

// rivalConfirmed is how long, in bins, another time must go on being found before it replaces the one that is held.
const rivalConfirmed = 60 * binsASecond

// believe takes a time that passed all checks.
func (d *Decoder) believe(a *acquisition) {
	if d.track != nil {
		if d.track.agrees(a) {
			d.track.confirmed(a)
			d.rival = nil
			return
		}
		d.track.doubt()
		now := d.history.end()
		if d.rival == nil || now-d.rivalAt > 10*rivalConfirmed || !sameTime(d.rival, a) {
			d.rival, d.rivalAt = a, now
			return
		}
		if now-d.rivalAt < rivalConfirmed {
			return
		}
	}
	d.rival = nil
	d.track = newTrack(d, a)
}
