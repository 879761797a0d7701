package remote

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"timestation/logbook"
	"timestation/refclock"
)

const (
	ofStation = "__name__=timestation_synchronised,station=studio"
	ofRoof    = `__name__=timestation_source_state,driver=gps,source=roof,state=selected,station=studio`
)

func TestConfig(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	const address = ` is not an address of the web; write for instance "https://metrics.example.org/api/v1/write"`
	for want, c := range map[string]Config{
		`url: "prometheus:9090"` + address: {URL: "prometheus:9090", BatchRows: 1},
		`url: "ftp://x/y"` + address:       {URL: "ftp://x/y", BatchRows: 1},
		`url: "http:///write"` + address:   {URL: "http:///write", BatchRows: 1},
		`url: has a user or password, which would be shown; put a bearer token into the file that token_file names`: {
			URL: "https://me:secret@example.org/", BatchRows: 1},
		`batch_rows: 0 is not within 1 to 10000; write for instance 500`: {},
	} {
		if err := c.Validate(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// What a storage gets for one moment, and that /metrics has every name.
func TestSeries(t *testing.T) {
	var r request
	for _, row := range interval(at(0.0625)) {
		r.addRow("studio", row)
	}
	got := map[string]float64{}
	for name, samples := range decode(uncompressed(t, r.body())) {
		if len(samples) != 1 || samples[0].ms != truth.Seconds*1000+62 {
			t.Errorf("%s: %v", name, samples)
		}
		got[strings.ReplaceAll(name, "__name__=timestation_", "")] = samples[0].value
	}
	want := map[string]float64{
		"synchronised,station=studio":                                    1,
		"holdover,station=studio":                                        0,
		"stratum,station=studio":                                         1,
		"tai_minus_utc_seconds,station=studio":                           37,
		"max_error_seconds,station=studio":                               0.02,
		"uncertainty95_seconds,station=studio":                           0.001,
		"system_clock_offset_seconds,station=studio":                     -0.25,
		"oscillator_frequency_ppm,station=studio":                        12.5,
		"temperature_celsius,station=studio":                             48.5,
		"source_offset_seconds,driver=gps,source=roof,station=studio":    0.002,
		"source_jitter_seconds,driver=gps,source=roof,station=studio":    0.001,
		"source_max_error_seconds,driver=gps,source=roof,station=studio": 0.18,
		"satellites,driver=gps,kind=used,source=roof,station=studio":     9,
		"satellites,driver=gps,kind=in_view,source=roof,station=studio":  14,
	}
	for _, state := range []string{"selected", "agreeing", "falseticker", "compared", "settling", "unusable", "silent"} {
		want["source_state,driver=gps,source=roof,state="+state+",station=studio"] = flag(state == "selected")
		want["source_state,driver=dcf77,source=cellar,state="+state+",station=studio"] = flag(state == "silent")
	}
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}

	metrics, err := os.ReadFile("../../app/web/metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	for series := range got {
		name, _, _ := strings.Cut(series, ",")
		if !regexp.MustCompile(`describe\("` + name + `"`).Match(metrics) {
			t.Errorf("/metrics has no %s", name)
		}
	}
}

// An hour of rows in the order of writing arrives while it is written, and nothing twice.
func TestAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		unknown := interval(logbook.Moment{Local: refclock.Stamp(5)})
		b.log.write(unknown...)
		stop := b.run(t)
		time.Sleep(time.Second) // so that no row is written in the moment of a look
		rows := 0
		for i := range 225 {
			b.log.write(interval(at(16 * float64(i)))...)
			rows++
			time.Sleep(16 * time.Second)
		}
		time.Sleep(lookEvery)
		if got := b.storage.count(ofStation); got != rows {
			t.Errorf("%d of %d rows arrived", got, rows)
		}
		if n := b.storage.asked(); n < 58 || n > 62 {
			t.Errorf("%d requests in an hour, want one a minute", n)
		}
		stop()
		before := b.storage.asked()
		stop = b.run(t)
		time.Sleep(5 * time.Minute)
		stop()
		if n := b.storage.asked(); n != before {
			t.Errorf("after a restart with nothing new: %d requests", n-before)
		}
		if len(b.alerts.codes()) > 0 || b.printed.Len() > 0 {
			t.Errorf("%v\n%s", b.alerts.codes(), b.printed)
		}
	})
}

