//go:build peers

package nts

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"timestation/engine/ntp"
)

var chronydMeasured = regexp.MustCompile(`System clock wrong by (-?[0-9.]+) seconds`)

// TestPeersChronydAsClient: chronyd establishes keys here and takes the time under them, before and after the master keys
// were rotated.
func TestPeersChronydAsClient(t *testing.T) {
	peers := os.Getenv("TIMESTATION_PEERS")
	if peers == "" {
		t.Fatal("TIMESTATION_PEERS names no folder with chronyd; run this test with: make peers")
	}
	ca, dir := newAuthority(t), t.TempDir()
	now := time.Now()
	ca.certificate.NotAfter = now.AddDate(1, 0, 0)
	config := ca.issue(t, dir, now.AddDate(0, 0, -1), now.AddDate(0, 1, 0))
	trusted := filepath.Join(dir, "ca.pem")
	writePEM(t, trusted, "CERTIFICATE", ca.certificate.Raw)

	jar := newJar(t)
	udp := respond(t, jar)
	config.NTPPort = udp
	s, err := NewKEServer(config, jar, quiet)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Serve(ctx, listener) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()

	conf := fmt.Sprintf("pidfile %[1]s/pid\ncmdport 0\nbindcmdaddress /\nport 0\nntstrustedcerts %[2]s\n"+
		"server 127.0.0.1 iburst nts ntsport %[3]d\n", dir, trusted, listener.Addr().(*net.TCPAddr).Port)
	path := filepath.Join(dir, "chrony.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		// -x: the clock of this machine is never touched.
		out, err := exec.CommandContext(ctx, filepath.Join(peers, "usr/sbin/chronyd"),
			"-x", "-Q", "-t", "20", "-U", "-u", me.Username, "-f", path).CombinedOutput()
		m := chronydMeasured.FindSubmatch(out)
		if m == nil {
			t.Fatalf("chronyd did not measure: %v\n%s", err, out)
		}
		if offset, err := strconv.ParseFloat(string(m[1]), 64); err != nil || offset > 0.01 || offset < -0.01 {
			t.Errorf("chronyd measured %s s", m[1])
		}
		if err := jar.Rotate(); err != nil {
			t.Fatal(err)
		}
	}
	if c := s.Counters(); c.Established != 2 || c.Failed+c.Refused != 0 {
		t.Errorf("%+v", c)
	}
}

// respond answers requests under NTS with the time of this machine's clock, and gives its port.
func respond(t *testing.T, jar *Jar) uint16 {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		server, b := NewServer(jar), make([]byte, 2048)
		stamp := func() ntp.Timestamp {
			now := time.Now()
			return ntp.FromUnix(now.Unix(), int32(now.Nanosecond()))
		}
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			received := stamp()
			p, err := ntp.Parse(b[:n])
			if err != nil || !Concerns(&p) {
				t.Errorf("a request without NTS, %v", err)
				continue
			}
			r, err := server.Open(b[:n], &p)
			if err != nil {
				t.Errorf("a request of chronyd's does not open: %v", err)
				continue
			}
			h := ntp.Header{Version: 4, Mode: ntp.Server, Stratum: 1, Poll: p.Poll, Precision: -20, ReferenceID: [4]byte{'G', 'P', 'S'},
				Reference: received, Origin: p.Transmit, Receive: received, Transmit: stamp()}
			conn.WriteToUDPAddrPort(r.AppendProtection(h.Append(nil)), from)
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}
