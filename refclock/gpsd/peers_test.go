//go:build peers

package gpsd

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"timestation/refclock"
	"timestation/refclock/sinktest"
)

// TestPeersGPSD lets a real gpsd, fed by its own gpsfake, read recordings of receivers of several languages, and compares
// what the driver makes of its reports with what gpsd's developers expect of them.
func TestPeersGPSD(t *testing.T) {
	peers := os.Getenv("TIMESTATION_PEERS")
	if peers == "" {
		t.Fatal("TIMESTATION_PEERS names no folder with gpsd; run this test with: make peers")
	}
	logs := []string{"testdata/recordings/trimble-lassen_iq.log", "testdata/recordings/trimble-smt-360.log",
		"../gps/testdata/recordings/meinberg-gps164.log", "../gps/testdata/recordings/ublox-neo-m9n-nmea-6s.log"}
	if more := os.Getenv("TIMESTATION_RECORDINGS"); more != "" {
		for _, name := range []string{"sirfstarv.log", "oncore-binary.log", "zodiac.log"} {
			logs = append(logs, filepath.Join(more, name))
		}
	}
	for _, log := range logs {
		t.Run(filepath.Base(log), func(t *testing.T) { playToGPSD(t, peers, log) })
	}
}

func playToGPSD(t *testing.T, peers, log string) {
	expected, used := expectation(t, log+".chk")
	// By arrival, as if gpsd were elsewhere: every time with a fix.
	config := DefaultConfig()
	config.Address = "192.0.2.1:2947"
	arrivals := hearGPSD(t, peers, log, config)
	got := map[string]bool{}
	for _, s := range arrivals.Samples() {
		at := s.Instant.Add(-arrivalDelay).UTC().String()
		got[at] = true
		if expected[at] == "" {
			t.Errorf("%s, which gpsd's own record does not have", at)
		}
	}
	missing := 0
	for at := range expected {
		if !got[at] {
			missing++
		}
	}
	// Debian's gpsd is older than the record, and begins and ends some receivers' first and last cycles elsewhere.
	if len(got) == 0 || missing > 1+len(expected)/5 {
		t.Errorf("%d of %d times are missing", missing, len(expected))
	}
	fixes := map[refclock.Fix]bool{}
	for _, s := range arrivals.Signals() {
		if s.GNSS == nil || s.State != refclock.Timing {
			continue
		}
		fixes[s.GNSS.Fix] = true
		if n := s.GNSS.SatellitesUsed; n > 0 && len(used) > 0 && !used[n] {
			t.Errorf("%d satellites used, which gpsd's own record never has", n)
		}
	}
	// By gpsd's own stamps of the cycles.
	config = DefaultConfig()
	offsets := hearGPSD(t, peers, log, config)
	stamped := 0
	for _, s := range offsets.Samples() {
		stamped++
		at := s.Instant.Add(-uncalibratedDelay).UTC().String()
		if s.Systematic == arrivalLimit {
			at = s.Instant.Add(-arrivalDelay).UTC().String()
		}
		if age := refclock.Stamp(time.Now().UnixNano()).Sub(s.Stamp); age < 0 || age > time.Minute {
			t.Errorf("stamped %v ago", age)
		}
		if expected[at] == "" {
			t.Errorf("TOFF: %s, which gpsd's own record does not have", at)
		}
	}
	t.Logf("%d times in gpsd's record; by arrival %d (%d missing), by TOFF %d; %v", len(expected), len(got), missing, stamped, fixes)
}

// hearGPSD plays a recording once to a driver of this configuration.
func hearGPSD(t *testing.T, peers, log string, config Config) *sinktest.Record {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	free.Close()
	libraries, err := filepath.Glob(filepath.Join(peers, "usr/lib/*-linux-gnu*"))
	if err != nil || len(libraries) == 0 {
		t.Fatalf("no libraries in %s", peers)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	// As a client of its own (-p) it gives us more than a second to come before it plays, and ends with the recording.
	fake := exec.CommandContext(ctx, "/usr/bin/python3", filepath.Join(peers, "usr/bin/gpsfake"), "-1", "-q", "-p", "-s", "38400", "-P", port, log)
	fake.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join(peers, "usr/lib/python3/dist-packages"),
		"LD_LIBRARY_PATH="+libraries[0], "GPSD_HOME="+filepath.Join(peers, "usr/sbin"), "TMPDIR="+t.TempDir())
	printed := &bytes.Buffer{}
	fake.Stdout, fake.Stderr = printed, printed
	fake.Cancel = func() error { return fake.Process.Signal(os.Interrupt) } // so that it ends its gpsd
	fake.WaitDelay = 5 * time.Second
	if err := fake.Start(); err != nil {
		t.Fatal(err)
	}
	env := environment()
	env.NotBefore = time.Time{}
	env.Now = func() refclock.Stamp { return refclock.Stamp(time.Now().UnixNano()) }
	d := &driver{config: config, env: env, dial: func(ctx context.Context, _ string) (net.Conn, error) { return dial(ctx, address) }}
	out := &sinktest.Record{}
	for connected := false; !connected && ctx.Err() == nil; {
		c, err := net.Dial("tcp", address)
		if connected = err == nil; connected {
			c.Close()
		} else {
			time.Sleep(50 * time.Millisecond)
		}
	}
	err = d.Run(ctx, out) // until gpsd ends
	stop()
	fake.Wait()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the driver: %v; %+v; gpsfake printed:\n%.2000s", err, out.Last(), printed)
		}
	})
	return out
}

// expectation reads the expected output of gpsd's regression test: the times with a fix, and the counts of satellites.
func expectation(t *testing.T, path string) (times map[string]string, used map[int]bool) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	times, used = map[string]string{}, map[int]bool{}
	for line := range bytes.Lines(raw) {
		m, err := parse(line)
		if err != nil {
			continue
		}
		switch m.Class {
		case "TPV":
			if u, ok := m.utc(); ok && m.Mode >= 2 {
				times[u.String()] = fmt.Sprint(m.Mode)
			}
		case "SKY":
			count := 0
			for _, s := range m.satellites() {
				if s.Used {
					count++
				}
			}
			if used[count] = true; m.Used != nil {
				used[*m.Used] = true
			}
		}
	}
	if len(times) == 0 {
		t.Fatalf("%s: no time with a fix", path)
	}
	return times, used
}
