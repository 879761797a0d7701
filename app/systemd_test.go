package main

import (
	"context"
	"net"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// systemd hears that the station is ready, that it lives while its engine publishes and no longer, and that it stops.
func TestReportToSystemd(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("there is no systemd here")
		return
	}
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "90000")
	hear := func(within time.Duration) string {
		var buffer [64]byte
		_ = socket.SetReadDeadline(time.Now().Add(within))
		n, err := socket.Read(buffer[:])
		if err != nil {
			return ""
		}
		return string(buffer[:n])
	}
	var generation atomic.Uint64
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		reportToSystemd(ctx, generation.Load)
		close(ended)
	}()
	if got := hear(time.Second); got != "READY=1" {
		t.Fatalf("first it said %q", got)
	}
	for range 3 {
		generation.Add(1)
		if got := hear(time.Second); got != "WATCHDOG=1" {
			t.Fatalf("while it lives it said %q", got)
		}
	}
	if got := hear(200 * time.Millisecond); got != "" {
		t.Errorf("with an engine that hangs it said %q", got)
	}
	stop()
	if got := hear(time.Second); got != "STOPPING=1" {
		t.Errorf("at the end it said %q", got)
	}
	<-ended
}
