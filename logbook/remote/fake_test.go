package remote

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"iter"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	"google.golang.org/protobuf/encoding/protowire"

	"timestation/engine/status"
	"timestation/logbook"
	"timestation/refclock"
)

// memoryLog is a log that a test fills.
type memoryLog struct {
	mu      sync.Mutex
	rows    []logbook.NumberedRow
	failure error
}

func (l *memoryLog) RowsAfter(_ context.Context, number int64) iter.Seq2[logbook.NumberedRow, error] {
	l.mu.Lock()
	defer l.mu.Unlock()
	rows := slices.Clone(l.rows)
	return func(yield func(logbook.NumberedRow, error) bool) {
		for _, r := range rows {
			if r.Number > number && !yield(r, nil) {
				return
			}
		}
	}
}

func (l *memoryLog) LastNumber(context.Context) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rows) == 0 {
		return 0, nil
	}
	return l.rows[len(l.rows)-1].Number, nil
}

func (l *memoryLog) Close() error { return nil }

// write appends rows, numbered with gaps as SQLite may do.
func (l *memoryLog) write(rows ...logbook.Row) {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := int64(0)
	if n := len(l.rows); n > 0 {
		last = l.rows[n-1].Number
	}
	for _, r := range rows {
		last += 2
		l.rows = append(l.rows, logbook.NumberedRow{Number: last, Row: r})
	}
}

// truth is what the rows of a test begin at.
var truth = refclock.Date(2026, time.November, 22, 13, 0, 0, 0)

func at(seconds float64) logbook.Moment {
	i := truth.Instant(37).Add(time.Duration(seconds * 1e9))
	return logbook.Moment{Known: true, UTC: i.UTC(), TAIMinusUTC: 37}
}

func some[T any](v T) sql.Null[T] { return sql.Null[T]{V: v, Valid: true} }

// interval is what the log has of one moment: the station, a source that is followed and one that was never heard.
func interval(m logbook.Moment) []logbook.Row {
	return []logbook.Row{
		{Moment: m, Source: logbook.StationName, State: string(status.Synchronised), Stratum: some(int64(1)), Leap: "none",
			OffsetSeconds: some(-0.25), FrequencyPPM: some(12.5), Uncertainty95Seconds: some(0.001), MaxErrorSeconds: some(0.02),
			TemperatureCelsius: some(48.5)},
		{Moment: m, Source: "roof", Driver: "gps", State: string(status.Selected), OffsetSeconds: some(0.002),
			JitterSeconds: some(0.001), MaxErrorSeconds: some(0.18), SatellitesUsed: some(int64(9)),
			SatellitesInView: some(int64(14))},
		{Moment: m, Source: "cellar", Driver: "dcf77", State: string(status.Silent)},
	}
}

// storage takes requests as a Prometheus does that is not configured otherwise: one sample that is older than the newest
// of its series, be it there already, has the whole request refused.
type storage struct {
	mu       sync.Mutex
	requests int
	headers  http.Header // of the last one
	samples  map[string]map[int64]float64
	newest   map[string]int64
	// answer may take the answer over; false leaves it to the storage.
	answer func(w http.ResponseWriter, request int) bool
}

func newStorage() *storage {
	return &storage{samples: map[string]map[int64]float64{}, newest: map[string]int64{}}
}

