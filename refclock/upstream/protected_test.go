package upstream

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/nts"
	"timestation/refclock"
)

func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const keyLines = `7 AES128 HEX:7ea62ae64d190114d46d5a082f948ec1
8 SHA256 ASCII:a-long-password
9 MD5 tulip
`

func authenticator(t testing.TB, id uint32) *ntp.Authenticator {
	t.Helper()
	keys, err := ntp.ParseKeys(strings.NewReader(keyLines))
	if err != nil {
		t.Fatal(err)
	}
	a, err := ntp.NewAuthenticator(keys[id-7])
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// With a key only what is signed with it counts, kiss codes included.
func TestSymmetricKeys(t *testing.T) {
	for id, protection := range map[uint32]string{7: "AES128", 8: "SHA256", 9: "MD5"} {
		inBubble(t, func(t *testing.T, s *scene) {
			s.config.Keys, s.config.Key = writeFile(t, "keys", keyLines), id
			s.server.key = authenticator(t, id)
			s.run(t)
			pass(10 * time.Second)
			g := s.out.Last()
			if len(s.out.Samples()) != firstBurst || !s.out.Samples()[0].Exchange.Authenticated || g.Server.Protection != protection || !g.Server.Authenticated {
				t.Errorf("%d samples; %+v %+v", len(s.out.Samples()), g, g.Server)
			}
			s.server.mu.Lock()
			s.server.key = nil
			s.server.change = func(_, a *ntp.Header) { a.Stratum, a.ReferenceID = 0, [4]byte{'D', 'E', 'N', 'Y'} }
			s.server.mu.Unlock()
			pass(10 * time.Minute)
			g = s.out.Last()
			if len(s.out.Samples()) != firstBurst || g.State != refclock.Lost || !strings.Contains(g.Text, "not-authentic") || !strings.Contains(g.Text, "same key") {
				t.Errorf("%d samples; %s %q", len(s.out.Samples()), g.State, g.Text)
			}
		})
	}
}

// In interleaved mode each exchange has the server's true transmit stamp, which comes soon enough whatever the poll
// interval; a server that does not know the mode is used as any other.
func TestInterleaved(t *testing.T) {
	for _, interleaves := range []bool{true, false} {
		for _, seconds := range []int{4, 16, 1024} {
			inBubble(t, func(t *testing.T, s *scene) {
				s.server.interleaves = interleaves
				s.config.Interleaved, s.config.PollMin, s.config.PollMax = true, seconds, seconds
				s.run(t)
				pass(4 * time.Hour)
				exact := 0
				seen := map[refclock.Stamp]bool{}
				for i, x := range s.out.Samples() {
					if seen[x.Exchange.T1] {
						t.Errorf("sample %d came twice", i)
					}
					seen[x.Exchange.T1] = true
					err := errorOf(x.Exchange).Abs()
					if err < time.Microsecond {
						exact++
					} else if err > lateTransmit/2+time.Microsecond {
						t.Errorf("sample %d is off by %v", i, err)
					}
				}
				n := len(s.out.Samples())
				if want := 4 * 3600 / seconds; n < want*9/10 {
					t.Errorf("every %d s: %d samples", seconds, n)
				}
				if interleaves && exact < n-2 || !interleaves && exact > 0 {
					t.Errorf("interleaved %v, every %d s: %d of %d samples are exact", interleaves, seconds, exact, n)
				}
				if g := s.out.Last(); g.Server.Interleaved != interleaves || g.State != refclock.Timing {
					t.Errorf("%+v", g.Server)
				}
			})
		}
	}
	inBubble(t, func(t *testing.T, s *scene) { // answers are lost now and then
		s.server.interleaves = true
		s.config.Interleaved, s.config.PollMin, s.config.PollMax = true, 16, 16
		s.server.forge = func(_, answer []byte) [][]byte {
			if len(s.server.asked)%5 == 0 {
				return nil
			}
			return [][]byte{answer}
		}
		s.run(t)
		pass(time.Hour)
		if len(s.out.Samples()) < 3600/17*6/10 {
			t.Errorf("%d samples", len(s.out.Samples()))
		}
		for i, x := range s.out.Samples() {
			if err := errorOf(x.Exchange).Abs(); err > lateTransmit/2+time.Microsecond {
				t.Errorf("sample %d is off by %v", i, err)
			}
		}
	})
}

// keServer establishes keys for the scene's server, with a certificate of those dates.
type keServer struct {
	jar *nts.Jar
	ke  *nts.KEServer
	// ca is the certificate, which has signed itself.
	ca, keyFile string
}

func newKEServer(t testing.TB, from, to time.Time, name string) *keServer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	k := &keServer{ca: writeFile(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))}
	if k.jar, err = nts.OpenJar(""); err != nil {
		t.Fatal(err)
	}
	k.keyFile = writeFile(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	if k.ke, err = nts.NewKEServer(nts.KEConfig{Certificate: k.ca, Key: k.keyFile}, k.jar, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return k
}

// address makes the client believe that it is connected to the server's address.
type addressed struct{ net.Conn }

func (addressed) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(address, nts.Port))
}

