package web

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"timestation/engine/status"
)

// Whose token is revoked sees nothing more, however long he has been looking.
func TestStreamEndsWithTheToken(t *testing.T) {
	r := newRig(t, true)
	q, err := http.NewRequest(http.MethodGet, r.server.URL+"/api/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+r.viewer)
	w, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	r.tokens.Revoke("guest")
	if err := r.tokens.Save(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := io.Copy(io.Discard, w.Body); err != nil || time.Since(began) > (streamCheck+5)*streamStep {
		t.Errorf("%v, after %v", err, time.Since(began))
	}
}

// A live page hears of what changes, for longer than a request may otherwise take, and there is an end to how many.
func TestEvents(t *testing.T) {
	r := newRig(t, false)
	w := r.get(t, "/api/events")
	lines := bufio.NewScanner(w.Body)
	lines.Buffer(nil, 1<<20)
	next := func() (event string, report Report) {
		for lines.Scan() {
			if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				event = name
			} else if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if err := json.Unmarshal([]byte(data), &report); err != nil {
					t.Fatal(err)
				}
				return event, report
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return "", report
	}
	if event, report := next(); event != "status" || report.State != status.Synchronised || report.Zone == nil {
		t.Errorf("first came %q: %+v", event, report.State)
	}
	if event, _ := next(); event != "studio" {
		t.Errorf("then came %q", event)
	}
	r.set(nil, status.Alert{Code: "new", Severity: status.Critical})
	began := time.Now()
	for {
		event, report := next()
		if event == "status" && len(report.Alerts) == 1 {
			break
		}
		if time.Since(began) > 2*time.Second {
			t.Fatal("an alert is not there after two seconds")
		}
	}
	var open []io.Closer
	for range mostStreamsFrom - 1 {
		open = append(open, r.get(t, "/api/events").Body)
	}
	if code := r.get(t, "/api/events").StatusCode; code != 503 {
		t.Errorf("one too many: %d", code)
	}
	for _, c := range open {
		c.Close()
	}
}

// One address cannot take all the live pages, and all addresses together no more than there are.
func TestLivePagesByAddress(t *testing.T) {
	s := stream{from: map[netip.Prefix]int{}}
	var done []func()
	take := func(text string) bool {
		f, ok := s.begin(status.Network(netip.MustParseAddr(text)))
		if ok {
			done = append(done, f)
		}
		return ok
	}
	for i := range mostStreamsFrom + 1 {
		if ok := take(fmt.Sprintf("2001:db8::%x", i)); ok != (i < mostStreamsFrom) {
			t.Errorf("page %d of one network: %v", i+1, ok)
		}
	}
	for i := range mostStreams {
		if ok := take(fmt.Sprintf("192.0.2.%d", i)); ok != (i < mostStreams-mostStreamsFrom) {
			t.Errorf("address %d: %v", i, ok)
		}
	}
	for _, f := range done {
		f()
	}
	if s.open != 0 || len(s.from) != 0 {
		t.Errorf("%d pages of %d addresses are left", s.open, len(s.from))
	}
}
