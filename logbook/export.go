package logbook

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sort"
	"strings"
	"time"
)

// Query says which rows are wanted, as Reader.Rows takes it.
type Query struct {
	From, To time.Time
	Source   string
	// Resolution is whether rows are wanted or aggregates of them.
	Resolution Resolution
}

// ExportOptions are what the formats leave open.
type ExportOptions struct {
	// MJD writes times as Modified Julian Dates and not after RFC 3339, in the formats that write times as text.
	MJD bool
	// Progress, if it is set, is told the time of each row that was written and had one.
	Progress func(time.Time)
}

// Encoder writes rows or aggregates in one format.
type Encoder[T any] interface {
	Write(T) error
	// Close writes what the format ends with, if only its header. It does not close the writer below.
	Close() error
}

// Format is a way to write the log down. Each is one file export_NAME.go, which registers it.
type Format struct {
	// Name is what --format takes.
	Name string
	// Help is one sentence for the reference.
	Help string
	// Rows begins a file of rows, and Aggregates one of minutes or hours; it is nil where the format has no place for them.
	Rows       func(io.Writer, ExportOptions) Encoder[Row]
	Aggregates func(io.Writer, ExportOptions) Encoder[Aggregate]

	// textual is whether times are text, so that they may be MJD.
	textual bool
}

// Validate says what of the question and the options the format cannot follow.
func (f Format) Validate(q Query, o ExportOptions) error {
	if o.MJD && !f.textual {
		return fmt.Errorf("mjd: %s has times of its own kind; leave it out, or use csv or jsonl", f.Name)
	}
	if q.Resolution != Raw && f.Aggregates == nil {
		return fmt.Errorf("resolution: %s has rows only; leave it out, or use csv, jsonl or parquet", f.Name)
	}
	return nil
}

var formats = map[string]Format{}

func registerFormat(f Format) { formats[f.Name] = f }

// Formats lists the formats by name.
func Formats() []Format {
	var all []Format
	for _, f := range formats {
		all = append(all, f)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// FindFormat finds a format by name; the error lists those there are.
func FindFormat(name string) (Format, error) {
	f, ok := formats[name]
	if !ok {
		var known []string
		for _, f := range Formats() {
			known = append(known, f.Name)
		}
		return f, fmt.Errorf("format: %q is not known; use one of: %s", name, strings.Join(known, ", "))
	}
	return f, nil
}

// Export writes what q asks for to w, as it is read: memory does not grow with the number of rows.
func Export(ctx context.Context, r *Reader, format string, q Query, o ExportOptions, w io.Writer) error {
	f, err := FindFormat(format)
	if err != nil {
		return err
	}
	if err := f.Validate(q, o); err != nil {
		return err
	}
	if q.Resolution, err = r.Resolve(ctx, q); err != nil {
		return err
	}
	if q.Resolution == Raw {
		return encode(r.Rows(ctx, q.From, q.To, q.Source), f.Rows(w, o), o, func(row Row) (time.Time, bool) {
			return row.UTC.Time(), row.Known
		})
	}
	return encode(r.Aggregates(ctx, q.From, q.To, q.Source, q.Resolution), f.Aggregates(w, o), o,
		func(a Aggregate) (time.Time, bool) { return a.Start, true })
}

func encode[T any](rows iter.Seq2[T, error], e Encoder[T], o ExportOptions, at func(T) (time.Time, bool)) error {
	for row, err := range rows {
		if err != nil {
			return err
		}
		if err := e.Write(row); err != nil {
			return err
		}
		if t, known := at(row); known && o.Progress != nil {
			o.Progress(t)
		}
	}
	return e.Close()
}
