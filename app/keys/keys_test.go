package keys

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"timestation/engine/ntp"
)

func write(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func private(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%s has mode %#o", path, info.Mode().Perm())
	}
}

// What was in the file stays as it is, to the octet; it ends up private, and nothing is left beside it.
func TestFileKeepsTheRest(t *testing.T) {
	path := write(t, "# of the studio\n\n3 SHA1 ASCII:tick # the old one\n  7   AES128 HEX:000102030405060708090a0b0c0d0e0f\n; end")
	f := open(t, path)
	if !f.Exposed() || f.Next() != 8 || !f.Has(3) || f.Has(4) {
		t.Errorf("exposed %t, next %d, has 3 %t, has 4 %t", f.Exposed(), f.Next(), f.Has(3), f.Has(4))
	}
	f.Add(ntp.Key{ID: 8, Algorithm: ntp.SHA1, Secret: []byte{0xab, 0xcd}})
	f.Retire(7)
	if err := f.Save(); err != nil {
		t.Fatal(err)
	}
	private(t, path)
	text, err := os.ReadFile(path)
	if want := "# of the studio\n\n3 SHA1 ASCII:tick # the old one\n; end\n8 SHA1 HEX:ABCD\n"; err != nil || string(text) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, text, want)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("%v is left", left)
	}
	if ids := open(t, path).Keys(); len(ids) != 2 || ids[0].ID != 3 || ids[1].ID != 8 {
		t.Errorf("%v", ids)
	}
}

func TestFileThroughALink(t *testing.T) {
	path := write(t, "1 MD5 tick\n")
	link := filepath.Join(t.TempDir(), "keys")
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	f := open(t, link)
	f.Add(Make(2, ntp.AES128))
	if err := f.Save(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	if n := len(open(t, path).Keys()); n != 2 {
		t.Errorf("%d keys where the link leads", n)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "no", "keys"):  "there is no such folder; make it with: mkdir -p ",
		dir:                               "is not a file; name the key file",
		write(t, "1 SHA1 tick\n1 MD5 t"):  "line 2: key 1 is already in line 1",
		write(t, "1 AES128 HEX:0011\n\n"): "line 1: key 1: ",
	} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want %s", path, err, want)
		}
	}
}

// Every key that can be made is read again, from chrony's line and from ntpsec's, as the same.
func TestMake(t *testing.T) {
	for _, kind := range Types {
		a, b := Make(5, kind), Make(5, kind)
		if bytes.Equal(a.Secret, b.Secret) || len(a.Secret) < 16 {
			t.Errorf("%v: %d octets, or twice the same", kind, len(a.Secret))
		}
		for _, line := range []string{ChronyLine(a), NtpsecLine(a)} {
			read, err := ntp.ParseKeys(strings.NewReader(line + "\n"))
			if err != nil || len(read) != 1 || read[0].ID != 5 || read[0].Algorithm != kind || !bytes.Equal(read[0].Secret, a.Secret) {
				t.Errorf("%v: it is read as %v, %v", a, read, err)
			}
		}
		if got, err := ParseType(strings.ToLower(kind.String())); err != nil || got != kind {
			t.Errorf("%v: %v, %v", kind, got, err)
		}
	}
	if kind, err := ParseType("AES-128"); err != nil || kind != ntp.AES128 {
		t.Errorf("AES-128: %v, %v", kind, err)
	}
	if _, err := ParseType("DES"); err == nil || err.Error() != `"DES" is none of AES128 AES192 AES256 SHA256 SHA384 SHA512 SHA1 MD5` {
		t.Error(err)
	}
}

func request(folder string) Request {
	return Request{
		Folder: folder, Names: []string{"time.example.org"}, Addresses: []net.IP{net.ParseIP("192.0.2.1")}, Days: 730,
		Now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
	}
}

