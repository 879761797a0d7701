package feed

import (
	"context"
	"fmt"
	"math"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

const (
	// every is how often a sample is fed: what chrony's and ntpd's filters expect of a reference clock.
	every = time.Second
	// announced is how long before a leap second it is told: its day (RFC 8633, section 3.7.1).
	announced = 24 * time.Hour
	// patience is how long a feed may fail before a person is told: chronyd takes a moment to start.
	patience = 30 * time.Second
)

// The leap indicator of NTP, as both ways have it.
const (
	leapNone   = 0
	leapInsert = 1
	leapDelete = 2
)

// Alerts is where a feed that cannot be fed is reported.
type Alerts interface {
	Raise(status.Alert)
	Clear(code, source string)
}

// Sample is what is fed: the true time when the local clock said something.
type Sample struct {
	// Stamp has whole microseconds, which is all that SOCK can say.
	Stamp refclock.Stamp
	// Offset is UTC minus the local clock.
	Offset time.Duration
	// Leap is the leap indicator of NTP: 0 for no leap second today, 1 for one inserted, 2 for one left out.
	Leap int32
	// Precision is the station's statistical error as a power of two in seconds.
	Precision int32
}

// writer hands samples over.
type writer interface {
	write(Sample) error
	Close() error
}

// Run feeds once a second until ctx ends. now reads the local clock. What fails is tried again.
func Run(ctx context.Context, c Config, board *status.Board, now func() refclock.Stamp, alerts Alerts) {
	run(ctx, c, board, now, alerts, open)
}

func run(ctx context.Context, c Config, board *status.Board, now func() refclock.Stamp, alerts Alerts, open func(Config) (writer, error)) {
	var w writer
	failing := time.Duration(0)
	defer func() {
		if w != nil {
			w.Close()
		}
		alerts.Clear("feed-failing", c.Target())
	}()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		sample, ok := Of(board.Load(), now(), c.MaxErrorSeconds)
		if !ok {
			continue
		}
		err := error(nil)
		if w == nil {
			w, err = open(c)
		}
		if err == nil {
			err = w.write(sample)
		}
		if err == nil {
			failing = 0
			alerts.Clear("feed-failing", c.Target())
			continue
		}
		if w != nil {
			w.Close()
			w = nil
		}
		if failing += every; failing >= patience {
			alerts.Raise(status.Alert{
				Code: "feed-failing", Source: c.Target(), Severity: status.Warning,
				Text: "The time cannot be fed to another program: " + err.Error() + ".",
				Mend: "start the program that is fed, or take its [[feed]] section out",
			})
		}
	}
}

// Of gives the sample for a stamp, which is cut to whole microseconds; false where there is nothing to be fed.
func Of(s *status.Status, stamp refclock.Stamp, maxErrorSeconds float64) (Sample, bool) {
	stamp -= stamp % 1000
	r := s.At(stamp)
	if r.State != status.Synchronised || !r.Known || s.Demonstration || r.MaxError.Seconds() > maxErrorSeconds ||
		r.Instant.InLeap { // neither way can say 23:59:60
		return Sample{}, false
	}
	sample := Sample{Stamp: stamp, Offset: r.Offset, Precision: precision(r.Uncertainty95)}
	if until := s.LeapAt.Sub(r.Instant); until > 0 && until <= announced {
		switch r.Leap {
		case refclock.LeapInsert:
			sample.Leap = leapInsert
		case refclock.LeapDelete:
			sample.Leap = leapDelete
		}
	}
	return sample, true
}

// precision is the next power of two seconds.
func precision(d time.Duration) int32 {
	return int32(math.Ceil(math.Log2(max(d.Seconds(), 1e-9))))
}

func open(c Config) (writer, error) {
	switch c.Kind {
	case sock:
		return openSOCK(c.Path)
	case shm:
		return openSHM(c.Unit)
	}
	return nil, fmt.Errorf("kind %q is not known", c.Kind)
}
