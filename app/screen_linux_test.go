//go:build cgo && !headless

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/beevik/ntp"
	"golang.org/x/sys/unix"

	"timestation/app/printed"
	"timestation/display/readback"
)

// TestScreenNeverTakesTheTime: the screen as a child process is killed, crashes in a thread of its graphics driver, gets no more
// memory, hangs until it is killed, and loses its X server; all the while each of fifty NTP requests a second is answered, and
// the screen comes back within 3 s of its end.
func TestScreenNeverTakesTheTime(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "timestation")
	if out, err := exec.Command("go", "build", "-tags", "gles", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	display, cut := readback.VirtualScreen(t, "", "1280x720x24")
	port := freeUDPPort(t)
	recording, err := filepath.Abs("../assets/recordings/ublox-neo-m9n-nmea.log")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "timestation.toml")
	text := fmt.Sprintf("[[refclock]]\ndriver = \"replay\"\nfile = %q\n[[listener]]\naddress = \"127.0.0.1:%d\"\n[display]\nprocess = \"child\"\n[web]\nlisten = \"\"\n[control]\nchrony_address = \"\"\n",
		recording, port)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	station := exec.Command(program, "run", "--config", config, "--data", dir)
	station.Env = append(os.Environ(), "DISPLAY="+display)
	var said printed.Text
	station.Stdout, station.Stderr = &said, &said
	if err := station.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- station.Wait() }()
	t.Cleanup(func() {
		_ = station.Process.Kill() // it may have ended
		if t.Failed() {
			t.Logf("the station said:\n%s", said.String())
		}
	})

	screen := func(not int) int {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			if pid := childOf(station.Process.Pid); pid != 0 && pid != not {
				return pid
			}
		}
		t.Fatal("there is no screen")
		return 0
	}
	screen(0)
	asked := newAsker(t, fmt.Sprintf("127.0.0.1:%d", port))
	defer asked.stop()
	time.Sleep(2 * time.Second) // it draws

	kill := func(pid int, signal syscall.Signal) {
		t.Helper()
		if err := syscall.Kill(pid, signal); err != nil {
			t.Fatal(err)
		}
	}
	for _, end := range []struct {
		what string
		do   func(pid int)
	}{
		{"killed", func(pid int) { kill(pid, syscall.SIGKILL) }},
		{"crashed in its graphics driver", func(pid int) {
			if err := unix.Tgkill(pid, driverThread(t, pid), unix.SIGSEGV); err != nil {
				t.Fatal(err)
			}
		}},
		{"without memory", func(pid int) {
			none := unix.Rlimit{}
			if err := unix.Prlimit(pid, unix.RLIMIT_DATA, &none, nil); err != nil {
				t.Fatal(err)
			}
		}},
		{"hung and killed", func(pid int) {
			kill(pid, syscall.SIGSTOP)
			time.Sleep(time.Second)
			kill(pid, syscall.SIGKILL)
		}},
	} {
		old := screen(0)
		end.do(old)
		for deadline := time.Now().Add(20 * time.Second); childOf(station.Process.Pid) == old; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: the screen goes on", end.what)
			}
		}
		ended := time.Now()
		screen(old)
		t.Logf("%s: the next screen is there after %v", end.what, time.Since(ended).Round(time.Millisecond))
		if time.Since(ended) > 3*time.Second {
			t.Error("that is more than 3 s")
		}
		time.Sleep(2 * time.Second) // it draws
	}
	third := screen(0)
	time.Sleep(time.Second)
	cut() // the X server goes, and with it whatever draws
	readback.VirtualScreen(t, display, "1280x720x24")
	screen(third)
	time.Sleep(2 * time.Second)

	answers, longest, missing := asked.stop()
	t.Logf("%d NTP answers, the longest pause between two %v, %d requests without one", answers, longest.Round(time.Millisecond), missing)
	if missing > 0 {
		t.Errorf("%d of %d requests were not answered", missing, answers+missing)
	}
	kill(station.Process.Pid, syscall.SIGTERM)
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the station ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the station does not end")
	}
}

// driverThread is a thread of the graphics driver in a process: Mesa's rasteriser names its own.
func driverThread(t *testing.T, pid int) int {
	t.Helper()
	names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/comm", pid))
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil || !strings.HasPrefix(string(text), "llvmpipe") {
			continue
		}
		if tid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil {
			return tid
		}
	}
	t.Fatal("the screen has no thread of a graphics driver")
	return 0
}

// asker asks an NTP server fifty times a second and counts.
type asker struct {
	cancel           context.CancelFunc
	wait             sync.WaitGroup
	answers, missing int
	longest          time.Duration
}

func newAsker(t *testing.T, address string) *asker {
	t.Helper()
	ask := func() error {
		r, err := ntp.QueryWithOptions(address, ntp.QueryOptions{Timeout: time.Second})
		if err == nil && r.Stratum == 1 && r.ReferenceString() != ".DEMO." {
			t.Errorf("a station that plays a recording answers as %q", r.ReferenceString())
		}
		return err
	}
	for deadline := time.Now().Add(30 * time.Second); ask() != nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no NTP answer in 30 s")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	a := &asker{cancel: cancel}
	a.wait.Go(func() {
		last := time.Now()
		for ctx.Err() == nil {
			if err := ask(); err != nil {
				a.missing++
			} else {
				a.answers++
				a.longest = max(a.longest, time.Since(last))
				last = time.Now()
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	return a
}

func (a *asker) stop() (answers int, longest time.Duration, missing int) {
	a.cancel()
	a.wait.Wait()
	return a.answers, a.longest, a.missing
}

// childOf finds the process that a process has started and that runs the same program's display.
func childOf(parent int) int {
	names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		for _, field := range strings.Fields(string(text)) {
			line, _ := os.ReadFile("/proc/" + field + "/cmdline") // it may have ended
			if pid, err := strconv.Atoi(field); err == nil && strings.Contains(string(line), "\x00display\x00") {
				return pid
			}
		}
	}
	return 0
}

func freeUDPPort(t *testing.T) int {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}
