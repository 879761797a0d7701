package logbook

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// knownSeries is four intervals of a station: starting, synchronised, in holdover, back.
func knownSeries(t testing.TB, dir string) {
	t.Helper()
	b := openBook(t, dir, &alertList{})
	states := []func(*status.Status){
		func(s *status.Status) {
			s.State, s.Stratum, s.Selected, s.EpochInstant = status.Unsynchronised, status.Stratum16, "", refclock.Instant{}
			s.Sources = s.Sources[1:]
		},
		func(*status.Status) {},
		func(s *status.Status) {
			s.State, s.Selected, s.MaxErrorGrowth = status.Holdover, "", 15e-6
			s.Sources[0].State, s.Sources[0].AgeSeconds, s.Sources[0].Signal.GNSS = status.Silent, 16.5, nil
			s.Sources[1].Name = `backup, "old"`
		},
		func(s *status.Status) { s.Leap, s.LeapAt = refclock.LeapInsert, began.Add(time.Hour) },
	}
	for i, change := range states {
		st := newWorld().status
		st.Sources = append([]status.Source(nil), st.Sources...)
		st.Epoch = refclock.Stamp(1_700_000_000e9).Add(time.Duration(16*i) * time.Second)
		st.EpochInstant = began.Add(time.Duration(16*i) * time.Second)
		change(&st)
		for _, r := range rowsOf(&st, st.Epoch.Add(250*time.Millisecond)) {
			b.queue.put(r)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

func export(t testing.TB, dir string, q Query) string {
	t.Helper()
	var out bytes.Buffer
	if err := Export(t.Context(), openRead(t, dir), "csv", q, ExportOptions{}, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestExportCSV(t *testing.T) {
	dir := t.TempDir()
	knownSeries(t, dir)
	got := export(t, dir, Query{})
	golden := filepath.Join("testdata", "series.csv")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestExportLimits(t *testing.T) {
	dir := t.TempDir()
	knownSeries(t, dir)
	at := func(seconds float64) time.Time { return began.UTC().Time().Add(time.Duration(seconds * 1e9)) }
	for _, c := range []struct {
		name string
		q    Query
		rows int
	}{
		{"all", Query{}, 11},
		{"from: rows without a time are in no span", Query{From: at(0)}, 9},
		{"from is included, to is not", Query{From: at(16.25), To: at(48.25)}, 6},
		{"a source", Query{Source: "gps"}, 3},
		{"the station's own", Query{Source: StationName, To: at(40)}, 2},
		{"as far as a calendar goes", Query{From: time.Unix(0, 0), To: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, 9},
		{"nothing", Query{Source: "nobody"}, 0},
	} {
		if got := strings.Count(export(t, dir, c.q), "\n") - 1; got != c.rows {
			t.Errorf("%s: %d rows, want %d", c.name, got, c.rows)
		}
	}
	first, last, err := openRead(t, dir).Span(t.Context())
	if err != nil || !first.Equal(at(16.25)) || !last.Equal(at(48.25)) {
		t.Errorf("span %v to %v, %v", first, last, err)
	}
}

func TestUnknownFormat(t *testing.T) {
	err := Export(t.Context(), nil, "xls", Query{}, ExportOptions{}, nil)
	if err == nil || !strings.Contains(err.Error(), `"xls"`) || !strings.Contains(err.Error(), "csv") {
		t.Errorf("%v", err)
	}
}

func TestNoLog(t *testing.T) {
	dir := t.TempDir()
	_, err := OpenReader(dir)
	if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "--data") {
		t.Errorf("%v", err)
	}
}

// Whoever reads sees what was there when he began, and neither side waits for the other.
func TestReadWhileWriting(t *testing.T) {
	dir := t.TempDir()
	b := openBook(t, dir, &alertList{})
	w := newWorld()
	put := func(n int) {
		for range n {
			b.queue.put(rowsOf(w.Status(), w.Now())[0])
		}
		if err := b.flush(); err != nil {
			t.Fatal(err)
		}
	}
	put(1000)
	r, read := openRead(t, dir), 0
	for _, err := range r.Rows(t.Context(), time.Time{}, time.Time{}, "") {
		if err != nil {
			t.Fatal(err)
		}
		if read++; read%100 == 0 {
			put(10)
		}
	}
	if read != 1000 {
		t.Errorf("read %d rows, want the 1000 there were", read)
	}
	if n := len(collect(t, r.Rows(t.Context(), time.Time{}, time.Time{}, ""))); n != 1100 {
		t.Errorf("then %d rows, want 1100", n)
	}
}

func TestReadingStops(t *testing.T) {
	dir := t.TempDir()
	writeRows(t, dir, 500)
	r := openRead(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	read := 0
	for _, err := range r.Rows(ctx, time.Time{}, time.Time{}, "") {
		if read++; read == 10 {
			cancel()
		}
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("after %d rows: %v", read, last)
	}
	for range r.Rows(t.Context(), time.Time{}, time.Time{}, "") {
		break
	}
	if open := r.db.Stats().InUse; open != 0 {
		t.Errorf("%d connections are still in use", open)
	}
}

// Memory must not grow with the log: SQLite may not sort, and must find a span by its index.
func TestBatchesAreNotSorted(t *testing.T) {
	dir := t.TempDir()
	knownSeries(t, dir)
	db := rawDatabase(t, dir)
	for _, from := range []int64{always, 1e18} {
		where, args := batchesBetween(batchRows, from, 2e18)
		for _, c := range []struct {
			query string
			args  []any
		}{
			{selectBatches + where + ` ORDER BY first_utc_ns, seq`, args},
			{selectBatches + where + ` AND seq > ? ORDER BY first_utc_ns, seq`, append(args, 1)},
		} {
			rows, err := db.Query("EXPLAIN QUERY PLAN "+c.query, c.args...)
			if err != nil {
				t.Fatal(err)
			}
			plan := ""
			for rows.Next() {
				var id, parent, unused int
				var detail string
				if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
					t.Fatal(err)
				}
				plan += detail + "\n"
			}
			if strings.Contains(plan, "TEMP") || !strings.Contains(plan, "batch_by_time") {
				t.Errorf("%s:\n%s", c.query, plan)
			}
		}
	}
}
