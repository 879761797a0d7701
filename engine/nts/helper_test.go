package nts

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"timestation/engine/ntp"
)

// built stands for the date the program was built; the certificates of the tests are counted from it.
var built = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// authority is a private CA.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	a := &authority{key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a private authority"},
		NotBefore: built.AddDate(-1, 0, 0), NotAfter: built.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.certificate = sign(t, template, template, &a.key.PublicKey, a.key)
	return a
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// issue writes a certificate for localhost and its key to files.
func (a *authority) issue(t testing.TB, dir string, from, to time.Time) KEConfig {
	key := newKey(t)
	certificate := sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(from.Unix()), Subject: pkix.Name{CommonName: "localhost"},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.certificate, &key.PublicKey, a.key)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	c := KEConfig{Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	writePEM(t, c.Certificate, "CERTIFICATE", certificate.Raw)
	writePEM(t, c.Key, "PRIVATE KEY", der)
	return c
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, template, parent *x509.Certificate, public *ecdsa.PublicKey, by *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, by)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func writePEM(t testing.TB, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func newJar(t testing.TB) *Jar {
	t.Helper()
	jar, err := OpenJar("")
	if err != nil {
		t.Fatal(err)
	}
	return jar
}

var quiet = slog.New(slog.DiscardHandler)

// granted is what a client would be given by a server with that jar; always the same keys, so that the packets in the
// fuzzing corpus stay good.
func granted(t testing.TB, jar *Jar, a Algorithm) *Establishment {
	t.Helper()
	e := &Establishment{Algorithm: a, C2S: bytes.Repeat([]byte{0xc2}, a.keyLen()), S2C: bytes.Repeat([]byte{0x2c}, a.keyLen())}
	baker := newBaker(jar)
	for range MaxCookies {
		e.Cookies = append(e.Cookies, baker.bake(nil, append(append([]byte{}, e.C2S...), e.S2C...)))
	}
	return e
}

func newClient(t testing.TB, e *Establishment) *Client {
	t.Helper()
	c, err := NewClient(e)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// header is that of a request or, in mode 4, of an answer.
func header(mode ntp.Mode) []byte {
	return (&ntp.Header{Version: 4, Mode: mode, Stratum: 1, Transmit: 0xe9b1_0000_1234_5678}).Append(nil)
}

func parse(t testing.TB, packet []byte) *ntp.Packet {
	t.Helper()
	p, err := ntp.Parse(packet)
	if err != nil {
		t.Fatalf("%d octets: %v", len(packet), err)
	}
	return &p
}
