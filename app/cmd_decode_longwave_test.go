package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"timestation/refclock/dcf77"
	"timestation/refclock/longwave/radiotest"
)

// levelsFile writes a simulated recording as characters.
func levelsFile(t *testing.T, noise radiotest.Noise, begin time.Time, length time.Duration) (string, *radiotest.Signal) {
	t.Helper()
	s := radiotest.Simulate(dcf77.Code, begin, length, noise, 4)
	var text bytes.Buffer
	for i, on := range s.Levels {
		if on {
			text.WriteByte('1')
		} else {
			text.WriteByte('0')
		}
		if i%1000 == 999 {
			text.WriteByte('\n')
		}
	}
	path := filepath.Join(t.TempDir(), "levels.txt")
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, s
}

func runDecode(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	root := newRoot()
	var out, errs bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&errs)
	root.SetArgs(append([]string{"decode"}, args...))
	err = root.ExecuteContext(t.Context())
	return out.String(), errs.String(), err
}

func TestDecodeDCF77(t *testing.T) {
	begin := time.Date(2031, 7, 8, 9, 10, 11, 500e6, time.UTC)
	path, s := levelsFile(t, radiotest.Noise{Flip: 0.2, DriftPPM: 200}, begin, 10*time.Minute)
	out, _, err := runDecode(t, "dcf77", path, "--json", "--rate", "1000")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) < 7 {
		t.Fatalf("%d minutes:\n%s", len(lines), out)
	}
	for _, line := range lines {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"sample", "utc", "decided_at", "confidence", "summer_time", "leap_announced", "call_bit", "state"} {
			if _, ok := m[key]; !ok {
				t.Errorf("%s is missing in %s", key, line)
			}
		}
		utc, err := time.Parse(time.RFC3339, m["utc"].(string))
		if err != nil {
			t.Fatal(err)
		}
		if off := s.At(m["sample"].(float64)).Sub(utc); off.Abs() > 20*time.Millisecond {
			t.Errorf("%v is off by %v", utc, off)
		}
		if m["decided_at"].(float64) < m["sample"].(float64) || m["summer_time"] != true || m["state"] != "locked" {
			t.Errorf("%s", line)
		}
	}
	// Bytes 0 and 1 give the same.
	raw := filepath.Join(t.TempDir(), "raw")
	bits := make([]byte, len(s.Levels))
	for i, on := range s.Levels {
		if on {
			bits[i] = 1
		}
	}
	if err := os.WriteFile(raw, bits, 0o600); err != nil {
		t.Fatal(err)
	}
	if again, _, err := runDecode(t, "dcf77", raw, "--json"); err != nil || again != out {
		t.Errorf("bytes give %d characters, text %d (%v)", len(again), len(out), err)
	}
}

// TestDecodeIsCausal: what was published does not depend on what came later.
func TestDecodeIsCausal(t *testing.T) {
	path, _ := levelsFile(t, radiotest.Noise{Flip: 0.3}, time.Date(2022, 1, 2, 3, 4, 5, 0, time.UTC), 8*time.Minute)
	whole, _, err := runDecode(t, "dcf77", path, "--json")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	samples := bytes.ReplaceAll(text, []byte("\n"), nil)
	for _, line := range strings.SplitAfter(strings.TrimSpace(whole), "\n") {
		var m minuteRecord
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		cut := filepath.Join(t.TempDir(), "cut")
		if err := os.WriteFile(cut, samples[:m.DecidedAt], 0o600); err != nil {
			t.Fatal(err)
		}
		part, _, err := runDecode(t, "dcf77", cut, "--json")
		if err != nil || !strings.HasSuffix(strings.TrimSpace(part), strings.TrimSpace(line)) {
			t.Errorf("with %d samples %q is not published: %q", m.DecidedAt, line, part)
		}
	}
}

func TestDecodeLongwaveRefusals(t *testing.T) {
	path, _ := levelsFile(t, radiotest.Noise{}, time.Date(2022, 1, 2, 3, 4, 5, 0, time.UTC), time.Second)
	for _, args := range [][]string{
		{"dcf77", path, "--rate", "3"}, {"dcf77", path, "--rate", "NaN"}, {"dcf77", path, "--format", "tape"}, {"dcf77", path, "--not-before", "yesterday"},
		{"dcf77", path, "--not-before", "2030-01-01", "--not-after", "2020-01-01"}, {"msf60"},
	} {
		if code := execute(t.Context(), append([]string{"decode"}, args...)); code != exitUsage {
			t.Errorf("%v: exit code %d", args, code)
		}
	}
	if err := os.WriteFile(path, []byte("these are no levels"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"dcf77", path}, {"dcf77", path + "none"}, {"dcf77", path, "--format", "levels"}} {
		if code := execute(t.Context(), append([]string{"decode"}, args...)); code != exitFailed {
			t.Errorf("%v: exit code %d", args, code)
		}
	}
}

// TestDecodeTelegramLogs: logs of bits are recognised by themselves, whatever else their lines say.
func TestDecodeTelegramLogs(t *testing.T) {
	for _, log := range []struct {
		code, file string
		least      int
		from, to   string
	}{
		{"dcf77", "gheja_dcf77.txt", 400, "2020-11-11", "2020-11-14"},
		{"dcf77", "rene0_sample_dcf77.log", 35, "2011-03-26", "2012-07-02"},
		{"msf60", "rene0_sample_msf.log", 3, "2020-03-28", "2020-03-30"},
	} {
		out, _, err := runDecode(t, log.code, filepath.Join("../refclock/longwave/testdata/recordings", log.file), "--json")
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if len(lines) < log.least {
			t.Errorf("%s: %d minutes", log.file, len(lines))
		}
		for _, line := range lines {
			var m minuteRecord
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatal(err)
			}
			if m.UTC < log.from || m.UTC > log.to {
				t.Errorf("%s: %s", log.file, line)
			}
		}
	}
}
