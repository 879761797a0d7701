//go:build cgo && !headless && linux

package window

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"timestation/display"
	"timestation/display/face"
	"timestation/display/readback"
	"timestation/display/studio"
	"timestation/engine/status"
	"timestation/refclock"
)

// childKey makes the test binary show the clock instead of testing: Fyne wants the main goroutine. Its value is the face.
const childKey = "TIMESTATION_TEST_WINDOW"

// shift is how far the station's time in this test is from that of the machine, so that a clock that shows the
// machine's time is found out.
const shift = 3*time.Hour + 17*time.Minute + 42*time.Second + 400*time.Millisecond

func TestMain(m *testing.M) {
	if os.Getenv(childKey) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var late display.Lateness
	cfg := display.DefaultConfig()
	cfg.Face = os.Getenv(childKey)
	err := Run(ctx, shifted{}, cfg, Options{Name: "Test", Location: time.UTC, Lateness: &late})
	median, p99, frames := late.Figures()
	fmt.Printf("median %v, 99 %% %v late in %d frames\n", median, p99, frames)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// shifted is a station that is well, with a bare wall.
type shifted struct{ display.Station }

func (shifted) Studio() studio.State { return studio.State{} }

func (shifted) Now() refclock.Stamp { return refclock.Stamp(time.Now().UnixNano()) }

func (s shifted) Status() *status.Status {
	now := s.Now()
	return &status.Status{
		Epoch: now, EpochInstant: refclock.Instant{TAI: int64(now.Add(shift)) + 37e9, TAIMinusUTC: 37},
		State: status.Synchronised, MaxError: time.Millisecond, Stratum: 1, Leap: refclock.LeapNone,
	}
}

// TestScreenShowsTheStationsTime takes screenshots of each face on a virtual X server, each on another screen, and reads the
// time off them.
func TestScreenShowsTheStationsTime(t *testing.T) {
	sizes := []string{"1280x720x24", "480x800x24", "800x480x24"}
	for i, name := range face.Names() {
		t.Run(name, func(t *testing.T) { showsTheTime(t, name, sizes[i%len(sizes)]) })
	}
}

func showsTheTime(t *testing.T, faceName, size string) {
	screen, _ := readback.VirtualScreen(t, "", size)
	child := clockOn(t, screen, faceName)
	var out bytes.Buffer
	child.Stdout, child.Stderr = &out, &out
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	t.Cleanup(func() { _ = child.Process.Kill() })

	// A machine that has better things to do paints late, and a picture of that shows a second that is over. It must be the
	// exception, and never the other way: how late frames are in the usual case is measured, not tested.
	const lateAllowed, latest = 4, 4 * time.Second
	late := 0
	deadline := time.Now().Add(30 * time.Second)
	for right := 0; right < 6; {
		if time.Now().After(deadline) {
			t.Fatalf("the clock was read %d times of 6 in 30 s\n%s", right, out.String())
		}
		before := time.Now().Add(shift).UTC()
		img := screenshot(t, screen)
		after := time.Now().Add(shift).UTC()
		h, m, s, err := readback.Read(img, faceName)
		if err != nil {
			if right > 0 {
				t.Fatalf("after %d good pictures: %v", right, err)
			}
			time.Sleep(100 * time.Millisecond)
			continue
		}
		// Hands say nothing of the half of the day.
		shown := fmt.Sprintf("%02d:%02d:%02d", h, m, s)
		is := func(x time.Time) bool {
			return shown == x.Format(time.TimeOnly) || faceName == "analogue" && shown == x.Add(-12*time.Hour).Format(time.TimeOnly)
		}
		ok := false
		for x := before.Truncate(time.Second); !x.After(after); x = x.Add(time.Second) {
			ok = ok || is(x)
		}
		wasRight := false
		for x := before.Add(-latest); x.Before(before); x = x.Add(time.Second) {
			wasRight = wasRight || is(x)
		}
		if !ok && right > 0 && wasRight && late < lateAllowed {
			late++
			time.Sleep(time.Second)
			continue
		}
		if !ok && right > 0 {
			t.Errorf("the wall shows %s between %s and %s", shown, before.Format("15:04:05.000"), after.Format("15:04:05.000"))
		}
		right++
		time.Sleep(630 * time.Millisecond)
	}

	if err := child.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the window ended badly: %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("the window was still there 5 s after its context ended")
	}
	t.Logf("%d pictures of a frame that was late\n%s", late, strings.TrimSpace(out.String()))
}

