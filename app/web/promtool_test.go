//go:build peers

package web

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
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
