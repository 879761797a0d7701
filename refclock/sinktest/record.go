// Package sinktest is for the tests of drivers: a sink that keeps what it is given.
package sinktest

import (
	"slices"
	"sync"

	"timestation/refclock"
)

// Record is a sink that keeps what it is given; any goroutine may look into it.
type Record struct {
	mu      sync.Mutex
	samples []refclock.Sample
	signals []refclock.Signal
}

// Sample keeps a sample.
func (r *Record) Sample(s refclock.Sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.samples = append(r.samples, s)
}

// Signal keeps a signal.
func (r *Record) Signal(s refclock.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.signals = append(r.signals, s)
}

// Samples is what was kept so far, the oldest first.
func (r *Record) Samples() []refclock.Sample {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.samples)
}

// Signals is what was kept so far, the oldest first.
func (r *Record) Signals() []refclock.Signal {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.signals)
}

// Last is the newest signal, a zero one before the first.
func (r *Record) Last() refclock.Signal {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.signals) == 0 {
		return refclock.Signal{}
	}
	return r.signals[len(r.signals)-1]
}
