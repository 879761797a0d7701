package phc

import (
	"math/rand/v2"
	"testing"
	"time"

	"timestation/refclock"
)

// card is a clock that is not there: its time is TAI since some start, and it runs fast by a rate.
type card struct {
	random *rand.Rand
	rate   float64
	offset int64
	local  refclock.Stamp
	since  time.Duration // of true time
}

// pass lets time go by for both clocks.
func (c *card) pass(d time.Duration) {
	c.since += d
	c.local = c.local.Add(d)
}

func (c *card) now() int64 { return c.offset + int64(float64(c.since)*(1+c.rate)) }

// read is a reading of the card somewhere between two of the system clock.
func (c *card) read(width time.Duration) pair {
	inside := time.Duration(c.random.Int64N(int64(width)+1)) - width/2
	return pair{card: c.now() + int64(inside), local: c.local, width: width}
}

func newCard() *card {
	return &card{random: rand.New(rand.NewPCG(3, 4)), rate: 37e-6, offset: 5e18, local: 1e18}
}

// Stamps of a card that is 37 ppm fast and counts from another beginning come out within half of what a reading takes,
// up to a second after the last.
func TestStampsAreConverted(t *testing.T) {
	for _, width := range []time.Duration{0, time.Microsecond, 8 * time.Microsecond} {
		c := newCard()
		var m mapping
		if _, ok := m.Local(c.now()); ok {
			t.Error("converted without a pair")
		}
		m.add(c.read(width))
		if _, ok := m.Local(c.now()); ok {
			t.Error("converted with one pair: the rate is unknown")
		}
		worst := time.Duration(0)
		for n := range 600 {
			for range 10 {
				c.pass(every / 10)
				got, ok := m.Local(c.now())
				if n > span && !ok {
					t.Fatal("not converted")
				}
				if off := got.Sub(c.local).Abs(); n > span {
					worst = max(worst, off)
				}
			}
			m.add(c.read(width))
		}
		// The rate is known from two pairs that are 1.5 s apart, and carries on for a tenth of a second.
		if worst > width*6/10+2*time.Nanosecond {
			t.Errorf("readings of %v: off by up to %v", width, worst)
		}
		c.pass(reach - time.Millisecond)
		if got, ok := m.Local(c.now()); !ok || got.Sub(c.local).Abs() > 2*width+5*time.Nanosecond {
			t.Errorf("a second later: %v, off by %v", ok, got.Sub(c.local))
		}
		c.pass(2 * time.Millisecond)
		if _, ok := m.Local(c.now()); ok {
			t.Error("converted though nobody reads the clocks")
		}
	}
}

// When either clock is set, nothing is converted by what was before.
func TestClocksThatAreSet(t *testing.T) {
	for name, set := range map[string]func(*card){
		"the system clock, on":       func(c *card) { c.local = c.local.Add(300 * time.Microsecond) },
		"the system clock, back":     func(c *card) { c.local = c.local.Add(-time.Hour) },
		"the card's, on":             func(c *card) { c.offset += 37e9 },
		"the card's, back":           func(c *card) { c.offset -= 1e6 },
		"the card's, to 1970":        func(c *card) { c.offset = 0 },
		"neither, but a rate of 1 %": func(c *card) { c.rate += 0.01 },
	} {
		c := newCard()
		var m mapping
		for range 20 {
			m.add(c.read(time.Microsecond))
			c.pass(every)
		}
		if _, ok := m.Local(c.now()); !ok {
			t.Fatal("not converted")
		}
		set(c)
		c.pass(every)
		m.add(c.read(time.Microsecond))
		if got, ok := m.Local(c.now()); ok {
			t.Errorf("%s: converted to %v off", name, got.Sub(c.local))
		}
		if c.rate > mostRate {
			continue
		}
		c.pass(every)
		m.add(c.read(time.Microsecond))
		if got, ok := m.Local(c.now()); !ok || got.Sub(c.local).Abs() > 2*time.Microsecond {
			t.Errorf("%s: afterwards %v, %v off", name, ok, got.Sub(c.local))
		}
	}
}

// A reading during which the program was stopped says nothing.
func TestWideReadingsAreLeftOut(t *testing.T) {
	c := newCard()
	var m mapping
	for range 20 {
		m.add(c.read(time.Microsecond))
		c.pass(every)
	}
	m.add(pair{card: c.now() + 40e6, local: c.local, width: 80 * time.Millisecond})
	if got, ok := m.Local(c.now()); !ok || got.Sub(c.local).Abs() > 2*time.Microsecond {
		t.Errorf("%v, off by %v", ok, got.Sub(c.local))
	}
}
