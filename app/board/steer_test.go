//go:build board && linux

package main

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"timestation/engine/leap"
	"timestation/engine/status"
	"timestation/refclock"
)

// kernel is what the kernel says of CLOCK_REALTIME.
func kernel(t *testing.T) (k unix.Timex, state int) {
	t.Helper()
	state, err := adjust(&k)
	if err != nil {
		t.Fatal(err)
	}
	return k, state
}

func ppm(k unix.Timex) float64 { return float64(k.Freq) / 65536 }

// writeLeapList writes a table as a leap-seconds.list with its signature.
func writeLeapList(t *testing.T, path string, table *leap.Table, until time.Time) {
	t.Helper()
	const fromNTP = 2208988800
	updated, expires := until.AddDate(0, -4, 0).Unix()+fromNTP, until.AddDate(0, 6, 0).Unix()+fromNTP
	var text bytes.Buffer
	digits := fmt.Sprint(updated, expires)
	fmt.Fprintf(&text, "#$\t%d\n#@\t%d\n", updated, expires)
	last := int32(0)
	for day := time.Date(1972, 1, 1, 0, 0, 0, 0, time.UTC); !day.After(until); day = day.AddDate(0, 1, 0) {
		if offset := table.TAIMinusUTC(refclock.UTC{Seconds: day.Unix()}); offset != last {
			fmt.Fprintf(&text, "%d\t%d\n", day.Unix()+fromNTP, offset)
			digits += fmt.Sprint(day.Unix()+fromNTP, offset)
			last = offset
		}
	}
	sum := sha1.Sum([]byte(strings.ReplaceAll(digits, " ", "")))
	fmt.Fprintf(&text, "#h\t%x %x %x %x %x\n", sum[0:4], sum[4:8], sum[8:12], sum[12:16], sum[16:20])
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// sets counts how often the station set the clock.
func (s *station) sets() int {
	return len(regexp.MustCompile(`msg="the system clock was set" `).FindAllString(s.printed.String(), -1))
}

// right checks that the clock is within what the kernel itself says of its error.
func (w *World) right(t *testing.T, when string) {
	t.Helper()
	k, state := kernel(t)
	off := w.clockError()
	t.Logf("%s, %v: off by %v; the kernel says at most %d µs, about %d µs, %.3f ppm, TAI %+d, status %#x, state %d",
		when, w.since().Round(time.Millisecond), off, k.Maxerror, k.Esterror, ppm(k), k.Tai, k.Status, state)
	if off.Abs() > time.Duration(k.Maxerror)*time.Microsecond {
		t.Errorf("%s: the clock is %v off, and the kernel says at most %d µs", when, off, k.Maxerror)
	}
	if k.Status&unix.STA_UNSYNC != 0 || k.Maxerror >= 1_000_000 || k.Esterror > k.Maxerror {
		t.Errorf("%s: status %#x, maximum error %d µs, estimated %d µs", when, k.Status, k.Maxerror, k.Esterror)
	}
}

// TestBoardSteered: the station steers the system clock.
func TestBoardSteered(t *testing.T) {
	w := nature(t, "leap")
	list := "/etc/timestation/leap-seconds.list"
	writeLeapList(t, list, w.table, time.Date(2035, 7, 1, 0, 0, 0, 0, time.UTC))
	config := satellites("gps", "/dev/ttyS1") + pulse("pps", `device = "/dev/pps0"`) +
		"[clock]\ndiscipline = \"system\"\nleap_file = \"" + list + "\"\n"

	// Without the capability: everything else works, and it is said.
	s := start(t, "steered", config, ambient(t))
	w.until(t, 30*time.Second, s.instead("nobody says that the clock is not steered"), func() bool {
		return s.synchronised() && s.alert("clock-not-permitted", "") != ""
	})
	t.Log(s.alert("clock-not-permitted", ""))
	if !strings.Contains(s.alert("clock-not-permitted", ""), "CAP_SYS_TIME") {
		t.Error("the alert does not name the capability")
	}
	if off := w.clockError(); off > -24*time.Hour {
		t.Errorf("without the capability the clock moved to %v off", off)
	}
	s.stop(t)

	s = start(t, "steered", config, ambient(t, "steering.conf"))
	judged(t, w, s)
	w.until(t, 60*time.Second, s.instead("the clock was not set"), func() bool { return s.sets() > 0 && w.clockError().Abs() < time.Second })
	time.Sleep(3 * time.Second)
	w.right(t, "from 1970")
	k, _ := kernel(t)
	if k.Tai != 37 {
		t.Errorf("TAI−UTC in the kernel is %d", k.Tai)
	}
	if k.Status&unix.STA_INS == 0 {
		t.Errorf("the kernel does not know of the leap second: status %#x", k.Status)
	}
	if s.alert("clock-shared", "") != "" || s.alert("clock-not-permitted", "") != "" {
		t.Errorf("alerts: %s", s.said())
	}

	// Another time daemon steps the clock by −5 ms (the scenario does).
	w.until(t, 70*time.Second, s.instead("the other one's step is not noticed"), func() bool {
		return strings.Contains(s.alert("clock-shared", ""), "set the system clock by -")
	})
	t.Log(s.alert("clock-shared", ""))
	w.until(t, 75*time.Second, s.instead("the kernel is not told again how good its clock is"), func() bool {
		k, _ := kernel(t)
		return k.Status&unix.STA_UNSYNC == 0
	})
	w.right(t, "after another's step")
	if n := s.sets(); n != 1 {
		t.Errorf("the station set the clock %d times; once at the start, and slewed from then on", n)
	}

	// The leap second.
	atLeap := w.table.Instant(refclock.Date(2035, 7, 1, 0, 0, 0, 0)).TAI - 1e9
	w.until(t, 130*time.Second, "the leap second does not come", func() bool { return w.Now().TAI > atLeap-3e9 })
	w.right(t, "before the leap second")
	seen := map[int]bool{}
	for w.Now().TAI < atLeap+4e9 {
		_, state := kernel(t)
		seen[state] = true
		time.Sleep(100 * time.Millisecond)
	}
	if !seen[unix.TIME_OOP] {
		t.Errorf("the kernel never was in the leap second: states %v", seen)
	}
	w.until(t, 130*time.Second, "the leap second stays in the kernel", func() bool {
		k, _ := kernel(t)
		return k.Status&unix.STA_INS == 0 && k.Tai == 38
	})
	w.right(t, "after the leap second")
	if r, _ := s.report(); r.State != status.Synchronised || s.sets() != 1 || strings.Contains(s.alert("clock-shared", ""), "by 1s") ||
		strings.Contains(s.alert("clock-shared", ""), "by -1s") {
		t.Errorf("after the leap second, set %d times: %s", s.sets(), s.said())
	}
	before, _ := s.report()

	// Released at the stop.
	s.stop(t)
	k, _ = kernel(t)
	if k.Status&unix.STA_UNSYNC == 0 || k.Status&(unix.STA_PLL|unix.STA_INS|unix.STA_DEL) != 0 || k.Tick != 10000 {
		t.Errorf("not released: status %#x, tick %d", k.Status, k.Tick)
	}
	// The clock runs on at the oscillator's rate as well as the station knows it, without what was slewed.
	if before.FrequencyPPM == nil || math.Abs(ppm(k)+w.Scenario.Machine.FrequencyPPM) > 100 {
		t.Errorf("the clock was left at %.1f ppm; the oscillator is fast by %.1f ppm, as the station knows by %v ppm", ppm(k),
			w.Scenario.Machine.FrequencyPPM, before.FrequencyPPM)
	}

	// Another start, as after a power cut: the kernel knows nothing, the clock is 0.3 s off.
	if _, err := adjust(&unix.Timex{Modes: unix.ADJ_FREQUENCY}); err != nil {
		t.Fatal(err)
	}
	if err := stepClock(300*time.Millisecond - w.clockError()); err != nil {
		t.Fatal(err)
	}
	s = start(t, "steered", config, ambient(t, "steering.conf"))
	judged(t, w, s)
	began := w.since()
	w.until(t, began+60*time.Second, s.instead("the clock was not set again"), func() bool { return s.sets() > 0 })
	r, _ := s.report()
	if r.FrequencyPPM == nil || before.FrequencyPPM == nil || math.Abs(*r.FrequencyPPM-*before.FrequencyPPM) > 20 {
		t.Errorf("the frequency was not remembered: %v ppm before, %v ppm after", before.FrequencyPPM, r.FrequencyPPM)
	} else {
		t.Logf("frequency %.2f ppm before the restart, %.2f ppm at the first lock after it", *before.FrequencyPPM, *r.FrequencyPPM)
	}
	time.Sleep(8 * time.Second)
	w.right(t, "from 0.3 s off")
	if n := s.sets(); n != 1 {
		t.Errorf("the station set the clock %d times", n)
	}
}
