package station

import (
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"timestation/app/config"
	"timestation/display"
	"timestation/engine/status"
	"timestation/logbook"
	"timestation/refclock"
	"timestation/refclock/gps"
)

// logged is a station of two sources in virtual time.
type logged struct {
	mu     sync.Mutex
	random *rand.Rand
	began  time.Time
	begins refclock.Instant
	change func(elapsed time.Duration, s *status.Status)
}

func (l *logged) Now() refclock.Stamp { return refclock.Stamp(time.Since(l.began)) + 1e18 }

func (l *logged) Status() *status.Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	elapsed := time.Since(l.began)
	noise := l.random.NormFloat64()
	s := &status.Status{
		State: status.Synchronised, Stratum: 1, Selected: "gps0", Leap: refclock.LeapNone, Epoch: l.Now(),
		EpochInstant: l.begins.Add(elapsed), MaxError: 200 * time.Microsecond, MaxErrorLimit: time.Second,
		FrequencyPPM: 12.5, TemperatureCelsius: 40, TemperatureKnown: true,
		Sources: []status.Source{
			{Name: "gps0", Driver: "gps", State: status.Selected, OffsetSeconds: 1e-6 * noise,
				PhaseSeconds: 12.5e-6*elapsed.Seconds() + 1e-6*noise},
			{Name: "ntp1", Driver: "upstream", State: status.Agreeing, OffsetSeconds: 3e-3, AgeSeconds: -1},
		},
	}
	if elapsed > 3*time.Hour {
		s.Sources[1].AgeSeconds = 1
	}
	if l.change != nil {
		l.change(elapsed, s)
	}
	return s
}

type noAlerts struct{}

func (noAlerts) Raise(status.Alert)   {}
func (noAlerts) Clear(string, string) {}

var logBegins = refclock.Date(2026, time.November, 22, 13, 0, 0, 0)

// keep runs a station's log for a while, in virtual time.
func keep(t *testing.T, dir string, span time.Duration, change func(time.Duration, *status.Status)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		book, err := logbook.Open(dir, logbook.DefaultConfig(), noAlerts{}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), span)
		defer cancel()
		book.Event(logbook.EventStart, "station", "")
		err = book.Run(ctx, &logged{random: rand.New(rand.NewPCG(1, 2)), began: time.Now(), begins: logBegins.Instant(37), change: change})
		if err != nil {
			t.Fatal(err)
		}
		if err := book.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func wallOf(dir string) display.Station {
	cfg := &config.Config{Logbook: logbook.DefaultConfig()}
	return (&Station{Config: cfg, options: Options{DataDir: dir}}).Wall()
}

// What a plot shows is what was logged: one wild sample survives any decimation, the worst state and the greatest bound of
// a step stand for it, and only the source that was there throughout has a deviation.
func TestHistoryKeepsExtremes(t *testing.T) {
	dir := t.TempDir()
	const span = 6 * time.Hour
	keep(t, dir, span, func(elapsed time.Duration, s *status.Status) {
		if elapsed > 2*time.Hour && elapsed < 2*time.Hour+17*time.Second {
			s.Sources[0].OffsetSeconds = 0.125
		}
		if elapsed > 4*time.Hour && elapsed < 4*time.Hour+5*time.Minute {
			s.State, s.MaxError = status.Holdover, 3*time.Millisecond
		}
	})
	from := logBegins.Time()
	for _, points := range []int{2, 50, 1000, 4000} {
		h, err := wallOf(dir).History(t.Context(), display.Span{From: from, To: from.Add(span), Points: points})
		if err != nil {
			t.Fatal(err)
		}
		if len(h.Points) > points || len(h.Points) < min(points, 1000)/2 {
			t.Errorf("%d points of %d", len(h.Points), points)
		}
		worst, highest, bound := status.Synchronised, 0.0, 0.0
		for i, p := range h.Points {
			if i > 0 && math.Abs(p.Time.Sub(h.Points[i-1].Time).Seconds()-h.StepSeconds) > h.StepSeconds*0.6 {
				t.Errorf("point %d is %v after the one before, steps are %v s", i, p.Time.Sub(h.Points[i-1].Time), h.StepSeconds)
			}
			if p.State == status.Holdover {
				worst = p.State
			}
			highest, bound = max(highest, *p.OffsetHighSeconds), max(bound, *p.MaxErrorSeconds)
			if math.Abs(*p.FrequencyPPM-12.5) > 1e-6 || *p.TemperatureCelsius != 40 {
				t.Errorf("%v: %v ppm at %v °C", p.Time, *p.FrequencyPPM, *p.TemperatureCelsius)
			}
		}
		if worst != status.Holdover || highest != 0.125 || bound < 3e-3 {
			t.Errorf("%d points: worst state %s, highest offset %v, bound %v", points, worst, highest, bound)
		}
		if len(h.Deviations) < 6 {
			t.Fatalf("%d deviations", len(h.Deviations))
		}
		for _, d := range h.Deviations {
			if d.Source != "gps0" || !(d.Low < d.Value && d.Value < d.High) {
				t.Errorf("%+v", d)
			}
		}
		// White phase noise of 1 µs is √3 µs/τ (NIST SP 1065, section 3.2).
		if d := h.Deviations[0]; d.Tau != 16 || math.Abs(d.Value/(math.Sqrt(3)*1e-6/d.Tau)-1) > 0.1 {
			t.Errorf("at %v s the deviation is %v", d.Tau, d.Value)
		}
	}
	h, err := wallOf(dir).History(t.Context(), display.Span{From: from.Add(-300 * 24 * time.Hour), To: from.Add(-299 * 24 * time.Hour), Points: 100})
	if err != nil || len(h.Points) != 0 || len(h.Deviations) != 0 {
		t.Errorf("before the log: %+v, %v", h, err)
	}
	if text, err := json.Marshal(h); err != nil || !json.Valid(text) {
		t.Error(err)
	}
}

