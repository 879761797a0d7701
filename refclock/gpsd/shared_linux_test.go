package gpsd

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"timestation/refclock"
	"timestation/refclock/sinktest"
)

// await waits for a sample at most for a second.
func await(t *testing.T, out *sinktest.Record, n int) []refclock.Sample {
	t.Helper()
	for range 100 {
		if s := out.Samples(); len(s) >= n {
			return s
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%d samples, %+v", len(out.Samples()), out.Last())
	return nil
}

// TestRealSegment reads a segment of the kernel, and notices when its feeder makes it anew.
func TestRealSegment(t *testing.T) {
	unit := 100 + os.Getpid()%100 // not one that gpsd uses
	makeSegment := func() (id int, mapped []byte) {
		id, err := unix.SysvShmGet(shmKey+unit, shmSize64, unix.IPC_CREAT|unix.IPC_EXCL|0o600)
		if err != nil {
			t.Fatal(err)
		}
		mapped, err = unix.SysvShmAttach(id, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		return id, mapped
	}
	if _, err := attach(unit); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("shared memory unit %d: nobody has made it", unit)) {
		t.Fatal(err)
	}
	id, mapped := makeSegment()
	defer func() {
		unix.SysvShmDetach(mapped)
		unix.SysvShmCtl(id, unix.IPC_RMID, nil)
	}()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := &sinktest.Record{}
	done := make(chan error, 1)
	d := &shmDriver{config: SHMConfig{Unit: unit, DelayLimit: 1e-4}, env: environment(), attach: attach}
	go func() { done <- d.Run(ctx, out) }()
	time.Sleep(50 * time.Millisecond)
	memory(mapped).write(layout64.written(96, 1, 2, noon, noon+1, 0, -20, 1))
	if s := await(t, out, 1)[0]; s.Stamp != refclock.Stamp(noon+1) || s.Instant.TAI != noon+37e9 {
		t.Errorf("%+v", s)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	s, err := attach(unit)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.alive(); err != nil {
		t.Error(err)
	}
	unix.SysvShmDetach(mapped)
	unix.SysvShmCtl(id, unix.IPC_RMID, nil)
	if err := s.alive(); err == nil || !strings.Contains(err.Error(), "was taken away") {
		t.Error(err)
	}
	id, mapped = makeSegment()
	if err := s.alive(); err == nil {
		t.Error("another segment taken for the same")
	}
}

// TestRealSocket receives on a socket, replaces what a crashed run has left, and leaves alone what is another's.
func TestRealSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "feed.sock")
	left, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listenSOCK(path); err == nil || !strings.Contains(err.Error(), "another program receives there") {
		t.Errorf("%v", err)
	}
	left.Close()
	ctx, stop := context.WithCancel(t.Context())
	out := &sinktest.Record{}
	done := make(chan error, 1)
	d := &sockDriver{config: SOCKConfig{Path: path, DelayLimit: 1e-4}, env: environment()}
	go func() { done <- d.Run(ctx, out) }()
	var feed net.Conn
	for range 100 {
		if feed, err = net.Dial("unixgram", path); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Close()
	if _, err := feed.Write(datagram(true, noon/1e9, 0, 0.25, 0, 0, sockMagic)); err != nil {
		t.Fatal(err)
	}
	if s := await(t, out, 1)[0]; s.Stamp != refclock.Stamp(noon) || s.Instant.TAI != noon+37e9+25e7 {
		t.Errorf("%+v", s)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket was left behind")
	}
	for path, want := range map[string]string{
		t.TempDir():                      "there is something else of that name",
		filepath.Join(path, "no", "dir"): "there is no folder",
	} {
		if _, err := listenSOCK(path); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
