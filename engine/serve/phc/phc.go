// Package phc reads the clock of a network card (PTP hardware clock, PHC), whose time stamps of packets are closer to the
// cable than the kernel's, and says them by the system clock: its own time is nobody's.
//
// The two clocks are read together ten times a second: by the card itself where it can (PTP_SYS_OFFSET_PRECISE), else one
// reading of the card between two of the system clock, the tightest of several (PTP_SYS_OFFSET_EXTENDED). A stamp is moved
// by the last pair and the rate between it and an older one. Where either clock was set, or the readings stop, stamps are
// not converted at all until there are pairs again.
package phc

import (
	"sync/atomic"
	"time"

	"timestation/refclock"
)

const (
	// every is how often the clocks are read together, and span how far apart the pairs are that give the rate.
	every = 100 * time.Millisecond
	span  = 16
	// reach is how far from the last pair a stamp may be: the rate is good for more, but who does not measure does not know.
	reach = time.Second
	// mostRate is how much faster than the other one of the clocks may run: cards are allowed 100 ppm, and a slew of the
	// system clock 500 ppm and more.
	mostRate = 2e-3
	// widest is how long the reading of a pair may take, and surprise by how much more than that a pair may differ from what
	// the ones before foretold.
	widest   = 50 * time.Microsecond
	surprise = 5 * time.Microsecond
)

// pair is a moment by both clocks: the card's nanoseconds, in whatever scale, and CLOCK_REALTIME's, which may be off by
// half of width.
type pair struct {
	card  int64
	local refclock.Stamp
	width time.Duration
}

// line moves the card's stamps near a pair.
type line struct {
	pair
	rate float64 // of the system clock against the card's, less 1
}

func (l *line) at(card int64) refclock.Stamp {
	d := card - l.card
	return l.local.Add(time.Duration(d) + time.Duration(float64(d)*l.rate))
}

// mapping is what the pairs so far say. One goroutine adds, any may ask.
type mapping struct {
	pairs []pair // oldest first
	now   atomic.Pointer[line]
}

// add takes in the next pair.
func (m *mapping) add(p pair) {
	if p.width < 0 || p.width > widest {
		return // a pause of the program; the next is better
	}
	if l := m.now.Load(); l != nil {
		if off := p.local.Sub(l.at(p.card)).Abs(); off > surprise+p.width+l.width || p.card <= l.card {
			m.forget()
		}
	}
	if len(m.pairs) == span {
		m.pairs = append(m.pairs[:0], m.pairs[1:]...)
	}
	m.pairs = append(m.pairs, p)
	oldest := m.pairs[0]
	if len(m.pairs) == 1 {
		return
	}
	d := p.card - oldest.card
	if d <= 0 {
		m.forget()
		return
	}
	rate := float64(int64(p.local.Sub(oldest.local))-d) / float64(d)
	if rate > mostRate || rate < -mostRate {
		m.forget()
		return
	}
	m.now.Store(&line{p, rate})
}

// forget begins anew: one of the clocks was set, or cannot be read.
func (m *mapping) forget() {
	m.pairs = m.pairs[:0]
	m.now.Store(nil)
}

// Local says a stamp of the card by the system clock; not ok where nobody can know.
func (m *mapping) Local(card int64) (stamp refclock.Stamp, ok bool) {
	l := m.now.Load()
	if l == nil {
		return 0, false
	}
	if d := time.Duration(card - l.card); d > reach || d < -reach {
		return 0, false
	}
	return l.at(card), true
}
