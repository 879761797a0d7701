package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"timestation/app/web"
	"timestation/engine/status"
	"timestation/refclock"
)

// A station that shows nothing without a token is asked with the one that is named, and with none that is not.
func TestClosedStationIsAsked(t *testing.T) {
	const token = "0123456789abcdef0123456789abcdef"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(web.AlertsReport{})
	}))
	defer server.Close()
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, command := range [][]string{{"status"}, {"alerts", "list"}} {
		for path, wrong := range map[string]string{
			file(token): "", file(strings.Repeat("x", 40)): "token new", filepath.Join(t.TempDir(), "none"): "--token-file: ",
		} {
			root := newRoot()
			root.SetOut(&bytes.Buffer{})
			root.SetErr(&bytes.Buffer{})
			root.SetArgs(append(command, "--station", server.URL, "--token-file", path))
			err := root.ExecuteContext(t.Context())
			if wrong == "" && err != nil || wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("%v: %v", command, err)
			}
		}
	}
}

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
