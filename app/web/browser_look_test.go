//go:build peers

package web

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"timestation/display/studio"
	"timestation/engine/status"
	"timestation/refclock"
)

// TestPeersAxe lets axe-core look for what keeps people out, on every page, by day and by night, on a phone and a desk.
func TestPeersAxe(t *testing.T) {
	path := os.Getenv("TIMESTATION_AXE")
	if path == "" {
		t.Fatal("TIMESTATION_AXE names no axe.min.js; run this test with: make peers")
	}
	axe, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, false)
	r.set(nil, sampleAlerts()...)
	r.busy(t)
	b := startBrowser(t, r.server.URL)
	for _, screen := range []struct {
		path, scheme, before string
		width, height        int64
	}{
		{"/", "light", "", 390, 844}, {"/", "dark", `document.getElementById("ended-box").open = true`, 1280, 800},
		{"/", "light", `document.getElementById("login").click()`, 1280, 800},
		{"/face", "dark", "", 1280, 800},
	} {
		look(t, b, screen.width, screen.height, screen.scheme)
		do(t, b, chromedp.Navigate(r.server.URL+screen.path))
		b.await(
			t,
			10*time.Second,
			`document.getElementById("strip").textContent.includes("±") && (location.pathname === "/face" || document.querySelectorAll("#history .curve").length === 4 && document.querySelectorAll("#clients tr").length === 8 && !document.getElementById("login").hidden && !document.getElementById("ended-box").hidden)`,
		)
		do(t, b, chromedp.Evaluate[bool](screen.before+`; true`))
		do(t, b, chromedp.Evaluate[bool](string(axe)+`; true`))
		found := do(
			t,
			b,
			chromedp.Evaluate[[]string](
				`axe.run(document).then(r => r.passes.length < 12 ? ["axe has looked at nothing"] : r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.target.join(" ") + ": " + n.failureSummary)))`,
				chromedp.EvalAwaitPromise,
			),
		)
		for _, v := range found {
			t.Errorf("%s, %d wide, %s %s: %s", screen.path, screen.width, screen.scheme, screen.before, v)
		}
	}
}

// TestPeersPictures takes pictures for a person to judge, into the folder that TIMESTATION_PICTURES names.
func TestPeersPictures(t *testing.T) {
	folder := os.Getenv("TIMESTATION_PICTURES")
	if folder == "" {
		t.Log("set TIMESTATION_PICTURES to a folder to have pictures of the pages")
		return
	}
	r := newRig(t, false)
	r.set(nil, sampleAlerts()...)
	r.busy(t)
	b := startBrowser(t, r.server.URL)
	for _, scheme := range []string{"dark", "light"} {
		for _, size := range [][2]int64{{390, 844}, {1280, 800}, {1920, 1080}} {
			for _, path := range []string{"/", "/face"} {
				look(t, b, size[0], size[1], scheme)
				do(t, b, chromedp.Navigate(r.server.URL+path))
				time.Sleep(2 * time.Second)
				first := do(t, b, chromedp.CaptureScreenshot())
				name := fmt.Sprintf(
					"%s-%dx%d-%s",
					map[string]string{"/": "page", "/face": "face"}[path],
					size[0],
					size[1],
					scheme,
				)
				if path == "/" {
					whole := do(t, b, chromedp.FullScreenshot(100))
					if err := os.WriteFile(filepath.Join(folder, name+"-whole.png"), whole, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				if err := os.WriteFile(filepath.Join(folder, name+".png"), first, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for name, change := range map[string]func(*status.Status){
		"holdover": func(s *status.Status) {
			s.State, s.Reason, s.MaxError, s.Sources = status.Holdover, "the antenna is lost", 340*time.Microsecond, s.Sources[5:]
		},
		"unsynchronised": func(s *status.Status) {
			s.State, s.Reason, s.Stratum = status.Unsynchronised, "the sources contradict each other", status.Stratum16
		},
	} {
		r.set(change, sampleAlerts()...)
		look(t, b, 1280, 800, "dark")
		do(t, b, chromedp.Navigate(r.server.URL+"/"))
		time.Sleep(2 * time.Second)
		if err := os.WriteFile(filepath.Join(folder, "page-"+name+".png"), do(t, b, chromedp.CaptureScreenshot()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b.quiet(t)
}

// busy lights two of the lights and puts up a message.
func (r *rig) busy(t *testing.T) {
	t.Helper()
	on := true
	for light := range 2 {
		if _, err := r.wall.Light(studio.LightOrder{Light: light + 1, On: &on}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.wall.Message(studio.MessageOrder{Text: "The guest waits at gate B", Priority: studio.Warning}); err != nil {
		t.Fatal(err)
	}
}

func sampleAlerts() []status.Alert {
	return []status.Alert{
		{
			Code:     "falseticker",
			Source:   "cellar-ntp",
			Severity: status.Warning,
			Text:     "cellar-ntp is 240 ms away from all others and is ignored.",
			Mend:     "look at what that server follows, or take it out of the configuration",
			Since:    refclock.Date(2026, 11, 22, 8, 14, 0, 0),
		},
		{
			Code:           "leap-list-expires",
			Severity:       status.Info,
			Text:           "The leap second list expires in 58 days.",
			Mend:           "update the package tzdata",
			Since:          refclock.Date(2026, 11, 20, 0, 0, 0, 0),
			AcknowledgedBy: "ada",
		},
	}
}
