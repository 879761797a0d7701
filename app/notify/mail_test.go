package notify

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"image/png"
	"io"
	"log/slog"
	"math"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"timestation/engine/guard"
	"timestation/engine/status"
	"timestation/refclock"
)

// environment is a station for one place.
func environment() Environment {
	return Environment{
		Name: "place", Station: "Studio", Version: "1", Language: "en", Location: time.UTC, Log: slog.New(slog.DiscardHandler),
		UTC:      func() (refclock.UTC, bool) { return systemUTC(), true },
		Status:   func() status.Snapshot { return status.Snapshot{} },
		Served:   func() Served { return Served{} },
		Uptime:   func() time.Duration { return time.Hour },
		LastHour: func() []Point { return nil }, Starts: 1, Alerts: guard.NewAlerts(systemUTC), notifications: new(atomic.Uint64),
	}
}

// systemUTC is the time by which a test's certificates are valid.
func systemUTC() refclock.UTC {
	now := time.Now()
	return refclock.UTC{Seconds: now.Unix(), Nanoseconds: int32(now.Nanosecond())}
}

func lostNotice() Notice {
	return Notice{ID: "a1b2c3d4-7", Kind: Raised, Station: "Studio", At: epoch, Alert: status.Alert{
		Code: "source-lost", Source: "gps0", Severity: status.Warning, Since: epoch,
		Text: "gps0 is lost: <no such device>.", Mend: "plug it in again",
	}}
}

// smtpServer takes one mail a connection as a scripted server does.
type smtpServer struct {
	listener net.Listener
	config   *tls.Config
	secure   bool   // TLS from the first byte
	refuse   string // what RCPT is answered with, if anything
	mails    chan string
	login    string // what AUTH PLAIN brought
}

// certificate makes one for 127.0.0.1 and gives it with the file that vouches for it.
func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := systemUTC().Time()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: now.Add(-time.Hour),
		NotAfter: now.Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, path
}

func newSMTPServer(t *testing.T, secure bool) (*smtpServer, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pair, ca := certificate(t)
	s := &smtpServer{listener: l, config: &tls.Config{Certificates: []tls.Certificate{pair}}, secure: secure, mails: make(chan string, 10)}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if s.secure {
				c = tls.Server(c, s.config)
			}
			go s.serve(c)
		}
	}()
	return s, ca
}

func (s *smtpServer) serve(c net.Conn) {
	defer func() { c.Close() }()
	r, encrypted := bufio.NewReader(c), s.secure
	say := func(format string, args ...any) { fmt.Fprintf(c, format+"\r\n", args...) }
	say("220 test")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-test")
			if encrypted {
				say("250-AUTH PLAIN")
			} else {
				say("250-STARTTLS")
			}
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go on")
			c = tls.Server(c, s.config)
			r, encrypted = bufio.NewReader(c), true
		case "AUTH":
			_, secret, _ := strings.Cut(rest, " ")
			text, _ := base64.StdEncoding.DecodeString(secret)
			if s.login = string(text); !strings.HasSuffix(s.login, "\x00hunter2") {
				say("535 5.7.8 wrong password")
				continue
			}
			say("235 welcome")
		case "RCPT":
			if s.refuse != "" {
				say("%s", s.refuse)
				continue
			}
			say("250 ok")
		case "DATA":
			say("354 go on")
			var b strings.Builder
			for {
				line, err := r.ReadString('\n')
				if err != nil || line == ".\r\n" {
					break
				}
				b.WriteString(strings.TrimPrefix(line, "."))
			}
			s.mails <- b.String()
			say("250 2.0.0 Ok: queued as 4711")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func secretFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// parts takes a mail apart: by content type, decoded.
func parts(t *testing.T, header func(string) string, body io.Reader, into map[string][]byte) {
	t.Helper()
	kind, parameters, err := mime.ParseMediaType(header("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		switch header("Content-Transfer-Encoding") {
		case "quoted-printable":
			body = quotedprintable.NewReader(body)
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, body)
		}
		if into[kind], err = io.ReadAll(body); err != nil {
			t.Fatal(err)
		}
		return
	}
	for r := multipart.NewReader(body, parameters["boundary"]); ; {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		parts(t, p.Header.Get, p, into)
	}
}

