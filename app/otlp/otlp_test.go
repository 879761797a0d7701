package otlp

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// collect is a collector; fail makes it refuse.
type collector struct {
	fail    bool
	metrics []*metrics.MetricsData
	logs    []*logs.LogRecord
	problem error
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	switch {
	case c.fail:
		http.Error(w, "full", http.StatusServiceUnavailable)
		return
	case err != nil || r.Header.Get("Content-Type") != "application/x-protobuf" || r.Header.Get("Authorization") != "Bearer secret":
		c.problem = errors.Join(err, errors.New(r.Header.Get("Content-Type")+" "+r.Header.Get("Authorization")))
	case r.URL.Path == "/base/v1/metrics":
		d := &metrics.MetricsData{}
		c.problem = errors.Join(c.problem, proto.Unmarshal(body, d))
		c.metrics = append(c.metrics, d)
	case r.URL.Path == "/base/v1/logs":
		d := &logs.LogsData{}
		c.problem = errors.Join(c.problem, proto.Unmarshal(body, d))
		c.logs = append(c.logs, d.ResourceLogs[0].ScopeLogs[0].LogRecords...)
	default:
		c.problem = errors.New(r.URL.Path)
	}
}

func newExporter(t *testing.T, c *collector) (*Exporter, *strings.Builder) {
	t.Helper()
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	registry := prometheus.NewRegistry()
	requests := prometheus.NewCounterVec(
		prometheus.CounterOpts{Name: "requests_total", Help: "Asked."},
		[]string{"listener"},
	)
	requests.WithLabelValues(":123").Add(7)
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "bound_seconds", Help: "Bound."})
	gauge.Set(1.4e-6)
	registry.MustRegister(requests, gauge)
	said := &strings.Builder{}
	config := DefaultConfig()
	config.URL, config.TokenFile = server.URL+"/base", "token"
	return New(config, Options{Metrics: registry, Station: "Studio 2", Version: "1", Now: func() time.Time { return now },
		Token: func(string) (string, error) { return "secret", nil }, Log: slog.New(slog.NewTextHandler(said, nil))}), said
}

func TestMetrics(t *testing.T) {
	c := &collector{}
	e, _ := newExporter(t, c)
	if err := errors.Join(e.sendMetrics(t.Context()), c.problem); err != nil || len(c.metrics) != 1 {
		t.Fatalf("%v, %d requests", err, len(c.metrics))
	}
	r := c.metrics[0].ResourceMetrics[0]
	if !strings.Contains(r.Resource.String(), "Studio 2") {
		t.Errorf("it does not say who it is: %v", r.Resource)
	}
	all := map[string]*metrics.Metric{}
	for _, m := range r.ScopeMetrics[0].Metrics {
		all[m.Name] = m
	}
	if g := all["bound_seconds"].GetGauge().GetDataPoints(); len(g) != 1 || g[0].GetAsDouble() != 1.4e-6 ||
		g[0].TimeUnixNano != uint64(now.UnixNano()) {
		t.Errorf("%v", g)
	}
	s := all["requests_total"].GetSum()
	if !s.GetIsMonotonic() || len(s.GetDataPoints()) != 1 || s.DataPoints[0].GetAsDouble() != 7 ||
		s.DataPoints[0].Attributes[0].GetValue().GetStringValue() != ":123" ||
		s.DataPoints[0].StartTimeUnixNano > uint64(now.UnixNano()) {
		t.Errorf("%v", s)
	}
}

// While the time is not known there is nothing that could be sent rightly.
func TestNoMetricsWithoutTheTime(t *testing.T) {
	c := &collector{}
	e, _ := newExporter(t, c)
	e.options.Now = func() time.Time { return time.Time{} }
	if err := e.sendMetrics(t.Context()); !errors.Is(err, errNothing) || len(c.metrics) != 0 {
		t.Errorf("%v, %d requests", err, len(c.metrics))
	}
}

// A collector that is away costs nothing but the oldest lines, and is spoken of once.
func TestLogOutlivesAnOutage(t *testing.T) {
	c := &collector{fail: true}
	e, said := newExporter(t, c)
	local := &strings.Builder{}
	log := slog.New(e.Handler(slog.NewTextHandler(local, nil))).With("source", "gps0").WithGroup("fix")
	log.Warn("lost", "seconds", 3, slog.Group("sky", "used", 2))
	log.Debug("not wanted")
	for range 2 {
		e.tell(e.sendLog(t.Context()))
	}
	if strings.Count(said.String(), "\n") != 1 || !strings.Contains(said.String(), "503") {
		t.Errorf("it said:\n%s", said)
	}
	c.fail = false
	e.tell(e.sendLog(t.Context()))
	if c.problem != nil || len(c.logs) != 1 || !strings.Contains(said.String(), "back") {
		t.Fatalf("%v, %d lines, and it said %s", c.problem, len(c.logs), said)
	}
	got := map[string]string{}
	for _, a := range c.logs[0].Attributes {
		got[a.Key] = a.Value.GetStringValue()
	}
	if c.logs[0].SeverityNumber != logs.SeverityNumber_SEVERITY_NUMBER_WARN || got["source"] != "gps0" ||
		got["fix.seconds"] != "3" ||
		got["fix.sky.used"] != "2" ||
		!strings.Contains(local.String(), "lost") {
		t.Errorf("%v; locally %s", c.logs[0], local)
	}
	c.fail = true
	e.tell(e.sendLog(t.Context()))
	if strings.Count(said.String(), "\n") != 2 {
		t.Errorf("with nothing to send it said:\n%s", said)
	}
	c.fail = false
	for range mostRecords + 10 {
		log.Info("line")
	}
	if len(e.records) != mostRecords || e.lost != 10 {
		t.Errorf("%d lines wait, %d are lost", len(e.records), e.lost)
	}
	if err := e.sendLog(t.Context()); err != nil || len(c.logs) != 1+mostRecords || len(e.records) != 0 {
		t.Errorf("%v, %d lines came, %d wait", err, len(c.logs), len(e.records))
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, test := range []struct {
		config Config
		says   string
	}{
		{DefaultConfig(), ""},
		{Config{URL: "https://collector:4318", IntervalSeconds: 60}, ""},
		{Config{URL: "collector:4318", IntervalSeconds: 60}, "url:"},
		{Config{URL: "http://me:secret@collector", IntervalSeconds: 60}, "token_file"},
		{Config{IntervalSeconds: 0.1}, "interval_seconds:"},
	} {
		if err := test.config.Validate(); (err == nil) != (test.says == "") ||
			err != nil && (!strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "secret@")) {
			t.Errorf("%+v: %v", test.config, err)
		}
	}
}
