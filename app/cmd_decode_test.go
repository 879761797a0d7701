package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const recordings = "../refclock/gps/testdata/recordings/"

// TestDecodeGPS: one object a fix in the order of the file, with the keys that others rely on, and a summary beside it.
func TestDecodeGPS(t *testing.T) {
	printed, summary, code := command(t, "decode", "gps", recordings+"ublox-zed-f9p-hp.log", "--json")
	if code != 0 {
		t.Fatalf("exit %d, %s", code, summary)
	}
	keys := []string{"alt_m", "fix", "lat", "leap_seconds", "lon", "satellites", "satellites_used", "utc"}
	n, before := 0, ""
	for line := range strings.Lines(printed) {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		var has []string
		for key := range one {
			has = append(has, key)
		}
		slices.Sort(has)
		if !slices.Equal(has, keys) {
			t.Fatalf("keys %v", has)
		}
		at, ok := one["utc"].(string)
		if !ok || at <= before || one["fix"] != "3d" || one["leap_seconds"] != 18.0 {
			t.Errorf("%s", line[:200])
		}
		n, before = n+1, at
	}
	if n != 29 || before != "2019-04-22T21:19:47.999853907Z" {
		t.Errorf("%d fixes, the last at %s", n, before)
	}
	for _, want := range []string{"29 fixes", "UBX-NAV-PVT 29", "0 checksum errors", "0 rollover repairs"} {
		if !strings.Contains(summary, want) {
			t.Errorf("no %q in %s", want, summary)
		}
	}
	table, _, code := command(t, "decode", "gps", recordings+"ublox-zed-f9p-hp.log")
	if code != 0 || strings.Count(table, "\n") != 30 || !strings.Contains(table, "-45.877") {
		t.Errorf("exit %d, %s", code, table)
	}
}

// TestDecodeGPSDates: a recording's own dates are left alone, and repaired where the user says so.
func TestDecodeGPSDates(t *testing.T) {
	file := recordings + "april6_2019.log"
	printed, summary, _ := command(t, "decode", "gps", file, "--json")
	if !strings.Contains(printed, "1999-08-22T00:02:31.42") || !strings.Contains(summary, "--not-before 2019-02-12") {
		t.Errorf("%s%s", printed, summary)
	}
	printed, summary, _ = command(t, "decode", "gps", file, "--json", "--not-before", "2019-02-12")
	if !strings.Contains(printed, "2019-04-07T00:02:31.42") || !strings.Contains(summary, "1 rollover repairs: up to 1024 weeks") {
		t.Errorf("%s%s", printed, summary)
	}
}

// TestDecodeGPSErrors: wrong use and useless files are told apart, in one line.
func TestDecodeGPSErrors(t *testing.T) {
	other := filepath.Join(t.TempDir(), "other.txt")
	if err := os.WriteFile(other, []byte("a letter, or the like\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"no-such-file"}, exitFailed, "no such file"},
		{[]string{filepath.Dir(other)}, exitFailed, "it is a folder"},
		{[]string{other}, exitFailed, "no intact NMEA or UBX message"},
		{nil, exitUsage, "accepts 1 arg"},
		{[]string{other, "--not-before", "yesterday"}, exitUsage, "--not-before"},
	} {
		_, complaint, code := command(t, append([]string{"decode", "gps"}, c.args...)...)
		lines := strings.Split(strings.TrimSpace(complaint), "\n")
		if code != c.code || !strings.Contains(lines[len(lines)-1], c.want) {
			t.Errorf("%v: exit %d, %s", c.args, code, complaint)
		}
	}
	if _, complaint, code := command(t, "decode", "gsp"); code != exitUsage || !strings.Contains(complaint, "gsp") {
		t.Errorf("exit %d, %s", code, complaint)
	}
}
