package web

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const theToken = "0123456789abcdef0123456789abcdef"

// singleGuard knows the one token of a token_file.
func singleGuard(t *testing.T) *guard {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(theToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := DefaultConfig()
	c.TokenFile = path
	g, err := newGuard(c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// A POST does something only for a bearer of the token, and the station is told who and from where.
func TestActions(t *testing.T) {
	s := station(stamp, good())
	var told []string
	s.Actions = Actions{
		AcceptJump: func(_ context.Context, source, who, from string) (string, error) {
			told = append(told, "accept "+source+" by "+who+" from "+from)
			if source == "none" {
				return "", errors.New("no jump of \"none\" is held back")
			}
			return "followed", nil
		},
		Acknowledge: func(_ context.Context, code, source, who, from string) error {
			told = append(told, "ack "+code+" "+source+" by "+who+" from "+from)
			return nil
		},
	}
	post := func(path, bearer, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", path, strings.NewReader(body))
		if bearer != "" {
			r.Header.Set("Authorization", "Bearer "+bearer)
		}
		w := httptest.NewRecorder()
		Handler(s).ServeHTTP(w, r)
		return w
	}
	if w := post("/api/accept-jump", theToken, "{}"); w.Code != 401 || !strings.Contains(w.Body.String(), "token_file") {
		t.Errorf("without a token file: %d %s", w.Code, w.Body)
	}
	s.guard = singleGuard(t)
	for _, test := range []struct {
		path, bearer, body string
		code               int
		says               string
	}{
		{"/api/accept-jump", "", "{}", 401, "bearer token"},
		{"/api/accept-jump", theToken + "x", "{}", 401, "bearer token"},
		{"/api/accept-jump", theToken, `{"source":"gps","who":"ada"}`, 200, "followed"},
		{"/api/accept-jump", theToken, "", 200, "followed"},
		{"/api/accept-jump", theToken, `{"source":"none"}`, 409, "held back"},
		{"/api/accept-jump", theToken, `{"sauce":"gps"}`, 400, "sauce"},
		{"/api/accept-jump", theToken, strings.Repeat(" ", 5000) + "{}", 400, "too large"},
		{"/api/alerts/ack", theToken, `{"code":"source-lost","source":"gps","who":"ada"}`, 200, "acknowledged"},
		{"/api/alerts/ack", theToken, `{}`, 409, "code"},
	} {
		if w := post(test.path, test.bearer, test.body); w.Code != test.code || !strings.Contains(w.Body.String(), test.says) {
			t.Errorf("POST %s %.40q: %d %s", test.path, test.body, w.Code, w.Body)
		}
	}
	want := "accept gps by ada from 192.0.2.1; accept  by a bearer of the token from 192.0.2.1; " +
		"accept none by a bearer of the token from 192.0.2.1; ack source-lost gps by ada from 192.0.2.1"
	if got := strings.Join(told, "; "); got != want {
		t.Errorf("the station was told\n%s\nwant\n%s", got, want)
	}
	if w := get(t, s, "/api/accept-jump"); w.Code != 405 {
		t.Errorf("GET of an action: %d", w.Code)
	}
}

func TestTokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	for _, test := range []struct {
		text string
		mode os.FileMode
		says string
	}{
		{theToken + "\n", 0o600, ""},
		{theToken, 0o644, "chmod 600"},
		{"short", 0o600, "16 or more"},
		{"two words that together are long enough", 0o600, "one word"},
		{"ada admin sha256:" + strings.Repeat("0", 64), 0o600, "timestation token new"},
	} {
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, test.mode); err != nil {
			t.Fatal(err)
		}
		got, err := ReadToken(path)
		switch {
		case test.says == "" && (err != nil || got != theToken):
			t.Errorf("%q: %q, %v", test.text, got, err)
		case test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)):
			t.Errorf("%q, mode %o: %v", test.text, test.mode, err)
		}
	}
	if _, err := ReadToken(path + "x"); err == nil || !strings.Contains(err.Error(), "openssl rand") {
		t.Errorf("missing: %v", err)
	}
}
