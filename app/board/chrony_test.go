//go:build board && linux

package main

import (
	"context"
	"math"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"timestation/app/printed"
)

// clockError is by how much CLOCK_REALTIME is ahead of the truth.
func (w *World) clockError() time.Duration {
	before := rawNow()
	realtime := read(unix.CLOCK_REALTIME)
	after := rawNow()
	return time.Duration(realtime - posix(w.At(before+(after-before)/2)))
}

// chronydAsks: chronyd as a client measures the clock's error as it is, within the station's bound.
func chronydAsks(t *testing.T, w *World, s *station) {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	before := w.clockError()
	out, err := exec.CommandContext(ctx, "/usr/sbin/chronyd", "-Q", "-t", "20", "-f", "/dev/null", "server 127.0.0.1 iburst maxsamples 4",
		"cmdport 0", "user root", "pidfile /run/chronyd-client.pid").CombinedOutput()
	found := regexp.MustCompile(`System clock wrong by (\S+) seconds`).FindSubmatch(out)
	if err != nil || found == nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wrong, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	r, _ := s.report()
	off := math.Abs(-wrong - before.Seconds())
	t.Logf("chronyd: wrong by %+.6f s; in truth %+.6f s; bound %.6f s", wrong, -before.Seconds(), *r.MaxErrorSeconds)
	if off > *r.MaxErrorSeconds {
		t.Errorf("chronyd is %.6f s off the truth", off)
	}
}

// chronydIsFed: chronyd steers this machine's clock by what the station gives to its SOCK refclock, and the station, which
// does not steer, goes on undisturbed.
func chronydIsFed(t *testing.T, w *World, s *station) {
	const config = "refclock SOCK /run/feed.sock refid TIME poll 1\nmakestep 0.1 1\ncmdport 0\nport 0\nuser root\npidfile /run/chronyd.pid\n"
	if err := os.WriteFile("/run/chrony.conf", []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	chronyd := exec.Command("/usr/sbin/chronyd", "-d", "-f", "/run/chrony.conf")
	var said printed.Text
	chronyd.Stdout, chronyd.Stderr = &said, &said
	if err := chronyd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = chronyd.Process.Signal(unix.SIGTERM)
		_ = chronyd.Wait()
	}()
	for range 50 {
		if os.Chmod("/run/feed.sock", 0o666) == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	began := w.since()
	bound := func() time.Duration {
		r, _ := s.report()
		if r.MaxErrorSeconds == nil {
			return 0
		}
		return time.Duration(*r.MaxErrorSeconds * 1e9)
	}
	at := w.until(t, began+60*time.Second, "chronyd does not correct the clock", func() bool { return w.clockError().Abs() < bound() })
	t.Logf("chronyd has the clock right, to %v, %v after its start", w.clockError(), (at - began).Round(time.Second))
	if !s.synchronised() {
		t.Errorf("the station is disturbed: %s", s.said())
	}
	if t.Failed() {
		t.Log(said.String())
	}
}
