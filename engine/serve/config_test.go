package serve

import (
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"timestation/engine/status"
)

func TestValidateNamesTheKey(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for _, good := range []string{":0", "0.0.0.0:123", "[::]:123", "192.0.2.1:11123", "[fe80::1%eth0]:123"} {
		if err := (Config{Address: good}).Validate(); err != nil {
			t.Error(err)
		}
	}
	const (
		address = ` is not an IP address and a port; write for instance ":123" or "192.0.2.1:123"`
		prefix  = `; write for instance "192.168.0.0/16" or "2001:db8::/32"`
	)
	for want, c := range map[string]Config{
		`address: "foo"` + address:                                        {Address: "foo"},
		`address: ":70000"` + address:                                     {Address: ":70000"},
		`address: "localhost:123"` + address:                              {Address: "localhost:123"},
		`allow: "all" is not an address or a prefix` + prefix:             {Address: ":1", Allow: []string{"::1", "all"}},
		`deny: "10.0.0.0/33" is not an address or a prefix` + prefix:      {Address: ":1", Deny: []string{"10.0.0.0/33"}},
		`deny: "::ffff:10.0.0.1" is IPv4 in IPv6 form` + prefix:           {Address: ":1", Deny: []string{"::ffff:10.0.0.1"}},
		`deny: "fe80::1%eth0" has a zone, which a prefix cannot` + prefix: {Address: ":1", Deny: []string{"fe80::1%eth0"}},
		`max_error_seconds: -1 is not a bound; write seconds, or 0 for the station's limit`: {
			Address: ":1", MaxErrorSeconds: -1,
		},
	} {
		if err := c.Validate(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestPrefixWithHostBitsIsItsNetwork(t *testing.T) {
	a, err := Config{Allow: []string{"192.168.1.5/24"}}.access()
	if err != nil || !a.permits(mustAddrPort("192.168.1.9:1").Addr()) {
		t.Error(a, err)
	}
}

func TestKeyFilesThatAreRefused(t *testing.T) {
	bad := func(cfg Config) string {
		t.Helper()
		cfg.Address = "127.0.0.1:0"
		_, err := New(cfg, new(status.Board), discard())
		if err == nil {
			t.Fatalf("%+v was taken", cfg)
		}
		if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "sesame") {
			t.Errorf("not one line, or it tells the secret: %v", err)
		}
		return err.Error()
	}
	missing := filepath.Join(t.TempDir(), "none")
	if got := bad(Config{Keys: missing}); !strings.HasPrefix(got, "keys: open "+missing) {
		t.Error(got)
	}
	if got := bad(Config{Keys: t.TempDir()}); !strings.Contains(got, "is not a file") {
		t.Error(got)
	}
	path := writeKeys(t, "# mine\n7 sesame open now\n")
	if got := bad(Config{Keys: path}); !strings.HasPrefix(got, "keys: "+path+": line 2: key 7: ") {
		t.Error(got)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if got := bad(Config{Keys: path}); !strings.HasSuffix(got, "; run: chmod 600 "+path) {
			t.Error(got)
		}
	}
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
