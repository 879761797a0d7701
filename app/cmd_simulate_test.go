package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// simulated runs a simulate command and gives what it prints.
func simulated(t *testing.T, args ...string) (string, error) {
	t.Helper()
	root := newRoot()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs(append([]string{"simulate"}, args...))
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestSimulateClockGivesItsFigures(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "b")
	if _, err := simulated(t, "make", "b", "--seed", "7", "--hours", "0.5", "--output", dir); err != nil {
		t.Fatal(err)
	}
	out, err := simulated(t, "clock", "--trace", dir, "--skip", "600", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var figures map[string]float64
	if err := json.Unmarshal([]byte(out), &figures); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for key, most := range map[string]float64{
		"rms_seconds": 3e-6, "max_seconds": 15e-6, "seconds_to_1ms": 30, "seconds_to_10us": 60, "inside_bound": 1,
		"mean_bound_seconds": 10e-6, "frequency_rms": 1e-7,
	} {
		if v, ok := figures[key]; !ok || v < 0 || v > most {
			t.Errorf("%s: %v", key, v)
		}
	}
	table := filepath.Join(t.TempDir(), "seconds.csv")
	words, err := simulated(t, "clock", "--trace", dir, "--source", "pps", "--output", table)
	if err != nil || !strings.Contains(words, "rms") {
		t.Errorf("%v: %q", err, words)
	}
	f, err := os.Open(table)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != 1801 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func TestSimulateSaysWhatIsWrong(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	if _, err := simulated(t, "make", "a", "--hours", "0.01", "--output", dir); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"is no scenario":           {"make", "z", "--output", dir},
		"--output is missing":      {"make", "a"},
		"--trace is missing":       {"clock"},
		"--trace: open":            {"clock", "--trace", filepath.Join(dir, "none")},
		`"gps" is not known`:       {"clock", "--trace", dir, "--source", "gps"},
		"no file that ntp":         {"clock", "--trace", dir, "--source", "ntp"},
		"-1 is negative":           {"clock", "--trace", dir, "--skip", "-1"},
		"-1 is not from 0 to 1000": {"make", "a", "--output", dir, "--hours", "-1"},
	} {
		if _, err := simulated(t, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", args, err)
		}
	}
}