// oneConn is a listener with connections from a channel.
type oneConn chan net.Conn

func (c oneConn) Accept() (net.Conn, error) {
	conn, ok := <-c
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}
func (oneConn) Close() error   { return nil }
func (oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// under puts the scene under NTS; asked counts connections.
func (k *keServer) under(t *testing.T, s *scene, asked *atomic.Int64) {
	t.Helper()
	conns := make(oneConn)
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.ke.Serve(context.Background(), conns)
	}()
	t.Cleanup(func() {
		close(conns)
		<-done
	})
	s.network.ke = func() net.Conn {
		asked.Add(1)
		client, server := net.Pipe()
		conns <- server
		return addressed{client}
	}
	s.server.nts = nts.NewServer(k.jar)
	s.config.NTS, s.config.CA = true, k.ca
}

func TestNTS(t *testing.T) {
	k := newKEServer(t, built, built.AddDate(1, 0, 0), "ntp.example.org")
	inBubble(t, func(t *testing.T, s *scene) {
		var asked atomic.Int64
		k.under(t, s, &asked)
		s.run(t)
		pass(24 * time.Hour)
		g := s.out.Last()
		if asked.Load() != 1 || g.State != refclock.Timing || g.Server.Protection != "NTS AES-SIV-CMAC-256" || !s.out.Samples()[0].Exchange.Authenticated {
			t.Errorf("keys established %d times: %+v %+v", asked.Load(), g, g.Server)
		}
		// The server forgets its master keys: new keys are established, at a bearable rate, and it goes on.
		jar, err := nts.OpenJar("")
		if err != nil {
			t.Fatal(err)
		}
		s.server.mu.Lock()
		s.server.nts = nts.NewServer(jar)
		s.server.mu.Unlock()
		before := len(s.out.Samples())
		pass(24 * time.Hour)
		if asked.Load() < 4 || asked.Load() > 40 || len(s.out.Samples()) != before {
			t.Errorf("keys of no use were established %d times in a day", asked.Load())
		}
		s.server.mu.Lock()
		s.server.nts = nts.NewServer(k.jar)
		s.server.mu.Unlock()
		pass(2 * time.Hour)
		if s.out.Last().State != refclock.Timing {
			t.Errorf("%+v", s.out.Last())
		}
	})
	inBubble(t, func(t *testing.T, s *scene) { // lost answers use up cookies, and come back
		var asked atomic.Int64
		k.under(t, s, &asked)
		s.server.forge = func(_, answer []byte) [][]byte {
			if n := len(s.server.asked); n > 10 && n%6 != 0 {
				return nil
			}
			return [][]byte{answer}
		}
		s.run(t)
		pass(24 * time.Hour)
		if asked.Load() != 1 || len(s.out.Samples()) < 10 {
			t.Errorf("keys established %d times, %d samples", asked.Load(), len(s.out.Samples()))
		}
	})
	inBubble(t, func(t *testing.T, s *scene) { // forged NTSN and unprotected answers
		var asked atomic.Int64
		k.under(t, s, &asked)
		s.server.forge = func(request, answer []byte) [][]byte {
			p, err := ntp.Parse(answer)
			if err != nil {
				panic(err)
			}
			kiss := p.Header
			kiss.Stratum, kiss.ReferenceID = 0, nts.Kiss
			id, _, _ := ntp.NextExtension(p.Extensions)
			return [][]byte{p.Append(nil), ntp.AppendExtension(kiss.Append(nil), id.Type, id.Value), answer}
		}
		s.run(t)
		pass(time.Hour)
		if asked.Load() != 1 || len(s.out.Samples()) != s.server.times() {
			t.Errorf("keys established %d times, %d samples of %d", asked.Load(), len(s.out.Samples()), s.server.times())
		}
	})
}

