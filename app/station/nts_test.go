package station

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"timestation/app/config"
	"timestation/app/keys"
	"timestation/engine/ntp"
	"timestation/engine/nts"
	"timestation/engine/serve"
	"timestation/refclock"
	"timestation/refclock/gps"
)

// TestNTS: with the certificate of "keys cert" a client that may ask for the time is given keys, and an answer that it can
// open; one that may not is given neither.
func TestNTS(t *testing.T) {
	folder, now := t.TempDir(), time.Now()
	if _, err := keys.Issue(keys.Request{Folder: folder, Addresses: []net.IP{net.IPv4(127, 0, 0, 1)}, Days: 9, Now: now}); err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(filepath.Join(folder, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)

	cfg := config.Default()
	receiver := gps.DefaultConfig()
	receiver.Device = "/dev/null"
	cfg.Refclocks = []config.Refclock{{Name: "gps0", Driver: "gps", Receiver: "gps0", Config: refclock.Config(&receiver)}}
	listener := serve.DefaultConfig()
	listener.Address, listener.NTS, listener.Deny = "127.0.0.1:0", true, []string{"127.0.0.9/32"}
	cfg.Listeners = []serve.Config{listener}
	cfg.NTS.Listen = "127.0.0.1:0"
	cfg.NTS.Certificate, cfg.NTS.Key = filepath.Join(folder, keys.ServerCertificate), filepath.Join(folder, keys.ServerKey)
	cfg.Web.Listen, cfg.Control.ChronyAddress = "127.0.0.1:0", ""
	s, err := Build(&cfg, Options{Log: slog.New(slog.DiscardHandler), DataDir: t.TempDir(), Version: "test"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()

	establish := func(from string) (*nts.Establishment, error) {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		limit, done := context.WithTimeout(t.Context(), 10*time.Second)
		defer done()
		return nts.Establish{
			Name: "127.0.0.1", Port: netip.MustParseAddrPort(s.nts.listener.Addr().String()).Port(), Roots: roots,
			Today: func() nts.Today { return nts.Today{Time: now, Known: true} }, Dial: dialer.DialContext,
		}.Do(limit)
	}
	granted, err := establish("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	client, err := nts.NewClient(granted)
	if err != nil {
		t.Fatal(err)
	}
	header := ntp.Header{Version: 4, Mode: ntp.Client, Transmit: 1}
	request, err := client.AppendRequest(header.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(granted.Port)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(request); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	answer := make([]byte, 2048)
	n, err := conn.Read(answer)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ntp.Parse(answer[:n])
	if err != nil {
		t.Fatal(err)
	}
	// It has no time yet, and says so under the keys.
	if err := client.Open(answer[:n], &p); err != nil || p.Origin != 1 || p.Leap != ntp.LeapUnsynchronised || client.Cookies() != nts.MaxCookies {
		t.Errorf("%v, %+v, %d cookies", err, p.Header, client.Cookies())
	}
	if granted, err := establish("127.0.0.9"); err == nil {
		t.Errorf("a client that may not ask for the time was given keys: %v", granted)
	}
}
