//go:build peers

package web

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"timestation/engine/status"
)

// fox is headless Firefox, spoken to by WebDriver BiDi (w3.org/TR/webdriver-bidi).
type fox struct {
	conn       *websocket.Conn
	last       int
	page       string // the browsing context
	complaints []string
	elsewhere  []string
	home       string
}

// startFirefox ends with the test. home is where every request must go.
func startFirefox(t *testing.T, home string) *fox {
	t.Helper()
	profile := t.TempDir()
	// Nothing but the page: no updates, no greetings, no telemetry.
	const settings = `user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("focusmanager.testmode", true);
`
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}
	const origin = "http://localhost"
	firefox := exec.CommandContext(t.Context(), "firefox-esr", "--headless", "--no-remote", "--profile", profile,
		"--remote-debugging-port", "0", "--remote-allow-origins", origin, "about:blank")
	firefox.Env = append(os.Environ(), "HOME="+profile)
	said, err := firefox.StderrPipe()
	if err == nil {
		err = firefox.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		firefox.Process.Kill()
		firefox.Wait()
	})
	address := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(said); lines.Scan(); {
			if _, at, ok := strings.Cut(lines.Text(), "WebDriver BiDi listening on "); ok {
				address <- strings.TrimSpace(at)
			}
		}
	}()
	f := &fox{home: home}
	select {
	case at := <-address:
		if f.conn, err = websocket.Dial(at+"/session", "", origin); err != nil {
			t.Fatal(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Firefox does not say where it listens")
	}
	t.Cleanup(func() { f.conn.Close() })
	f.do(t, "session.new", `{"capabilities": {}}`, nil)
	var made struct{ Context string }
	f.do(t, "browsingContext.create", `{"type": "window"}`, &made)
	f.page = made.Context
	f.do(t, "session.subscribe", `{"events": ["log.entryAdded", "network.beforeRequestSent"]}`, nil)
	return f
}

// do sends a command, and takes the events that come before its answer.
func (f *fox) do(t *testing.T, method, parameters string, result any) {
	t.Helper()
	f.last++
	if err := websocket.Message.Send(f.conn, fmt.Sprintf(`{"id": %d, "method": %q, "params": %s}`, f.last, method, parameters)); err != nil {
		t.Fatal(err)
	}
	for {
		var text []byte
		if err := f.conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if err := websocket.Message.Receive(f.conn, &text); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		var m struct {
			ID      int
			Type    string
			Message string
			Method  string
			Result  json.RawMessage
			Params  struct {
				Level, Text string
				Request     struct{ URL string }
			}
		}
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		switch {
		case m.Method == "log.entryAdded" && (m.Params.Level == "error" || m.Params.Level == "warn"):
			f.complaints = append(f.complaints, m.Params.Text)
		case m.Method == "network.beforeRequestSent" && !strings.HasPrefix(m.Params.Request.URL, f.home) &&
			!strings.HasPrefix(m.Params.Request.URL, "data:"): // Firefox's own drawings
			f.elsewhere = append(f.elsewhere, m.Params.Request.URL)
		case m.Type == "error" && m.ID == f.last:
			t.Fatalf("%s: %s", method, m.Message)
		case m.Type == "success" && m.ID == f.last:
			if result != nil {
				if err := json.Unmarshal(m.Result, result); err != nil {
					t.Fatal(err)
				}
			}
			return
		}
	}
}

func (f *fox) open(t *testing.T, address string) {
	t.Helper()
	f.do(t, "browsingContext.navigate", fmt.Sprintf(`{"context": %q, "url": %q, "wait": "complete"}`, f.page, address), nil)
	f.do(t, "browsingContext.activate", fmt.Sprintf(`{"context": %q}`, f.page), nil) // without it no key reaches the page
}

// ask gives what an expression is in the page, as text.
func (f *fox) ask(t *testing.T, expression string) string {
	t.Helper()
	code, err := json.Marshal(`String(` + expression + `)`)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Result           struct{ Value string }
		ExceptionDetails struct{ Text string }
	}
	f.do(t, "script.evaluate", fmt.Sprintf(`{"expression": %s, "target": {"context": %q}, "awaitPromise": false}`, code, f.page), &answer)
	if answer.ExceptionDetails.Text != "" {
		t.Fatalf("%s: %s", expression, answer.ExceptionDetails.Text)
	}
	return answer.Result.Value
}

