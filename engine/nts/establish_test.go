package nts

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"timestation/engine/ntp"
)

// pipes is a listener whose connections stay in the process, so that they know nothing but the test's time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// from is a connection that says where it comes from.
type from struct {
	net.Conn
	address string
}

func (f from) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.ParseIP(f.address), Port: 40000}
}

func (p *pipes) dialFrom(address string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		client, server := net.Pipe()
		select {
		case p.conns <- from{server, address}:
			return client, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// serveKE runs a server over pipes until the test ends; it must be called inside a bubble.
func serveKE(t *testing.T, config KEConfig, jar *Jar) (*KEServer, *pipes) {
	t.Helper()
	s, err := NewKEServer(config, jar, quiet)
	if err != nil {
		t.Fatal(err)
	}
	p := newPipes()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(ctx, p) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s, p
}

func on(date time.Time) func() Today { return func() Today { return Today{date, true} } }
func since(b time.Time) func() Today { return func() Today { return Today{b, false} } }

// Keys are established, and NTP packets protected by them, with either algorithm.
func TestEstablishment(t *testing.T) {
	ca := newAuthority(t)
	config := ca.issue(t, t.TempDir(), built, built.AddDate(0, 3, 0))
	config.NTPServer, config.NTPPort = "ntp.example.org", 11123
	synctest.Test(t, func(t *testing.T) {
		jar := newJar(t)
		s, p := serveKE(t, config, jar)
		for _, a := range []Algorithm{0, AESSIVCMAC256, AES128GCMSIV} {
			q := Establish{Name: "localhost", Port: Port, Roots: ca.pool(), Today: on(built.AddDate(0, 1, 0)), Dial: p.dialFrom("192.0.2.1")}
			if a != 0 {
				q.Algorithms = []Algorithm{a}
			}
			e, err := q.Do(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(e.Cookies) != MaxCookies || e.Server != "ntp.example.org" || e.Port != 11123 {
				t.Errorf("%v", e)
			}
			client, server := newClient(t, e), NewServer(jar)
			packet := request4(t, client)
			r, err := server.Open(packet, parse(t, packet))
			if err != nil {
				t.Fatal(err)
			}
			answer := r.AppendProtection(header(ntp.Server))
			if err := client.Open(answer, parse(t, answer)); err != nil {
				t.Error(err)
			}
		}
		q := Establish{Name: "localhost", Port: Port, Roots: ca.pool(), Today: on(built), Dial: p.dialFrom("192.0.2.1"),
			Algorithms: []Algorithm{17}}
		if _, err := q.Do(t.Context()); err == nil || !strings.Contains(err.Error(), "none of the offered algorithms") {
			t.Error(err)
		}
		synctest.Wait()
		if c := s.Counters(); c.Established != 3 || c.Refused != 1 || c.Failed != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// A certificate is judged by what is known of the date, and by the name that was asked for.
func TestCertificates(t *testing.T) {
	ca, stranger := newAuthority(t), newAuthority(t)
	config := ca.issue(t, t.TempDir(), built.AddDate(0, 2, 0), built.AddDate(0, 5, 0))
	synctest.Test(t, func(t *testing.T) {
		s, p := serveKE(t, config, newJar(t))
		for name, c := range map[string]struct {
			today func() Today
			host  string
			roots *x509.CertPool
			want  string // in the error; empty is none
		}{
			"valid today":                           {on(built.AddDate(0, 3, 0)), "localhost", ca.pool(), ""},
			"by address":                            {on(built.AddDate(0, 3, 0)), "127.0.0.1", ca.pool(), ""},
			"not yet":                               {on(built.AddDate(0, 1, 0)), "localhost", ca.pool(), "not by the station's time"},
			"no longer":                             {on(built.AddDate(0, 6, 0)), "localhost", ca.pool(), "not by the station's time, 2026-12-01"},
			"date unknown, issued after the build":  {since(built), "localhost", ca.pool(), ""},
			"date unknown, expired before it":       {since(built.AddDate(1, 0, 0)), "localhost", ca.pool(), "before this program was built, 2027-06-01"},
			"another name":                          {on(built.AddDate(0, 3, 0)), "elsewhere", ca.pool(), "elsewhere"},
			"signed by a stranger":                  {on(built.AddDate(0, 3, 0)), "localhost", stranger.pool(), "ca"},
			"signed by a stranger, date unknown":    {since(built), "localhost", stranger.pool(), "ca"},
			"the machine's clock says 1970 or 2000": {on(built.AddDate(0, 3, 0)), "localhost", ca.pool(), ""},
		} {
			_, err := Establish{Name: c.host, Port: Port, Roots: c.roots, Today: c.today, Dial: p.dialFrom("192.0.2.1")}.Do(t.Context())
			switch {
			case c.want == "" && err != nil:
				t.Errorf("%s: %v", name, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%s: %v", name, err)
			case err != nil && (strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "NTS: "+c.host)):
				t.Errorf("%s: not one line that names the server: %v", name, err)
			}
		}
		if !s.NotAfter().Equal(built.AddDate(0, 5, 0)) {
			t.Error(s.NotAfter())
		}
	})
}

// A renewed certificate is given to the next client; a wrong one leaves the old in force, and a key that others can read
// is refused.
func TestCertificateReload(t *testing.T) {
	ca, dir := newAuthority(t), t.TempDir()
	config := ca.issue(t, dir, built, built.AddDate(0, 3, 0))
	synctest.Test(t, func(t *testing.T) {
		s, p := serveKE(t, config, newJar(t))
		ask := func(date time.Time) error {
			_, err := Establish{Name: "localhost", Port: Port, Roots: ca.pool(), Today: on(date), Dial: p.dialFrom("192.0.2.1")}.Do(t.Context())
			return err
		}
		later := built.AddDate(0, 4, 0)
		if ask(later) == nil {
			t.Error("an expired certificate passed")
		}
		ca.issue(t, dir, later, later.AddDate(0, 3, 0))
		if err := s.ReloadCertificate(); err != nil {
			t.Fatal(err)
		}
		if err := ask(later); err != nil {
			t.Error(err)
		}
		for _, spoil := range []func() error{
			func() error { return os.Chmod(config.Key, 0o644) },
			func() error { return os.WriteFile(config.Certificate, []byte("nonsense"), 0o600) },
			func() error { return os.Remove(config.Key) },
		} {
			if err := spoil(); err != nil {
				t.Fatal(err)
			}
			if err := s.ReloadCertificate(); err == nil || strings.Contains(err.Error(), "\n") {
				t.Error(err)
			}
			if err := ask(later); err != nil {
				t.Errorf("the old certificate is no longer in force: %v", err)
			}
		}
	})
}

// Clients that are silent, slow, too many or of another protocol are got rid of, and others served meanwhile.
func TestKEServerUnderSiege(t *testing.T) {
	ca := newAuthority(t)
	config := ca.issue(t, t.TempDir(), built, built.AddDate(0, 3, 0))
	config.Permits = func(a netip.Addr) bool { return a != netip.MustParseAddr("203.0.113.5") }
	synctest.Test(t, func(t *testing.T) {
		s, p := serveKE(t, config, newJar(t))
		var silent []net.Conn
		connect := func(address string) {
			conn, err := p.dialFrom(address)(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			silent = append(silent, conn)
			synctest.Wait()
		}
		for i := range 3 * handshakesPerAddress {
			connect("198.51.100.7")
			connect(fmt.Sprintf("2001:db8::%x", i+1)) // another address of the same network each time
		}
		if c := s.Counters(); c.Busy != 2*2*handshakesPerAddress {
			t.Errorf("%d connections of one address and one network were closed at once", c.Busy)
		}
		if connect("203.0.113.5"); s.Counters().Refused != 1 {
			t.Errorf("who may not ask: %+v", s.Counters())
		}
		ask := func(address string) error {
			_, err := Establish{Name: "localhost", Port: Port, Roots: ca.pool(), Today: on(built), Dial: p.dialFrom(address)}.Do(t.Context())
			return err
		}
		if ask("198.51.100.7") == nil {
			t.Error("an address with too many connections was served")
		}
		if err := ask("192.0.2.1"); err != nil {
			t.Errorf("kept out by another's silence: %v", err)
		}
		time.Sleep(handshakeTime + time.Second)
		for _, conn := range silent {
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				t.Error("a silent connection is still open")
			}
		}
		if err := ask("198.51.100.7"); err != nil {
			t.Errorf("its time is over, and it is still kept out: %v", err)
		}
		conn, err := p.dialFrom("192.0.2.2")(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		web := tls.Client(conn, &tls.Config{NextProtos: []string{"h2"}, InsecureSkipVerify: true})
		if err := web.Handshake(); err == nil {
			t.Error("a web browser was let in")
		}
		conn, err = p.dialFrom("192.0.2.3")(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		old := tls.Client(conn, &tls.Config{NextProtos: []string{applicationP}, InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12})
		if err := old.Handshake(); err == nil {
			t.Error("TLS 1.2 was let in")
		}
		conn.Close()
	})
}

// A client does not wait for ever for a server that does not answer, and takes no lists without end.
func TestEstablishmentThatFails(t *testing.T) {
	ca := newAuthority(t)
	config := ca.issue(t, t.TempDir(), built, built.AddDate(0, 3, 0))
	certificate, err := tls.LoadX509KeyPair(config.Certificate, config.Key)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		serve func(net.Conn)
		want  string
	}{
		"silent": {func(net.Conn) {}, "did not answer in time"},
		"gone":   {func(c net.Conn) { c.Close() }, "no secure connection"},
		"a web server": {func(c net.Conn) {
			tls.Server(c, &tls.Config{Certificates: []tls.Certificate{certificate}}).Handshake()
		}, "does not establish keys"},
		"endless": {func(c net.Conn) {
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{applicationP}})
			if s.Handshake() != nil {
				return
			}
			go io.Copy(io.Discard, s)
			for range 100 {
				s.Write(appendRecord(nil, false, recordCookie, make([]byte, 1000)))
			}
		}, "too long"},
		"mute after the request": {func(c net.Conn) {
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{applicationP}})
			if s.Handshake() == nil {
				io.Copy(io.Discard, s)
			}
		}, "did not answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
				defer stop()
				var ends []net.Conn
				_, err := Establish{Name: "localhost", Port: Port, Roots: ca.pool(), Today: on(built),
					Dial: func(context.Context, string, string) (net.Conn, error) {
						client, server := net.Pipe()
						ends = append(ends, client, server)
						go c.serve(server)
						return from{client, "192.0.2.9"}, nil
					}}.Do(ctx)
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Error(err)
				}
				for _, end := range slices.Backward(ends) {
					end.Close()
				}
			})
		})
	}
}
