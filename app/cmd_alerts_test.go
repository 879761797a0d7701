package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"timestation/app/web"
	"timestation/engine/status"
	"timestation/refclock"
)

// What stands and what has ended are two lists, and each entry says from when to when.
func TestAlertsList(t *testing.T) {
	report := web.AlertsReport{
		Standing: []status.Alert{{Code: "holdover", Severity: status.Warning, Text: "Holdover.", Mend: "look", Since: refclock.Date(2026, 11, 22, 3, 0, 0, 0)}},
		Cleared: []status.Alert{{Code: "source-lost", Source: "gps", Severity: status.Warning, Since: refclock.Date(2026, 11, 21, 3, 0, 0, 0),
			Cleared: refclock.Date(2026, 11, 21, 4, 0, 0, 0)}},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/alerts" {
			_ = json.NewEncoder(w).Encode(report)
		}
	}))
	defer server.Close()
	list := func(args ...string) string {
		root := newRoot()
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetArgs(append([]string{"alerts", "list", "--station", server.URL}, args...))
		if err := root.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if out := list(); !strings.Contains(out, "holdover") || strings.Contains(out, "source-lost") {
		t.Errorf("standing:\n%s", out)
	}
	out := list("--cleared")
	if !strings.Contains(out, "source-lost gps") || strings.Contains(out, "holdover") || !strings.Contains(out, "2026-11-21T04:00:00") {
		t.Errorf("cleared:\n%s", out)
	}
	report.Cleared = nil
	if out := list("--cleared"); out != "no alert has ended yet\n" {
		t.Errorf("nothing cleared: %q", out)
	}
}
