//go:build board && linux

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// doctor runs timestation doctor as the station's user.
func doctor(t *testing.T, config string, groups []uint32, caps []uintptr) (printed string, code int) {
	t.Helper()
	if err := os.WriteFile("/etc/timestation/doctor.toml", []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, "doctor", "--config", "/etc/timestation/doctor.toml", "--data", "/var/lib/timestation/main")
	c.Env = []string{"PATH=/bin", "HOME=/var/lib/timestation"}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid, Groups: groups}, AmbientCaps: caps}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), c.ProcessState.ExitCode()
}

// TestBoardDoctor: what the README's chapter on a real Pi asks for is checked, on the kernel's own devices.
func TestBoardDoctor(t *testing.T) {
	nature(t, "pulses")
	time.Sleep(2500 * time.Millisecond) // pulses must have come
	gps, pps := satellites("gps", "/dev/ttyS1"), pulse("pps", `device = "/dev/pps0"`)
	const listener = "[[listener]]\naddress = \"127.0.0.1:11123\"\n"
	ours := []uint32{dialout, gpio}
	for _, test := range []struct {
		name, config string
		groups       []uint32
		caps         []uintptr
		spoil        func() error
		mend         func() error
		code         int
		says         []string
	}{
		{name: "all is well", config: gps + pps + pulse("more", `line = "GPIO23"`) + listener, groups: ours,
			says: []string{"✓ /dev/ttyS1: may be used", "✓ no console is on the receiver's port", "✓ /dev/pps0: pulses arrive", "✓ GPIO23: free"}},
		{name: "console", config: satellites("gps", "/dev/ttyS0") + listener, groups: ours, code: 1,
			says: []string{"✗ /dev/ttyS0: the kernel writes its messages there (console=ttyS0)", "take console=ttyS0 out of the kernel's command line"}},
		{name: "groups", config: gps + pps + listener, code: 1,
			says: []string{"✗ /dev/ttyS1: timestation may not use it", "✗ /dev/pps0: timestation may not use it", "log out and in again"}},
		{name: "no overlay", config: gps + pulse("pps", `device = "/dev/pps7"`) + listener, groups: ours, code: 1,
			says: []string{"✗ /dev/pps7: there is no such device"}},
		{name: "udev rule", config: gps + pps + listener, groups: ours, code: 1,
			spoil: func() error { return errors.Join(os.Chown("/dev/pps0", 0, 0), os.Chmod("/dev/pps0", 0o600)) },
			mend:  func() error { return errors.Join(os.Chown("/dev/pps0", 0, dialout), os.Chmod("/dev/pps0", 0o660)) },
			says:  []string{"✗ /dev/pps0: timestation may not use it", `SUBSYSTEM=="pps", GROUP="dialout"`}},
		{name: "line taken", config: gps + pulse("pps", `line = "PPS"`) + listener, groups: ours, code: 1,
			says: []string{`✗ PPS: it is used by`}},
		{name: "not permitted", config: gps + listener + "[clock]\ndiscipline = \"system\"\n", groups: ours, code: 1,
			says: []string{"✗ timestation may not steer the system clock", "steering.conf"}},
		{name: "permitted", config: gps + listener + "[clock]\ndiscipline = \"system\"\n", groups: ours, caps: ambient(t, "steering.conf"),
			says: []string{"✓ the system clock may be steered"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.spoil != nil {
				if err := test.spoil(); err != nil {
					t.Fatal(err)
				}
				defer func() {
					if err := test.mend(); err != nil {
						t.Error(err)
					}
				}()
			}
			printed, code := doctor(t, test.config, test.groups, test.caps)
			if code != test.code {
				t.Errorf("exit code %d, should be %d", code, test.code)
			}
			for _, says := range test.says {
				if !strings.Contains(printed, says) {
					t.Errorf("%q is missing", says)
				}
			}
			if t.Failed() {
				t.Log(printed)
			}
		})
	}
}
