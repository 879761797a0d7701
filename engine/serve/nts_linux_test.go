package serve

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/nts"
)

// certificate writes one for localhost, 127.0.0.1 and other addresses, its own authority, and its key.
func certificate(t testing.TB, others ...net.IP) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: append(others, net.IPv4(127, 0, 0, 1)), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(parsed)
	return certFile, keyFile, roots
}

// establish asks for keys.
func establish(t testing.TB, address string, roots *x509.CertPool, algorithm nts.Algorithm) *nts.Establishment {
	t.Helper()
	at := portOfTCP(t, address)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	e, err := nts.Establish{
		Name: "127.0.0.1", Port: at, Roots: roots, Algorithms: []nts.Algorithm{algorithm},
		Today: func() nts.Today { return nts.Today{Time: time.Now(), Known: true} },
	}.Do(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func portOfTCP(t testing.TB, address string) uint16 {
	t.Helper()
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return a.AddrPort().Port()
}

// Keys are established over TCP, requests answered under them, and what does not fit gets NTSN.
func TestNTS(t *testing.T) {
	certFile, keyFile, roots := certificate(t)
	config := unlimited(t, "127.0.0.1:0")
	config.NTS = true
	s, err := New(config, newBoard(), discard())
	if err != nil {
		t.Fatal(err)
	}
	at := freePort(t).String()
	if err := establishing(s, childConfig{Establish: at, Certificate: certFile, Key: keyFile}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	defer func() { stop(); <-done }()
	conn, err := net.Dial("udp", s.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const rounds = 20
	for _, algorithm := range []nts.Algorithm{nts.AESSIVCMAC256, nts.AES128GCMSIV} {
		c, err := nts.NewClient(establish(t, at, roots, algorithm))
		if err != nil {
			t.Fatal(err)
		}
		var before ntp.Header
		for i := range ntp.Timestamp(rounds) {
			plain := request(4, ntp.Client)
			if before.Receive != 0 { // interleaved mode goes with it
				plain = interleaved(before, 2*i, 2*i+1)
			}
			in, err := c.AppendRequest(plain)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write(in); err != nil {
				t.Fatal(err)
			}
			out := receive(t, conn, patience)
			answer, err := ntp.Parse(out)
			if err != nil || len(out) > len(in) || answer.Stratum != 1 {
				t.Fatalf("%v %d: %d octets for %d: %+v %v; %+v", algorithm, i, len(out), len(in), answer.Header, err, s.Counters())
			}
			if err := c.Open(out, &answer); err != nil {
				t.Fatal(err)
			}
			before = answer.Header
			time.Sleep(time.Millisecond)
		}
		in, err := c.AppendRequest(request(4, ntp.Client))
		if err != nil {
			t.Fatal(err)
		}
		in[len(in)-1] ^= 1
		if _, err := conn.Write(in); err != nil {
			t.Fatal(err)
		}
		out := receive(t, conn, patience)
		nak, err := ntp.Parse(out)
		if err != nil || nak.ReferenceID != nts.Kiss || nak.Stratum != 0 || !c.IsNAK(out, &nak) || len(out) > len(in) {
			t.Errorf("%x %v", out, err)
		}
		in[50] ^= 1 // the length of the first field
		if _, err := conn.Write(in); err != nil {
			t.Fatal(err)
		}
		if out := receive(t, conn, silence); out != nil {
			t.Errorf("%x", out)
		}
	}
	c := counted(t, s, 2*rounds+4)
	if c.NTS != 2*rounds || c.Authenticated != c.NTS || c.Dropped[NTSNAK] != 2 || c.Kisses != 2 || c.Interleaved < rounds ||
		c.Dropped[Extension]+c.Dropped[NTSMalformed] != 2 {
		t.Errorf("%+v", c)
	}
}

// An answer under NTS costs at most two allocations.
func TestNTSAllocations(t *testing.T) {
	certFile, keyFile, roots := certificate(t)
	config := unlimited(t, "127.0.0.1:0")
	config.NTS = true
	s, err := New(config, newBoard(), discard())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	at := freePort(t).String()
	if err := establishing(s, childConfig{Establish: at, Certificate: certFile, Key: keyFile}); err != nil {
		t.Fatal(err)
	}
	for _, algorithm := range []nts.Algorithm{nts.AESSIVCMAC256, nts.AES128GCMSIV} {
		c, err := nts.NewClient(establish(t, at, roots, algorithm))
		if err != nil {
			t.Fatal(err)
		}
		in, err := c.AppendRequest(request(4, ntp.Client))
		if err != nil {
			t.Fatal(err)
		}
		r, out := s.newResponder(), make([]byte, longestRequest)
		allocs := testing.AllocsPerRun(200, func() {
			if _, reason := r.respond(in, client, now(), out); reason != Answered {
				t.Fatal(reason)
			}
		})
		t.Logf("%v: %v allocations an answer", algorithm, allocs)
		if allocs > 2 {
			t.Errorf("%v: %v allocations an answer", algorithm, allocs)
		}
	}
}
