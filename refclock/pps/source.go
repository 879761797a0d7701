package pps

import (
	"fmt"
	"time"

	"timestation/refclock"
	"timestation/refclock/edge"
)

// pulse is one edge as the kernel stamped it.
type pulse struct {
	stamp refclock.Stamp
	// trailing is the edge that ends a pulse, by the configuration.
	trailing bool
	// lost is how many pulses the kernel counted since the last one and could not deliver.
	lost uint32
}

// source is where edges come from.
type source interface {
	// next waits for edges, at most for so long; none came if it returns none. A source that is gone is an error.
	next(wait time.Duration) ([]pulse, error)
	Close() error
}

// openLine is [edge.Open], and something else in tests.
type openLine func(edge.Options) (edge.Line, error)

// source opens what the configuration names.
func (open openLine) source(c Config) (source, error) {
	assert, err := c.leading()
	if err != nil {
		return nil, err
	}
	if c.Device != "" {
		return openDevice(c.Device, assert)
	}
	line, err := open(c.lineOptions())
	if err != nil {
		return nil, err
	}
	return &lineSource{Line: line, where: c.where(), rising: assert}, nil
}

// lineSource reads a GPIO line. The kernel counts the edges of both directions together.
type lineSource struct {
	edge.Line
	where    string
	rising   bool // the leading edge
	sequence uint32
	heard    bool
	skipped  uint32 // edges since the last leading one
}

func (l *lineSource) next(wait time.Duration) ([]pulse, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil, nil
	case e, open := <-l.Edges():
		if !open {
			if err := l.Err(); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("%s: the line was closed; it is opened again", l.where)
		}
		return []pulse{l.take(e)}, nil
	}
}

func (l *lineSource) take(e edge.Edge) pulse {
	if l.heard {
		l.skipped += e.Sequence - l.sequence - 1
	}
	l.sequence, l.heard = e.Sequence, true
	p := pulse{stamp: e.Stamp, trailing: e.Rising != l.rising}
	if !p.trailing {
		p.lost, l.skipped = l.skipped/2, 0
	}
	return p
}