// The storage is away, is slow to say so, loses its answers, and the station dies at any moment: every row is there in the
// end, and none was refused by a storage that takes no old ones.
func TestEveryRowArrivesOnce(t *testing.T) {
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) {
			source := rand.New(rand.NewPCG(seed, 1))
			var one sync.Mutex
			below := func(n int) int {
				one.Lock()
				defer one.Unlock()
				return source.IntN(n)
			}
			b := newBench(t)
			b.config.BatchRows = 1 + below(20)
			b.cut = func() (before, after bool) { return below(4) == 0, below(4) == 0 }
			b.storage.answers(func(w http.ResponseWriter, _ int) bool {
				if below(4) > 0 {
					return false
				}
				http.Error(w, "not now", []int{429, 500, 503}[below(3)])
				return true
			})
			rows := 0
			for life := range 6 {
				s := b.sender(t)
				ctx, kill := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() {
					defer close(done)
					s.Run(ctx)
				}()
				for range 20 {
					b.log.write(interval(at(16 * float64(rows)))...)
					rows++
					time.Sleep(time.Duration(below(32)) * time.Second)
				}
				// A death: whatever would be saved in the end is not.
				synctest.Wait()
				saved, err := os.ReadFile(filepath.Join(b.dir, StateFile))
				if err != nil {
					t.Fatal(err)
				}
				kill()
				<-done
				if life < 5 {
					if err := os.WriteFile(filepath.Join(b.dir, StateFile), saved, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			b.cut, b.storage.answer = nil, nil
			stop := b.run(t)
			time.Sleep(10 * time.Minute)
			stop()
			if station, roof := b.storage.count(ofStation), b.storage.count(ofRoof); station != rows || roof != rows {
				t.Errorf("seed %d: %d and %d of %d rows arrived\n%s", seed, station, roof, rows, b.printed)
			}
			if s, err := load(b.dir, b.config.URL); err != nil || s.RefusedRows > 0 {
				t.Errorf("seed %d: %+v %v", seed, s, err)
			}
		})
	}
}

// Rows that step back in time, which a storage may refuse, take no others with them.
func TestStepsBackInTimeStandAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		times := []float64{0, 1, 2, 3, 2.5, 2.75, 4, 5, 5, 6, -1, 7}
		refused := 4
		for _, s := range times {
			b.log.write(interval(at(s))...)
		}
		stop := b.run(t)
		time.Sleep(time.Second)
		stop()
		if got := b.storage.count(ofStation); got != len(times)-refused {
			t.Errorf("%d of %d rows arrived, and %d had to be refused", got, len(times), refused)
		}
		if s, err := load(b.dir, b.config.URL); err != nil || s.RefusedRows != uint64(3*(refused-1)) { // the 5 s are the same
			t.Errorf("%+v %v", s, err)
		}
	})
}

func TestNewLogAndNewStorageBeginAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.log.write(interval(at(0))...)
		b.log.write(interval(at(16))...)
		stop := b.run(t)
		time.Sleep(time.Second)
		b.log.mu.Lock()
		b.log.rows = nil // damaged and set aside
		b.log.mu.Unlock()
		b.log.write(interval(at(32))...)
		time.Sleep(2 * lookEvery)
		stop()
		if got := b.storage.count(ofStation); got != 3 {
			t.Errorf("%d of 3 rows arrived", got)
		}
		b.config.URL = "https://another.invalid/write"
		b.storage = newStorage()
		stop = b.run(t)
		time.Sleep(time.Second)
		stop()
		if got := b.storage.count(ofStation); got != 1 {
			t.Errorf("%d of 1 rows arrived at the new storage", got)
		}
	})
}

func TestStateFileThatIsNoUse(t *testing.T) {
	for _, text := range []string{"", "{", `{"row":-1}`, `{"row":5,"sending":4}`, `[]`} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, StateFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := load(dir, "http://x/")
		if err == nil || strings.Contains(err.Error(), "\n") || s != (state{URL: "http://x/"}) {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
	}
	dir := t.TempDir()
	want := state{URL: "http://x/", Row: 5, Sending: 9, SentRows: 4, RefusedRows: 1}
	if err := want.save(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := load(dir, want.URL); err != nil || got != want {
		t.Errorf("%+v %v", got, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%v %v", files, err)
	}
	if err := want.save(filepath.Join(dir, "none")); err == nil {
		t.Error("saved to nowhere")
	}
}

func TestLogThatCannotBeReadIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.log.failure = errors.New("timestation.db: there is no log")
		began := time.Now()
		s := b.sender(t)
		open := s.open
		s.open = func() (Log, error) {
			if time.Since(began) > 3*time.Minute {
				return b.log, nil
			}
			return open()
		}
		b.log.write(interval(at(0))...)
		ctx, kill := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Run(ctx)
		}()
		time.Sleep(6 * time.Minute)
		kill()
		<-done
		if b.storage.count(ofStation) != 1 || len(b.alerts.codes()) > 0 {
			t.Error(b.storage.count(ofStation), b.alerts.codes())
		}
	})
}

func BenchmarkBatch(b *testing.B) {
	rows := []logbook.Row{}
	for i := range 500 / 3 {
		rows = append(rows, interval(at(16*float64(i)))...)
	}
	size := 0
	for b.Loop() {
		var r request
		for _, row := range rows {
			r.addRow("studio", row)
		}
		size = len(r.body())
	}
	b.ReportMetric(float64(len(rows))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(size)/float64(len(rows)), "B/row")
}
