package web

import (
	"encoding/json"
	"net/http"

	"timestation/engine/status"
)

// AlertsReport is what GET /api/alerts gives.
type AlertsReport struct {
	// Standing are the alerts whose cause is there, most severe first.
	Standing []status.Alert `json:"standing"`
	// Cleared are the last ones that ended, newest first; each says when in cleared.
	Cleared []status.Alert `json:"cleared"`
}

// serveAlerts gives the alerts that stand and the last ones that ended.
func (s Station) serveAlerts(w http.ResponseWriter, _ *http.Request) {
	r := AlertsReport{Standing: append([]status.Alert{}, s.Board.Load().Alerts...), Cleared: []status.Alert{}}
	if s.Cleared != nil {
		r.Cleared = append(r.Cleared, s.Cleared()...)
	}
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(r) // the client went away
}
