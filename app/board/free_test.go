//go:build board && linux

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/warthog618/go-gpiocdev"

	"timestation/engine/status"
	"timestation/refclock"
)

// satellites is a receiver on a serial port. Its bursts are late by SentenceDelay, more or less.
func satellites(name, device string) string {
	return fmt.Sprintf(`
[[refclock]]
name = %q
driver = "gps"
device = %q
baud = 9600
delay_seconds = %v
delay_limit_seconds = 0.2
trust = "at once"
receiver = %[1]q
`, name, device, SentenceDelay.Seconds())
}

// pulse is one of the receiver gps. The limit is what the emulation may be late by, and world leaves later ones out.
func pulse(name, where string) string {
	return fmt.Sprintf(`
[[refclock]]
name = %q
driver = "pps"
%s
with = "gps"
receiver = "gps"
delay_limit_seconds = 0.05
`, name, where)
}

const radio = `
[[refclock]]
name = "dcf77"
driver = "dcf77"
line = "GPIO17"
delay_seconds = 0.0
delay_limit_seconds = 0.05
`

const feed = `
[[feed]]
kind = "sock"
path = "/run/feed.sock"
max_error_seconds = 0.5
`

// patience is until when everything must have happened after the beginning of the scenario pulses.toml, on a machine that
// has other things to do as well; the last of its events is outageOver.
const (
	patience   = 5 * time.Minute
	outageOver = 210 * time.Second
)

// TestBoardFree: two stations keep their own time, on a clock that is 0.3 s off and then steered by chronyd.
func TestBoardFree(t *testing.T) {
	w := nature(t, "pulses")
	t.Run("stations", func(t *testing.T) {
		t.Run("pulses", func(t *testing.T) { t.Parallel(); testPulses(t, w) })
		t.Run("dcf77", func(t *testing.T) { t.Parallel(); testRadio(t, w) })
	})
}

// testPulses: the kernel's PPS device and GPIO lines, one of them taken and one not permitted at first; a receiver on USB
// that is pulled out and put back; chronyd asks for the time, and is given it; a receiver lies, and the others are silent.
func testPulses(t *testing.T, w *World) {
	taken, err := gpiocdev.RequestLine("gpiochip0", lineMore, gpiocdev.AsInput, gpiocdev.WithConsumer("somebody"))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if err := os.Chmod("/dev/pps0", 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "main", satellites("gps", "/dev/ttyS1")+pulse("pps", `device = "/dev/pps0"`)+pulse("line", `line = "GPIO18"`)+
		pulse("spare", `line = "GPIO22"`)+pulse("ktimer", "device = \"/dev/pps1\"\ncompare_only = true")+
		satellites("usb", "/dev/ttyUSB0")+feed, ambient(t))
	judged(t, w, s)

	for name, words := range map[string][]string{
		"spare": {"/dev/gpiochip0 line 3: it is used by \"somebody\"", "choose another line"},
		"pps":   {"/dev/pps0", "may not"},
	} {
		w.until(t, patience, s.instead(name+" is not said to be lost"), func() bool { return s.alert("source-lost", name) != "" })
		text, alert := s.source(name).Signal.Text, s.alert("source-lost", name)
		for _, word := range words {
			if !strings.Contains(text, word) || !strings.Contains(alert, word) {
				t.Errorf("%s: %q is missing in %q or in the alert %q", name, word, text, alert)
			}
		}
		t.Log(alert)
	}
	taken.Close()
	if err := os.Chmod("/dev/pps0", 0o660); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"spare", "pps", "line"} {
		at := w.until(t, patience, s.instead(name+" gives no time"), func() bool {
			return s.source(name).Signal.State == refclock.Timing && s.alert("source-lost", name) == ""
		})
		t.Logf("%s gives time %v after the beginning", name, at.Round(time.Second))
	}
	w.until(t, patience, s.instead("no pulse is followed"), func() bool {
		r, _ := s.report()
		src := s.source(r.Selected)
		return r.State == status.Synchronised && r.Stratum == 1 && src.Driver == "pps" && r.ReferenceID == "PPS"
	})
	// Its edges come by the kernel's coarse timer, so that they need not beat: that they come is all.
	w.until(t, patience, s.instead("pps-ktimer: no edge comes through the kernel's PPS API"), func() bool {
		signal := s.source("ktimer").Signal
		return signal.State == refclock.Timing || signal.State == refclock.Receiving && strings.HasPrefix(signal.Text, "edges come")
	})
	t.Run("usb", func(t *testing.T) { testUSB(t, w, s) })
	t.Run("chronyd asks", func(t *testing.T) { chronydAsks(t, w, s) })
	t.Run("chronyd is fed", func(t *testing.T) { chronydIsFed(t, w, s) })
	t.Run("lie and outage", func(t *testing.T) { testLie(t, w, s) })
}

// testUSB: a receiver on USB is pulled out and put back (the scenario says when).
func testUSB(t *testing.T, w *World, s *station) {
	w.until(t, patience, s.instead("nobody says that it was pulled out"), func() bool { return s.was("source-lost usb") != "" })
	alert := s.was("source-lost usb")
	t.Log(alert)
	if !strings.Contains(alert, "/dev/ttyUSB0") || !strings.Contains(alert, "plug the receiver in") {
		t.Errorf("the alert is %q", alert)
	}
	at := w.until(t, patience, s.instead("it is not heard again"), func() bool {
		return s.source("usb").Signal.State == refclock.Timing && s.alert("source-lost", "usb") == ""
	})
	t.Logf("heard again %v after the beginning", at.Round(time.Second))
}

// testLie: the scenario lets the receiver on USB be wrong by 2 s for a while: it is caught, and since there are but two
// receivers, that is all that anybody can know. Then all are silent for a while.
func testLie(t *testing.T, w *World, s *station) {
	lie := func() string {
		for _, code := range []string{"falseticker", "source-jump", "jump-latched"} {
			if text := s.was(code + " usb"); text != "" {
				return text
			}
		}
		return ""
	}
	w.until(t, patience, s.instead("nobody says that the receiver on USB is wrong"), func() bool { return lie() != "" })
	t.Log(lie())
	w.until(t, patience, s.instead("no holdover while nothing is heard"), func() bool { return s.was("holdover ") != "" })
	t.Log(s.was("holdover "))
	at := w.until(t, patience, s.instead("the pulse is not followed again"), func() bool {
		r, _ := s.report()
		return w.since() > outageOver && r.State == status.Synchronised && s.source(r.Selected).Driver == "pps"
	})
	t.Logf("synchronised again %v after the beginning", at.Round(time.Second))
}

// testRadio: DCF77 on a GPIO line, from cold to stratum 1.
func testRadio(t *testing.T, w *World) {
	s := start(t, "radio", radio, ambient(t))
	judged(t, w, s)
	at := w.until(t, patience, s.instead("DCF77 is not decoded"), s.synchronised)
	r, _ := s.report()
	if r.Stratum != 1 || r.ReferenceID != "DCF" || r.Selected != "dcf77" {
		t.Errorf("stratum %d, reference %q, following %q", r.Stratum, r.ReferenceID, r.Selected)
	}
	t.Logf("from cold to stratum 1 in %v, bound %.3f s", at.Round(time.Second), *r.MaxErrorSeconds)
	time.Sleep(10 * time.Second) // for the judge
}
