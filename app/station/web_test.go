package station

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"timestation/app/config"
	"timestation/app/web/access"
	"timestation/logbook"
	"timestation/refclock"
	"timestation/refclock/gps"
)

// Who has logged in or failed to, and what was asked for, is in the log with the name and the address; no secret is.
func TestLogNamesWhoDidWhat(t *testing.T) {
	dir := t.TempDir()
	tokens := access.Empty(dir + "/tokens")
	ada, secret := access.New("ada", access.Admin, "")
	if err := tokens.Add(ada); err != nil {
		t.Fatal(err)
	}
	if err := tokens.Save(); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	receiver := gps.DefaultConfig()
	receiver.Device = "/dev/null"
	cfg.Refclocks = []config.Refclock{{Name: "gps0", Driver: "gps", Receiver: "gps0", Config: refclock.Config(&receiver)}}
	cfg.Web.Listen, cfg.Web.Tokens, cfg.Control.ChronyAddress = "127.0.0.1:0", tokens.Path(), ""
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	s, err := Build(&cfg, Options{Log: slog.New(slog.DiscardHandler), DataDir: dir, Version: "test"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Timeout: 10 * time.Second}
	for _, order := range []struct {
		path, body string
		code       int
	}{
		{"/api/login", `{"token":"a-guess-of-mine"}`, 401},
		{"/api/login", `{"token":"` + secret + `"}`, 200},
		{"/api/accept-jump", `{"source":"gps0"}`, 409},
		{"/api/alerts/ack", `{"code":"no-such"}`, 409},
		{"/api/logout", `{}`, 200},
	} {
		w, err := client.Post(s.WebAddress()+order.path, "application/json", strings.NewReader(order.body))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(w.Body)
		w.Body.Close()
		if w.StatusCode != order.code {
			t.Errorf("%s: %d %s", order.path, w.StatusCode, text)
		}
	}
	client.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	reader, err := logbook.OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var log strings.Builder
	for e, err := range reader.Events(t.Context(), time.Time{}, time.Time{}, "") {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == logbook.EventOperator {
			log.WriteString(e.Source + ": " + e.Text + " by " + e.Who + " from " + e.From + "\n")
		}
	}
	for _, want := range []string{"web: login refused by  from 127.0.0.1", "web: login by ada from 127.0.0.1", "gps0: accept-jump: refused", "acknowledge no-such: refused", "web: logout by ada from 127.0.0.1"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has no %q:\n%s", want, log.String())
		}
	}
	if strings.Contains(log.String(), secret) || strings.Contains(log.String(), "guess") {
		t.Errorf("the log holds a secret:\n%s", log.String())
	}
}
