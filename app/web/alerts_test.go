package web

import (
	"encoding/json"
	"testing"

	"timestation/engine/status"
	"timestation/refclock"
)

// Whoever asks what was wrong last night finds it after it has ended; and a list is never null.
func TestAlertsThatEnded(t *testing.T) {
	st := good()
	st.Alerts = []status.Alert{{Code: "source-lost", Source: "gps0", Severity: status.Warning}}
	s := station(stamp, st)
	body := get(t, s, "/api/alerts").Body.String()
	var r AlertsReport
	if err := json.Unmarshal([]byte(body), &r); err != nil || len(r.Standing) != 1 || r.Cleared == nil {
		t.Errorf("%v: %s", err, body)
	}
	s.Cleared = func() []status.Alert {
		return []status.Alert{{Code: "drift", Source: "gps0", Cleared: refclock.Date(2026, 11, 22, 3, 0, 0, 0)}}
	}
	body = get(t, s, "/api/alerts").Body.String()
	if err := json.Unmarshal([]byte(body), &r); err != nil || len(r.Cleared) != 1 || r.Cleared[0].Cleared.Seconds == 0 {
		t.Errorf("%v: %s", err, body)
	}
}
