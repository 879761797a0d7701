package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"timestation/app/automation"
	"timestation/engine/status"
	"timestation/refclock/edge"
)

func TestSyslogOverUDP(t *testing.T) {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	env := environment()
	bound := 1.4e-6
	env.Status = func() status.Snapshot {
		s := status.Snapshot{State: status.Synchronised}
		s.MaxErrorSeconds = &bound
		return s
	}
	s := &syslogger{settings: syslogSettings{Server: l.LocalAddr().String(), Transport: "udp", Facility: "daemon", Enterprise: 64999}, env: env, host: "pi"}
	n := lostNotice()
	n.Kind, n.Turns, n.happened = Cleared, 7, time.Now()
	summary := Notice{ID: "x", Kind: Summary, Parts: []Notice{n, {ID: "y", Kind: Raised, Station: "Studio", Alert: status.Alert{
		Code: "unsynchronised", Severity: status.Critical, Text: strings.Repeat("ä", 3000)}}}}
	if _, err := s.Send(t.Context(), summary); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 65536)
	read := func() string {
		_ = l.SetReadDeadline(time.Now().Add(2 * time.Second))
		size, _, err := l.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:size])
	}
	const want = `<29>1 2026-11-22T12:00:00.000000Z pi timestation - source-lost [timeQuality tzKnown="1" isSynced="1" syncAccuracy="2"][origin software="Timestation" swVersion="1"][alert@64999 id="a1b2c3d4-7" kind="cleared" ` +
		`code="source-lost" source="gps0" severity="warning" station="Studio" mend="plug it in again"] ` + "\ufeff" +
		`Studio: over: source-lost gps0: gps0 is lost: <no such device>. It came or went 7 times since the last message.`
	if got := read(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := read(); !strings.HasPrefix(got, `<26>1 - pi timestation - unsynchronised [timeQuality tzKnown="1" isSynced="0"][origin `) || len(got) > mostDatagram || strings.ToValidUTF8(got, "") != got {
		t.Errorf("%d octets: %s", len(got), got)
	}
	n.happened = n.happened.Add(-time.Minute) // the time may have been worse then
	if _, err := s.Send(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	if got := read(); !strings.Contains(got, `[timeQuality tzKnown="1"][origin `) {
		t.Errorf("a minute late: %s", got)
	}
}

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n := lostNotice()
	n.Alert.Mend = "one\ntwo"
	if _, err := (&journaller{path}).Send(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096)
	size, err := l.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	got := string(b[:size])
	for _, want := range []string{
		"MESSAGE=Studio: warning: source-lost gps0: gps0 is lost: <no such device>.\n", "PRIORITY=4\n", "SYSLOG_IDENTIFIER=timestation\n",
		"TIMESTATION_CODE=source-lost\n", "TIMESTATION_AT=2026-11-22T12:00:00.000000000Z\n",
		"TIMESTATION_MEND\n" + string(binary.LittleEndian.AppendUint64(nil, 7)) + "one\ntwo\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q has no %q", got, want)
		}
	}
	if _, err := (&journaller{path + "2"}).Send(t.Context(), n); err == nil || !strings.Contains(err.Error(), "systemd") {
		t.Errorf("no journal: %v", err)
	}
}

// hook is a web server whose answer can be set.
type hook struct {
	*httptest.Server
	status int
	header http.Header
	body   []byte
}

func newHook(t *testing.T) *hook {
	h := &hook{status: http.StatusOK}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.header = r.Header
		h.body, _ = io.ReadAll(r.Body)
		if h.status == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(h.status)
		_, _ = w.Write([]byte("said\nso"))
	}))
	t.Cleanup(h.Close)
	return h
}

func TestWebhook(t *testing.T) {
	server := newHook(t)
	client, err := newHTTPClient(environment(), "")
	if err != nil {
		t.Fatal(err)
	}
	w := &webhook{webhookSettings{URL: server.URL + "/x?key=hunter2", SecretFile: secretFile(t, "hush")}, client, "1"}
	answer, err := w.Send(t.Context(), lostNotice())
	if err != nil || answer != "200 OK said so" {
		t.Fatalf("%q, %v", answer, err)
	}
	mac := hmac.New(sha256.New, []byte("hush"))
	mac.Write(server.body)
	if got := server.header.Get("X-Timestation-Signature"); got != "sha256="+hex.EncodeToString(mac.Sum(nil)) || server.header.Get("X-Timestation-Id") != "a1b2c3d4-7" {
		t.Errorf("header %v", server.header)
	}
	var got Notice
	if err := json.Unmarshal(server.body, &got); err != nil || !reflect.DeepEqual(got, lostNotice()) {
		t.Errorf("%s: %+v %v", server.body, got, err)
	}
	for code, refused := range map[int]bool{400: true, 422: true, 302: true, 401: false, 404: false, 408: false, 429: false, 500: false, 503: false} {
		server.status = code
		if _, err := w.Send(t.Context(), lostNotice()); err == nil || errors.Is(err, ErrRefused) != refused || strings.ContainsAny(err.Error(), "\n") {
			t.Errorf("%d: %v", code, err)
		}
	}
	server.Close()
	if _, err := w.Send(t.Context(), lostNotice()); err == nil || errors.Is(err, ErrRefused) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("down: %v", err)
	}
}