func TestMail(t *testing.T) {
	for _, mode := range []string{"starttls", "tls"} {
		t.Run(mode, func(t *testing.T) {
			server, ca := newSMTPServer(t, mode == "tls")
			env := environment()
			env.LastHour = hour
			m, err := newMailer(mailSettings{Server: server.listener.Addr().String(), TLS: mode, CAFile: ca, User: "time",
				PasswordFile: secretFile(t, "hunter2"), From: "Timestation <time@example.org>", To: []string{"ops@example.org"}}, env)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := m.Send(t.Context(), lostNotice())
			if err != nil || !strings.Contains(answer, "queued as 4711") {
				t.Fatalf("%q, %v", answer, err)
			}
			if server.login != "\x00time\x00hunter2" {
				t.Errorf("login %q", server.login)
			}
			raw := <-server.mails
			message, err := mail.ReadMessage(strings.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			subject, _ := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
			if subject != "Studio: warning: source-lost gps0" || message.Header.Get("Message-ID") != "<a1b2c3d4-7@example.org>" ||
				!strings.HasPrefix(message.Header.Get("References"), "<alert-") || message.Header.Get("Auto-Submitted") != "auto-generated" {
				t.Errorf("header %v", message.Header)
			}
			got := map[string][]byte{}
			parts(t, message.Header.Get, message.Body, got)
			if text := string(got["text/plain"]); !strings.Contains(text, "gps0 is lost: <no such device>.") || !strings.Contains(text, "Since: 2026-11-22 12:00:00 UTC") ||
				!strings.Contains(text, "at most 51.9 µs") {
				t.Errorf("text: %s", text)
			}
			if !strings.Contains(raw, "\nContent-ID: <"+plotName+">") && !strings.Contains(raw, "\nContent-Id: <"+plotName+">") {
				t.Error("the page does not find its picture")
			}
			if page := string(got["text/html"]); !strings.Contains(page, "gps0 is lost: &lt;no such device&gt;.") || !strings.Contains(page, "cid:"+plotName) {
				t.Errorf("page: %s", page)
			}
			if picture, err := png.Decode(bytes.NewReader(got["image/png"])); err != nil || picture.Bounds().Dx() != plotWidth {
				t.Errorf("picture: %v", err)
			}
		})
	}
}

// hour is a quiet one with a gap.
func hour() []Point {
	var points []Point
	for i := range mostPoints {
		at := epoch
		at.Seconds += int64(i) * 10
		if i > 200 && i < 240 {
			continue
		}
		points = append(points, Point{At: at, OffsetSeconds: 20e-6 * math.Sin(float64(i)/17), MaxErrorSeconds: 40e-6 + float64(i%100)*12.0e-8, Followed: i < 300})
	}
	return points
}

func TestMailRefusedAndDown(t *testing.T) {
	server, ca := newSMTPServer(t, false)
	settings := mailSettings{Server: server.listener.Addr().String(), TLS: "starttls", CAFile: ca, From: "time@example.org", To: []string{"ops@example.org"}}
	send := func(s mailSettings) error {
		m, err := newMailer(s, environment())
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err = m.Send(ctx, lostNotice())
		return err
	}
	check := func(what string, err error, refused bool, contains string) {
		t.Helper()
		if err == nil || errors.Is(err, ErrRefused) != refused || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), contains) ||
			strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: %v", what, err)
		}
	}
	server.refuse = "550 5.1.1 no such user"
	check("no such user", send(settings), true, "no such user")
	server.refuse = "451 4.7.1 come back later"
	check("later", send(settings), false, "come back later")
	server.refuse = ""
	untrusted := settings
	untrusted.CAFile = ""
	check("unknown certificate", send(untrusted), false, "certificate")
	wrong := settings
	wrong.User, wrong.PasswordFile = "time", secretFile(t, "hunter3")
	check("wrong password", send(wrong), false, "wrong password")
	plain := settings
	plain.TLS = "tls"
	check("no TLS there", send(plain), false, settings.Server)
	if err := os.Chmod(wrong.PasswordFile, 0o644); err != nil {
		t.Fatal(err)
	}
	check("readable by others", send(wrong), false, "chmod 600")
	if err := send(settings); err != nil {
		t.Error(err)
	}
	server.listener.Close()
	check("down", send(settings), false, "refused")
}
