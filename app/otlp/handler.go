package otlp

import (
	"context"
	"log/slog"
	"slices"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
)

// Handler writes to next as before, and lets the exporter have each line too.
func (e *Exporter) Handler(next slog.Handler) slog.Handler { return &handler{exporter: e, next: next} }

type handler struct {
	exporter *Exporter
	next     slog.Handler
	prefix   string // of groups
	fixed    []*common.KeyValue
}

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	h.exporter.take(h.record(r))
	return h.next.Handle(ctx, r)
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.next = h.next.WithAttrs(attrs)
	c.fixed = slices.Clip(c.fixed)
	for _, a := range attrs {
		c.fixed = flatten(c.fixed, h.prefix, a)
	}
	return &c
}

func (h *handler) WithGroup(name string) slog.Handler {
	c := *h
	c.next = h.next.WithGroup(name)
	if name != "" {
		c.prefix += name + "."
	}
	return &c
}

// severities of OTLP: slog's levels are its names' first numbers.
func severity(l slog.Level) logs.SeverityNumber {
	switch {
	case l >= slog.LevelError:
		return logs.SeverityNumber_SEVERITY_NUMBER_ERROR
	case l >= slog.LevelWarn:
		return logs.SeverityNumber_SEVERITY_NUMBER_WARN
	case l >= slog.LevelInfo:
		return logs.SeverityNumber_SEVERITY_NUMBER_INFO
	}
	return logs.SeverityNumber_SEVERITY_NUMBER_DEBUG
}

// record has the station's time and no other: the record's own may say 1970. Without it there is none.
func (h *handler) record(r slog.Record) *logs.LogRecord {
	out := &logs.LogRecord{SeverityNumber: severity(r.Level), SeverityText: r.Level.String(),
		Body: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: r.Message}}, Attributes: slices.Clone(h.fixed)}
	if now := h.exporter.options.Now(); !now.IsZero() {
		out.TimeUnixNano = uint64(now.UnixNano())
		out.ObservedTimeUnixNano = out.TimeUnixNano
	}
	r.Attrs(func(a slog.Attr) bool {
		out.Attributes = flatten(out.Attributes, h.prefix, a)
		return true
	})
	return out
}

func flatten(all []*common.KeyValue, prefix string, a slog.Attr) []*common.KeyValue {
	v := a.Value.Resolve()
	if v.Kind() != slog.KindGroup {
		return append(all, text(prefix+a.Key, v.String()))
	}
	if a.Key != "" {
		prefix += a.Key + "."
	}
	for _, member := range v.Group() {
		all = flatten(all, prefix, member)
	}
	return all
}

// take queues a line; it never waits for anybody.
func (e *Exporter) take(r *logs.LogRecord) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.records) >= mostRecords {
		e.records = e.records[1:]
		e.lost++
	}
	e.records = append(e.records, r)
}