func TestPush(t *testing.T) {
	server := newHook(t)
	env := environment()
	env.Language, env.WebAddress = "de", "http://pi:8123"
	client, err := newHTTPClient(env, "")
	if err != nil {
		t.Fatal(err)
	}
	p := &pusher{pushSettings{URL: server.URL + "/topic", TokenFile: secretFile(t, "tk_1")}, client, env, german}
	if _, err := p.Send(t.Context(), lostNotice()); err != nil {
		t.Fatal(err)
	}
	h := server.header
	if h.Get("Title") != "=?utf-8?b?"+"U3R1ZGlvOiBXYXJudW5nOiBzb3VyY2UtbG9zdCBncHMw"+"?=" && h.Get("Title") != "Studio: Warnung: source-lost gps0" {
		t.Errorf("title %q", h.Get("Title"))
	}
	if h.Get("Priority") != "4" || h.Get("Tags") != "warning" || h.Get("Click") != "http://pi:8123" || h.Get("Authorization") != "Bearer tk_1" {
		t.Errorf("header %v", h)
	}
	const want = "Das Gerät einer Quelle ist weg oder lässt sich nicht öffnen.\nIn Zahlen: gps0 is lost: <no such device>.\n" +
		"Abhilfe: wieder einstecken, oder seinen Abschnitt der Konfiguration berichtigen; es wird von selbst wieder versucht\n" +
		"Seit: 2026-11-22 12:00:00 UTC\n"
	if got := string(server.body); !strings.HasPrefix(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// scene is what a follower sees and does, in turns with the test.
type scene struct {
	mu     sync.Mutex
	is     status.Snapshot
	broken error
	active bool // a line
	closed bool
	runs   []string // of a command
}

// with has the test look or change something.
func (s *scene) with(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *scene) status() (is status.Snapshot) { s.with(func() { is = s.is }); return is }

// become changes the station; a bound of 0 is none.
func (s *scene) become(state status.State, reason string, bound float64) {
	s.with(func() {
		s.is = status.Snapshot{State: state, Reason: reason}
		if bound > 0 {
			s.is.MaxErrorSeconds = &bound
		}
	})
}

func (s *scene) fail(err error) { s.with(func() { s.broken = err }) }

func (s *scene) Set(active bool) (err error) {
	s.with(func() { s.active, err = active, s.broken })
	return err
}

func (s *scene) Close() error { s.with(func() { s.closed = true }); return nil }

func (s *scene) open(edge.Options) (automation.Output, error) {
	var err error
	s.with(func() { err = s.broken })
	return s, err
}

func (s *scene) run(_ context.Context, command []string) (err error) {
	s.with(func() { s.runs, err = append(s.runs, strings.Join(command, " ")), s.broken })
	return err
}

// standing tells whether the alert that a place fails stands.
func standing(e Environment) bool {
	return len(e.Alerts.(interface{ List() []status.Alert }).List()) > 0
}

func TestRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env, s := environment(), &scene{}
		env.Status = s.status
		s.become(status.Unsynchronised, "no-source", 0)
		missing := errors.New("gpiochip0:17: no such line")
		s.fail(missing)
		r := &relay{settings: relaySettings{Line: "gpiochip0:17", MaxErrorSeconds: 0.001}, env: env, open: s.open}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { r.Follow(ctx); close(done) }()
		pass := func(d time.Duration) { time.Sleep(d); synctest.Wait() }
		pass(time.Second)
		if answer, err := r.Test(ctx); err != missing || !standing(env) {
			t.Errorf("without a line: %q, %v", answer, err)
		}
		s.fail(nil)
		pass(6 * time.Second)
		expect := func(active bool, says string) {
			t.Helper()
			answer, err := r.Test(ctx)
			s.with(func() {
				if s.active != active || err != nil || !strings.Contains(answer, says) || standing(env) {
					t.Errorf("active %t, %q, %v", s.active, answer, err)
				}
			})
		}
		expect(false, "no-source")
		for _, c := range []struct {
			state  status.State
			bound  float64
			active bool
			says   string
		}{
			{status.Synchronised, 0.0005, true, "valid"}, {status.Synchronised, 0.002, false, "bound"},
			{status.Holdover, 0.0005, false, "holdover"}, {status.Synchronised, 0.0005, true, "valid"},
		} {
			s.become(c.state, "", c.bound)
			pass(time.Second)
			expect(c.active, c.says)
		}
		s.fail(errors.New("input/output error"))
		pass(time.Second)
		if !standing(env) {
			t.Error("a line that broke is not told")
		}
		s.fail(nil)
		pass(6 * time.Second)
		expect(true, "valid")
		cancel()
		<-done
		s.with(func() {
			if s.active || !s.closed {
				t.Error("at the end the line is still active")
			}
		})
	})
}

