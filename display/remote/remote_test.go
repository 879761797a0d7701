package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"timestation/display"
	"timestation/display/studio"
	"timestation/engine/status"
	"timestation/refclock"
)

// far is a station at the other end of a network with delays, in virtual time.
type far struct {
	began time.Time
	// delay draws that of one way.
	delay func() time.Duration
	mu    sync.Mutex
	cut   error
	jump  time.Duration
	// rate is how much faster this machine's clock runs than true time.
	rate   float64
	change func(*status.Status)
	asked  []string
}

// s0 is the clock of the screen's own machine, which has none.
func s0() refclock.Stamp { return 0 }

var start = refclock.Date(2026, 12, 31, 23, 59, 40, 0).Instant(37)

func (f *far) truth() refclock.Instant {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := time.Since(f.began)
	return start.Add(e - time.Duration(f.rate*float64(e)) + f.jump)
}

func (f *far) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *far) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	cut := f.cut
	f.asked = append(f.asked, r.Method+" "+r.URL.RequestURI())
	f.mu.Unlock()
	wait := func() error {
		select {
		case <-r.Context().Done():
			return r.Context().Err()
		case <-time.After(f.delay()):
			return nil
		}
	}
	if cut != nil {
		return nil, cut
	}
	if err := wait(); err != nil {
		return nil, err
	}
	var body any
	switch r.URL.Path {
	case "/api/status":
		now := f.truth()
		s := &status.Status{
			EpochInstant: now, MaxError: time.Millisecond, Uncertainty95: 100 * time.Microsecond, MaxErrorGrowth: 1e-6,
			State: status.Synchronised, Stratum: 1, ReferenceID: [4]byte{'G', 'P', 'S'}, Selected: "gps0", Sources: []status.Source{{Name: "gps0"}},
		}
		if f.change != nil {
			f.change(s)
		}
		body = struct {
			Identity
			status.Snapshot
		}{Identity{"Studio 2", "1.0", "Europe/Berlin", nil}, s.Snapshot(0)}
	case "/api/studio":
		body = studio.State{Revision: 7, Now: "News"}
	case "/api/history":
		body = display.History{Points: []display.Point{{}}}
	case "/api/clients":
		body = display.Clients{Known: 3}
	default:
		return answer(http.StatusConflict, map[string]string{"error": "there is no jump to accept"}), nil
	}
	if err := wait(); err != nil {
		return nil, err
	}
	return answer(http.StatusOK, body), nil
}

func answer(code int, body any) *http.Response {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return &http.Response{StatusCode: code, Status: http.StatusText(code), Body: io.NopCloser(bytes.NewReader(text)), Header: http.Header{}}
}

// play runs a screen before a far station in virtual time.
func play(t *testing.T, f *far, see func(t *testing.T, s *Station)) {
	synctest.Test(t, func(t *testing.T) {
		f.began = time.Now()
		s, err := New("http://studio.local:8123", "", s0)
		if err != nil {
			t.Fatal(err)
		}
		s.client.Transport = f
		ctx, stop := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		wait.Go(func() { s.Run(ctx) })
		see(t, s)
		stop()
		wait.Wait()
	})
}

// TestBoundHolds: whatever the delays of the network, either way, and this machine's clock, the time that the screen
// shows is within the bound it shows; and the bound is not much more than the best way lately asks for.
func TestBoundHolds(t *testing.T) {
	for name, delay := range map[string]func(*rand.Rand) time.Duration{
		"quiet":    func(r *rand.Rand) time.Duration { return 200 * time.Microsecond },
		"lopsided": func(r *rand.Rand) time.Duration { return time.Duration(r.IntN(2)) * 20 * time.Millisecond },
		"wireless": func(r *rand.Rand) time.Duration { return time.Millisecond + time.Duration(r.ExpFloat64()*20e6) },
		"stalls": func(r *rand.Rand) time.Duration {
			return time.Duration(r.ExpFloat64() * r.ExpFloat64() * r.ExpFloat64() * 30e6)
		},
	} {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			var mu sync.Mutex
			f := &far{rate: 80e-6, delay: func() time.Duration { mu.Lock(); defer mu.Unlock(); return delay(random) }}
			var widest time.Duration
			checked := 0
			play(t, f, func(t *testing.T, s *Station) {
				for range 3000 {
					time.Sleep(97 * time.Millisecond)
					r := s.Status().At(s.Now())
					if !r.Known {
						continue
					}
					checked++
					widest = max(widest, r.MaxError)
					if off := r.Instant.Sub(f.truth()); off.Abs() > r.MaxError {
						t.Fatalf("off by %v, with a bound of %v", off, r.MaxError)
					}
				}
			})
			if checked < 2500 {
				t.Errorf("a time was shown %d of 3000 times", checked)
			}
			if name == "quiet" && widest > 2*time.Millisecond {
				t.Errorf("the bound is %v, of a station with 1 ms and a way of 0.4 ms", widest)
			}
			t.Logf("%d readings, widest bound %v", checked, widest)
		})
	}
}

