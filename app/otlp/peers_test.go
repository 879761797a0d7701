//go:build peers

package otlp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"timestation/app/printed"
)

// linesOf splits what was printed.
func linesOf(said *printed.Text) []string {
	return strings.Split(strings.TrimSpace(said.String()), "\n")
}

// startCollector starts the OpenTelemetry collector's own receiver, and gives what it takes, a line of JSON each.
func startCollector(t *testing.T, address string) (said *printed.Text, stop func()) {
	t.Helper()
	program := os.Getenv("TIMESTATION_COLLECTOR")
	if program == "" {
		t.Fatal("TIMESTATION_COLLECTOR names no collector; run this test with: make peers")
	}
	said = &printed.Text{}
	c := exec.CommandContext(t.Context(), program, address)
	c.Stdout, c.Stderr = said, said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() { _ = c.Process.Kill(); _ = c.Wait() }
	t.Cleanup(stop)
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return said, stop
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("the collector does not listen; it says %q", linesOf(said))
		}
	}
}

// TestPeersCollector: the receiver of the OpenTelemetry collector takes metrics and log, and what they say is what it reads.
// While it is away the log waits.
func TestPeersCollector(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	registry := prometheus.NewRegistry()
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests_total", Help: "Asked."}, []string{"listener"})
	requests.WithLabelValues(":123").Add(7)
	bound := prometheus.NewGauge(prometheus.GaugeOpts{Name: "bound_seconds", Help: "Bound."})
	bound.Set(1.4e-6)
	late := prometheus.NewSummary(prometheus.SummaryOpts{Name: "late_seconds", Help: "Late.", Objectives: map[float64]float64{0.5: 0.01}})
	late.Observe(0.002)
	registry.MustRegister(requests, bound, late)
	config := DefaultConfig()
	config.URL = "http://" + address
	began := time.Now()
	e := New(config, Options{Metrics: registry, Station: "Studio 2", Version: "1", Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	log := slog.New(e.Handler(slog.NewTextHandler(io.Discard, nil)))

	log.Warn("the source is lost", "source", "gps0", "seconds", 3)
	if err := e.sendLog(t.Context()); err == nil || errors.Is(err, errNothing) {
		t.Errorf("nobody listens: %v", err)
	}
	said, stop := startCollector(t, address)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := errors.Join(e.sendLog(ctx), e.sendMetrics(ctx)); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := e.sendMetrics(ctx); err == nil {
		t.Error("the collector is gone, and that was not noticed")
	}

	type attribute struct {
		Key   string
		Value struct{ StringValue string }
	}
	type number struct {
		Attributes        []attribute
		AsDouble          float64
		StartTimeUnixNano int64 `json:",string"`
		TimeUnixNano      int64 `json:",string"`
	}
	var took struct {
		ResourceLogs []struct {
			Resource  struct{ Attributes []attribute }
			ScopeLogs []struct {
				LogRecords []struct {
					SeverityNumber int
					Body           struct{ StringValue string }
					Attributes     []attribute
				}
			}
		}
		ResourceMetrics []struct {
			Resource     struct{ Attributes []attribute }
			ScopeMetrics []struct {
				Metrics []struct {
					Name, Description string
					Sum               struct {
						DataPoints             []number
						IsMonotonic            bool
						AggregationTemporality int
					}
					Gauge   struct{ DataPoints []number }
					Summary struct {
						DataPoints []struct {
							Count          uint64 `json:",string"`
							Sum            float64
							QuantileValues []struct{ Quantile, Value float64 }
						}
					}
				}
			}
		}
	}
	for _, line := range linesOf(said) {
		if err := json.Unmarshal([]byte(line), &took); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
	}
	if len(took.ResourceLogs) != 1 || len(took.ResourceMetrics) != 1 {
		t.Fatalf("the collector took %q", linesOf(said))
	}
	for _, who := range [][]attribute{took.ResourceLogs[0].Resource.Attributes, took.ResourceMetrics[0].Resource.Attributes} {
		names := map[string]string{}
		for _, a := range who {
			names[a.Key] = a.Value.StringValue
		}
		if names["service.name"] != "timestation" || names["service.instance.id"] != "Studio 2" {
			t.Errorf("it says that it is %v", names)
		}
	}
	record := took.ResourceLogs[0].ScopeLogs[0].LogRecords[0]
	const warn = 13
	if record.SeverityNumber != warn || record.Body.StringValue != "the source is lost" || len(record.Attributes) != 2 || record.Attributes[0].Value.StringValue != "gps0" {
		t.Errorf("the log has %+v", record)
	}
	seen := map[string]bool{}
	for _, m := range took.ResourceMetrics[0].ScopeMetrics[0].Metrics {
		seen[m.Name] = true
		const cumulative = 2
		switch m.Name {
		case "requests_total":
			if p := m.Sum.DataPoints; len(p) != 1 || p[0].AsDouble != 7 || !m.Sum.IsMonotonic || m.Sum.AggregationTemporality != cumulative ||
				p[0].StartTimeUnixNano < began.UnixNano()-1e9 || p[0].TimeUnixNano <= p[0].StartTimeUnixNano || p[0].Attributes[0].Value.StringValue != ":123" {
				t.Errorf("%+v", m)
			}
		case "bound_seconds":
			if p := m.Gauge.DataPoints; len(p) != 1 || p[0].AsDouble != 1.4e-6 || m.Description != "Bound." {
				t.Errorf("%+v", m)
			}
		case "late_seconds":
			if p := m.Summary.DataPoints; len(p) != 1 || p[0].Count != 1 || p[0].Sum != 0.002 || len(p[0].QuantileValues) != 1 || p[0].QuantileValues[0].Value != 0.002 {
				t.Errorf("%+v", m)
			}
		}
	}
	if len(seen) != 3 {
		t.Errorf("the metrics are %v", seen)
	}
}
