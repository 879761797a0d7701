// Package otlp sends the station's metrics and its log to an OpenTelemetry collector, by OTLP over HTTP with binary
// protocol buffers (OTLP 1.x). It speaks the published message types itself: OpenTelemetry's own SDK would bring two dozen
// modules and a tenth of the program's size for two kinds of requests.
package otlp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
)

// Config is the [otlp] section.
type Config struct {
	URL             string  `mapstructure:"url" help:"Base address of an OpenTelemetry collector that takes OTLP over HTTP, such as http://collector:4318; metrics go to /v1/metrics below it and the program's log to /v1/logs; empty: nowhere."`
	IntervalSeconds float64 `mapstructure:"interval_seconds" help:"How often metrics are sent, 1 to 3600 s."`
	TokenFile       string  `mapstructure:"token_file" help:"File of mode 0600 with the bearer token that the collector asks for; read for each request, so that it can be exchanged."`
}

// DefaultConfig sends nothing.
func DefaultConfig() Config { return Config{IntervalSeconds: 15} }

// Validate names the first impossible value.
func (c Config) Validate() error {
	if !(c.IntervalSeconds >= 1 && c.IntervalSeconds <= 3600) {
		return fmt.Errorf("interval_seconds: %g is not within 1 to 3600; write for instance 15", c.IntervalSeconds)
	}
	if c.URL == "" {
		return nil
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf(`url: %q is not an address of the web; write for instance "http://collector:4318"`, c.URL)
	}
	if u.User != nil {
		return errors.New(
			"url: has a user or password, which would be shown; put a bearer token into the file that token_file names",
		)
	}
	return nil
}

const (
	// mostRecords is how much of the log waits for a collector that is away; the oldest gives way, and is counted.
	mostRecords = 2048
	// mostAtOnce is the most records of one request.
	mostAtOnce = 512
	// logEvery is how long a line of the log waits for others.
	logEvery = 5 * time.Second
	// patience is how long a collector may take.
	patience = 10 * time.Second
	// lastPatience is that of the last, for which the station's end waits.
	lastPatience = 400 * time.Millisecond
)

// Options are what the exporter needs from elsewhere.
type Options struct {
	// Metrics are gathered for each request.
	Metrics prometheus.Gatherer
	// Station and Version say who sends.
	Station, Version string
	// Token reads the bearer token from Config.TokenFile.
	Token func(path string) (string, error)
	// Log hears when the collector goes away, and when it is back.
	Log *slog.Logger
	// Now is the station's time; zero while that is not known.
	Now func() time.Time
}

// Exporter sends to one collector.
type Exporter struct {
	config  Config
	options Options
	client  *http.Client
	mu      sync.Mutex
	records []*logs.LogRecord
	lost    uint64
	began   time.Time // by the station's time, as soon as that is known
	age     func() time.Duration
	failing bool
}

// New makes an exporter; nothing is sent before Run.
func New(c Config, options Options) *Exporter {
	started := stopwatch()
	return &Exporter{config: c, options: options, age: started, client: &http.Client{Timeout: patience}}
}

// Use gives the exporter its metrics, where they could not be had when it was made.
func (e *Exporter) Use(g prometheus.Gatherer) { e.options.Metrics = g }

// Run sends until ctx ends, and then what of the log is left.
func (e *Exporter) Run(ctx context.Context) {
	measure := time.NewTicker(time.Duration(e.config.IntervalSeconds * float64(time.Second)))
	defer measure.Stop()
	read := time.NewTicker(logEvery)
	defer read.Stop()
	for {
		select {
		case <-ctx.Done():
			last, stop := context.WithTimeout(context.WithoutCancel(ctx), lastPatience)
			defer stop()
			_ = e.sendLog(last) // nobody would hear of it any more
			return
		case <-measure.C:
			e.tell(e.sendMetrics(ctx))
		case <-read.C:
			e.tell(e.sendLog(ctx))
		}
	}
}