func TestPool(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pool.zone")
	synctest.Test(t, func(t *testing.T) {
		env, s := environment(), &scene{}
		env.Status = s.status
		s.become(status.Unsynchronised, "no-source", 0)
		p := &pool{settings: poolSettings{File: path, Records: []string{"time 60 IN A 192.0.2.7", "time 60 IN AAAA 2001:db8::7"},
			Command: []string{"/bin/hook", "x"}, Holdover: true, SettleSeconds: 60}, env: env, run: s.run}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { p.Follow(ctx); close(done) }()
		expect := func(d time.Duration, runs int, file, run string) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			text, err := os.ReadFile(path)
			s.with(func() {
				if err != nil || string(text) != file || len(s.runs) != runs || s.runs[runs-1] != run {
					t.Errorf("file %q, %v; runs %q", text, err, s.runs)
				}
			})
		}
		const in, out = "time 60 IN A 192.0.2.7\ntime 60 IN AAAA 2001:db8::7\n", "; out of the pool: unsynchronised: no-source\n"
		expect(2*time.Second, 1, out, "/bin/hook x out unsynchronised: no-source")
		s.become(status.Synchronised, "", 0.001)
		expect(50*time.Second, 1, out, "/bin/hook x out unsynchronised: no-source")
		expect(15*time.Second, 2, in, "/bin/hook x in ")
		s.fail(errors.New("/bin/hook: exit status 1"))
		s.become(status.Unsynchronised, "bound-exceeded", 0)
		const beyond, told = "; out of the pool: unsynchronised: bound-exceeded\n", "/bin/hook x out unsynchronised: bound-exceeded"
		expect(3*time.Second, 3, beyond, told)
		if !standing(env) {
			t.Error("a command that fails is not told")
		}
		s.fail(nil)
		expect(2*time.Minute, 4, beyond, told)
		if standing(env) {
			t.Error("a command that works again is not told")
		}
		s.become(status.Synchronised, "", 0.001)
		expect(62*time.Second, 5, in, "/bin/hook x in ")
		cancel()
		<-done
		expect(0, 6, "; out of the pool: the station stops\n", "/bin/hook x out the station stops")
	})
}

