//go:build peers

package web

import (
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

// TestPeersFirefox: the page comes to life in Firefox too. What it asks for tells how far its scripts have come, and that
// it listens for events.
func TestPeersFirefox(t *testing.T) {
	r := newRig(t, false)
	var mu sync.Mutex
	asked := map[string]int{}
	handler := r.server.Config.Handler
	watched := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if strings.Contains(q.UserAgent(), "Firefox/") {
			mu.Lock()
			asked[q.URL.Path]++
			mu.Unlock()
		}
		handler.ServeHTTP(w, q)
	}))
	t.Cleanup(func() {
		watched.CloseClientConnections()
		watched.Close()
	})
	profile := t.TempDir()
	// Nothing but the page: no updates, no greetings, no telemetry.
	const settings = `user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
`
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}
	firefox := exec.CommandContext(
		t.Context(),
		"firefox-esr",
		"--headless",
		"--no-remote",
		"--profile",
		profile,
		watched.URL+"/",
	)
	firefox.Env = append(os.Environ(), "HOME="+profile)
	if err := firefox.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		firefox.Process.Kill()
		firefox.Wait()
	})
	want := map[string]int{
		"/api/events":  1,
		"/api/session": 1,
		"/api/alerts":  1,
		"/api/history": 1,
		"/api/clients": 2,
		"/api/time":    10,
	}
	for began := time.Now(); time.Since(began) < 30*time.Second; time.Sleep(100 * time.Millisecond) {
		mu.Lock()
		missing := false
		for path, times := range want {
			missing = missing || asked[path] < times
		}
		mu.Unlock()
		if !missing {
			t.Logf("alive after %v", time.Since(began).Round(100*time.Millisecond))
			return
		}
	}
	mu.Lock()
	defer mu.Unlock()
	t.Errorf("after 30 s Firefox has asked for %v; a page that lives asks for %v", asked, want)
}