func (f *fox) await(t *testing.T, limit time.Duration, expression string) {
	t.Helper()
	for began := time.Now(); f.ask(t, expression) != "true"; time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > limit {
			t.Fatalf("after %v this is still not so: %s", limit, expression)
		}
	}
}

// press types keys, one after the other.
func (f *fox) press(t *testing.T, keys ...string) {
	t.Helper()
	var actions []string
	for _, key := range keys {
		actions = append(actions, fmt.Sprintf(`{"type": "keyDown", "value": %q}, {"type": "keyUp", "value": %q}`, key, key))
	}
	f.do(t, "input.performActions", fmt.Sprintf(`{"context": %q, "actions": [{"type": "key", "id": "keyboard", "actions": [%s]}]}`, f.page, strings.Join(actions, ", ")), nil)
}

// TestPeersFirefox: the page and the face alone work in Firefox too: the right second, an alert within 2 s, acknowledging by
// the keyboard, the lights, and nothing that the browser complains of.
func TestPeersFirefox(t *testing.T) {
	r := newRig(t, false)
	r.set(nil, sampleAlerts()[1])
	f := startFirefox(t, r.server.URL)
	rightSecond := func() {
		t.Helper()
		f.await(t, 20*time.Second, `document.getElementById("face").dataset.second !== undefined && document.getElementById("strip").textContent.includes("±")`)
		for range 2 {
			now := time.Now()
			time.Sleep(now.Truncate(time.Second).Add(1400 * time.Millisecond).Sub(now))
			if shown, want := f.ask(t, `document.getElementById("face").dataset.second`), time.Now().In(r.station.Location).Format("15:04:05"); shown != want {
				t.Errorf("the face shows %s, it is %s", shown, want)
			}
		}
	}
	f.open(t, r.server.URL+"/")
	f.await(t, 20*time.Second, `document.querySelectorAll("#sources li").length === 6 && document.querySelectorAll(".sky .sat").length === 15 && document.querySelectorAll(".minute .mark").length === 60 && document.querySelectorAll("#clients tr").length === 8 && document.querySelectorAll("#history .curve").length === 4 && document.querySelectorAll("#lights li").length === 4`)
	rightSecond()
	r.set(nil, sampleAlerts()[0])
	const button = `[data-alert="falseticker cellar-ntp"]`
	f.await(t, 2*time.Second, `document.querySelector('`+button+`') !== null`)
	const enter = "\uE007"
	f.ask(t, `document.querySelector('`+button+`').focus()`)
	f.press(t, enter)
	f.await(t, 5*time.Second, `document.getElementById("login-box").open && document.activeElement.id === "token"`)
	f.press(t, append(strings.Split(r.admin, ""), enter)...)
	f.await(t, 10*time.Second, `!document.getElementById("login-box").open && document.getElementById("who").textContent === "ada (admin)"`)
	f.ask(t, `document.querySelector('`+button+`').focus()`)
	f.press(t, enter)
	f.await(t, 10*time.Second, `document.getElementById("alerts").textContent.includes("seen by ada")`)

	f.open(t, r.server.URL+"/face")
	rightSecond()
	r.busy(t)
	f.await(t, 2*time.Second, `document.getElementById("light-news").textContent === "ON AIR on, PHONE on" && document.getElementById("message").textContent === "The guest waits at gate B"`)
	r.set(func(s *status.Status) {
		s.State, s.Reason, s.Selected = status.Unsynchronised, "the sources contradict each other", ""
	})
	f.await(t, 10*time.Second, `document.getElementById("face").dataset.state === "unsynchronised" && document.getElementById("strip-state").textContent === "Time not known"`)
	f.complaints = slices.DeleteFunc(f.complaints, func(c string) bool {
		return strings.Contains(c, "api/events") // interrupted while the page was left
	})
	if len(f.complaints) > 0 || len(f.elsewhere) > 0 {
		t.Errorf("Firefox complains of %q, and asks for %q", f.complaints, f.elsewhere)
	}
}