func TestSound(t *testing.T) {
	dir := t.TempDir()
	player := filepath.Join(dir, "player")
	if err := os.WriteFile(player, []byte("#!/bin/sh\ncp \"$2\" "+dir+"/played\necho \"$1\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := place2(t, &soundSettings{Command: []string{player, "-q"}})
	n := lostNotice()
	n.Alert.Severity = status.Critical
	if answer, err := s.Send(t.Context(), n); err != nil || answer != player+" played it -q" {
		t.Errorf("%q, %v", answer, err)
	}
	wave, err := os.ReadFile(filepath.Join(dir, "played"))
	if err != nil || !bytes.Equal(wave, gong(3)) || string(wave[:4]) != "RIFF" || int(binary.LittleEndian.Uint32(wave[40:])) != len(wave)-44 {
		t.Errorf("%d octets were played, %v", len(wave), err)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "timestation-*.wav")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	none := &sounder{nil, func(string) (string, error) { return "", os.ErrNotExist }}
	if _, err := none.Send(t.Context(), n); err == nil || !strings.Contains(err.Error(), "install alsa-utils") {
		t.Errorf("without a player: %v", err)
	}
}

func place2(t *testing.T, s *soundSettings) Sink {
	t.Helper()
	r, _ := Lookup("sound")
	made, err := r.New(s, environment())
	if err != nil {
		t.Fatal(err)
	}
	return made.(Sink)
}

// What a configuration cannot mean is refused in one line that begins with the key.
func TestSettingsAreChecked(t *testing.T) {
	for _, c := range []struct {
		kind, key string
		set       func(Settings)
	}{
		{"mail", "server", func(Settings) {}},
		{"mail", "to", func(s Settings) { m := s.(*mailSettings); m.Server, m.From = "a:25", "x@example.org" }},
		{"mail", "from", func(s Settings) { m := s.(*mailSettings); m.Server, m.From = "a:25", "nobody" }},
		{"mail", "tls", func(s Settings) { m := s.(*mailSettings); m.Server, m.TLS = "a:25", "ssl" }},
		{"syslog", "server", func(Settings) {}},
		{"syslog", "facility", func(s Settings) { m := s.(*syslogSettings); m.Server, m.Facility = "a:514", "mail" }},
		{"journal", "socket", func(s Settings) { s.(*journalSettings).Socket = "x" }},
		{"webhook", "url", func(s Settings) { s.(*webhookSettings).URL = "https://a:b@example.org" }},
		{"push", "url", func(s Settings) { s.(*pushSettings).URL = "https://ntfy.sh/" }},
		{"snmp", "target", func(Settings) {}},
		{"snmp", "user", func(s Settings) { m := s.(*snmpSettings); m.Target, m.Version = "a:162", "3" }},
		{"snmp-agent", "community_file", func(Settings) {}},
		{"snmp-agent", "auth_password_file", func(s Settings) { s.(*snmpAgentSettings).User = "anna" }},
		{"mqtt", "broker", func(s Settings) { s.(*mqttSettings).Broker = "broker:1883" }},
		{"mqtt", "topic", func(s Settings) { m := s.(*mqttSettings); m.Broker, m.Topic = "mqtt://a:1883", "x/#" }},
		{"relay", "line", func(Settings) {}},
		{"pool", "file", func(Settings) {}},
		{"pool", "records", func(s Settings) { s.(*poolSettings).File = "/run/x" }},
		{"sound", "command", func(s Settings) { s.(*soundSettings).Command = []string{""} }},
		{"mdns", "interfaces", func(s Settings) { s.(*mdnsSettings).Interfaces = []string{""} }},
	} {
		r, known := Lookup(c.kind)
		if !known {
			t.Fatalf("there is no kind %q", c.kind)
		}
		s := r.NewSettings()
		c.set(s)
		if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), c.key+": ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", c.kind, err)
		}
	}
	d := DefaultConfig()
	d.Settings = &soundSettings{}
	for key, change := range map[string]func(*Config){
		"name": func(c *Config) { c.Name = "two words" }, "severity": func(c *Config) { c.Name, c.Severity = "x", "grave" },
	} {
		c := d
		change(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), key+": ") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// A secret that others can read, or that is not there, keeps a place from being made.
func TestSecrets(t *testing.T) {
	open := secretFile(t, "hush")
	if err := os.Chmod(open, 0o640); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{open: "chmod 600", open + "2": "make one with", secretFile(t, "two\nlines"): "one line"} {
		r, _ := Lookup("webhook")
		if _, err := r.New(&webhookSettings{URL: "http://127.0.0.1/", SecretFile: path}, environment()); err == nil ||
			!strings.HasPrefix(err.Error(), "secret_file: ") || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestWords(t *testing.T) {
	n := lostNotice()
	for _, c := range []struct {
		kind              Kind
		english, inGerman string
	}{
		{Raised, "Studio: warning: source-lost gps0", "Studio: Warnung: source-lost gps0"},
		{Escalated, "Studio: warning, STILL UNANSWERED: source-lost gps0", "Studio: Warnung, NOCH IMMER UNBEANTWORTET: source-lost gps0"},
		{Acknowledged, "Studio: seen by Anna: source-lost gps0", "Studio: gesehen von Anna: source-lost gps0"},
		{Cleared, "Studio: over: source-lost gps0", "Studio: vorbei: source-lost gps0"},
		{Test, "Studio: TEST, nothing is wrong", "Studio: PROBE, alles in Ordnung"},
	} {
		n.Kind, n.Alert.AcknowledgedBy = c.kind, "Anna"
		if a, b := english.headline(n), german.headline(n); a != c.english || b != c.inGerman {
			t.Errorf("%q and %q", a, b)
		}
	}
	n.Demonstration = true
	if got := english.headline(n); got != "Studio: DEMONSTRATION: TEST, nothing is wrong" {
		t.Errorf("%q", got)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	leap := epoch
	leap.Seconds, leap.InLeap = 1483228799, true
	if got := english.moment(leap, berlin); got != "2016-12-31 23:59:60 UTC (00:59:60 CET)" {
		t.Errorf("%q", got)
	}
	n.Kind, n.Turns = Cleared, 12
	late := n.At
	late.Seconds += 3600
	if got := german.plain(n, late, berlin); !strings.Contains(got, "12-mal") || !strings.Contains(got, "spät") || strings.Contains(got, "Abhilfe") ||
		!strings.Contains(got, "Vorbei um: 2026-11-22 12:00:00 UTC (13:00:00 CET)") {
		t.Errorf("%s", got)
	}
}
