//go:build cgo && !headless

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"timestation/app/printed"
	"timestation/app/web"
)

// TestScreenKiosk: the script of timestation-kiosk.service brings up an X server and in it the station with its clock on the
// whole screen, and goes away at a word. The X server is one in memory, since there may be no graphics card here.
func TestScreenKiosk(t *testing.T) {
	dir, err := os.MkdirTemp("", "kiosk") // not the test's own: what the session still writes at its end would fail it
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "timestation")
	if out, err := exec.Command("go", "build", "-tags", "gles", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	script, err := os.ReadFile("../assets/packaging/kiosk")
	if err != nil {
		t.Fatal(err)
	}
	screen := fmt.Sprintf(":%d", 1000+os.Getpid()%30000)
	kiosk := strings.NewReplacer("/usr/bin/timestation", program, "\t:0 vt1", "\t"+screen+" vt1").Replace(string(script))
	port := freeUDPPort(t) // TCP's is as good as certainly free, too
	recording, err := filepath.Abs("../assets/recordings/ublox-neo-m9n-nmea.log")
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("[[refclock]]\ndriver = \"replay\"\nfile = %q\n[[listener]]\naddress = \"127.0.0.1:%d\"\n[web]\nlisten = \"127.0.0.1:%[2]d\"\n[control]\nchrony_address = \"\"\n",
		recording, port)
	for name, text := range map[string]string{
		"kiosk":            kiosk,
		"timestation.toml": config,
		"bin/X":            "#!/bin/sh\nexec Xvfb \"$1\" -screen 0 1280x720x24 -nolisten tcp\n",
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	session := exec.Command(filepath.Join(dir, "kiosk"), "run", "--config", filepath.Join(dir, "timestation.toml"), "--data", dir)
	session.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "FYNE_SCALE=1",
		"HOME="+dir, "XDG_CACHE_HOME="+dir, "XDG_CONFIG_HOME="+dir, "DISPLAY=")
	session.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var said printed.Text
	session.Stdout, session.Stderr = &said, &said
	if err := session.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- session.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		// At this word xinit ends the server and the station, which are in groups of their own.
		_ = syscall.Kill(-session.Process.Pid, syscall.SIGTERM) // it may have ended
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = syscall.Kill(-session.Process.Pid, syscall.SIGKILL)
		}
		if t.Failed() {
			t.Logf("the session said:\n%s", said.String())
		}
	})

	// The window has a colour of its own down to the corners; the X server's is black.
	covered := func() bool {
		picture, err := exec.Command("import", "-display", screen, "-window", "root", "png:-").Output()
		if err != nil {
			return false
		}
		img, err := png.Decode(bytes.NewReader(picture))
		if err != nil {
			t.Fatal(err)
		}
		b := img.Bounds()
		for _, corner := range []image.Point{{0, 0}, {b.Dx() - 1, 0}, {0, b.Dy() - 1}, {b.Dx() - 1, b.Dy() - 1}} {
			if r, g, b, _ := img.At(corner.X, corner.Y).RGBA(); r|g|b == 0 {
				return false
			}
		}
		return b.Dx() == 1280
	}
	var report web.Report
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(500 * time.Millisecond) {
		if answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/api/status", port)); err == nil {
			_ = json.NewDecoder(answer.Body).Decode(&report) // the next answer may be whole
			answer.Body.Close()
		}
		if report.Display != nil && report.Display.Frames > 3 && covered() {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("a minute after the start there is no window on the whole screen, or it draws nothing: %+v", report.Display)
		}
	}

	if err := session.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second): // TimeoutStopSec
		t.Error("the session does not end within the 10 s that its unit gives it")
	}
}
