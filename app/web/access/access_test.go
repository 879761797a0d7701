package access

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRoles(t *testing.T) {
	for _, test := range []struct {
		have, need Role
		may        bool
	}{{View, View, true}, {View, Operate, false}, {Operate, View, true}, {Operate, Admin, false}, {Admin, Operate, true}, {"", View, false}, {"root", View, false}, {Admin, "root", false}} {
		if got := test.have.May(test.need); got != test.may {
			t.Errorf("%q for %q: %v", test.have, test.need, got)
		}
	}
}

// What was made is found by its secret alone, survives the file, and the file never holds the secret.
func TestTokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	f := Empty(path)
	ada, secret := New("ada", Admin, "2026-11-22")
	guest, other := New("guest", View, "")
	for _, token := range []Token{ada, guest} {
		if err := f.Add(token); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Add(ada); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("the same name twice: %v", err)
	}
	if err := f.Save(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), secret) || strings.Contains(string(text), other) {
		t.Fatalf("%v, or the file holds a secret:\n%s", err, text)
	}
	if info, err := os.Stat(path); err != nil || ownersOnly && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, mode %v", err, info.Mode())
	}
	again, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := Find(again.Tokens(), HashOf(secret)); !ok || got != ada {
		t.Errorf("%+v, %v", got, ok)
	}
	if got, ok := Find(again.Tokens(), HashOf(secret+"x")); ok {
		t.Errorf("a wrong secret finds %+v", got)
	}
	if !again.Revoke("ada") || again.Revoke("ada") || again.Save() != nil {
		t.Error("revoked twice, or never")
	}
	if left, err := Open(path); err != nil || len(left.Tokens()) != 1 || left.Tokens()[0].Name != "guest" {
		t.Errorf("%v %+v", err, left)
	}
}

// A file that cannot be right is refused with its line, and without repeating what may be a secret.
func TestTokenFileRefused(t *testing.T) {
	hash := strings.Repeat("0a", 32)
	good := "ada admin sha256:" + hash
	for text, says := range map[string]string{
		good + "\n# a comment\n\nbob view sha256:" + hash + " 2026-11-22\n": "",
		"my-secret-token":                  "line 1",
		good + "\nada view sha256:" + hash: "twice",
		"ada root sha256:" + hash:          "no role",
		"a/b view sha256:" + hash:          "no name",
		"ada view sha256:" + hash[1:]:      "64 hexadecimal",
		"ada view sha256:" + hash + "00":   "64 hexadecimal",
		"ada view md5:" + hash:             "64 hexadecimal",
		"ada view sha256:" + hash + " a b": "timestation token new",
		strings.Repeat("#", mostBytes+1):   "larger",
	} {
		path := filepath.Join(t.TempDir(), "tokens")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path)
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "my-secret")) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte(good), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); ownersOnly && (err == nil || !strings.Contains(err.Error(), "chmod 600")) {
		t.Errorf("readable by others: %v", err)
	}
}

func FuzzTokenFile(f *testing.F) {
	f.Add("ada admin sha256:" + strings.Repeat("0a", 32) + " 2026-11-22\n")
	f.Add("# nothing\n\n\nada view sha256:\n")
	f.Fuzz(func(t *testing.T, text string) {
		file := Empty("tokens")
		if file.parse([]byte(text)) != nil {
			return
		}
		again := Empty("tokens")
		if err := again.parse([]byte(strings.Join(file.lines, ""))); err != nil || len(again.tokens) != len(file.tokens) {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		for _, token := range file.tokens {
			if !again.Revoke(token.Name) {
				t.Errorf("%q cannot be revoked", token.Name)
			}
		}
		if last := Empty("tokens"); last.parse([]byte(strings.Join(again.lines, ""))) != nil || len(last.tokens) != 0 {
			t.Error("revoked tokens are still there")
		}
	})
}

func TestSessionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSessions()
		token := HashOf("secret")
		cookie := s.Begin(token)
		if got, ok := s.Token(cookie); !ok || got != token {
			t.Error("a session that has just begun is not known")
		}
		if _, ok := s.Token(cookie + "x"); ok {
			t.Error("a wrong cookie is one")
		}
		time.Sleep(SessionLasts + time.Second)
		if _, ok := s.Token(cookie); ok {
			t.Error("it does not end")
		}
		cookie = s.Begin(token)
		s.End(cookie)
		if _, ok := s.Token(cookie); ok {
			t.Error("it outlives its end")
		}
		first := s.Begin(token)
		for range mostSessions {
			time.Sleep(time.Second)
			s.Begin(token)
		}
		if _, ok := s.Token(first); ok || len(s.all) > mostSessions {
			t.Errorf("%d sessions, and the oldest did not make room", len(s.all))
		}
	})
}

// Five wrong tokens bar an address for a minute; nobody else, and not for ever.
func TestGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := NewAttempts()
		mine, neighbour := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2:3")
		other := netip.MustParseAddr("192.0.2.1")
		for i := range mostGuesses {
			if wait := a.Barred(mine); wait != 0 {
				t.Fatalf("barred after %d", i)
			}
			a.Failed(mine)
		}
		if a.Barred(mine) != guessWindow || a.Barred(neighbour) != guessWindow || a.Barred(other) != 0 {
			t.Errorf("%v, %v of the same network, %v of another", a.Barred(mine), a.Barred(neighbour), a.Barred(other))
		}
		time.Sleep(guessWindow)
		if wait := a.Barred(mine); wait != 0 {
			t.Errorf("still barred for %v", wait)
		}
		time.Sleep(guessWindow)
		a.Failed(mine)
		if a.Barred(mine) != 0 {
			t.Error("one guess a minute bars")
		}
		for i := range mostGuessers + 100 {
			a.Failed(netip.MustParseAddr(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)))
		}
		if len(a.all) > mostGuessers {
			t.Errorf("%d addresses are kept", len(a.all))
		}
		a.Failed(netip.Addr{}) // of what has no address
	})
}
