package station

import (
	"context"
	"errors"
	"sync"

	"timestation/logbook"
)

// part runs for as long as the station does. The station ends when one fails.
type part func(context.Context) error

// without makes a part of what never fails.
func without(run func(context.Context)) part {
	return func(ctx context.Context) error {
		run(ctx)
		return nil
	}
}

// keep adds a part that has taken a port or a file, and how it gives that up if it never comes to run.
func (s *Station) keep(run part, closePort func() error) {
	s.parts = append(s.parts, run)
	s.taken = append(s.taken, closePort)
}

// release gives up what was taken for parts that did not come to run.
func (s *Station) release() {
	for _, closePort := range s.taken {
		closePort()
	}
}

// Run keeps the station until ctx ends or a part fails that it cannot do without; it then returns within a second, with
// the log flushed.
func (s *Station) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wait sync.WaitGroup
	s.book.Event(logbook.EventStart, "station", "version "+s.options.Version+s.marked())
	s.book.Event(logbook.EventConfiguration, "station", s.Config.Origin)
	logging, stopLogging := context.WithCancel(context.WithoutCancel(ctx)) // the log outlives what it writes down
	defer stopLogging()
	wait.Go(func() {
		if err := s.book.Run(logging, s); err != nil { // the time goes on without its log
			s.options.Log.Error("logbook", "reason", err)
		}
	})
	for _, run := range s.parts {
		wait.Go(func() {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				stop(err)
			}
		})
	}
	<-ctx.Done()
	s.book.Event(logbook.EventStop, "station", "")
	stopLogging()
	wait.Wait()
	if err := s.book.Close(); err != nil {
		s.options.Log.Error("logbook", "reason", err)
	}
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// marked is what the log adds to a version when its figures prove nothing.
func (s *Station) marked() string {
	if s.options.Demonstration {
		return " (DEMONSTRATION: a recording plays)"
	}
	return ""
}
