//go:build peers

package web

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"timestation/engine/status"
)

// browser is headless Chromium; what it complains of fails the test.
type browser struct {
	ctx        context.Context
	mu         sync.Mutex
	complaints []string
	elsewhere  []string
	home       string
}

// startBrowser ends with the test. home is where every request must go.
func startBrowser(t *testing.T, home string) *browser {
	t.Helper()
	// As root, in a container, the sandbox of Chromium cannot be.
	ctx, cancel := chromedp.NewExecAllocator(
		t.Context(),
		chromedp.Headless,
		chromedp.NoSandbox,
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.IgnoreCertErrors,
		chromedp.UserDataDir(t.TempDir()),
	)
	t.Cleanup(cancel)
	b := &browser{home: home}
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(b.hear))
	t.Cleanup(cancel)
	b.ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	do(t, b, chromedp.Navigate("about:blank"))
	if _, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		for m, err := range chromedp.Console(b.ctx) {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning ||
				m.Type == chromedp.ConsoleException {
				b.mu.Lock()
				b.complaints = append(b.complaints, fmt.Sprintf("%s: %s (%s:%d)", m.Type, m.Text, m.URL, m.Line+1))
				b.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-heard })
	return b
}

func (b *browser) hear(event any) {
	if e, ok := event.(*network.EventRequestWillBeSent); ok && !strings.HasPrefix(e.Request.URL, b.home) &&
		!strings.HasPrefix(e.Request.URL, "about:") {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.elsewhere = append(b.elsewhere, e.Request.URL)
	}
}

// quiet fails the test for what the browser complained of since the last time.
func (b *browser) quiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.complaints) > 0 {
		t.Errorf("the browser complains:\n%s", strings.Join(b.complaints, "\n"))
	}
	if len(b.elsewhere) > 0 {
		t.Errorf("the page asks for what is not the station's: %v", b.elsewhere)
	}
	b.complaints, b.elsewhere = nil, nil
}

// forgive takes back complaints that the test itself has provoked.
func (b *browser) forgive(about ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = slices.DeleteFunc(b.complaints, func(c string) bool {
		return slices.ContainsFunc(about, func(text string) bool { return strings.Contains(c, text) })
	})
}

