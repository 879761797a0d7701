//go:build peers

package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"timestation/engine/status"
)

// TestPeersPromtool lets Prometheus's own tool judge the rules that are delivered, by what they say of a station that goes
// wrong, and the metrics.
func TestPeersPromtool(t *testing.T) {
	peers := os.Getenv("TIMESTATION_PEERS")
	if peers == "" {
		t.Fatal("TIMESTATION_PEERS names no folder with promtool; run this test with: make peers")
	}
	folder := t.TempDir()
	for name, from := range map[string]string{"alerts.yml": "../../assets/dashboards/alerts.yml", "alerts_test.yml": "testdata/alerts_test.yml"} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	metrics := get(t, station(localNow(), sampleStatus()), "/metrics").Body.Bytes()
	for name, test := range map[string]struct {
		arguments []string
		input     []byte
	}{
		"rules":         {[]string{"check", "rules", "--lint=all", "--lint-fatal", "alerts.yml"}, nil},
		"rules at work": {[]string{"test", "rules", "alerts_test.yml"}, nil},
		"metrics":       {[]string{"check", "metrics"}, metrics},
	} {
		c := exec.CommandContext(t.Context(), filepath.Join(peers, "usr/bin/promtool"), test.arguments...)
		c.Dir, c.Stdin = folder, bytes.NewReader(test.input)
		if out, err := c.CombinedOutput(); err != nil || name == "metrics" && len(out) > 0 {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// TestPeersPrometheus: Prometheus itself scrapes a station, answers all that the delivered dashboard asks, and its rules
// raise what is wrong.
func TestPeersPrometheus(t *testing.T) {
	t.Parallel()
	peers := os.Getenv("TIMESTATION_PEERS")
	if peers == "" {
		t.Fatal("TIMESTATION_PEERS names no folder with prometheus; run this test with: make peers")
	}
	r := newRig(t, true) // it asks for a token
	dir := t.TempDir()
	rules, err := os.ReadFile("../../assets/dashboards/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	config := "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\nrule_files: [alerts.yml]\nscrape_configs:\n" +
		"- job_name: timestation\n  authorization: {credentials_file: token}\n  static_configs: [{targets: ['" + strings.TrimPrefix(r.server.URL, "http://") + "']}]\n"
	for name, text := range map[string]string{"prometheus.yml": config, "alerts.yml": regexp.MustCompile(`for: \d+m`).ReplaceAllString(string(rules), "for: 1s"), "token": r.viewer} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var said bytes.Buffer
	c := exec.CommandContext(t.Context(), filepath.Join(peers, "usr/bin/prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=data",
		"--web.listen-address="+address, "--log.level=warn")
	c.Dir, c.Stdout, c.Stderr = dir, &said, &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	ask := func(path string, answer any) error {
		w, err := http.Get("http://" + address + path)
		if err != nil {
			return err
		}
		defer w.Body.Close()
		if w.StatusCode != http.StatusOK {
			return errors.New(w.Status)
		}
		return json.NewDecoder(w.Body).Decode(answer)
	}
	query := func(expression string) (values []float64) {
		var answer struct {
			Data struct{ Result []struct{ Value [2]any } }
		}
		if err := ask("/api/v1/query?query="+url.QueryEscape(expression), &answer); err != nil {
			return nil // it is starting
		}
		for _, r := range answer.Data.Result {
			text, _ := r.Value[1].(string)
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Errorf("%s: %v", expression, r.Value)
			}
			values = append(values, v)
		}
		return values
	}
	await := func(expression string, right func([]float64) bool) {
		t.Helper()
		for began := time.Now(); ; time.Sleep(200 * time.Millisecond) {
			values := query(expression)
			if right(values) {
				return
			}
			if time.Since(began) > 30*time.Second {
				t.Fatalf("%s gives %v", expression, values)
			}
		}
	}
	is := func(want float64) func([]float64) bool {
		return func(v []float64) bool { return len(v) == 1 && v[0] == want }
	}
	await(`count_over_time(up[1m]) > 3 and up == 1`, func(v []float64) bool { return len(v) == 1 })
	await(`timestation_synchronised`, is(1))
	await(`timestation_max_error_seconds`, is(1.4e-6))
	await(`timestation_source_offset_seconds{source="gps0.pps"}`, is(12e-9))

	text, err := os.ReadFile("../../assets/dashboards/timestation.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	answered, none := 0, []string{}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			if len(query(strings.NewReplacer("$station", ".*", "$__rate_interval", "1m").Replace(target.Expr))) > 0 {
				answered++
			} else if !strings.HasSuffix(target.Expr, "> 0") { // which is silent while nobody is refused
				none = append(none, panel.Title)
			}
		}
	}
	if len(none) > 0 {
		t.Errorf("of the dashboard %d queries have an answer, and these have none: %q", answered, none)
	}

	r.set(func(s *status.Status) { s.State, s.Selected, s.Stratum = status.Unsynchronised, "", status.Stratum16 })
	await(`ALERTS{alertname="TimestationUnsynchronised"}`, is(1))
	var list struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
	}
	if err := ask("/api/v1/rules", &list); err != nil {
		t.Fatal(err)
	}
	for _, g := range list.Data.Groups {
		for _, rule := range g.Rules {
			if rule.Health != "ok" {
				t.Errorf("%s: %s %s", rule.Name, rule.Health, rule.LastError)
			}
		}
	}
	if len(list.Data.Groups) == 0 {
		t.Error("it has no rules")
	}
}