// At a restart the phase counts from another origin; no deviation is taken across it.
func TestDeviationsDoNotSpanARestart(t *testing.T) {
	dir := t.TempDir()
	keep(t, dir, 6*time.Hour, func(elapsed time.Duration, s *status.Status) {
		if elapsed > 3*time.Hour {
			s.Sources[0].PhaseSeconds += 0.5
			if elapsed < 3*time.Hour+10*time.Second {
				s.State, s.Sources[0].AgeSeconds = status.Unsynchronised, -1
			}
		}
	})
	from := logBegins.Time()
	h, err := wallOf(dir).History(t.Context(), display.Span{From: from, To: from.Add(6 * time.Hour), Points: 500})
	if err != nil || len(h.Deviations) == 0 {
		t.Fatal(h.Deviations, err)
	}
	for _, d := range h.Deviations {
		if d.Value > 1e-6 {
			t.Errorf("at %v s the deviation is %v: the restart is in it", d.Tau, d.Value)
		}
	}
}

func TestHistoryWithoutALog(t *testing.T) {
	if _, err := wallOf(t.TempDir()).History(t.Context(), display.Span{From: time.Unix(0, 0), To: time.Unix(1e9, 0), Points: 9}); err == nil {
		t.Error("no log, and no error")
	}
}

// TestHistoryIsQuick reads the log that TIMESTATION_HISTORY names, a year of it, over every span that the page has.
func TestHistoryIsQuick(t *testing.T) {
	dir, spans := os.Getenv("TIMESTATION_HISTORY"), []time.Duration{time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour, 365 * 24 * time.Hour}
	to := time.Date(2026, time.December, 31, 23, 0, 0, 0, time.UTC)
	if dir == "" {
		dir, spans, to = t.TempDir(), spans[:2], logBegins.Time().Add(2*time.Hour)
		keep(t, dir, 2*time.Hour, nil)
	}
	for _, span := range spans {
		began := time.Now()
		h, err := wallOf(dir).History(t.Context(), display.Span{From: to.Add(-span), To: to, Points: 1000})
		took := time.Since(began)
		t.Logf("%v: %d points, %d deviations in %v", span, len(h.Points), len(h.Deviations), took)
		if err != nil || len(h.Points) == 0 || took > time.Second {
			t.Errorf("%v: %d points in %v, %v", span, len(h.Points), took, err)
		}
	}
}

func TestRequestsPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var p pace
		began := time.Now()
		go p.run(ctx, func() uint64 { // 10 a second for two minutes, then silence
			return uint64(10 * min(time.Since(began), 2*time.Minute).Seconds())
		})
		for _, want := range []struct {
			at   time.Duration
			rate float64
		}{{time.Second, 0}, {11 * time.Second, 10}, {2 * time.Minute, 10}, {150 * time.Second, 5}, {10 * time.Minute, 0}} {
			time.Sleep(want.at - time.Since(began))
			synctest.Wait()
			if got := p.perSecond(); math.Abs(got-want.rate) > 0.01 {
				t.Errorf("after %v: %v requests per second, want %v", want.at, got, want.rate)
			}
		}
		stop()
		synctest.Wait()
	})
}

// What somebody does at the screen is done, and the log says where it was; what cannot be done says why.
func TestActionsAtTheScreen(t *testing.T) {
	dir := t.TempDir()
	cfg := config.Default()
	receiver := gps.DefaultConfig()
	receiver.Device = "/dev/null"
	cfg.Refclocks = []config.Refclock{{Name: "gps0", Driver: "gps", Receiver: "gps0", Config: refclock.Config(&receiver)}}
	cfg.Web.Listen, cfg.Control.ChronyAddress, cfg.Listeners = "", "", nil
	s, err := Build(&cfg, Options{Log: slog.New(slog.DiscardHandler), DataDir: dir, Version: "test"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	s.engine.Alerts().Raise(status.Alert{Code: "leap-file", Severity: status.Warning, Text: "A leap second list is not used."})
	for _, want := range []struct {
		action display.Action
		done   string
	}{{display.Action{Kind: display.ActionAcknowledge, Code: "leap-file"}, "acknowledged leap-file"},
		{display.Action{Kind: display.ActionAcknowledge, Code: "no-such"}, ""},
		{display.Action{Kind: display.ActionAcceptJump, Source: "gps0"}, ""}, {display.Action{Kind: "reboot"}, ""}} {
		done, err := s.Wall().Act(ctx, want.action)
		if done != want.done || (err == nil) != (want.done != "") {
			t.Errorf("%+v: %q, %v", want.action, done, err)
		}
	}
	if c, err := s.Wall().Clients(ctx); err != nil || c.Known != 0 || len(c.Clients) != 0 {
		t.Errorf("clients of a station without a listener: %+v, %v", c, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	reader, err := logbook.OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var logged []string
	for e, err := range reader.Events(t.Context(), time.Time{}, time.Time{}, "") {
		if err != nil {
			t.Fatal(err)
		}
		if e.Who == "the screen" && e.From == "local" {
			logged = append(logged, e.Kind)
		}
	}
	if want := []string{logbook.EventAlertAcknowledged, logbook.EventOperator, logbook.EventOperator}; !slices.Equal(logged, want) {
		t.Errorf("the log has %v of the screen, want %v", logged, want)
	}
}
