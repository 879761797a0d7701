//go:build peers

package web

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"timestation/display/studio"
	"timestation/engine/status"
	"timestation/refclock"
)

// TestPeersFace: the clock alone is right, says how sure it is, and knows leap seconds and what to do without a station.
func TestPeersFace(t *testing.T) {
	r := newRig(t, false)
	b := startBrowser(t, r.server.URL)
	look(t, b, 800, 480, "light")
	do(t, b, chromedp.Navigate(r.server.URL+"/face"))
	b.await(t, 5*time.Second, `document.getElementById("strip").textContent.includes("±")`)
	rightSecond(t, b)
	t.Logf("it says: %s", ask[string](t, b, `document.querySelector("footer").innerText.replace(/\s+/g, " ")`))
	onAir(t, b, r)
	b.quiet(t)
	// The station's time is this machine's, so the page's error is known: it lies within the bound that the page claims,
	// however long the questions take on their way, and the answers not.
	r.delay.Store(int64(150 * time.Millisecond))
	measured := do(t, b, chromedp.Evaluate[[]float64](`import("/keeper.js").then(m => new Promise(done => {
		const keeper = new m.Keeper(), all = [];
		const look = setInterval(() => {
			const r = keeper.reading();
			if (r && r.known) all.push(Math.abs(r.tai - 37 - (performance.timeOrigin + performance.now()) / 1000), r.bound);
			if (all.length >= 60) { clearInterval(look); done(all); }
		}, 100);
	}))`, chromedp.EvalAwaitPromise))
	r.delay.Store(0)
	worst, widest := 0.0, 0.0
	for i := 0; i+1 < len(measured); i += 2 {
		// A browser knows its own time to about a millisecond only: performance.timeOrigin is rounded.
		const grain = 1.5e-3
		if measured[i] > measured[i+1]+grain {
			t.Errorf("the page is %.1f ms off, and claims ±%.1f ms", 1e3*measured[i], 1e3*measured[i+1])
		}
		worst, widest = max(worst, measured[i]), max(widest, measured[i+1])
	}
	t.Logf("with questions 150 ms late the page is at most %.1f ms off, and claims at most ±%.1f ms", 1e3*worst, 1e3*widest)
	if worst < 0.05 || widest > 0.2 {
		t.Error("the delay was not felt, or the bound is of no use")
	}

	// Three seconds before the leap second of 2016, which was at one in the morning in Berlin.
	began, leap := time.Now(), refclock.Date(2016, 12, 31, 23, 59, 60, 0).Instant(36)
	leap.InLeap = false
	r.set(func(s *status.Status) {
		s.EpochInstant = leap.Add(time.Since(began) - 6*time.Second)
		s.Leap, s.LeapAt = refclock.LeapInsert, leap
		if s.EpochInstant.TAI >= leap.TAI+1e9 {
			s.Leap, s.EpochInstant.TAIMinusUTC = refclock.LeapNone, 37
		} else if s.EpochInstant.TAI >= leap.TAI {
			s.EpochInstant.InLeap = true
		}
	})
	do(t, b, chromedp.Navigate(r.server.URL+"/face"))
	b.await(t, 3*time.Second, `(document.getElementById("face").dataset.second || "").startsWith("00:59:5")`)
	seen := do(t, b, chromedp.Evaluate[[]string](`new Promise(done => {
		const seen = [], face = document.getElementById("face");
		new MutationObserver(() => {
			seen.push(face.dataset.second + " " + face.querySelector(".utc").textContent);
			if (face.dataset.second === "01:00:01") done(seen);
		}).observe(face, { attributes: true, attributeFilter: ["data-second"] });
	})`, chromedp.EvalAwaitPromise))
	want := []string{"00:59:59 UTC 23:59:59", "00:59:60 UTC 23:59:60", "01:00:00 UTC 00:00:00", "01:00:01 UTC 00:00:01"}
	if got := strings.Join(seen, ", "); !strings.HasSuffix(got, strings.Join(want, ", ")) {
		t.Errorf("over the leap second it shows %s", got)
	}
}

// onAir switches a light and says something, and looks for both on the page within 2 s; afterwards all is as before.
func onAir(t *testing.T, b *browser, r *rig) {
	t.Helper()
	order := func(said string, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	yes, no := true, false
	order(r.wall.Light(studio.LightOrder{Light: 1, On: &yes}))
	order(r.wall.Message(studio.MessageOrder{ID: "gate", Text: "The guest <b>waits</b> at gate B", Priority: studio.Urgent}))
	took := b.await(t, 2*time.Second, `(l => l.dataset.state === "on" && getComputedStyle(l).backgroundColor === "rgb(255, 59, 48)" &&
		document.getElementById("light-news").textContent === "ON AIR on" && !document.getElementById("message").hidden &&
		document.getElementById("message").textContent === "The guest <b>waits</b> at gate B")(document.querySelector("#lights li"))`)
	b.await(t, 3*time.Second, `document.querySelector("#lights .since").textContent >= "00:01"`)
	t.Logf("the light is on after %v", took.Round(time.Millisecond))
	order(r.wall.Light(studio.LightOrder{Light: 1, On: &no}))
	order(r.wall.Message(studio.MessageOrder{ID: "gate"}))
	b.await(t, 2*time.Second, `document.querySelector("#lights li").dataset.state === "off" && document.getElementById("message").hidden`)
}