// certifies has a TLS client that trusts the authority judge the server's certificate at a date.
func certifies(t *testing.T, authority, folder, name string, at time.Time) error {
	t.Helper()
	roots := x509.NewCertPool()
	text, err := os.ReadFile(authority)
	if err != nil || !roots.AppendCertsFromPEM(text) {
		t.Fatalf("%s: %v", authority, err)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, ServerCertificate), filepath.Join(folder, ServerKey))
	if err != nil {
		t.Fatal(err)
	}
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	go tls.Server(server, &tls.Config{Certificates: []tls.Certificate{pair}}).Handshake()
	return tls.Client(client, &tls.Config{
		RootCAs: roots, ServerName: name, MinVersion: tls.VersionTLS13, Time: func() time.Time { return at },
	}).Handshake()
}

func TestIssue(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "ca")
	q := request(folder)
	issued, err := Issue(q)
	if err != nil || !issued.NewAuthority || !issued.NotAfter.Equal(q.Now.Add(730*day)) {
		t.Fatalf("%+v, %v", issued, err)
	}
	private(t, folder)
	private(t, filepath.Join(folder, AuthorityKey))
	private(t, filepath.Join(folder, ServerKey))
	authority := filepath.Join(t.TempDir(), "copied.crt")
	text, _ := os.ReadFile(filepath.Join(folder, AuthorityCertificate))
	if err := os.WriteFile(authority, text, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		at   time.Time
		good bool
	}{
		{"time.example.org", q.Now, true},
		{"192.0.2.1", q.Now.Add(700 * day), true},
		{"time.example.org", q.Now.Add(-36 * time.Hour), true}, // a client whose clock is behind
		{"time.example.org", q.Now.Add(731 * day), false},
		{"time.example.net", q.Now, false},
		{"192.0.2.2", q.Now, false},
	} {
		if err := certifies(t, authority, folder, c.name, c.at); (err == nil) != c.good {
			t.Errorf("%s on %v: %v", c.name, c.at, err)
		}
	}

	if _, err := Issue(q); err == nil || !strings.Contains(err.Error(), "exists already and is left as it is; renew it with --force") {
		t.Errorf("a second time: %v", err)
	}
	if names := strings.Join(CertifiedNames(folder), " "); names != "time.example.org 192.0.2.1" {
		t.Errorf("its names: %s", names)
	}
	q.Force, q.Now = true, q.Now.Add(729*day)
	if issued, err = Issue(q); err != nil || issued.NewAuthority {
		t.Fatalf("renewed: %+v, %v", issued, err)
	}
	if err := certifies(t, authority, folder, "192.0.2.1", q.Now.Add(700*day)); err != nil {
		t.Errorf("a client that trusts the authority does not take the renewed certificate: %v", err)
	}
}

// Half an authority, or one that has expired, signs nothing, and nothing is written over it.
func TestIssueSparesTheAuthority(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(folder string) error
		after time.Duration
		want  string
	}{
		"key lost":         {func(f string) error { return os.Remove(filepath.Join(f, AuthorityKey)) }, 0, "ca.key is missing beside its certificate"},
		"certificate lost": {func(f string) error { return os.Remove(filepath.Join(f, AuthorityCertificate)) }, 0, "ca.crt is missing beside its key"},
		"another's key":    {func(f string) error { return os.Rename(filepath.Join(f, ServerKey), filepath.Join(f, AuthorityKey)) }, 0, "ca.key is not the key of the authority"},
		"no certificate":   {func(f string) error { return os.WriteFile(filepath.Join(f, AuthorityCertificate), []byte("x"), 0o600) }, 0, "ca.crt is no certificate"},
		"expired":          {func(string) error { return nil }, 21 * 365 * day, "ca.crt has expired on 2046-11-17"},
	} {
		q := request(t.TempDir())
		if _, err := Issue(q); err != nil {
			t.Fatal(err)
		}
		if err := c.spoil(q.Folder); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(filepath.Join(q.Folder, ServerCertificate))
		q.Force, q.Now = true, q.Now.Add(c.after)
		if _, err := Issue(q); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %s", name, err, c.want)
		}
		if after, _ := os.ReadFile(filepath.Join(q.Folder, ServerCertificate)); !bytes.Equal(before, after) {
			t.Errorf("%s: the server's certificate was replaced", name)
		}
	}
}
