//go:build peers

package notify

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// peersDir is where Debian's programs are unpacked.
func peersDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("TIMESTATION_PEERS")
	if dir == "" {
		t.Fatal("TIMESTATION_PEERS names no folder with other people's programs; run this test with: make peers")
	}
	return dir
}

// peer is one of Debian's programs, running.
type peer struct {
	command *exec.Cmd
	mu      sync.Mutex
	printed bytes.Buffer
}

func (p *peer) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.printed.Write(b)
}

func (p *peer) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.printed.String()
}

func startPeer(t *testing.T, program string, args ...string) *peer {
	t.Helper()
	p := &peer{}
	p.command = exec.Command(program, args...)
	p.command.Stdout, p.command.Stderr, p.command.WaitDelay = p, p, time.Second
	p.command.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join(peersDir(t), "usr/lib/python3/dist-packages"), "PYTHONUNBUFFERED=1")
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	return p
}

func (p *peer) stop() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}

// await waits until something is so.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for began := time.Now(); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// freePort is one that nobody has on loopback, for UDP and TCP.
func freePort(t *testing.T) string {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(l.Addr().String())
		c, err := net.ListenPacket("udp", "127.0.0.1:"+port)
		l.Close()
		if err == nil {
			c.Close()
			return port
		}
	}
	t.Fatal("there is no free port")
	return ""
}

