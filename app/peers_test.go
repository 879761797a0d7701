//go:build peers

package main

import (
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"timestation/app/web"
	"timestation/engine/ntp"
	"timestation/engine/status"
	"timestation/logbook"
)

// TestPeers starts the built program as a user would and lets other people's programs judge it.
func TestPeers(t *testing.T) {
	peers := os.Getenv("TIMESTATION_PEERS")
	if peers == "" {
		t.Fatal("TIMESTATION_PEERS names no folder with chronyd and ntpdig; run this test with: make peers")
	}
	needPorts(t)
	program := buildProgram(t)
	data := t.TempDir()
	demo := exec.Command(program, "demo", "--headless", "--data", data)
	station := startProcess(t, demo, demo.Start)

	// While it finds the time: what needs no station.
	t.Run("wrong use", func(t *testing.T) { wrongUse(t, program) })

	station.awaitHealthy(t)
	keys := readKeys(t, filepath.Join(data, "demo.keys"))
	t.Run("status", func(t *testing.T) { askStatus(t, program) })
	t.Run("wire", askWire)
	t.Run("chronyd", func(t *testing.T) { chronydJudges(t, peers, keys) })
	t.Run("ntpdig", func(t *testing.T) { ntpdigJudges(t, peers, keys) })
	t.Run("silence", func(t *testing.T) { silence(t, peers, keys) })
	t.Run("stop", func(t *testing.T) { stopAndExport(t, program, station, data) })
}

func readKeys(t *testing.T, path string) []ntp.Key {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	keys, err := ntp.ParseKeys(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if len(keys) < 6 {
		t.Fatalf("%s has %d keys; there should be one of each type", path, len(keys))
	}
	return keys
}

// within judges what a peer measured: the station's time less this machine's, in seconds. The demonstration plays the
// time of this machine's clock, so this is the station's true error.
func within(t *testing.T, offsetSeconds float64) {
	t.Helper()
	r := report(t)
	if r.State != status.Synchronised {
		t.Errorf("the station is %s: %s", r.State, r.Reason)
	}
	bound := boundOf(t, r)
	if math.Abs(offsetSeconds) > bound {
		t.Errorf("measured offset %+.6f s is beyond the station's bound of %.6f s", offsetSeconds, bound)
	}
	t.Logf("offset %+.6f s, bound %.6f s", offsetSeconds, bound)
}

func wrongUse(t *testing.T, program string) {
	const source = "[[refclock]]\ndriver = \"gps\"\ndevice = \"/dev/null\"\n"
	for name, c := range map[string]struct{ text, key string }{
		"unknown key":      {source + "[clock]\ndisciplin = \"none\"\n", "clock.disciplin"},
		"wrong type":       {source + "[clock]\nmax_error_seconds = \"much\"\n", "clock.max_error_seconds"},
		"impossible value": {source + "[[listener]]\naddress = \"everywhere\"\n", "listener[1].address"},
		"unknown driver":   {"[[refclock]]\nname = \"roof\"\ndriver = \"sundial\"\n", "driver"},
		"no source":        {"[station]\nname = \"x\"\n", "refclock"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "timestation.toml")
			if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			oneLineFor(t, ask(t, program, "run", "--headless", "--config", path, "--data", t.TempDir()), 2, path, c.key)
		})
	}
	t.Run("no such command", func(t *testing.T) { oneLineFor(t, ask(t, program, "fly"), 2, "fly") })
	t.Run("no such flag", func(t *testing.T) { oneLineFor(t, ask(t, program, "status", "--jsno"), 2, "--jsno") })
	t.Run("no station", func(t *testing.T) {
		oneLineFor(t, ask(t, program, "status", "--station", "http://127.0.0.1:1"), 1, "http://127.0.0.1:1")
	})
	t.Run("no configuration", func(t *testing.T) {
		home := t.TempDir()
		c := commandFor(t, 20*time.Second, program, "run", "--headless")
		c.Dir, c.Env = home, []string{"HOME=" + home}
		r := finish(t, c, c.Run)
		if _, err := os.Stat("/etc/timestation/timestation.toml"); err == nil {
			t.Log("this machine has a configuration of its own; only the end was looked at")
			return
		}
		for _, want := range []string{"timestation demo", "timestation init"} {
			if r.code != 2 || !strings.Contains(r.stderr, want) {
				t.Errorf("exit code %d, and it does not tell of %q:\n%s", r.code, want, r.stderr)
			}
		}
	})
}

// oneLineFor checks the exit code and that the error is one line that names what is wrong.
func oneLineFor(t *testing.T, r result, code int, names ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, should be %d", r.code, code)
	}
	if text := strings.TrimSuffix(r.stderr, "\n"); text == "" || strings.Contains(text, "\n") {
		t.Errorf("the error should be one line:\n%s", r.stderr)
	}
	for _, name := range names {
		if !strings.Contains(r.stderr, name) {
			t.Errorf("the error does not name %s: %s", name, r.stderr)
		}
	}
	t.Log(strings.TrimSpace(r.stderr))
}

