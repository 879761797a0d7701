package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"timestation/app/web"
	"timestation/app/web/access"
)

// What token new prints is what the station knows; what token revoke names it knows no more.
func TestTokens(t *testing.T) {
	dir := t.TempDir()
	file, out := filepath.Join(dir, "tokens"), filepath.Join(dir, "ada.token")
	run := func(wrong string, args ...string) string {
		t.Helper()
		root := newRoot()
		var stdout bytes.Buffer
		root.SetOut(&stdout)
		root.SetErr(&bytes.Buffer{})
		root.SetArgs(append(append([]string{"token"}, args...), "--file", file))
		if err := root.ExecuteContext(t.Context()); wrong == "" && err != nil ||
			wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong)) {
			t.Errorf("token %v: %v", args, err)
		}
		return stdout.String()
	}
	known := func(secret string) (name string) {
		t.Helper()
		f, err := access.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		token, _ := access.Find(f.Tokens(), access.HashOf(secret))
		return token.Name + " " + string(token.Role)
	}
	secret := strings.TrimSpace(run("", "new", "bob"))
	if got := known(secret); got != "bob operate" {
		t.Errorf("%q is known as %q", secret, got)
	}
	if text := run("", "new", "ada", "--role", "admin", "--out", out); text != "" {
		t.Errorf("printed although it is in a file: %q", text)
	}
	if ada, err := web.ReadToken(out); err != nil || known(ada) != "ada admin" {
		t.Errorf("%v: %q", err, known(ada))
	}
	var answer tokenAnswer
	if err := json.Unmarshal([]byte(run("", "new", "eve", "--role", "view", "--json")), &answer); err != nil ||
		known(answer.Token) != "eve view" {
		t.Errorf("%v: %+v", err, answer)
	}
	run("already", "new", "bob")
	run("already", "new", "carl", "--out", out)
	run("no role", "new", "dora", "--role", "root")
	run("no name", "new", "two words")
	if list := run("", "list"); !strings.Contains(list, "ada ") || strings.Contains(list, "carl") ||
		strings.Contains(list, "ts_") {
		t.Errorf("the list:\n%s", list)
	}
	run("", "revoke", "bob", "eve")
	run("no token called", "revoke", "bob")
	if got := known(secret); got != " " {
		t.Errorf("after it was revoked: %q", got)
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(text), "ts_") || strings.Count(string(text), "\n") != 1 {
		t.Errorf("%v\n%s", err, text)
	}
}
