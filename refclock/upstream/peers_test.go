//go:build peers

package upstream

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"timestation/refclock"
)

// chronyServer runs chronyd as a server on loopback, fed with this machine's own time by SOCK, and gives its port.
func chronyServer(t *testing.T, port int, more ...string) {
	t.Helper()
	peers := os.Getenv("TIMESTATION_PEERS")
	if peers == "" {
		t.Fatal("TIMESTATION_PEERS names no folder with chronyd; run this test with: make peers")
	}
	dir := t.TempDir()
	sock := filepath.Join(dir, "feed.sock")
	conf := fmt.Sprintf("pidfile %[1]s/pid\ncmdport 0\nbindcmdaddress /\nport %[2]d\nbindaddress 127.0.0.1\nallow 127.0.0.1\n"+
		"refclock SOCK %[3]s refid GPS1 poll 0 filter 1 delay 1e-6\n", dir, port, sock) + strings.Join(more, "\n") + "\n"
	path := filepath.Join(dir, "chrony.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	// -x: the clock of this machine is never touched.
	daemon := exec.CommandContext(ctx, filepath.Join(peers, "usr/sbin/chronyd"), "-x", "-d", "-U", "-u", me.Username, "-f", path)
	var log strings.Builder
	daemon.Stdout, daemon.Stderr = &log, &log
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		for ctx.Err() == nil {
			feed(sock)
			sleep(ctx, 100*time.Millisecond)
		}
	}()
	t.Cleanup(func() {
		stop()
		daemon.Wait()
		<-fed
		if t.Failed() {
			t.Log(log.String())
		}
	})
}

// feed tells chronyd that the clock is right (chrony's SOCK, version of 64-bit machines).
func feed(path string) {
	conn, err := net.Dial("unixgram", path)
	if err != nil {
		return
	}
	defer conn.Close()
	var b [40]byte
	now := time.Now()
	binary.NativeEndian.PutUint64(b[0:], uint64(now.Unix()))
	binary.NativeEndian.PutUint64(b[8:], uint64(now.Nanosecond()/1000))
	binary.NativeEndian.PutUint64(b[16:], math.Float64bits(0))
	binary.NativeEndian.PutUint32(b[36:], 0x534f434b)
	conn.Write(b[:])
}

// TestPeersChronydAsServer: the driver takes the time from a real chronyd, plain, with keys, interleaved and under NTS.
func TestPeersChronydAsServer(t *testing.T) {
	now := time.Now()
	ke := newKEServer(t, now.AddDate(0, 0, -1), now.AddDate(0, 1, 0), "localhost") // only its files are used
	keyFile := writeFile(t, "keys", keyLines)
	const port, tls = 21123, 24460
	chronyServer(t, port, "keyfile "+keyFile, fmt.Sprintf("ntsport %d", tls), "ntsservercert "+ke.ca, "ntsserverkey "+ke.keyFile)
	for _, c := range []struct {
		name, protection string
		change           func(*Config)
		interleaved      bool
	}{
		{"plain", "none", func(*Config) {}, false},
		{"AES128", "AES128", func(c *Config) { c.Keys, c.Key = keyFile, 7 }, false},
		{"SHA256", "SHA256", func(c *Config) { c.Keys, c.Key = keyFile, 8 }, false},
		{"MD5", "MD5", func(c *Config) { c.Keys, c.Key = keyFile, 9 }, false},
		{"interleaved", "none", func(c *Config) { c.Interleaved = true }, true},
		{"NTS", "NTS AES-SIV-CMAC-256", func(c *Config) { c.NTS, c.NTSPort, c.CA = true, tls, ke.ca }, false},
		{"NTS interleaved", "NTS AES-SIV-CMAC-256", func(c *Config) { c.NTS, c.NTSPort, c.CA, c.Interleaved = true, tls, ke.ca, true }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := DefaultConfig()
			config.Server, config.PollMin, config.PollMax = fmt.Sprintf("127.0.0.1:%d", port), 1, 1
			c.change(&config)
			if err := config.Validate(); err != nil {
				t.Fatal(err)
			}
			s := newScene()
			s.env.Now = systemNow
			s.env.NotBefore = now.AddDate(0, 0, -2)
			s.env.Log = slog.New(slog.DiscardHandler)
			s.env.UTC = func() (refclock.UTC, bool) { return refclock.UTC{}, false }
			d, err := newDriver(config, s.env, systemNetwork{systemNow})
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				refclock.Supervise(ctx, "chronyd", d, s.env.Log, s.out)
			}()
			for range 200 {
				if sleep(t.Context(), 100*time.Millisecond); len(s.out.Samples()) >= 6 {
					break
				}
			}
			stop()
			<-done
			if len(s.out.Samples()) < 6 {
				t.Fatalf("%d samples; %+v", len(s.out.Samples()), s.out.Last())
			}
			best := time.Hour
			for _, x := range s.out.Samples() {
				const tai = taiMinusUTC * time.Second
				best = min(best, (offset(x.Exchange) - tai).Abs())
				if x.Exchange.Authenticated != (c.protection != "none") || x.Exchange.Stratum != 1 {
					t.Errorf("%+v", x.Exchange)
				}
			}
			g := s.out.Last()
			if g.Server.Protection != c.protection || g.Server.Interleaved != c.interleaved || !g.Server.KernelStamps || g.Server.ReferenceID != "GPS1" {
				t.Errorf("%+v", g.Server)
			}
			if best > time.Millisecond {
				t.Errorf("the best of %d samples is off by %v", len(s.out.Samples()), best)
			}
			t.Logf("%d samples, the best off by %v, round trip %.1f µs", len(s.out.Samples()), best, 1e6*g.Server.DelaySeconds)
		})
	}
}