// errNothing: there was nothing to send, so it is not known whether the collector is there.
var errNothing = errors.New("there is nothing to send")

// tell says once that it fails, and once that it works again.
func (e *Exporter) tell(err error) {
	if errors.Is(err, errNothing) {
		return
	}
	switch {
	case err != nil && !e.failing:
		e.options.Log.Warn("OpenTelemetry gets nothing", "reason", err)
	case err == nil && e.failing:
		e.options.Log.Info("OpenTelemetry is back")
	}
	e.failing = err != nil
}

func (e *Exporter) resource() *resource.Resource {
	return &resource.Resource{Attributes: []*common.KeyValue{
		text(
			"service.name",
			"timestation",
		), text("service.version", e.options.Version), text("service.instance.id", e.options.Station),
	}}
}

func (e *Exporter) scope() *common.InstrumentationScope {
	return &common.InstrumentationScope{Name: "timestation", Version: e.options.Version}
}

func text(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

// sendMetrics waits for the station to know the time: a collector refuses, or misplaces, what has none.
func (e *Exporter) sendMetrics(ctx context.Context) error {
	now := e.options.Now()
	if now.IsZero() {
		return errNothing
	}
	if e.began.IsZero() {
		e.began = now.Add(-e.age())
	}
	families, err := e.options.Metrics.Gather()
	if err != nil {
		return fmt.Errorf("the metrics cannot be gathered: %w", err)
	}
	data := &metrics.MetricsData{
		ResourceMetrics: []*metrics.ResourceMetrics{{Resource: e.resource(), ScopeMetrics: []*metrics.ScopeMetrics{{
			Scope: e.scope(), Metrics: convert(families, uint64(e.began.UnixNano()), uint64(now.UnixNano())),
		}}}},
	}
	return e.post(ctx, "/v1/metrics", data)
}

// sendLog sends what waits; what the collector does not take waits on.
func (e *Exporter) sendLog(ctx context.Context) error {
	for sent := false; ; sent = true {
		e.mu.Lock()
		batch, lost := e.records[:min(len(e.records), mostAtOnce)], e.lost
		e.mu.Unlock()
		if len(batch) == 0 && !sent {
			return errNothing
		}
		if len(batch) == 0 {
			return nil
		}
		data := &logs.LogsData{
			ResourceLogs: []*logs.ResourceLogs{
				{Resource: e.resource(), ScopeLogs: []*logs.ScopeLogs{{Scope: e.scope(), LogRecords: batch}}},
			},
		}
		if err := e.post(ctx, "/v1/logs", data); err != nil {
			return err
		}
		e.mu.Lock()
		// Meanwhile the oldest may have given way.
		e.records = e.records[max(0, len(batch)-int(e.lost-lost)):]
		e.mu.Unlock()
	}
}

// post sends a request. Data of the types MetricsData and LogsData are the same bytes as those of the requests.
func (e *Exporter) post(ctx context.Context, path string, data proto.Message) error {
	body, err := proto.Marshal(data)
	if err != nil {
		return err
	}
	address, err := url.JoinPath(e.config.URL, path)
	if err != nil {
		return err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	q.Header.Set("Content-Type", "application/x-protobuf")
	q.Header.Set("User-Agent", "timestation/"+e.options.Version)
	if e.config.TokenFile != "" {
		token, err := e.options.Token(e.config.TokenFile)
		if err != nil {
			return fmt.Errorf("otlp.%w", err)
		}
		q.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := e.client.Do(q)
	if err != nil {
		return fmt.Errorf("otlp.url: %w", err)
	}
	defer answer.Body.Close()
	const most = 1 << 10
	said, _ := io.ReadAll(io.LimitReader(answer.Body, most)) // the code alone says it too
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("otlp.url: %s answered %s: %.200q", address, answer.Status, said)
	}
	return nil
}

// stopwatch gives what tells how long ago it was made.
func stopwatch() func() time.Duration {
	began := time.Now() // only the monotonic reading is used
	return func() time.Duration { return time.Since(began) }
}