// Certificates are judged by the station's time, and again once that is known; failures are repeated ever more slowly.
func TestNTSCertificates(t *testing.T) {
	expired := newKEServer(t, built.AddDate(0, -1, 0), built.AddDate(0, 1, 0), "ntp.example.org")
	inBubble(t, func(t *testing.T, s *scene) {
		var asked atomic.Int64
		expired.under(t, s, &asked)
		s.run(t)
		pass(10 * time.Minute)
		if len(s.out.Samples()) == 0 {
			t.Fatalf("while the date is not known: %s", s.out.Last().Text)
		}
		s.known.Store(true)
		pass(20 * time.Minute)
		before := len(s.out.Samples())
		pass(6 * time.Hour)
		g := s.out.Last()
		if len(s.out.Samples()) != before || g.State != refclock.Lost || !strings.Contains(g.Text, "not by the station's time") {
			t.Errorf("an expired certificate is still used: %+v", g)
		}
		if asked.Load() > 20 {
			t.Errorf("%d attempts in six hours", asked.Load())
		}
	})
	other := newKEServer(t, built, built.AddDate(1, 0, 0), "elsewhere.example.org")
	inBubble(t, func(t *testing.T, s *scene) {
		var asked atomic.Int64
		other.under(t, s, &asked)
		s.run(t)
		pass(time.Minute)
		if g := s.out.Last(); len(s.out.Samples()) != 0 || g.State != refclock.Lost || !strings.Contains(g.Text, "ntp.example.org") {
			t.Errorf("%+v", g)
		}
	})
	inBubble(t, func(t *testing.T, s *scene) {
		s.config.NTS = true
		s.run(t)
		pass(time.Minute)
		if g := s.out.Last(); g.State != refclock.Lost || !strings.Contains(g.Text, "TCP port 4460") || !strings.HasPrefix(g.Text, "NTS: ntp.example.org:4460") {
			t.Errorf("%+v", g)
		}
	})
}

func TestConfigErrors(t *testing.T) {
	good := func() Config {
		c := DefaultConfig()
		c.Server = "ntp.example.org"
		return c
	}
	for key, change := range map[string]func(*Config){
		"server: is missing":        func(c *Config) { c.Server = "" },
		`server: "a b"`:             func(c *Config) { c.Server = "a b" },
		`server: "host:0"`:          func(c *Config) { c.Server = "host:0" },
		`server: "host:ntp"`:        func(c *Config) { c.Server = "host:ntp" },
		`server: "http://host"`:     func(c *Config) { c.Server = "http://host" },
		"keys: is missing":          func(c *Config) { c.Key = 7 },
		"key: is missing":           func(c *Config) { c.Keys = "/etc/keys" },
		"nts: is set and so is key": func(c *Config) { c.Key, c.Keys, c.NTS = 7, "/etc/keys", true },
		"ca: means nothing":         func(c *Config) { c.CA = "/etc/ca.pem" },
		"nts_port: 0":               func(c *Config) { c.NTSPort = 0 },
		"poll_min: 0":               func(c *Config) { c.PollMin = 0 },
		"poll_max: 8":               func(c *Config) { c.PollMax = 8 },
		"max_delay_seconds: 0":      func(c *Config) { c.MaxDelaySeconds = 0 },
		"max_distance_seconds: 100": func(c *Config) { c.MaxDistanceSeconds = 100 },
	} {
		c := good()
		change(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), key) {
			t.Errorf("want %s: %v", key, err)
		}
	}
	for server, want := range map[string]netip.AddrPort{
		"192.0.2.1": netip.MustParseAddrPort("192.0.2.1:123"), "192.0.2.1:11123": netip.MustParseAddrPort("192.0.2.1:11123"),
		"2001:db8::1": netip.MustParseAddrPort("[2001:db8::1]:123"), "[2001:db8::1]:1": netip.MustParseAddrPort("[2001:db8::1]:1"),
		"[::1]": netip.MustParseAddrPort("[::1]:123"), "fe80::1%eth0": netip.MustParseAddrPort("[fe80::1%eth0]:123"),
	} {
		c := good()
		c.Server = server
		host, port, err := c.hostPort()
		if err != nil || c.Validate() != nil || netip.AddrPortFrom(netip.MustParseAddr(host), port) != want {
			t.Errorf("%s: %s %d, %v, %v", server, host, port, err, c.Validate())
		}
	}
	c := good()
	c.Keys, c.Key = writeFile(t, "keys", keyLines), 99
	s := newScene()
	if _, err := newDriver(c, s.env, s.network); err == nil || !strings.Contains(err.Error(), "no key 99") {
		t.Error(err)
	}
	if err := os.Chmod(c.Keys, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := newDriver(c, s.env, s.network); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Error(err)
	}
	c = good()
	c.NTS, c.CA = true, filepath.Join(t.TempDir(), "missing.pem")
	if _, err := newDriver(c, s.env, s.network); !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "ca:") {
		t.Error(err)
	}
}
