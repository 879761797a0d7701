//go:build peers

package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"timestation/engine/status"
	"timestation/logbook"
	"timestation/refclock"
)

// TestPeersPrometheus lets Debian's Prometheus judge: it is killed twice while it takes the log of some hours, once before
// it sees a request and once before its answer is read, and in the end has every row once.
func TestPeersPrometheus(t *testing.T) {
	peers := os.Getenv("TIMESTATION_PEERS")
	if peers == "" {
		t.Fatal("TIMESTATION_PEERS names no folder with prometheus; run this test with: make peers")
	}
	p := &prometheus{program: filepath.Join(peers, "usr", "bin", "prometheus"), dir: t.TempDir(), address: freeAddress(t)}
	p.start(t)
	defer p.kill()

	// Prometheus takes what is about now.
	const hours = 4
	dir, end := t.TempDir(), refclock.Stamp(time.Now().UnixNano())
	writeLog(t, dir, end.Add(-hours*time.Hour), hours*time.Hour)
	rows, offsets := 0, map[string]float64{}
	reader, err := logbook.OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for r, err := range reader.RowsAfter(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		rows++
		if r.Source != logbook.StationName {
			offsets[r.Source] += r.OffsetSeconds.V
		}
	}
	want := hours * 3600 / 16
	if rows != 3*want {
		t.Fatalf("the log has %d rows, want %d", rows, 3*want)
	}

	alerts := &alertList{}
	s, err := New(Config{URL: "http://" + p.address + "/api/v1/write", BatchRows: 50}, Options{
		Dir: dir, Station: "studio", Version: "test", Alerts: alerts,
		Log: slog.New(slog.NewTextHandler(testWriter{t}, nil)), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	network := &cutter{next: s.client.Transport, requests: map[int]func(){}, answers: map[int]func(){}}
	restart := func() { p.kill(); time.AfterFunc(1500*time.Millisecond, func() { p.start(t) }) }
	network.requests[15], network.answers[35] = restart, restart
	s.client.Transport = network
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	defer cancel()
	series := fmt.Sprintf(`count_over_time(timestation_synchronised{station="studio"}[%dh])`, hours+1)
	for began := time.Now(); !(p.ask(t, series) >= float64(want)); { // not a number while it is down
		if time.Since(began) > time.Minute {
			t.Fatalf("after a minute %v of %d rows have arrived", p.ask(t, series), want)
		}
		time.Sleep(200 * time.Millisecond)
	}
	time.Sleep(500 * time.Millisecond) // the last batch's answer
	cancel()
	<-done
	if got := p.ask(t, series); got != float64(want) {
		t.Errorf("%v rows of the station, the log has %d", got, want)
	}
	for _, source := range []string{"roof", "hall"} {
		labels := fmt.Sprintf(`{station="studio",source=%q,driver="gps"}[%dh]`, source, hours+1)
		if got := p.ask(t, `count_over_time(timestation_source_offset_seconds`+labels+`)`); got != float64(want) {
			t.Errorf("%v rows of %s, the log has %d", got, source, want)
		}
		if got := p.ask(t, `sum_over_time(timestation_source_offset_seconds`+labels+`)`); math.Abs(got-offsets[source]) > 1e-9 {
			t.Errorf("the offsets of %s sum up to %v, in the log to %v", source, got, offsets[source])
		}
	}
	p.takesDashboard(t)
	saved, err := load(dir, s.config.URL)
	if err != nil || saved.RefusedRows > 0 || len(alerts.codes()) > 0 {
		t.Errorf("%+v, %v, alerts %v", saved, err, alerts.codes())
	}
	t.Logf("%d rows in %d requests, Prometheus killed twice: all %d there, each once", rows, network.seen, rows)
}

// writeLog keeps a station's log for a while, in no time.
func writeLog(t *testing.T, dir string, from refclock.Stamp, d time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		book, err := logbook.Open(dir, logbook.DefaultConfig(), &alertList{}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- book.Run(ctx, &twoSources{from, time.Now()}) }()
		time.Sleep(d + time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	})
}

// twoSources is a station whose offsets differ from row to row.
type twoSources struct {
	from  refclock.Stamp
	began time.Time
}

func (s *twoSources) Now() refclock.Stamp { return s.from.Add(time.Since(s.began)) }

func (s *twoSources) Status() *status.Status {
	now := s.Now()
	source := func(name string, offset float64) status.Source {
		return status.Source{Name: name, Driver: "gps", Receiver: name, State: status.Agreeing, OffsetSeconds: offset,
			JitterSeconds: 1e-3, MaxErrorSeconds: 0.1, AgeSeconds: 0.5,
			Signal: refclock.Signal{GNSS: &refclock.GNSS{SatellitesUsed: 9}}}
	}
	elapsed := now.Sub(s.from).Seconds()
	return &status.Status{
		Epoch: now, EpochInstant: refclock.Instant{TAI: int64(now) + 37e9, TAIMinusUTC: 37}, State: status.Synchronised,
		Stratum: 1, Leap: refclock.LeapNone, MaxError: 20 * time.Millisecond, MaxErrorLimit: time.Second,
		TemperatureCelsius: 48, TemperatureKnown: true,
		Sources: []status.Source{source("roof", 1e-6*elapsed), source("hall", -2e-6*elapsed)},
	}
}

// cutter is a network that something happens to in the middle of a request.
type cutter struct {
	next     http.RoundTripper
	seen     int
	requests map[int]func() // before the request with that number
	answers  map[int]func() // before its answer, which is lost
}

func (c *cutter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.seen++
	if cut := c.requests[c.seen]; cut != nil {
		cut()
	}
	answer, err := c.next.RoundTrip(r)
	if cut := c.answers[c.seen]; cut != nil && err == nil {
		cut()
		answer.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
	return answer, err
}

// prometheus is Debian's, unpacked, with its defaults.
type prometheus struct {
	program, dir, address string
	mu                    sync.Mutex
	command               *exec.Cmd
}

func (p *prometheus) start(t *testing.T) {
	config := filepath.Join(p.dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte("{}\n"), 0o600); err != nil {
		t.Error(err)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.command = exec.CommandContext(t.Context(), p.program, "--config.file="+config,
		"--storage.tsdb.path="+filepath.Join(p.dir, "data"), "--web.listen-address="+p.address,
		"--web.enable-remote-write-receiver", "--log.level=warn")
	if err := p.command.Start(); err != nil {
		t.Error(err)
	}
}

// kill is kill -9.
func (p *prometheus) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.command.Process.Kill()
	p.command.Wait()
}

// ask gives the one value of a query now; NaN while there is none.
func (p *prometheus) ask(t *testing.T, query string) float64 {
	t.Helper()
	answer, err := http.Get("http://" + p.address + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return math.NaN() // it is down
	}
	defer answer.Body.Close()
	var result struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&result); err != nil || len(result.Data.Result) == 0 {
		return math.NaN()
	}
	if n := len(result.Data.Result); n != 1 {
		t.Errorf("%s gives %d series", query, n)
	}
	text, _ := result.Data.Result[0].Value[1].(string)
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Errorf("%s gives %v", query, result.Data.Result[0].Value)
	}
	return value
}

// takesDashboard asks everything that the delivered dashboard asks; most of it has an answer by what was sent.
func (p *prometheus) takesDashboard(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile("../../assets/dashboards/timestation.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	answered, empty := 0, []string{}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			query := strings.NewReplacer("$station", ".*", "$__rate_interval", "5m").Replace(target.Expr)
			answer, err := http.Get("http://" + p.address + "/api/v1/query?query=" + url.QueryEscape(query))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			switch {
			case err != nil || answer.StatusCode != http.StatusOK:
				t.Errorf("%s: %s: %s %v", panel.Title, query, body, err)
			case strings.Contains(string(body), `"result":[]`):
				empty = append(empty, panel.Title)
			default:
				answered++
			}
		}
	}
	if answered < 12 {
		t.Errorf("%d queries of the dashboard have an answer; none have: %q", answered, empty)
	}
	t.Logf("the dashboard: %d queries have an answer, without: %q", answered, empty)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// testWriter is the test's log.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Logf("%s", b)
	return len(b), nil
}
