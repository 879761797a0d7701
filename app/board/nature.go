//go:build board && linux

// Command world plays nature for the virtual board (make board): true time, a satellite receiver on a serial port, its
// pulse on GPIO lines and a DCF77 receiver on another, as a scenario says. It runs in the board's guest only, whose tests
// are in this package.
package main

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"timestation/engine/leap"
	"timestation/refclock"
)

// Nature is true time: CLOCK_MONOTONIC_RAW, which nothing in the guest steers, at the rate of an oscillator that is off.
type Nature struct {
	table *leap.Table
	mu    sync.Mutex
	// At raw it was tai, and the oscillator has run fast by frequency since.
	raw, tai  int64
	frequency float64
}

// NewNature lets true time begin now; the oscillator is fast by ppm.
func NewNature(begin refclock.Instant, ppm float64, table *leap.Table) *Nature {
	return &Nature{table: table, raw: rawNow(), tai: begin.TAI, frequency: ppm * 1e-6}
}

func rawNow() int64 { return read(unix.CLOCK_MONOTONIC_RAW) }

func read(clock int32) int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		panic(err) // these clocks are always there
	}
	return t.Nano()
}

// At is the true instant at a reading of CLOCK_MONOTONIC_RAW.
func (n *Nature) At(raw int64) refclock.Instant {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.table.FromTAI(n.at(raw))
}

func (n *Nature) at(raw int64) int64 {
	passed := raw - n.raw
	return n.tai + passed - int64(float64(passed)*n.frequency/(1+n.frequency))
}

// Now is the true instant.
func (n *Nature) Now() refclock.Instant { return n.At(rawNow()) }

// warm changes the oscillator's frequency, as a fraction.
func (n *Nature) warm(by float64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := rawNow()
	n.tai, n.raw = n.at(now), now
	n.frequency += by
}

// wait sleeps until a true moment. Sleeping is by CLOCK_MONOTONIC, which the station may be slewing: so in ever shorter
// parts. It gives how late it became.
func (n *Nature) wait(tai int64) (late time.Duration) {
	for {
		left := time.Duration(tai - n.Now().TAI)
		if left <= 0 {
			return -left
		}
		if left > 2*time.Millisecond {
			left = left*9/10 - time.Millisecond/2
		}
		t := unix.NsecToTimespec(int64(left))
		_ = unix.Nanosleep(&t, nil) // a signal only ends it early
	}
}

// spin waits for a true moment that is near without sleeping, for that could take longer.
func (n *Nature) spin(tai int64) (late time.Duration) {
	for {
		if left := time.Duration(tai - n.Now().TAI); left <= 0 {
			return -left
		}
	}
}
