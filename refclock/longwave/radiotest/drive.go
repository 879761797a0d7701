package radiotest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"timestation/refclock"
	"timestation/refclock/edge"
	"timestation/refclock/longwave"
	"timestation/refclock/sinktest"
)

// Scene is a receiver module on a GPIO line of a machine, for the tests of drivers.
type Scene struct {
	Code   *longwave.Code
	Noise  Noise
	Length time.Duration
	Seed   uint64
	// The local clock is stepped by Step at StepAt.
	StepAt, Step time.Duration
	// Late is how much later than the second at the transmitter the pulses come; Jitter is the scatter of both their ends,
	// 1σ.
	Late, Jitter time.Duration
	// Busy is for how long the machine has better things to do, every third pulse: its edges are stamped all the same.
	Busy time.Duration
	// The line cannot be opened, and is lost if it was, from AbsentFrom to AbsentTo.
	AbsentFrom, AbsentTo time.Duration
	Position             *refclock.Position
}

// Heard is what a driver delivered.
type Heard struct {
	sinktest.Record
	// Truth is the true time at a stamp.
	Truth func(refclock.Stamp) time.Time
}

// Error is how far a sample is off; positive is ahead.
func (h *Heard) Error(s refclock.Sample) time.Duration {
	return s.Instant.UTC().Time().Sub(h.Truth(s.Stamp))
}

// Opener opens a GPIO line, as [edge.Open] does.
type Opener func(edge.Options) (edge.Line, error)

// Drive runs a driver under [refclock.Supervise] in virtual time, until the signal ends. The local clock is wrong by weeks.
func (s Scene) Drive(t *testing.T, driver func(refclock.Environment, Opener) refclock.Driver) *Heard {
	t.Helper()
	heard := &Heard{}
	const offset = -1000 * time.Hour
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		stamp := func(elapsed time.Duration) refclock.Stamp {
			at := refclock.Stamp(begin.UnixNano()).Add(offset + elapsed)
			if s.StepAt > 0 && elapsed >= s.StepAt {
				at = at.Add(s.Step)
			}
			return at
		}
		heard.Truth = func(at refclock.Stamp) time.Time {
			elapsed := time.Duration(at) - time.Duration(begin.UnixNano()) - offset
			if s.StepAt > 0 && elapsed >= s.StepAt+s.Step {
				elapsed -= s.Step
			}
			return begin.Add(elapsed)
		}
		env := refclock.Environment{
			Name: "radio", Log: slog.New(slog.NewTextHandler(io.Discard, nil)), NotBefore: begin.AddDate(-1, 0, 0), Position: s.Position,
			TAIMinusUTC: func(refclock.UTC) int32 { return 37 },
			Now:         func() refclock.Stamp { return stamp(time.Since(begin)) },
		}
		all := s.edges(Simulate(s.Code, begin, s.Length, s.Noise, s.Seed))
		open := func(edge.Options) (edge.Line, error) {
			if s.absent(time.Since(begin)) {
				return nil, errAbsent
			}
			l := &line{edges: make(chan edge.Edge, 256), closed: make(chan struct{})}
			for len(all) > 0 && time.Since(begin) > all[0].at {
				all = all[1:]
			}
			l.active = len(all) > 0 && !all[0].rising
			go l.play(s, all, begin, stamp)
			return l, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), s.Length)
		defer cancel()
		refclock.Supervise(ctx, env.Name, driver(env, open), env.Log, heard)
	})
	return heard
}

// change is a change of the line's level.
type change struct {
	at     time.Duration
	rising bool
}

func (s Scene) edges(signal *Signal) (all []change) {
	random := rand.New(rand.NewPCG(s.Seed, 9))
	last := time.Duration(0)
	for i := 1; i < len(signal.Levels); i++ {
		if signal.Levels[i] == signal.Levels[i-1] {
			continue
		}
		at := time.Duration(i)*time.Second/Rate + s.Late + time.Duration(random.NormFloat64()*float64(s.Jitter))
		last = max(at, last+time.Microsecond)
		all = append(all, change{last, signal.Levels[i]})
	}
	return all
}

func (s Scene) absent(elapsed time.Duration) bool {
	return elapsed >= s.AbsentFrom && elapsed < s.AbsentTo
}

var errAbsent = errors.New("gpiochip0: there is no such line; plug the receiver in")

// line is the make-believe GPIO line.
type line struct {
	edges  chan edge.Edge
	active bool
	closed chan struct{}
}

func (l *line) Edges() <-chan edge.Edge { return l.edges }
func (l *line) Err() error              { return errAbsent }
func (l *line) Active() (bool, error)   { return l.active, nil }
func (l *line) Close() error            { close(l.closed); return nil }

// play delivers edges as they come, until the line is closed or lost.
func (l *line) play(s Scene, all []change, begin time.Time, stamp func(time.Duration) refclock.Stamp) {
	lost := make(<-chan time.Time)
	if s.AbsentTo > 0 && time.Since(begin) < s.AbsentFrom {
		lost = time.After(s.AbsentFrom - time.Since(begin))
	}
	for i, c := range all {
		read := c.at
		if i%6 < 2 {
			read += s.Busy
		}
		select {
		case <-time.After(read - time.Since(begin)):
		case <-lost:
			close(l.edges)
			return
		case <-l.closed:
			return
		}
		select {
		case l.edges <- edge.Edge{Stamp: stamp(c.at), Rising: c.rising, Sequence: uint32(i + 1)}:
		case <-l.closed:
			return
		}
	}
	select {
	case <-lost:
		close(l.edges)
	case <-l.closed:
	}
}
