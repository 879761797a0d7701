package web

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"timestation/display"
	"timestation/engine/status"
)

// post sends JSON, as a page does; header is name and value after name and value.
func (r *rig) post(t *testing.T, client *http.Client, path, body string, header ...string) (code int, text string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	w, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	answer, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if _, rest, ok := strings.Cut(w.Header.Get("Set-Cookie"), "; "); ok &&
		!strings.Contains(rest, "HttpOnly; SameSite=Strict") {
		t.Errorf("the cookie is not guarded: %s", rest)
	}
	return w.StatusCode, string(answer)
}

func newClient(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

// Who has which role may do what; a session does what its token may, and ends with it.
func TestWhoMay(t *testing.T) {
	r := newRig(t, false)
	anybody, session := newClient(t), newClient(t)
	bearer := func(secret string) []string { return []string{"Authorization", "Bearer " + secret} }
	const ack = `{"code":"drift","source":"dcf0"}`
	for name, test := range map[string]struct {
		path, body string
		header     []string
		code       int
	}{
		"nobody":              {"/api/alerts/ack", ack, nil, 401},
		"a viewer":            {"/api/alerts/ack", ack, bearer(r.viewer), 403},
		"an admin":            {"/api/alerts/ack", ack, bearer(r.admin), 200},
		"another site's page": {"/api/alerts/ack", ack, append(bearer(r.admin), "Sec-Fetch-Site", "cross-site"), 403},
		"another origin":      {"/api/login", `{"token":"` + r.admin + `"}`, []string{"Origin", "http://example.org"}, 403},
		"no JSON":             {"/api/login", `token`, nil, 400},
		"a wrong token":       {"/api/login", `{"token":"guess"}`, nil, 401},
	} {
		if code, text := r.post(t, anybody, test.path, test.body, test.header...); code != test.code {
			t.Errorf("%s: %d %s", name, code, text)
		}
	}
	if code, text := r.post(t, session, "/api/login", `{"token":" `+r.admin+`\n"}`); code != 200 ||
		!strings.Contains(text, `"role": "admin"`) {
		t.Fatalf("login: %d %s", code, text)
	}
	if code, text := r.post(t, session, "/api/accept-jump", `{"source":"gps0","who":"the boss"}`); code != 200 {
		t.Errorf("in a session: %d %s", code, text)
	}
	r.tokens.Revoke("ada")
	if err := r.tokens.Save(); err != nil {
		t.Fatal(err)
	}
	if code, text := r.post(t, session, "/api/accept-jump", `{}`); code != 401 {
		t.Errorf("after its token was revoked: %d %s", code, text)
	}
	r.mu.Lock()
	told := strings.Join(r.done, "\n")
	r.mu.Unlock()
	for _, want := range []string{`ack drift dcf0 by ada from 127.0.0.1`, `login refused by "" from 127.0.0.1`, `login by "ada" from 127.0.0.1`, `accept gps0 by ada (says the boss) from 127.0.0.1`} {
		if !strings.Contains(told, want) {
			t.Errorf("the log has no %q:\n%s", want, told)
		}
	}
	if strings.Contains(told, r.admin) || strings.Contains(told, "guess") {
		t.Errorf("the log holds a secret:\n%s", told)
	}
}

func TestLogout(t *testing.T) {
	r, c := newRig(t, false), newClient(t)
	if code, _ := r.post(t, c, "/api/login", `{"token":"`+r.admin+`"}`); code != 200 {
		t.Fatal(code)
	}
	if code, text := r.post(t, c, "/api/logout", `{}`); code != 200 || strings.Contains(text, "ada") {
		t.Errorf("%d %s", code, text)
	}
	if code, _ := r.post(t, c, "/api/accept-jump", `{}`); code != 401 {
		t.Errorf("after the logout: %d", code)
	}
}

// Guessing ends after five, for a bearer as for a login; who shares the address and has the right token still passes.
func TestGuessesAreLimited(t *testing.T) {
	r, c := newRig(t, false), newClient(t)
	for range 3 {
		r.post(t, c, "/api/login", `{"token":"wrong"}`)
		r.post(t, c, "/api/accept-jump", `{}`, "Authorization", "Bearer wrong")
	}
	for path, header := range map[string]string{"/api/login": "", "/api/accept-jump": "Bearer another"} {
		if code, text := r.post(t, c, path, `{"token":"another"}`, "Authorization", header); code != 429 {
			t.Errorf("%s, the seventh try: %d %s", path, code, text)
		}
	}
	if code, text := r.post(t, c, "/api/login", `{"token":"`+r.admin+`"}`); code != 200 {
		t.Errorf("the right token: %d %s", code, text)
	}
}

// A closed station shows nothing without a token but its health and the page that asks for one.
func TestClosedStation(t *testing.T) {
	r := newRig(t, true)
	for path, code := range map[string]int{"/api/status": 401, "/api/events": 401, "/api/history": 401, "/metrics": 401, "/api/alerts": 401, "/api/clients": 401, "/api/time": 401,
		"/": 200, "/face": 200, "/page.js": 200, "/healthz": 200, "/api/session": 200} {
		if w := r.get(t, path); w.StatusCode != code {
			t.Errorf("%s: %d", path, w.StatusCode)
		}
	}
	q, err := http.NewRequest(http.MethodGet, r.server.URL+"/api/status", nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+r.viewer)
	w, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	if w.StatusCode != 200 {
		t.Errorf("a viewer: %d", w.StatusCode)
	}
}

func TestHistoryAsksForASpan(t *testing.T) {
	r := newRig(t, false)
	for query, code := range map[string]int{
		"": 200, "?points=2": 200, "?from=2026-11-22T00:00:00Z&to=2026-11-22T01:00:00%2B01:00": 400, "?from=1795305600&to=1795309200.5&points=100": 200,
		"?points=1": 400, "?points=4001": 400, "?points=x": 400, "?from=yesterday": 400, "?to=-1": 400, "?to=1e300": 400, "?to=NaN": 400, "?from=2000000000&to=1000000000": 400,
	} {
		w := r.get(t, "/api/history"+query)
		var h display.History
		if err := json.NewDecoder(w.Body).Decode(&h); err != nil || w.StatusCode != code ||
			code == 200 && (len(h.Points) < 2 || !h.To.After(h.From)) {
			t.Errorf("%q: %d, %v, %d points", query, w.StatusCode, err, len(h.Points))
		}
	}
	var clients display.Clients
	if err := json.NewDecoder(r.get(t, "/api/clients").Body).Decode(&clients); err != nil || clients.Known != 214 ||
		len(clients.Clients) == 0 {
		t.Errorf("%v %+v", err, clients)
	}
}

// What was asked of /api/time lies between two readings of one's own clock: the offset found is within half the round trip.
func TestTimeOfDay(t *testing.T) {
	r := newRig(t, false)
	for range 3 {
		t1 := time.Now()
		w := r.get(t, "/api/time")
		var answer Time
		err := json.NewDecoder(w.Body).Decode(&answer)
		t4 := time.Now()
		if err != nil || answer.ReceiveTAI == nil || answer.TAIMinusUTCSeconds != 37 ||
			answer.Zone.Name != "Europe/Berlin" ||
			answer.Zone.NextAt == nil {
			t.Fatalf("%v %+v", err, answer)
		}
		seconds := func(at time.Time) float64 { return float64(at.UnixMicro())/1e6 + 37 }
		if *answer.ReceiveTAI < seconds(t1)-2e-6 || *answer.TransmitTAI > seconds(t4)+2e-6 ||
			*answer.TransmitTAI < *answer.ReceiveTAI {
			t.Errorf(
				"%.6f to %.6f is not within %.6f and %.6f",
				*answer.ReceiveTAI,
				*answer.TransmitTAI,
				seconds(t1),
				seconds(t4),
			)
		}
	}
}

func TestHealthSaysWhy(t *testing.T) {
	lost := good()
	lost.State, lost.Reason = status.Unsynchronised, "no source is heard"
	lost.Sources[0].State, lost.Sources[0].Explanation = status.Silent, "nothing has come for a minute"
	lost.Alerts = []status.Alert{
		{Code: "source-lost", Source: "gps0", Severity: status.Critical, Text: "gps0 is lost."},
		{Code: "hint", Severity: status.Info, Text: "nothing urgent"},
	}
	body := get(t, station(stamp, lost), "/healthz").Body.String()
	for _, want := range []string{"unsynchronised", "no source is heard", "source-lost gps0: gps0 is lost.", "source gps0 is silent: nothing has come"} {
		if !strings.Contains(body, want) {
			t.Errorf("missing %q in\n%s", want, body)
		}
	}
	if strings.Contains(body, "urgent") {
		t.Errorf("what is no reason stands there:\n%s", body)
	}
}

func TestServesTLS(t *testing.T) {
	folder := t.TempDir()
	s := station(stamp, good())
	s.DataDir, s.Built = folder, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	s.Now = localNow
	c := Config{Listen: "127.0.0.1:0", View: viewAnyone, TLS: tlsSelfSigned}
	ask := func(c Config) (*http.Response, error) {
		server, err := Listen(c, s, slog.New(slog.DiscardHandler))
		if err != nil {
			return nil, err
		}
		ended := make(chan error, 1)
		ctx, stop := t.Context(), func() { server.server.Close() }
		go func() { ended <- server.Run(ctx) }()
		t.Cleanup(func() { stop(); <-ended })
		authority, err := os.ReadFile(filepath.Join(folder, "web-tls", "ca.crt"))
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(authority)
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
		t.Cleanup(transport.CloseIdleConnections)
		return (&http.Client{Transport: transport}).Get(server.Scheme() + "://" + server.Address() + "/healthz")
	}
	w, err := ask(c)
	if err != nil {
		t.Fatal(err)
	}
	w.Body.Close()
	if w.ProtoMajor != 2 || w.TLS == nil {
		t.Errorf("%s, TLS %v", w.Proto, w.TLS != nil)
	}
	first := w.TLS.PeerCertificates[0]
	if w, err = ask(c); err != nil || !w.TLS.PeerCertificates[0].Equal(first) {
		t.Errorf("%v, or the certificate is another after a restart", err)
	}
	c = Config{
		Listen:      "127.0.0.1:0",
		View:        viewAnyone,
		TLS:         tlsFiles,
		Certificate: filepath.Join(folder, "web-tls", "server.crt"),
		Key:         filepath.Join(folder, "web-tls", "server.key"),
	}
	if w, err = ask(c); err != nil || !w.TLS.PeerCertificates[0].Equal(first) {
		t.Errorf("from files: %v", err)
	}
	c.Key = filepath.Join(folder, "web-tls", "ca.key")
	if _, err := ask(c); err == nil || !strings.Contains(err.Error(), "web.certificate") {
		t.Errorf("a key that does not fit: %v", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, test := range []struct {
		change func(*Config)
		says   string
	}{
		{func(*Config) {}, ""},
		{func(c *Config) { c.View = "all" }, "view:"},
		{func(c *Config) { c.View = "token" }, "tokens"},
		{func(c *Config) { c.View, c.Tokens = "token", "tokens" }, ""},
		{func(c *Config) { c.TLS = "on" }, "tls:"},
		{func(c *Config) { c.TLS = "files" }, "certificate"},
		{func(c *Config) { c.Certificate = "x" }, "certificate:"},
		{func(c *Config) { c.TLS, c.Certificate, c.Key = "files", "x", "y" }, ""},
		{func(c *Config) { c.TLS = "self-signed" }, ""},
	} {
		c := DefaultConfig()
		test.change(&c)
		if err := c.Validate(); (err == nil) != (test.says == "") ||
			err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// The names that people's dashboards ask for are there when they are wanted, well formed, and not before.
func TestCompatibleNames(t *testing.T) {
	r := newRig(t, false)
	r.station.compat = true
	body := get(t, r.station, "/metrics").Body.String()
	for _, want := range []string{
		"chrony_tracking_stratum 1", "chrony_tracking_last_offset_seconds -1.2e-08", `chrony_tracking_info{tracking_address="gps0.pps",tracking_name="gps0.pps",tracking_refid="50505300"} 1`,
		`chrony_sources_state_info{source_address="192.168.1.9",source_mode="client",source_name="cellar-ntp",source_state="falseticker"} 1`, `chrony_sources_reachability_ratio{source_address="192.53.103.108",source_name="ptb-1"} 1`,
		"chrony_serverstats_ntp_packets_received_total 183201", "chrony_serverstats_ntp_packets_dropped_total 47", "node_ntp_stratum 1", "node_ntp_sanity 1",
		`ntp_stratum{server="Studio 2"} 1`, `ntp_drift_seconds{server="Studio 2"}`, "gpsd_uSat 12", `gpsd_sat_ss{PRN="10",gnssid="gps"} 33`,
	} {
		if !strings.Contains(body, "\n"+want) {
			t.Errorf("missing %q", want)
		}
	}
	r.station.compat = false
	if body := get(t, r.station, "/metrics").Body.String(); strings.Contains(body, "chrony_") {
		t.Error("they are there unasked")
	}
	// Before the time is known there is still an answer, and nothing invented.
	s := station(stamp, nil)
	s.compat = true
	body = get(t, s, "/metrics").Body.String()
	if !strings.Contains(body, "node_ntp_leap 3") || strings.Contains(body, "ntp_drift_seconds") {
		t.Errorf("of a station that is starting:\n%s", body)
	}
}
