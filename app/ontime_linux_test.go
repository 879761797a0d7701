//go:build cgo && !headless

package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"timestation/app/printed"
	"timestation/app/web"
	"timestation/display/readback"
	"timestation/engine/serve/load"
)

// TestScreenIsOnTime measures how late the new second is handed to the window, 1920 × 1080, LED ring, while the NTP server
// of the same process answers two thousand requests a second; and what the process of a screen by itself costs. The long
// run (TIMESTATION_MEASURE=1, or a length such as 60s) holds the published figures, the short one only sees that most seconds
// come within a few frames on a machine that is busy with other tests.
func TestScreenIsOnTime(t *testing.T) {
	const requests = 2000
	lengths, median, p99 := map[string]time.Duration{"same": 15 * time.Second}, 60.0, math.Inf(1)
	if long := os.Getenv("TIMESTATION_MEASURE"); long != "" {
		lengths, median, p99 = map[string]time.Duration{"same": 10 * time.Minute, "child": 3 * time.Minute}, 5, 17
		if length, err := time.ParseDuration(long); err == nil {
			lengths["same"], lengths["child"] = length, length
		}
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "timestation")
	if out, err := exec.Command("go", "build", "-tags", "gles", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	recording, err := filepath.Abs("../assets/recordings/ublox-neo-m9n-nmea.log")
	if err != nil {
		t.Fatal(err)
	}
	for process, length := range lengths {
		t.Run(process, func(t *testing.T) {
			display, _ := readback.VirtualScreen(t, "", "1920x1080x24")
			port, page := freeUDPPort(t), freeUDPPort(t)
			config := filepath.Join(dir, process+".toml")
			text := fmt.Sprintf("[[refclock]]\ndriver = \"replay\"\nfile = %q\n[[listener]]\naddress = \"127.0.0.1:%d\"\nrate_limit_per_second = 0\n"+
				"[display]\nprocess = %q\n[web]\nlisten = \"127.0.0.1:%d\"\n[control]\nchrony_address = \"\"\n", recording, port, process, page)
			if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(filepath.Join(dir, process), 0o755); err != nil {
				t.Fatal(err)
			}
			station := exec.Command(program, "run", "--config", config, "--data", filepath.Join(dir, process))
			station.Env = append(os.Environ(), "DISPLAY="+display, "DBUS_SESSION_BUS_ADDRESS=")
			var said printed.Text
			station.Stdout, station.Stderr = &said, &said
			if err := station.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				_ = station.Process.Signal(syscall.SIGTERM)
				_ = station.Wait()
				if t.Failed() {
					t.Logf("the station said:\n%s", said.String())
				}
			})
			asked := newAsker(t, fmt.Sprintf("127.0.0.1:%d", port)) // until it answers
			asked.stop()
			time.Sleep(5 * time.Second) // shaders are compiled, caches warm
			drawer := station.Process.Pid
			if process == "child" {
				if drawer = childOf(drawer); drawer == 0 {
					t.Fatal("there is no screen")
				}
			}
			before, began := processorTime(t, drawer), time.Now()
			result := make(chan string, 1)
			go func() {
				r, err := load.Run(load.Config{Target: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)),
					Ports: 4, Window: 64, PerSecond: requests, Duration: length})
				result <- fmt.Sprint(r, " ", err)
			}()
			t.Logf("NTP meanwhile: %s", <-result)
			used := (processorTime(t, drawer) - before).Seconds() / time.Since(began).Seconds()
			late := reportAt(t, page).Display
			if late == nil || late.Frames < int(length.Seconds()/2) {
				t.Fatalf("frames: %+v", late)
			}
			t.Logf("%d frames, median %.2f ms late, 99 %% %.2f ms", late.Frames, late.LateMsMedian, late.LateMsP99)
			t.Logf("the process that draws: %.0f ms of processor time a second, %d MiB resident", 1000*used, resident(t, drawer)>>20)
			if late.LateMsMedian > median || late.LateMsP99 > p99 {
				t.Errorf("that is later than %v and %v ms", median, p99)
			}
		})
	}
}

func reportAt(t *testing.T, port int) (r web.Report) {
	t.Helper()
	answer, err := http.Get("http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) + "/api/status")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r
}

// processorTime is what a process has used so far, in user and kernel mode (proc(5), fields 14 and 15 of stat).
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond // USER_HZ is 100
}

// resident is the memory of a process in bytes (proc(5), statm).
func resident(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n * int64(os.Getpagesize())
}