func TestNoContact(t *testing.T) {
	f := &far{delay: func() time.Duration { return time.Millisecond }}
	play(t, f, func(t *testing.T, s *Station) {
		if s.Status().At(s.Now()).Known {
			t.Error("a time is shown before the station has said one")
		}
		time.Sleep(5 * time.Second)
		r := s.Status()
		if !r.At(s.Now()).Synchronised() || r.Selected != "gps0" || r.ReferenceIDText() != "GPS" || s.Studio().Now != "News" || s.Identity().Name != "Studio 2" {
			t.Errorf("%+v", r)
		}
		if own := r.Sources[len(r.Sources)-1]; own.Name != "this screen" || own.Signal.Server.DelaySeconds != 0.002 || own.State != status.Compared {
			t.Errorf("%+v", own)
		}
		f.set(func() { f.cut = errors.New("connection refused") })
		time.Sleep(status.Validity + time.Second)
		lost := s.Status()
		if lost.At(s.Now()).Known || lost.At(s.Now()).Stratum != status.Stratum16 || !strings.Contains(lost.Reason, "no contact with the station at http://studio.local:8123: connection refused") {
			t.Errorf("%+v", lost)
		}
		if s.Studio().Now != "" {
			t.Error("what stood on the wall is shown on")
		}
		f.set(func() { f.cut = nil })
		time.Sleep(time.Second)
		if !s.Status().At(s.Now()).Synchronised() {
			t.Error("the station answers again, and no time is shown")
		}
		// The station's time is moved: the screen follows at once, not when old answers have been forgotten.
		f.set(func() { f.jump = 3 * time.Second })
		time.Sleep(time.Second)
		if off := s.Status().At(s.Now()).Instant.Sub(f.truth()); off.Abs() > 5*time.Millisecond {
			t.Errorf("the station's time was moved, and the screen is off by %v", off)
		}
	})
}

// TestLeapSecond: the screen shows 23:59:60 as the station does, and does not move afterwards.
func TestLeapSecond(t *testing.T) {
	at := refclock.Date(2026, 12, 31, 23, 59, 59, 0).Instant(37).Add(time.Second)
	f := &far{delay: func() time.Duration { return time.Millisecond }}
	f.change = func(s *status.Status) {
		s.Leap, s.LeapAt = refclock.LeapInsert, at
		switch past := s.EpochInstant.Sub(at); {
		case past >= time.Second:
			s.EpochInstant.TAIMinusUTC, s.Leap, s.LeapAt = 38, refclock.LeapNone, refclock.Instant{}
		case past >= 0:
			s.EpochInstant.InLeap = true
		}
	}
	play(t, f, func(t *testing.T, s *Station) {
		seen := map[string]int{}
		for range 300 {
			time.Sleep(100 * time.Millisecond)
			r := s.Status().At(s.Now())
			if !r.Known {
				continue
			}
			if off := r.Instant.Sub(f.truth()); off.Abs() > r.MaxError {
				t.Fatalf("off by %v", off)
			}
			seen[r.Instant.UTC().String()[11:19]]++
		}
		for _, second := range []string{"23:59:59", "23:59:60", "00:00:00", "00:00:01"} {
			if n := seen[second]; n < 9 || n > 11 {
				t.Errorf("%s was shown for %d tenths of a second", second, n)
			}
		}
	})
}

func TestAsking(t *testing.T) {
	f := &far{delay: func() time.Duration { return time.Millisecond }}
	play(t, f, func(t *testing.T, s *Station) {
		s.ReportLateness(func() (time.Duration, time.Duration, int) { return 1500 * time.Microsecond, 9 * time.Millisecond, 60 })
		time.Sleep(time.Second)
		if h, err := s.History(t.Context(), display.Span{From: time.Unix(0, 0), To: time.Unix(60, 0), Points: 10}); err != nil || len(h.Points) != 1 {
			t.Errorf("%+v, %v", h, err)
		}
		if c, err := s.Clients(t.Context()); err != nil || c.Known != 3 {
			t.Errorf("%+v, %v", c, err)
		}
		if _, err := s.Act(t.Context(), display.Action{Kind: display.ActionAcceptJump}); err == nil || err.Error() != "there is no jump to accept" {
			t.Error(err)
		}
		if _, err := s.Act(t.Context(), display.Action{Kind: "reboot"}); err == nil {
			t.Error("anything can be asked for")
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		all := strings.Join(f.asked, "\n")
		for _, want := range []string{"/api/status?frames=60&late_ms_median=1.500&late_ms_p99=9.000", "/api/history?from=1970-01-01T00%3A00%3A00Z&points=10&to=1970-01-01T00%3A01%3A00Z", "POST /api/accept-jump"} {
			if !strings.Contains(all, want) {
				t.Errorf("never asked: %s\n%s", want, all)
			}
		}
	})
	for _, wrong := range []string{"studio.local", "ftp://studio.local", "http://"} {
		if _, err := New(wrong, "", s0); err == nil {
			t.Errorf("%q is an address", wrong)
		}
	}
}
