package main

import (
	"context"
	"net"
	"os"
	"strconv"
	"time"
)

// tellSystemd is sd_notify(3): one message to the service manager. Without one, or where it does not listen, nothing
// happens: nobody waits for it then.
func tellSystemd(message string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	// A path that begins with @ is one of the abstract namespace; net knows that notation.
	socket, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return
	}
	defer socket.Close()
	_, _ = socket.Write([]byte(message)) // nobody to tell
}

// reportToSystemd says that the station runs, and from then on that it lives: as often as systemd's watchdog wants it, but
// only while new models of the time are published. A station whose engine hangs is started again.
func reportToSystemd(ctx context.Context, generation func() uint64) {
	last := generation()
	tellSystemd("READY=1")
	defer tellSystemd("STOPPING=1")
	microseconds, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || microseconds <= 0 {
		<-ctx.Done()
		return
	}
	// sd_watchdog_enabled(3) recommends half of the time; a third leaves room for a machine that is busy.
	beat := time.NewTicker(time.Duration(microseconds) * time.Microsecond / 3)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			if now := generation(); now != last {
				last = now
				tellSystemd("WATCHDOG=1")
			}
		}
	}
}