// TestScreenObeysHands: a key and a touch go to other pages and back, as somebody at the screen would.
func TestScreenObeysHands(t *testing.T) {
	for _, program := range []string{"Xvfb", "import", "xdotool"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is missing; apt install xvfb imagemagick xdotool", program)
		}
	}
	screen, _ := readback.VirtualScreen(t, "", "800x480x24")
	child := clockOn(t, screen, "led")
	var out bytes.Buffer
	child.Stdout, child.Stderr = &out, &out
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	})
	// The studio page, and no other, has figures where the LED face has them.
	await := func(what string, studio bool) {
		t.Helper()
		deadline := time.Now().Add(20 * time.Second)
		for {
			_, _, _, err := readback.Read(screenshot(t, screen), "led")
			if studio == (err == nil) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: the studio page is on the screen: %v\n%s", what, err == nil, out.String())
			}
			time.Sleep(200 * time.Millisecond)
		}
	}
	do := func(args ...string) {
		t.Helper()
		command := exec.Command("xdotool", args...)
		command.Env = append(os.Environ(), "DISPLAY="+screen)
		if text, err := command.CombinedOutput(); err != nil {
			t.Fatalf("xdotool %v: %v\n%s", args, err, text)
		}
	}
	await("at the start", true)
	awake(t, screen)
	do("mousemove", "400", "200", "key", "3")
	await("after the key 3", false)
	do("key", "1")
	await("after the key 1", true)
	do("key", "Left")
	await("after an arrow", false)
	do("key", "Right")
	await("and back", true)
	do("mousemove", "700", "200", "click", "1") // opens the menu
	time.Sleep(500 * time.Millisecond)
	do("mousemove", "200", "30", "click", "1") // its second place
	await("after two touches", false)
	// Through the menu by keyboard: its first place is the studio page.
	do("key", "m")
	time.Sleep(300 * time.Millisecond)
	do("key", "Tab", "key", "Return")
	await("after Tab and Enter", true)
}

// awake sees that the X server will not blank the screen by itself.
func awake(t *testing.T, screen string) {
	t.Helper()
	command := exec.Command("xset", "q")
	command.Env = append(os.Environ(), "DISPLAY="+screen)
	text, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("xset: %v\n%s; apt install x11-xserver-utils", err, text)
	}
	if !regexp.MustCompile(`timeout:\s+0\s`).Match(text) {
		t.Errorf("the screen saver is on:\n%s", text)
	}
}

// TestSignalAtAnyMoment: Fyne stops by itself at SIGTERM, while the window is being stopped for the same reason; whichever is
// first, the process ends without a panic.
func TestSignalAtAnyMoment(t *testing.T) {
	screen, _ := readback.VirtualScreen(t, "", "480x320x24")
	for _, after := range []time.Duration{300 * time.Millisecond, 700 * time.Millisecond, 1200 * time.Millisecond, 2100 * time.Millisecond} {
		child := clockOn(t, screen, "led")
		var out bytes.Buffer
		child.Stdout, child.Stderr = &out, &out
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after)
		_ = child.Process.Signal(syscall.SIGTERM)
		killed := time.AfterFunc(20*time.Second, func() { _ = child.Process.Kill() })
		err := child.Wait()
		if !killed.Stop() {
			t.Errorf("after %v: it does not end", after)
		}
		// Before it listens to signals, the signal ends it as it ends any process.
		if state, ok := child.ProcessState.Sys().(syscall.WaitStatus); err != nil && !(ok && state.Signaled() && state.Signal() == syscall.SIGTERM) ||
			strings.Contains(out.String(), "panic") {
			t.Errorf("after %v: %v\n%s", after, err, out.String())
		}
	}
}

// TestScreenThatIsNotThere: a screen that cannot be reached is an error, not the end of the process.
func TestScreenThatIsNotThere(t *testing.T) {
	out, err := clockOn(t, ":65000", "led").CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 {
		t.Errorf("%v, want exit 1", err)
	}
	if !strings.Contains(string(out), "the clock cannot be shown: ") {
		t.Errorf("the error is not told: %s", out)
	}
}

// clockOn prepares this binary to show a face on a screen.
func clockOn(t *testing.T, screen, faceName string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".cache"), 0o700); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self)
	child.Env = append(os.Environ(), childKey+"="+faceName, "DISPLAY="+screen, "WAYLAND_DISPLAY=", "HOME="+home, "XDG_CONFIG_HOME="+home,
		"XDG_CACHE_HOME=", "DBUS_SESSION_BUS_ADDRESS=")
	return child
}

func screenshot(t *testing.T, screen string) image.Image {
	t.Helper()
	cmd := exec.Command("import", "-display", screen, "-window", "root", "-depth", "8", "png:-")
	cmd.Stderr = os.Stderr
	data, err := cmd.Output()
	if err != nil {
		t.Fatalf("screenshot: %v", err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}
