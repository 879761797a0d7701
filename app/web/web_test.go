package web

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"timestation/engine/status"
	"timestation/refclock"
)

// epoch is a second's beginning and the local stamp at which it began.
var epoch = refclock.Date(2026, 11, 22, 13, 8, 37, 0).Instant(37)

const stamp = refclock.Stamp(5e18)

func station(now refclock.Stamp, s *status.Status) Station {
	board := &status.Board{}
	if s != nil {
		board.Publish(s)
	}
	return Station{
		Name: "Studio 2", Version: "test", Location: time.UTC, Board: board,
		Now: func() refclock.Stamp { return now },
		Listeners: func() []Listener {
			return []Listener{{Address: "127.0.0.1:123", Requests: 7, Answered: 5, Dropped: map[string]uint64{"bad-mac": 2}}}
		},
		Face: func(w io.Writer, second refclock.Instant, width, height int) error {
			_, err := fmt.Fprintf(w, "<svg><text>%s %dx%d</text></svg>", second.UTC(), width, height)
			return err
		},
	}
}

func good() *status.Status {
	return &status.Status{
		Epoch: stamp, EpochInstant: epoch, State: status.Synchronised, Stratum: 1, ReferenceID: [4]byte{'G', 'P', 'S'},
		MaxError: 50 * time.Millisecond, MaxErrorLimit: time.Second, Leap: refclock.LeapNone, Selected: "gps0",
		Sources: []status.Source{{Name: "gps0", Driver: "gps", State: status.Selected, AgeSeconds: 1,
			Signal: refclock.Signal{GNSS: &refclock.GNSS{SatellitesUsed: 9, Satellites: make([]refclock.Satellite, 12)}}}},
	}
}

func get(t *testing.T, s Station, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	Handler(s).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

func TestStatusNamesUnits(t *testing.T) {
	w := get(t, station(stamp+5e8, good()), "/api/status")
	var report map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"name": "Studio 2", "state": "synchronised", "utc": "2026-11-22T13:08:37.500000000Z", "stratum": 1.0,
		"reference_id": "GPS", "leap": "none", "max_error_seconds": 0.05, "selected": "gps0", "demonstration": false,
	} {
		if report[key] != want {
			t.Errorf("%s is %v, want %v", key, report[key], want)
		}
	}
}

// A station that never knew the time has no bound; 0 would read as a perfect one.
func TestNothingIsInventedBeforeTheFirstTime(t *testing.T) {
	body := get(t, station(stamp, nil), "/api/status").Body.String()
	for _, key := range []string{"utc", "offset_seconds", "frequency_ppm", "uncertainty95_seconds", "max_error_seconds"} {
		if strings.Contains(body, `"`+key+`"`) {
			t.Errorf("%s is stated:\n%s", key, body)
		}
	}
}

func TestHealthIsGoodOnlyWhileSynchronised(t *testing.T) {
	lost := good()
	lost.State, lost.Reason = status.Unsynchronised, "the sources contradict each other"
	for name, test := range map[string]struct {
		s    Station
		code int
		word string
	}{
		"good":     {station(stamp, good()), 200, "synchronised"},
		"lost":     {station(stamp, lost), 503, "contradict"},
		"starting": {station(stamp, nil), 503, "starting"},
		"stale":    {station(stamp.Add(3*time.Second), good()), 503, status.ReasonExpired},
	} {
		if w := get(t, test.s, "/healthz"); w.Code != test.code || !strings.Contains(w.Body.String(), test.word) {
			t.Errorf("%s: %d %q", name, w.Code, w.Body)
		}
	}
}

func TestMetrics(t *testing.T) {
	s := station(stamp, good())
	if problems, err := testutil.CollectAndLint(collector{s}); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
	body := get(t, s, "/metrics").Body.String()
	for _, line := range []string{
		"timestation_synchronised 1", "timestation_max_error_seconds 0.05", "timestation_stratum 1",
		`timestation_satellites{kind="used",source="gps0"} 9`, `timestation_ntp_dropped_total{listener="127.0.0.1:123",reason="bad-mac"} 2`,
	} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("missing %q in\n%s", line, body)
		}
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collector{station(stamp, nil)})
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "timestation_max_error_seconds" {
			t.Error("a bound was published before the time was known")
		}
	}
}

// The face that is asked for is the one of the second that begins next, whatever the fraction of this one.
func TestFaceIsDrawnForWholeSeconds(t *testing.T) {
	for fraction, want := range map[time.Duration]string{0: "13:08:38.0000", 999 * time.Millisecond: "13:08:38.0000"} {
		w := get(t, station(stamp.Add(fraction), good()), "/face.svg?in=1&width=800&height=480")
		if !strings.Contains(w.Body.String(), want) || !strings.Contains(w.Body.String(), "800x480") {
			t.Errorf("%v into the second: %s", fraction, w.Body)
		}
	}
	for _, query := range []string{"in=6", "in=-1", "width=10", "height=99999", "width=x"} {
		if w := get(t, station(stamp, good()), "/face.svg?"+query); w.Code != 400 {
			t.Errorf("%s: code %d", query, w.Code)
		}
	}
}

func TestPageAsksNobodyElse(t *testing.T) {
	files, err := page.ReadDir("page")
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{"/", "/face"}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".html") {
			paths = append(paths, "/"+f.Name())
		}
	}
	for _, path := range paths {
		w := get(t, station(stamp, good()), path)
		body := strings.ReplaceAll(w.Body.String(), "http://www.w3.org/2000/svg", "") // a name, not an address
		if w.Code != 200 || strings.Contains(body, "://") || strings.Contains(body, "innerHTML") || strings.Contains(body, " style=") {
			t.Errorf("%s: code %d, or it names another address, or writes markup or styles that the policy forbids", path, w.Code)
		}
		if !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: no policy", path)
		}
	}
}

func TestListenAddressIsChecked(t *testing.T) {
	for listen, good := range map[string]bool{
		"127.0.0.1:8123": true, "[::1]:8123": true, ":8123": true, "": true,
		"8123": false, "localhost:8123": false, "127.0.0.1:99999": false, "127.0.0.1": false,
	} {
		c := DefaultConfig()
		c.Listen = listen
		if err := c.Validate(); (err == nil) != good {
			t.Errorf("%q: %v", listen, err)
		}
	}
}
