package logbook

import (
	"context"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"
)

// Query says which rows are wanted, as Reader.Rows takes it.
type Query struct {
	From, To time.Time
	Source   string
}

// Encoder writes rows in one format.
type Encoder interface {
	Row(Row) error
	// Close writes what the format ends with, if only its header. It does not close the writer below.
	Close() error
}

// Format is a way to write the log down. Each is one file export_NAME.go, which registers it.
type Format struct {
	// Name is what --format takes.
	Name string
	// Help is one sentence for the reference.
	Help string
	New  func(io.Writer) Encoder
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

// Export writes the rows that q asks for to w, as they are read: memory does not grow with their number.
func Export(ctx context.Context, r *Reader, format string, q Query, w io.Writer) error {
	f, err := FindFormat(format)
	if err != nil {
		return err
	}
	e := f.New(w)
	for row, err := range r.Rows(ctx, q.From, q.To, q.Source) {
		if err != nil {
			return err
		}
		if err := e.Row(row); err != nil {
			return err
		}
	}
	return e.Close()
}
