package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKeys goes the way of a person: a first key, a rotation, the old one retired; wrong use changes nothing.
func TestKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	must := func(args ...string) string {
		t.Helper()
		printed, complaint, code := command(t, append([]string{"keys", args[0], "--file", path}, args[1:]...)...)
		if code != 0 {
			t.Fatalf("%s: exit code %d: %s", args, code, complaint)
		}
		return printed
	}
	first := must("new")
	text, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(text), "1 AES128 HEX:") {
		t.Fatalf("%v: %s", err, text)
	}
	for _, want := range []string{"  " + strings.TrimSpace(string(text)) + "\n", "server ADDRESS iburst key 1\n", "  1 AES-128 ", "trustedkey 1\n"} {
		if !strings.Contains(first, want) {
			t.Errorf("new does not print %q:\n%s", want, first)
		}
	}
	if listed := must("list"); listed != "    1  AES128  128 bits\n" {
		t.Errorf("list: %q", listed)
	}
	secret := strings.TrimSpace(strings.TrimPrefix(string(text), "1 AES128 HEX:"))
	if listed := must("list", "--json"); strings.Contains(strings.ToUpper(listed), secret) || !json.Valid([]byte(listed)) {
		t.Errorf("list --json: %s", listed)
	}
	if listed := must("list", "--show"); !strings.Contains(listed, secret) {
		t.Errorf("list --show: %s", listed)
	}
	var rotated keyReport
	if err := json.Unmarshal([]byte(must("rotate", "--json")), &rotated); err != nil {
		t.Fatal(err)
	}
	if rotated.ID != 2 || rotated.Type != "AES128" || len(rotated.Older) != 1 || rotated.Older[0] != 1 {
		t.Errorf("%+v", rotated)
	}
	both, _ := os.ReadFile(path)
	if want := string(text) + rotated.Chrony + "\n"; string(both) != want {
		t.Errorf("after rotate:\n%s\nwant\n%s", both, want)
	}

	for _, wrong := range [][]string{
		{"new", "--id", "1"}, {"new", "--id", "0"}, {"new", "--type", "DES"}, {"rotate", "--retire", "9"}, {"rotate", "--retire", "1,2"},
		{"rotate", "--retire", "4294967297"}, {"cert", "--days", "0"},
	} {
		args := append([]string{"keys"}, wrong...)
		if wrong[0] != "cert" {
			args = append(args, "--file", path)
		}
		if _, complaint, code := command(t, args...); code != exitUsage || strings.Count(complaint, "\n") != 1 {
			t.Errorf("%s: exit code %d: %s", wrong, code, complaint)
		}
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(after, both) {
		t.Errorf("wrong use changed the file:\n%s", after)
	}

	must("new", "--id", "1", "--force", "--type", "sha-256")
	must("rotate", "--retire", "2")
	if listed := must("list"); listed != "    1  SHA256  256 bits\n" {
		t.Errorf("at the end: %q", listed)
	}
}

func TestKeysCert(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "ca")
	printed, complaint, code := command(t, "keys", "cert", "--out", folder, "--name", "time.example.org", "--name", "2001:db8::1")
	if code != 0 {
		t.Fatal(complaint)
	}
	for _, want := range []string{"A certificate for time.example.org, 2001:db8::1, valid until ",
		"\n  [nts]\n  certificate = \"" + folder + "/server.crt\"\n  key = \"" + folder + "/server.key\"\n", "Copy to every client, as timestation.crt: " + folder + "/ca.crt",
		"ntstrustedcerts /etc/chrony/timestation.crt\n", "server time.example.org iburst nts\n", "nts ca /etc/ntpsec/timestation.crt\n"} {
		if !strings.Contains(printed, want) {
			t.Errorf("it does not print %q:\n%s", want, printed)
		}
	}
	if _, _, code := command(t, "keys", "cert", "--out", folder); code != exitFailed {
		t.Errorf("a second time: exit code %d", code)
	}
	printed, complaint, code = command(t, "keys", "cert", "--out", folder, "--force", "--json")
	var r issuedReport
	if err := json.Unmarshal([]byte(printed), &r); code != 0 || err != nil {
		t.Fatal(err, complaint)
	}
	if r.NewAuthority || strings.Join(r.Names, " ") != "time.example.org 2001:db8::1" {
		t.Errorf("renewed: %+v", r)
	}
}
