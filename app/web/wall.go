package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"timestation/display"
	"timestation/display/studio"
	"timestation/engine/status"
)

// Wall is what a display shows beside the time, which the pages show too: a display.Station has it.
type Wall interface {
	Studio() studio.State
	History(ctx context.Context, span display.Span) (display.History, error)
	Clients(ctx context.Context) (display.Clients, error)
}

const (
	// standardSpan and standardPoints are what a history is of that nobody has said more of.
	standardSpan   = 24 * time.Hour
	standardPoints = 600
	// mostPoints is as many as display.Span allows.
	mostPoints = 4000
	// historyPatience is how long the disk may take.
	historyPatience = 8 * time.Second
	// mostHistories is how many may be read at once: they compete with the log's writer for the disk of a Raspberry Pi.
	mostHistories = 2
)

func (s Station) serveStudio(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.Wall.Studio())
}

func (s Station) serveClients(w http.ResponseWriter, r *http.Request) {
	clients, err := s.Wall.Clients(r.Context())
	if err != nil {
		writeJSON(w, http.StatusServiceUnavailable, Answer{Error: err.Error()})
		return
	}
	if clients.Clients == nil {
		clients.Clients = []status.Client{} // a list is never null
	}
	writeJSON(w, http.StatusOK, clients)
}

// serveHistory is GET /api/history?from=&to=&points=: from and to are RFC 3339 or seconds since 1970; without them it is
// the day that ends now.
func (s Station) serveHistory(w http.ResponseWriter, r *http.Request) {
	span, err := s.span(r)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, Answer{Error: err.Error()})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), historyPatience)
	defer cancel()
	select {
	case s.histories <- struct{}{}:
		defer func() { <-s.histories }()
	case <-ctx.Done():
		writeJSON(w, http.StatusServiceUnavailable, Answer{Error: "the log is being read by others; ask again"})
		return
	}
	history, err := s.Wall.History(ctx, span)
	if err != nil {
		writeJSON(w, http.StatusServiceUnavailable, Answer{Error: err.Error()})
		return
	}
	if history.Points == nil {
		history.Points = []display.Point{} // a list is never null
	}
	writeJSON(w, http.StatusOK, history)
}

func (s Station) span(r *http.Request) (span display.Span, err error) {
	q := r.URL.Query()
	span.Points = standardPoints
	if text := q.Get("points"); text != "" {
		if span.Points, err = strconv.Atoi(text); err != nil || span.Points < 2 || span.Points > mostPoints {
			return span, fmt.Errorf("points: %q is not a whole number from 2 to %d", text, mostPoints)
		}
	}
	if text := q.Get("to"); text != "" {
		if span.To, err = moment(text); err != nil {
			return span, fmt.Errorf("to: %w", err)
		}
	} else if now := s.Board.Load().At(s.Now()); now.Known {
		span.To = now.Instant.UTC().Time()
	} else {
		return span, errors.New("to: is missing, and the time is not known yet")
	}
	span.From = span.To.Add(-standardSpan)
	if text := q.Get("from"); text != "" {
		if span.From, err = moment(text); err != nil {
			return span, fmt.Errorf("from: %w", err)
		}
	}
	if !span.From.Before(span.To) {
		return span, errors.New("from: is not before to")
	}
	return span, nil
}

// moment reads RFC 3339 or seconds since 1970.
func moment(text string) (time.Time, error) {
	// Beyond this, nanoseconds since 1970 no longer fit: it is the year 2262.
	const last = 1 << 33
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil && t.Unix() >= 0 && t.Unix() < last {
		return t.UTC(), nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(seconds >= 0 && seconds < last) {
		return time.Time{}, fmt.Errorf("%q is neither RFC 3339, such as 2026-11-22T13:00:00Z, nor seconds since 1970", text)
	}
	return time.Unix(0, int64(seconds*1e9)).UTC(), nil
}