func (s *storage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	s.headers = r.Header
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method != http.MethodPost {
		http.Error(w, "no request", http.StatusBadRequest)
		return
	}
	if s.answer != nil && s.answer(w, s.requests) {
		return
	}
	b, err := s2.Decode(nil, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	all := decode(b)
	for name, samples := range all {
		for _, p := range samples {
			if value, ok := s.samples[name][p.ms]; p.ms < s.newest[name] || ok && value != p.value {
				http.Error(w, "out of order sample\n"+name, http.StatusBadRequest)
				return
			}
		}
	}
	for name, samples := range all {
		if s.samples[name] == nil {
			s.samples[name] = map[int64]float64{}
		}
		for _, p := range samples {
			s.samples[name][p.ms] = p.value
			s.newest[name] = max(s.newest[name], p.ms)
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// count gives the samples of one series.
func (s *storage) count(series string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.samples[series])
}

func (s *storage) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

func (s *storage) answers(f func(w http.ResponseWriter, request int) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

type point struct {
	ms    int64
	value float64
}

// decode reads a WriteRequest by the tags alone, as another implementation would; what it does not know makes it panic.
func decode(b []byte) map[string][]point {
	all := map[string][]point{}
	for _, ts := range fields(b) {
		var labels []string
		var samples []point
		for _, f := range fields(ts.bytes) {
			parts := fields(f.bytes)
			switch f.number {
			case 1:
				labels = append(labels, string(parts[0].bytes)+"="+string(parts[1].bytes))
			case 2:
				samples = append(samples, point{value: math.Float64frombits(parts[0].scalar), ms: int64(parts[1].scalar)})
			default:
				panic("unknown field of a time series")
			}
		}
		if !slices.IsSorted(labels) {
			panic("labels out of order: " + strings.Join(labels, ","))
		}
		name := strings.Join(labels, ",")
		if all[name] != nil {
			panic("a series stands twice: " + name)
		}
		if !slices.IsSortedFunc(samples, func(a, b point) int { return int(a.ms - b.ms) }) {
			panic("samples out of order: " + name)
		}
		all[name] = samples
	}
	return all
}

type field struct {
	number protowire.Number
	bytes  []byte
	scalar uint64
}

func fields(b []byte) (all []field) {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		b = b[n:]
		f := field{number: number}
		switch kind {
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			f.scalar, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			f.scalar, n = protowire.ConsumeFixed64(b)
		}
		b = b[n:]
		all = append(all, f)
	}
	return all
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

func (a *alertList) codes() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Sorted(maps.Keys(a.standing))
}

// bench is a sender between a log and a storage, all in memory but for remote.json.
type bench struct {
	log     *memoryLog
	storage *storage
	alerts  *alertList
	dir     string
	printed *strings.Builder
	config  Config
	// cut is the network: it may fail before the storage sees the request, or after.
	cut func() (before, after bool)
}

func newBench(t *testing.T) *bench {
	config := DefaultConfig()
	config.URL = "http://storage.invalid/api/v1/write"
	return &bench{log: &memoryLog{}, storage: newStorage(), alerts: &alertList{}, dir: t.TempDir(),
		printed: &strings.Builder{}, config: config}
}

// RoundTrip is the network.
func (b *bench) RoundTrip(r *http.Request) (*http.Response, error) {
	before, after := false, false
	if b.cut != nil {
		before, after = b.cut()
	}
	if before {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}
	w := httptest.NewRecorder()
	b.storage.ServeHTTP(w, r)
	if after {
		return nil, io.ErrUnexpectedEOF
	}
	return w.Result(), nil
}

func (b *bench) options() Options {
	text := slog.NewTextHandler(b.printed, &slog.HandlerOptions{Level: slog.LevelWarn})
	return Options{Dir: b.dir, Station: "studio", Version: "1", Alerts: b.alerts, Log: slog.New(text),
		Now: func() time.Time { return truth.Time() }}
}

func (b *bench) sender(t *testing.T) *Sender {
	t.Helper()
	s, err := New(b.config, b.options())
	if err != nil {
		t.Fatal(err)
	}
	s.client.Transport = b
	s.open = func() (Log, error) {
		if b.log.failure != nil {
			return nil, b.log.failure
		}
		return b.log, nil
	}
	return s
}

// run starts a sender and gives what stops it.
func (b *bench) run(t *testing.T) (stop func()) {
	t.Helper()
	s := b.sender(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

func uncompressed(t *testing.T, body []byte) []byte {
	t.Helper()
	b, err := s2.Decode(nil, body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
