package logbook

import (
	"context"
	"database/sql"
	"iter"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// world is a station whose status a test can change while a Book watches it.
type world struct {
	mu     sync.Mutex
	start  time.Time
	stamp  refclock.Stamp // of start
	status status.Status
}

// began is the station's time when a world starts: an ordinary day.
var began = refclock.Date(2026, time.November, 22, 13, 0, 0, 0).Instant(37)

func newWorld() *world {
	return &world{start: time.Now(), stamp: 1000e9, status: status.Status{
		State: status.Synchronised, Stratum: 1, Selected: "gps", Leap: refclock.LeapNone, EpochInstant: began,
		MaxError: 20 * time.Millisecond, MaxErrorLimit: time.Second, Uncertainty95: time.Millisecond, FrequencyPPM: 12.5,
		TemperatureCelsius: 41.5, TemperatureKnown: true,
		Sources: []status.Source{
			{Name: "gps", Driver: "gps", Receiver: "hat", State: status.Selected, OffsetSeconds: 0.002, JitterSeconds: 0.001, PhaseSeconds: -0.000123456,
				MaxErrorSeconds: 0.18, FrequencyPPM: 12.25, AgeSeconds: 0.5, Signal: refclock.Signal{GNSS: &refclock.GNSS{
					SatellitesUsed: 2, Satellites: []refclock.Satellite{{CN0: 40}, {CN0: 45}, {CN0: 0}}}}},
			{Name: "backup", Driver: "dcf77", State: status.Silent, AgeSeconds: -1},
		},
	}}
}

func (w *world) Now() refclock.Stamp {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stamp.Add(time.Since(w.start))
}

func (w *world) Status() *status.Status {
	now := w.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	st := w.status
	st.Sources, st.Alerts = append([]status.Source(nil), st.Sources...), append([]status.Alert(nil), st.Alerts...)
	st.Epoch = now
	if !st.EpochInstant.IsZero() {
		st.EpochInstant = st.EpochInstant.Add(time.Since(w.start))
	}
	return &st
}

func (w *world) change(f func(*status.Status)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.status)
}

// alertList is what a person would see.
type alertList struct {
	mu       sync.Mutex
	standing map[string]status.Alert
}

func (a *alertList) Raise(alert status.Alert) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.standing == nil {
		a.standing = map[string]status.Alert{}
	}
	a.standing[alert.Code] = alert
}

func (a *alertList) Clear(code, _ string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.standing, code)
}

func (a *alertList) get(code string) (status.Alert, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	alert, ok := a.standing[code]
	return alert, ok
}

func openBook(t testing.TB, dir string, alerts *alertList, morePragmas ...string) *Book {
	t.Helper()
	b, err := open(dir, DefaultConfig(), alerts, slog.New(slog.DiscardHandler), append(slices.Clip(writerPragmas), morePragmas...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func openRead(t testing.TB, dir string) *Reader {
	t.Helper()
	r, err := OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// run starts a book and returns what stops it.
func run(t *testing.T, b *Book, st Station) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx, st) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func collect[T any](t testing.TB, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var all []T
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

func allRows(t testing.TB, dir, source string) []Row {
	t.Helper()
	return collect(t, openRead(t, dir).Rows(t.Context(), time.Time{}, time.Time{}, source))
}

// eventLines are the events as "kind source: text".
func eventLines(t testing.TB, dir string) []string {
	t.Helper()
	var lines []string
	for _, e := range collect(t, openRead(t, dir).Events(t.Context(), time.Time{}, time.Time{}, "")) {
		lines = append(lines, strings.TrimRight(e.Kind+" "+e.Source, " ")+": "+e.Text)
	}
	return lines
}

// rawDatabase is somebody else's connection to the log.
func rawDatabase(t testing.TB, dir string) *sql.DB {
	t.Helper()
	db, err := openDatabase(filepath.Join(dir, FileName), "", []string{busyTimeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