func askStatus(t *testing.T, program string) {
	words := ask(t, program, "status")
	for _, want := range []string{"SYNCHRONISED", "DEMONSTRATION", "stratum", "DEMO"} {
		if words.code != 0 || !strings.Contains(words.stdout, want) {
			t.Errorf("timestation status: exit code %d, and %q is missing in:\n%s%s", words.code, want, words.stdout, words.stderr)
		}
	}
	var r web.Report
	asJSON := ask(t, program, "status", "--json")
	if err := json.Unmarshal([]byte(asJSON.stdout), &r); err != nil || asJSON.code != 0 {
		t.Fatalf("timestation status --json: exit code %d, %v\n%s%s", asJSON.code, err, asJSON.stdout, asJSON.stderr)
	}
	if r.State != status.Synchronised || r.Stratum != 1 || r.ReferenceID != "DEMO" || !r.Demonstration || r.UTC == nil {
		t.Errorf("a synchronised demonstration should have stratum 1, reference ID DEMO and a time:\n%s", asJSON.stdout)
	}
	if bound := boundOf(t, r); bound <= 0 || bound > r.MaxErrorLimitSeconds {
		t.Errorf("the bound %g s should be between 0 and the limit %g s", bound, r.MaxErrorLimitSeconds)
	}
	if metrics, err := get(t, "/metrics"); err != nil || !strings.Contains(string(metrics), "timestation_") {
		t.Errorf("/metrics has none of the station's: %v", err)
	}
}

// askWire looks at one answer's octets: what no peer prints.
func askWire(t *testing.T) {
	for _, address := range demoAddresses {
		t.Run(address, func(t *testing.T) {
			c, err := net.DialTimeout("udp", address, time.Second)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(10 * time.Second))
			request := [48]byte{0: 4<<3 | 3, 47: 1} // version 4, client; a transmit timestamp to be echoed
			if _, err := c.Write(request[:]); err != nil {
				t.Fatal(err)
			}
			var answer [128]byte
			n, err := c.Read(answer[:])
			if err != nil || n != 48 {
				t.Fatalf("%d octets, %v", n, err)
			}
			if answer[0] != 4<<3|4 || answer[1] != 1 || string(answer[12:16]) != "DEMO" {
				t.Errorf("leap, version and mode %#x, stratum %d, reference ID %q; should be 0x24, 1, \"DEMO\"",
					answer[0], answer[1], answer[12:16])
			}
			if [8]byte(answer[24:32]) != [8]byte(request[40:48]) {
				t.Error("the origin timestamp is not the request's")
			}
			// NTP short format: 16 bits of seconds, 16 of fraction (RFC 5905, section 6).
			seconds := func(b []byte) float64 { return float64(binary.BigEndian.Uint32(b)) / 65536 }
			distance := seconds(answer[4:8])/2 + seconds(answer[8:12])
			if bound := boundOf(t, report(t)); distance < bound*0.9 || distance > bound*1.1+1e-3 {
				t.Errorf("root distance in the answer %.6f s, bound in the status %.6f s: not the same", distance, bound)
			}
		})
	}
}

// stopAndExport ends the station and reads its log.
func stopAndExport(t *testing.T, program string, station *process, data string) {
	// The log has a row every 16 s: let there be one that only the flush can have written.
	if wait := 20*time.Second - time.Since(station.began); wait > 0 {
		time.Sleep(wait)
	}
	stopped := report(t).UTC
	took := station.stop(t)
	if took > time.Second {
		t.Errorf("the station took %v to stop; it should be within a second", took)
	}
	t.Logf("stopped %d ms after SIGTERM", took.Milliseconds())

	reader, err := logbook.OpenReader(data)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	last := ""
	for event, err := range reader.Events(t.Context(), time.Time{}, time.Time{}, "") {
		if err != nil {
			t.Fatal(err)
		}
		last = event.Kind
	}
	if last != "stop" {
		t.Errorf("the last event in the log is %q; a flushed log ends with stop", last)
	}

	path := filepath.Join(t.TempDir(), "out.csv")
	r := ask(t, program, "export", "--data", data, "--format", "csv", "--output", path)
	if r.code != 0 {
		t.Fatalf("timestation export: exit code %d: %s", r.code, r.stderr)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 3 {
		t.Fatalf("%d rows, %v; a header, the station and its source were expected", len(rows), err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	counts := map[string]int{}
	for _, row := range rows[1:] {
		if row[column["max_error_seconds"]] == "" {
			continue // before the time was known
		}
		if bound, err := strconv.ParseFloat(row[column["max_error_seconds"]], 64); err != nil || bound <= 0 {
			t.Errorf("max_error_seconds %q in %v", row[column["max_error_seconds"]], row)
		}
		at, err := time.Parse(time.RFC3339Nano, row[column["time_utc"]])
		if age := stopped.Seconds - at.Unix(); err != nil || age < -5 || age > 600 {
			t.Errorf("time_utc %q is not of this run: %v", row[column["time_utc"]], err)
		}
		counts[row[column["source"]]]++
	}
	if len(counts) < 2 {
		t.Errorf("the export should tell of the station and of its source: %v", counts)
	}
	t.Logf("rows exported by source: %v", counts)
}
