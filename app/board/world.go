//go:build board && linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"timestation/app/scenario"
	"timestation/refclock"
)

// The board's wiring (see .ci/board-init and .ci/board.sh): where a source's signal goes.
const (
	uartFar  = "/dev/ttyS2" // the other end of the station's /dev/ttyS1
	usbFar   = "/dev/ttyS4" // the other end of the station's /dev/ttyUSB0
	linePPS  = 0            // becomes /dev/pps0
	lineDCF  = 1            // GPIO17
	lineGPIO = 2            // GPIO18, the pulse again
	lineMore = 3            // GPIO22, the pulse again
)

// World is a scenario in true time.
type World struct {
	*Nature
	Scenario *scenario.Scenario
	begin    refclock.Instant
	voices   []*voice
	ctx      context.Context
	parts    sync.WaitGroup

	logging sync.Mutex
	made    []Pulse
	failed  error
}

// voice is a source as it is at the moment.
type voice struct {
	scenario.Source
	mu                    sync.Mutex
	silent, lost, unfixed bool
	moved                 time.Duration
	rate                  float64
	since                 int64 // TAI since which rate counts
}

// quiet tells that no time comes from the source; quietAtAll that nothing does.
func (v *voice) quiet() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.silent || v.lost || v.unfixed
}

func (v *voice) quietAtAll() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.silent || v.lost
}

// offset is by how much the source is ahead of true time.
func (v *voice) offset(now refclock.Instant) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ahead(now.TAI)
}

func (v *voice) ahead(tai int64) time.Duration {
	return time.Duration(v.Bias) + v.moved + time.Duration(float64(tai-v.since)*v.rate)
}

// Begin sets CLOCK_REALTIME as the scenario says and lets its sources speak, until ctx ends.
func Begin(ctx context.Context, s *scenario.Scenario) (*World, error) {
	if len(s.Expect) > 0 {
		return nil, errors.New("expect: on the board the tests expect, not the scenario; take it out")
	}
	// A thread that comes back from its sleep must find a place to run, whatever else this program does.
	runtime.GOMAXPROCS(16)
	table := s.Leaps()
	w := &World{Scenario: s, ctx: ctx, begin: table.Instant(s.Start)}
	w.Nature = NewNature(w.begin, s.Machine.FrequencyPPM, table)
	realtime := s.Start
	if s.Machine.Realtime != nil {
		realtime = *s.Machine.Realtime
	}
	if err := setClock(realtime); err != nil {
		return nil, err
	}
	for _, src := range s.Sources {
		if err := w.start(&voice{Source: src}); err != nil {
			return nil, fmt.Errorf("source %q: %w", src.Name, err)
		}
	}
	w.parts.Go(w.events)
	w.parts.Go(w.wander)
	return w, nil
}

// wander lets the oscillator's frequency walk and swing, as the scenario says.
func (w *World) wander() {
	random := rand.New(rand.NewPCG(w.Scenario.Seed, 31))
	swing := func(at time.Duration) float64 {
		return w.Scenario.Machine.DailyPPM * 1e-6 * math.Sin(2*math.Pi*at.Hours()/24)
	}
	const step = time.Second
	for at := step; !w.ended(); at += step {
		w.wait(w.begin.TAI + int64(at))
		w.warm(w.Scenario.Machine.Wander*math.Sqrt(step.Seconds())*random.NormFloat64() + swing(at) - swing(at-step))
	}
}

// setClock is what a person does with date -s.
func setClock(u refclock.UTC) error {
	if err := onBoard(); err != nil {
		return err
	}
	t := unix.Timespec{Sec: u.Seconds, Nsec: int64(u.Nanoseconds)}
	return unix.ClockSettime(unix.CLOCK_REALTIME, &t)
}

func (w *World) start(v *voice) error {
	w.voices = append(w.voices, v)
	lines := func(numbers ...int) (all []*line, err error) {
		for _, n := range numbers {
			l, err := openLine(n)
			if err != nil {
				return nil, err
			}
			all = append(all, l)
		}
		return all, nil
	}
	switch v.Kind {
	case "gnss":
		path := uartFar
		if v.Name == "usb" {
			path = usbFar
		}
		w.parts.Go(func() { w.satellites(v, path) })
	case "pulse":
		all, err := lines(linePPS, lineGPIO, lineMore)
		if err != nil {
			return err
		}
		w.parts.Go(func() { w.pulses(v, all) })
	case "radio":
		all, err := lines(lineDCF)
		if err != nil {
			return err
		}
		w.parts.Go(func() { w.radio(v, all[0]) })
	default:
		return fmt.Errorf("kind: the board has no %s; write gnss, pulse or radio", v.Kind)
	}
	return nil
}

// events lets happen what the scenario says.
func (w *World) events() {
	for _, e := range w.Scenario.Events {
		for w.Now().TAI < w.begin.TAI+int64(e.At) {
			if w.ended() {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		w.fail(w.happen(e))
	}
}

func (w *World) happen(e scenario.Event) error {
	for _, v := range w.voices {
		if v.Name != e.Source {
			continue
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		switch e.Do {
		case "silence":
			v.silent = true
		case "lose":
			v.lost = true
			if v.Name == "usb" {
				return unplug()
			}
		case "unfix":
			v.unfixed = true
		case "return":
			was := v.lost
			v.silent, v.lost, v.unfixed = false, false, false
			if was && v.Name == "usb" {
				return plugIn()
			}
		case "jump":
			v.moved += time.Duration(e.By)
		case "drift":
			now := w.Now().TAI
			v.moved = v.ahead(now) - time.Duration(v.Bias)
			v.rate, v.since = e.Rate, now
		default:
			return fmt.Errorf("event: the board cannot %s a source", e.Do)
		}
		return nil
	}
	switch e.Do {
	case "step-clock":
		return stepClock(time.Duration(e.By))
	case "warm":
		w.warm(e.Rate)
		return nil
	}
	return fmt.Errorf("event: the board cannot %s", e.Do)
}

// stepClock is what another time daemon does.
func stepClock(by time.Duration) error {
	now := read(unix.CLOCK_REALTIME) + int64(by)
	return setClock(refclock.UTC{Seconds: now / 1e9, Nanoseconds: int32(now % 1e9)})
}

// adjust asks the kernel about CLOCK_REALTIME, or sets what k says; the state is TIME_OK and so on.
func adjust(k *unix.Timex) (state int, err error) {
	if err := onBoard(); err != nil {
		return 0, err
	}
	return unix.ClockAdjtime(unix.CLOCK_REALTIME, k)
}

func (w *World) ended() bool { return w.ctx.Err() != nil }

func (w *World) log(p Pulse) {
	w.logging.Lock()
	defer w.logging.Unlock()
	w.made = append(w.made, p)
}

// Made gives the pulses so far.
func (w *World) Made() []Pulse {
	w.logging.Lock()
	defer w.logging.Unlock()
	return append([]Pulse(nil), w.made...)
}

func (w *World) fail(err error) {
	w.logging.Lock()
	defer w.logging.Unlock()
	if w.failed == nil && err != nil {
		w.failed = err
	}
}

// End waits until all is quiet, after the context has ended, and tells what went wrong.
func (w *World) End() error {
	w.parts.Wait()
	w.logging.Lock()
	defer w.logging.Unlock()
	return w.failed
}