func do[T any](t *testing.T, b *browser, action chromedp.Action[T]) T {
	t.Helper()
	value, err := chromedp.Run(b.ctx, action)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// ask evaluates an expression in the page.
func ask[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	return do(t, b, chromedp.Evaluate[T](expression))
}

// await waits until an expression is true.
func (b *browser) await(t *testing.T, limit time.Duration, expression string) time.Duration {
	t.Helper()
	began := time.Now()
	for time.Since(began) < limit {
		if ask[bool](t, b, expression) {
			return time.Since(began)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("not within %v: %s", limit, expression)
	return 0
}

// patient is how long a busy machine may take for what has no time of its own.
const patient = 15 * time.Second

// press clicks until something comes of it: on a page that lives, what is clicked may move away just then.
func (b *browser) press(t *testing.T, selector, expression string) {
	t.Helper()
	for began := time.Now(); time.Since(began) < patient; {
		// Where there is nothing to be clicked any more, the last click may have done it.
		ctx, stop := context.WithTimeout(b.ctx, time.Second)
		_, _ = chromedp.Run(ctx, chromedp.Click(selector))
		stop()
		for range 50 {
			if ask[bool](t, b, expression) {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	t.Fatalf("clicking %s for %v does not lead to: %s", selector, patient, expression)
}

// look is a size of screen and a colour scheme.
func look(t *testing.T, b *browser, width, height int64, scheme string) {
	t.Helper()
	do(t, b, chromedp.EmulateViewport(width, height))
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}); err != nil {
		t.Fatal(err)
	}
}

// rightSecond fails unless the face shows the second of this machine's clock, looked at in the middle of one.
func rightSecond(t *testing.T, b *browser) {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	b.await(t, 5*time.Second, `document.getElementById("face").dataset.second !== undefined`)
	for range 2 {
		now := time.Now()
		time.Sleep(now.Truncate(time.Second).Add(1400 * time.Millisecond).Sub(now))
		want := time.Now().In(berlin).Format("15:04:05")
		if shown := ask[string](t, b, `document.getElementById("face").dataset.second`); shown != want {
			t.Errorf("the face shows %s, it is %s", shown, want)
		}
	}
}

// TestPeersPage lets Chromium judge the page as a person would use it.
func TestPeersPage(t *testing.T) {
	r := newRig(t, false)
	r.set(nil, sampleAlerts()[1])
	b := startBrowser(t, r.server.URL)
	look(t, b, 1280, 800, "dark")
	do(t, b, chromedp.Navigate(r.server.URL+"/"))
	b.await(
		t,
		10*time.Second,
		`document.querySelectorAll("#sources li").length === 6 && document.querySelectorAll(".sky .sat").length === 15 && document.querySelectorAll(".minute .mark").length === 60 && document.querySelectorAll("#clients tr").length === 8 && document.querySelectorAll("#history .curve").length === 4`,
	)
	rightSecond(t, b)

	// How far from the beginning of a second its picture is made, by the same machine's clock.
	late := do(t, b, chromedp.Evaluate[[]float64](`new Promise(done => {
		const late = [], face = document.getElementById("face");
		new MutationObserver(() => {
			const ms = (performance.timeOrigin + performance.now()) % 1000;
			late.push(ms > 500 ? ms - 1000 : ms);
			if (late.length === 5) done(late);
		}).observe(face, { attributes: true, attributeFilter: ["data-second"] });
	})`, chromedp.EvalAwaitPromise))
	t.Logf("the seconds were drawn %.1f ms after they began", late)
	slices.Sort(late) // on a busy machine some are late
	if late[0] < -20 || late[len(late)/2] > 250 {
		t.Error("that is too far from it")
	}
	t.Run("keyboard", func(t *testing.T) {
		do(t, b, chromedp.KeyEvent("\t"))
		b.await(t, time.Second, `document.activeElement.className === "skip" && document.activeElement.getBoundingClientRect().left >= 0`)
		do(t, b, chromedp.KeyEvent("\r"))
		b.await(t, time.Second, `document.activeElement.id === "main"`)
		// All that can be pressed is reached, and says what it is.
		reached := map[string]bool{}
		for name := ""; name != "Licence of the font" && len(reached) < 60; reached[name] = true {
			do(t, b, chromedp.KeyEvent("\t"))
			name = ask[string](t, b, `(e => e.getAttribute("aria-label") || e.textContent || e.id)(document.activeElement).trim().slice(0, 40)`)
			if name == "" {
				t.Errorf("something without a name has the focus: %s", ask[string](t, b, `document.activeElement.outerHTML.slice(0, 200)`))
			}
		}
		for _, want := range []string{"The last ones that ended", "1 hour", "Earlier", "Zoom in"} {
			if !reached[want] {
				t.Errorf("%q is not reached by the keyboard; these are: %v", want, slices.Collect(maps.Keys(reached)))
			}
		}
	})
	t.Run("an alert appears", func(t *testing.T) {
		time.Sleep(300 * time.Millisecond) // anywhere in the second
		r.set(
			nil,
			append(
				sampleAlerts(),
				status.Alert{Code: "test", Severity: status.Critical, Text: "Something has just happened."},
			)...)
		took := b.await(
			t,
			2*time.Second,
			`document.getElementById("alerts").textContent.includes("Something has just happened.")`,
		)
		t.Logf("after %v", took.Round(time.Millisecond))
		if said := ask[string](t, b, `document.getElementById("alert-news").textContent`); !strings.Contains(
			said,
			"critical alert: Something has just happened.",
		) {
			t.Errorf("a screen reader is told %q", said)
		}
	})
	t.Run("on air", func(t *testing.T) {
		b.await(t, patient, `document.querySelectorAll("#lights li").length === 4 && document.getElementById("light-news").textContent === "All lights off"`)
		onAir(t, b, r)
	})
	t.Run("acknowledging", func(t *testing.T) {
		const button = `[data-alert="falseticker cellar-ntp"]`
		b.await(t, patient, `document.querySelector('`+button+`') !== null`)
		b.press(t, button, `document.getElementById("login-box").open && document.activeElement.id === "token"`)
		do(t, b, chromedp.SendKeys("#token", "ts_wrong\r"))
		b.await(
			t,
			patient,
			`document.getElementById("login-error").textContent.includes("missing or wrong") && document.getElementById("token").value === ""`,
		)
		b.forgive("401")
		do(t, b, chromedp.SendKeys("#token", r.admin+"\r"))
		b.await(
			t,
			patient,
			`!document.getElementById("login-box").open && document.getElementById("who").textContent === "ada (admin)"`,
		)
		b.press(
			t,
			button,
			`document.getElementById("alerts").textContent.includes("falseticker cellar-ntp · since 22 Nov 2026, 09:14 · seen by ada")`,
		)
		if cookies := ask[string](t, b, `document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)`); strings.Contains(
			cookies,
			"ts_",
		) ||
			strings.Contains(cookies, "timestation") {
			t.Errorf("a script can read %s", cookies)
		}
	})
	t.Run("accepting a jump", func(t *testing.T) {
		const button = `[data-alert="jump jump-latched gps0"]`
		jumped := status.Alert{Code: "jump-latched", Source: "gps0", Severity: status.Critical, Text: "gps0 jumped by 3 s."}
		r.set(nil, jumped)
		b.await(t, patient, `document.querySelector('`+button+`') !== null`)
		b.press(t, button, `document.getElementById("jump-box").open && document.activeElement.value === "cancel"`)
		do(t, b, chromedp.KeyEvent("\r")) // whoever is too quick does nothing
		b.await(t, patient, `!document.getElementById("jump-box").open`)
		b.press(t, button, `document.getElementById("jump-box").open`)
		b.press(t, `#jump-box button[value="accept"]`, `document.getElementById("alerts").textContent.includes("followed")`)
		r.mu.Lock()
		done := strings.Join(r.done, "\n")
		r.mu.Unlock()
		if strings.Count(done, "accept gps0 by ada from 127.0.0.1") != 1 {
			t.Errorf("the log says:\n%s", done)
		}
	})
	t.Run("zoom", func(t *testing.T) {
		label := `document.querySelector(".plot").getAttribute("aria-label")`
		before := ask[string](t, b, label)
		do(t, b, chromedp.Focus(".plot"))
		do(t, b, chromedp.KeyEvent("+"))
		b.await(t, patient, label+` !== `+fmt.Sprintf("%q", before))
		b.await(t, patient, `document.querySelector('.tool[aria-pressed="true"]') === null`)
		do(
			t,
			b,
			chromedp.Evaluate[bool](
				`[...document.querySelectorAll(".tool")].find(x => x.textContent === "1 hour").click() || true`,
			),
		)
		b.await(t, patient, `document.querySelector('.tool[aria-pressed="true"]')?.textContent === "1 hour"`)
	})
	t.Run("the time is not known", func(t *testing.T) {
		r.set(func(s *status.Status) {
			s.State, s.Reason, s.Selected = status.Unsynchronised, "the sources contradict each other", ""
		})
		b.await(
			t,
			10*time.Second,
			`document.getElementById("face").dataset.state === "unsynchronised" && getComputedStyle(document.querySelector(".strike")).visibility === "visible" &&
			document.getElementById("strip-state").textContent === "Time not known" && document.getElementById("state-news").textContent.includes("contradict")`,
		)
		r.set(nil)
		b.await(t, 12*time.Second, `document.getElementById("face").dataset.state === "synchronised"`)
	})
	b.quiet(t)
	t.Run("polling", func(t *testing.T) {
		if _, err := chromedp.Call(b.ctx, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: []*network.BlockPattern{{URLPattern: r.server.URL + "/api/events", Block: true}}}); err != nil {
			t.Fatal(err)
		}
		do(t, b, chromedp.Reload())
		b.await(t, 5*time.Second, `document.querySelectorAll("#sources li").length === 6`)
		r.set(nil, status.Alert{Code: "test", Severity: status.Critical, Text: "Something else has happened."})
		b.await(
			t,
			6*time.Second,
			`document.getElementById("alerts").textContent.includes("Something else has happened.")`,
		)
		b.forgive("api/events")
		b.quiet(t)
	})
	t.Run("no contact", func(t *testing.T) {
		r.server.CloseClientConnections()
		r.server.Close()
		b.await(
			t,
			15*time.Second,
			`!document.getElementById("contact").hidden && document.getElementById("contact").textContent.includes("The clock goes on by this device")`,
		)
		rightSecond(t, b)
	})
}

// TestPeersClosedPage: a closed station asks for a token before it shows anything, and then it is live.
func TestPeersClosedPage(t *testing.T) {
	r := newRig(t, true)
	b := startBrowser(t, r.server.URL)
	do(t, b, chromedp.Navigate(r.server.URL+"/"))
	b.await(
		t,
		5*time.Second,
		`document.getElementById("login-box").open && document.querySelectorAll("#sources li").length === 0`,
	)
	do(t, b, chromedp.SendKeys("#token", r.viewer+"\r"))
	b.await(t, 5*time.Second, `document.querySelectorAll("#sources li").length === 6`)
	rightSecond(t, b)
	b.forgive("401", "api/events") // before the login
	b.quiet(t)
}
