//go:build cgo && !headless && linux

package window

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"timestation/display"
	"timestation/display/readback"
	"timestation/engine/status"
	"timestation/refclock"
)

// childKey makes the test binary show the clock instead of testing: Fyne wants the main goroutine.
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
	err := Run(ctx, shifted{}, display.DefaultConfig(), time.UTC, "Test", Options{Lateness: &late})
	median, p99, frames := late.Figures()
	fmt.Printf("median %v, 99 %% %v late in %d frames\n", median, p99, frames)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// shifted is a station that is well.
type shifted struct{}

func (shifted) Now() refclock.Stamp { return refclock.Stamp(time.Now().UnixNano()) }

func (s shifted) Status() *status.Status {
	now := s.Now()
	return &status.Status{
		Epoch: now, EpochInstant: refclock.Instant{TAI: int64(now.Add(shift)) + 37e9, TAIMinusUTC: 37},
		State: status.Synchronised, MaxError: time.Millisecond, Stratum: 1, Leap: refclock.LeapNone,
	}
}

// TestScreenShowsTheStationsTime takes screenshots of the clock on a virtual X server and reads the digits off them.
func TestScreenShowsTheStationsTime(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	for _, program := range []string{"Xvfb", "import"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is missing; apt install xvfb imagemagick", program)
		}
	}
	screen := virtualScreen(t, "1280x720x24")
	child := clockOn(t, screen)
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
	for right := 0; right < 8; {
		if time.Now().After(deadline) {
			t.Fatalf("the clock was read %d times of 8 in 30 s\n%s", right, out.String())
		}
		before := time.Now().Add(shift).UTC()
		img := screenshot(t, screen)
		after := time.Now().Add(shift).UTC()
		h, m, s, err := readback.Read(img)
		if err != nil {
			if right > 0 {
				t.Fatalf("after %d good pictures: %v", right, err)
			}
			time.Sleep(100 * time.Millisecond)
			continue
		}
		shown := fmt.Sprintf("%02d:%02d:%02d", h, m, s)
		ok := false
		for x := before.Truncate(time.Second); !x.After(after); x = x.Add(time.Second) {
			ok = ok || shown == x.Format(time.TimeOnly)
		}
		wasRight := false
		for x := before.Add(-latest); x.Before(before); x = x.Add(time.Second) {
			wasRight = wasRight || shown == x.Format(time.TimeOnly)
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

// TestScreenThatIsNotThere: a screen that cannot be reached is an error, not the end of the process.
func TestScreenThatIsNotThere(t *testing.T) {
	out, err := clockOn(t, ":65000").CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 {
		t.Errorf("%v, want exit 1", err)
	}
	if !strings.Contains(string(out), "the clock cannot be shown: ") {
		t.Errorf("the error is not told: %s", out)
	}
}

// clockOn prepares this binary to show the clock on a screen.
func clockOn(t *testing.T, screen string) *exec.Cmd {
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
	child.Env = append(os.Environ(), childKey+"=1", "DISPLAY="+screen, "WAYLAND_DISPLAY=", "HOME="+home, "XDG_CONFIG_HOME="+home,
		"XDG_CACHE_HOME=", "DBUS_SESSION_BUS_ADDRESS=")
	return child
}

// virtualScreen starts an X server in memory and gives its DISPLAY.
func virtualScreen(t *testing.T, size string) string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", size, "-nolisten", "tcp")
	server.ExtraFiles = []*os.File{write}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	write.Close()
	number, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb did not start: %v", err)
	}
	return ":" + strings.TrimSpace(number)
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
