package report

import (
	"context"
	"fmt"
	"iter"
	"time"

	"timestation/logbook"
)

// Log is what a report is made of; a *logbook.Reader is one.
type Log interface {
	Span(ctx context.Context) (first, last time.Time, err error)
	Resolve(ctx context.Context, q logbook.Query) (logbook.Resolution, error)
	Rows(ctx context.Context, from, to time.Time, source string) iter.Seq2[logbook.Row, error]
	Aggregates(ctx context.Context, from, to time.Time, source string, r logbook.Resolution) iter.Seq2[logbook.Aggregate, error]
	Events(ctx context.Context, from, to time.Time, source string) iter.Seq2[logbook.Event, error]
}

// Options say what is asked.
type Options struct {
	// From and To limit the span; zero is the beginning or the end of the log.
	From, To time.Time
	// Bound is the error within which the time was wanted, above 0.
	Bound time.Duration
	// Source is whose phase is analysed; the source that was followed most when it is empty.
	Source string
	// Station is what the station is called, Version the program's version that writes the report; both may be empty.
	Station, Version string
	// Chain says in a sentence or two whether the log is whole and gives the head of its chain, if that was looked at.
	Chain string
}

// Build reads the log and writes the report. The error is the log's, or says which option cannot be followed.
func Build(ctx context.Context, log Log, o Options) (*Document, error) {
	if o.Bound <= 0 {
		return nil, fmt.Errorf("bound: %v is not above 0; write for instance 1ms", o.Bound)
	}
	first, last, err := log.Span(ctx)
	if err != nil {
		return nil, err
	}
	if first.IsZero() {
		return nil, fmt.Errorf("the log holds no row from a time when the station knew the time; there is nothing to report yet")
	}
	if o.From.IsZero() {
		o.From = first
	}
	if o.To.IsZero() {
		o.To = last.Add(time.Nanosecond) // To is not included
	}
	if !o.From.Before(o.To) {
		return nil, fmt.Errorf("from: %s is not before %s; the log reaches from %s to %s", utc(o.From), utc(o.To), utc(first), utc(last))
	}
	f := &findings{options: o, first: first, last: last}
	if err := f.gather(ctx, log); err != nil {
		return nil, err
	}
	if len(f.points) == 0 {
		return nil, fmt.Errorf("from: there is no row between %s and %s; the log reaches from %s to %s",
			utc(o.From), utc(o.To), utc(first), utc(last))
	}
	f.count()
	return f.document(), nil
}
