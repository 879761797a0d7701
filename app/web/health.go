package web

import (
	"fmt"
	"net/http"
	"strings"

	"timestation/engine/status"
)

// Health is what GET /healthz says to who accepts JSON; everybody else gets the same as lines of text.
type Health struct {
	// OK: the station claims to know the time, holdover included; the answer is then 200, else 503.
	OK              bool         `json:"ok"`
	State           status.State `json:"state"`
	MaxErrorSeconds *float64     `json:"max_error_seconds,omitempty"`
	// Reasons say why it is not well, or what is about to go wrong: the state's, each alert's, and of a station that does
	// not know the time what every source does.
	Reasons []string `json:"reasons"`
}

func healthOf(snap status.Snapshot) Health {
	h := Health{
		OK:              snap.State != status.Unsynchronised,
		State:           snap.State,
		MaxErrorSeconds: snap.MaxErrorSeconds,
		Reasons:         []string{},
	}
	if snap.Reason != "" {
		h.Reasons = append(h.Reasons, snap.Reason)
	}
	for _, a := range snap.Alerts {
		if a.Severity != status.Info {
			h.Reasons = append(h.Reasons, strings.TrimSpace(a.Code+" "+a.Source)+": "+a.Text)
		}
	}
	if !h.OK {
		for _, s := range snap.Sources {
			h.Reasons = append(h.Reasons, fmt.Sprintf("source %s is %s: %s", s.Name, s.State, s.Explanation))
		}
	}
	return h
}

// serveHealth answers 200 only while the station knows the time.
func (s Station) serveHealth(w http.ResponseWriter, r *http.Request) {
	h := healthOf(s.Board.Load().Snapshot(s.Now()))
	code := http.StatusOK
	if !h.OK {
		code = http.StatusServiceUnavailable
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		writeJSON(w, code, h)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	if h.OK {
		fmt.Fprintf(w, "%s: within %.6f s\n", h.State, *h.MaxErrorSeconds)
	} else {
		fmt.Fprintf(w, "%s\n", h.State)
	}
	for _, reason := range h.Reasons {
		fmt.Fprintf(w, "- %s\n", reason)
	}
}