func awaitTCP(t *testing.T, port string) {
	t.Helper()
	await(t, "port "+port, func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func writeFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// pairFiles makes a certificate for 127.0.0.1 and its key, as files.
func pairFiles(t *testing.T) (certificateFile, keyFile string) {
	t.Helper()
	pair, ca := certificate(t)
	der, err := x509.MarshalECPrivateKey(pair.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	return ca, writeFile(t, filepath.Join(t.TempDir(), "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})))
}

// send delivers a notice, or fails the test.
func send(t *testing.T, s Sink, n Notice) string {
	t.Helper()
	answer, err := s.Send(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// place makes one of a kind, as the configuration would.
func place[T any](t *testing.T, kind string, env Environment, set func(T)) any {
	t.Helper()
	r, known := Lookup(kind)
	if !known {
		t.Fatalf("there is no kind %q", kind)
	}
	s := r.NewSettings()
	set(s.(T))
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	made, err := r.New(s, env)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

const smtpd = `
import ssl, sys, time
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Debugging
from aiosmtpd.smtp import AuthResult
def login(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b"time" and data.password == b"hunter2")
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(sys.argv[2], sys.argv[3])
Controller(Debugging(sys.stdout), hostname="127.0.0.1", port=int(sys.argv[1]), tls_context=tls, require_starttls=True,
           auth_required=True, authenticator=login).start()
print("ready", flush=True)
time.sleep(300)
`

// TestPeersMail: Debian's aiosmtpd, which insists on STARTTLS and a password, takes a mail.
func TestPeersMail(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	pair, key := pairFiles(t)
	server := startPeer(t, "python3", "-c", smtpd, port, pair, key)
	await(t, "aiosmtpd", func() bool { return strings.Contains(server.output(), "ready") })
	env := environment()
	env.LastHour = hour
	m := place(t, "mail", env, func(s *mailSettings) {
		s.Server, s.CAFile, s.From, s.To = "127.0.0.1:"+port, pair, "time@example.org", []string{"ops@example.org"}
		s.User, s.PasswordFile = "time", secretFile(t, "hunter2")
	}).(Sink)
	if answer := send(t, m, lostNotice()); !strings.HasPrefix(answer, "250") && !strings.Contains(answer, "OK") {
		t.Errorf("answered %q", answer)
	}
	await(t, "the mail", func() bool { return strings.Contains(server.output(), "END MESSAGE") })
	if text := server.output(); !strings.Contains(text, "Subject: Studio: warning: source-lost gps0") || !strings.Contains(strings.ToLower(text), "content-id: <last-hour.png>") {
		t.Errorf("%.3000s", text)
	}
}

// TestPeersSyslog: Debian's rsyslogd takes messages over UDP, TCP and TLS, apart from each other and in full.
func TestPeersSyslog(t *testing.T) {
	t.Parallel()
	root, dir := peersDir(t), t.TempDir()
	modules, err := filepath.Glob(filepath.Join(root, "usr/lib/*/rsyslog"))
	if err != nil || len(modules) != 1 {
		t.Fatalf("rsyslog's modules: %v %v", modules, err)
	}
	pair, key := pairFiles(t)
	udp, tcp, secure := freePort(t), freePort(t), freePort(t)
	out := filepath.Join(dir, "log")
	config := fmt.Sprintf(`
global(workDirectory=%[1]q defaultNetstreamDriverCAFile=%[2]q defaultNetstreamDriverCertFile=%[2]q defaultNetstreamDriverKeyFile=%[3]q)
module(load="imudp")
module(load="imtcp")
template(name="all" type="string" string="%%inputname%%|%%pri%%|%%timereported:::date-rfc3339%%|%%app-name%%|%%msgid%%|%%structured-data%%|%%msg%%\n")
ruleset(name="keep") { action(type="omfile" file=%[4]q template="all") }
input(type="imudp" address="127.0.0.1" port=%[5]q ruleset="keep" name="udp")
input(type="imtcp" address="127.0.0.1" port=%[6]q ruleset="keep" name="tcp")
input(type="imtcp" address="127.0.0.1" port=%[7]q ruleset="keep" name="tls" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
`, dir, pair, key, out, udp, tcp, secure)
	start := func() *peer {
		server := startPeer(t, filepath.Join(root, "usr/sbin/rsyslogd"), "-n", "-M", modules[0], "-i", filepath.Join(dir, "pid"),
			"-f", writeFile(t, filepath.Join(dir, "rsyslog.conf"), config))
		awaitTCP(t, tcp)
		awaitTCP(t, secure)
		return server
	}
	server := start()
	transports := map[string]string{"udp": udp, "tcp": tcp, "tls": secure}
	places := map[string]Sink{}
	for transport, port := range transports {
		places[transport] = place(t, "syslog", environment(), func(s *syslogSettings) {
			s.Server, s.Transport, s.Facility, s.CAFile, s.Enterprise = "127.0.0.1:"+port, transport, "local3", pair, 64999
		}).(Sink)
	}
	logged := func() string { text, _ := os.ReadFile(out); return string(text) }
	n := lostNotice()
	n.Alert.Mend = `say "yes" ]` + "\n" + `and \ again`
	for transport, p := range places {
		send(t, p, n)
		send(t, p, Notice{ID: "a1b2c3d4-8", Kind: Test, Station: "Studio", Alert: n.Alert})
		await(t, transport, func() bool { return strings.Count(logged(), transport+"|") == 2 })
	}
	for line := range strings.Lines(logged()) {
		fields := strings.Split(line, "|")
		if len(fields) != 7 || fields[1] != "156" || fields[3] != "timestation" || fields[4] != "source-lost" ||
			!strings.Contains(fields[5], `mend="say \"yes\" \] and \\ again"`) || !strings.HasPrefix(fields[5], `[timeQuality tzKnown="1"`) || strings.Contains(fields[5], `isSynced="1"`) ||
			!strings.Contains(fields[5], `][origin software="Timestation" swVersion="1"][alert@64999 id="a1b2c3d4-`) ||
			!strings.Contains(fields[6], "gps0 is lost: <no such device>.") {
			t.Errorf("%q", line)
		}
		if strings.Contains(fields[5], `kind="raised"`) && fields[2] != "2026-11-22T12:00:00.000000Z" && fields[2] != "2026-11-22T12:00:00.000000+00:00" {
			t.Errorf("time %q", fields[2])
		}
	}

	wary := place(t, "syslog", environment(), func(s *syslogSettings) { s.Server, s.Transport = "127.0.0.1:"+secure, "tls" }).(Sink)
	if _, err := wary.Send(t.Context(), n); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}

	server.stop()
	for _, transport := range []string{"tcp", "tls"} {
		if _, err := places[transport].Send(t.Context(), n); err == nil {
			t.Errorf("%s: nobody took it, and that was not noticed", transport)
		}
	}
	start()
	before := strings.Count(logged(), "\n")
	for _, transport := range []string{"tcp", "tls"} {
		send(t, places[transport], n)
	}
	await(t, "the messages after rsyslogd was back", func() bool { return strings.Count(logged(), "\n") == before+2 })
}
