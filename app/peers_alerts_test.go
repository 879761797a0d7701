//go:build peers

package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestPeersAlerts: a running station tells a web hook of an alert, and of a test that timestation alerts test asks for,
// which shows what the far side answered. No secret is in what it prints or shows.
func TestPeersAlerts(t *testing.T) {
	const secret, token = "a-secret-of-the-hook", "a-token-that-nobody-guesses-ever"
	var mu sync.Mutex
	var told string
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		told += string(body) + "\n"
		fmt.Fprint(w, "thank you")
	}))
	defer hook.Close()
	heard := func(text string) bool {
		mu.Lock()
		defer mu.Unlock()
		return strings.Contains(told, text)
	}
	free := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().String()
	}
	dir, page, nowhere, ntpAddress := t.TempDir(), free(), free(), free()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tokenFile := file("token", token+"\n")
	config := file("timestation.toml", fmt.Sprintf(`
[[refclock]]
driver = "gps"
device = "/dev/null"
[web]
listen = %q
token_file = %q
[[listener]]
address = %q
[control]
chrony_address = ""
[[notify]]
name = "hook"
kind = "webhook"
url = %q
secret_file = %q
[[notify]]
name = "collector"
kind = "syslog"
server = %q
transport = "tcp"
`, page, tokenFile, ntpAddress, hook.URL, file("secret", secret+"\n"), nowhere))
	program := buildProgram(t)
	run := exec.Command(program, "run", "--headless", "--config", config, "--data", filepath.Join(dir, "data"))
	station := startProcess(t, run, run.Start)
	for began := time.Now(); !heard(`"kind":"raised"`) || !heard(`"code":"source-lost"`); time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatalf("the hook heard: %s", told)
		}
	}
	// A monitor that was made for a LeoNTP asks the NTP port.
	monitor, err := net.Dial("udp", ntpAddress)
	if err != nil {
		t.Fatal(err)
	}
	defer monitor.Close()
	var statistics [100]byte
	_, err1 := monitor.Write([]byte{0x27, 0, 0x10, 1, 0, 0, 0, 0})
	err2 := monitor.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := monitor.Read(statistics[:]); err1 != nil || err2 != nil || err != nil || n != 48 || statistics[32] != 1 {
		t.Errorf("LeoNTP's statistics: % x, %v %v %v", statistics[:n], err1, err2, err)
	}
	test := func(args ...string) string {
		t.Helper()
		c := exec.Command(program, append([]string{"alerts", "test", "--station", "http://" + page, "--token-file", tokenFile}, args...)...)
		text, _ := c.CombinedOutput() // what it says is judged
		return string(text)
	}
	if text := test("hook"); text != "hook (webhook): 200 OK thank you\n" || !heard(`"kind":"test"`) {
		t.Errorf("alerts test hook: %s", text)
	}
	if text := test(); !strings.Contains(text, "1 of 2 failed; hook (webhook): 200 OK thank you; collector (syslog): FAILED: ") || strings.Count(text, "\n") != 1 {
		t.Errorf("alerts test: %s", text)
	}
	if text := test("fax"); !strings.Contains(text, `there is no place called "fax"; there are: collector, hook`) {
		t.Errorf("alerts test fax: %s", text)
	}
	answer, err := http.Get("http://" + page + "/api/status")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	shown, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var listed []byte // as ps shows it, and as only root sees it
	for _, name := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", station.command.Process.Pid, name))
		if err != nil || len(text) == 0 {
			t.Errorf("%s: %d octets, %v", name, len(text), err)
		}
		listed = append(listed, text...)
	}
	if all := station.printed.String() + string(shown) + told + string(listed); strings.Contains(all, secret) || strings.Contains(all, token) {
		t.Errorf("a secret is shown: %s", all)
	}
}
