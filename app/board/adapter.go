//go:build board && linux

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// monitor is the serial port that leads to QEMU's monitor (its machine protocol, QMP).
const monitor = "/dev/ttyS3"

// asked numbers the commands, so that a late answer is not taken for another's.
var asked int

// command sends one command, as JSON without its end, to QEMU and waits for its answer. A busy machine may lose it: it is sent again then, and an
// error of the second one is that the first was obeyed.
func command(text string) error {
	const times = 4
	for i := range times {
		answer, err := ask(text)
		switch {
		case err != nil:
			return err
		case strings.Contains(answer, `"error"`) && i == 0:
			return fmt.Errorf("QEMU: %s", answer)
		case answer != "":
			return nil
		}
	}
	return fmt.Errorf("QEMU's monitor has said nothing %d times", times)
}

// ask gives the line with the answer, or nothing after a while.
func ask(text string) (string, error) {
	port, err := os.OpenFile(monitor, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return "", err
	}
	defer port.Close()
	asked++
	// The mode is negotiated once; later it is an error that does not matter.
	if _, err := fmt.Fprintf(port, "\n"+`{"execute":"qmp_capabilities","id":0}`+"\n%s,\"id\":%d}\n", text, asked); err != nil {
		return "", err
	}
	timer := time.AfterFunc(10*time.Second, func() { port.Close() })
	defer timer.Stop()
	answers := bufio.NewScanner(port)
	for answers.Scan() {
		if strings.Contains(answers.Text(), fmt.Sprintf(`"id": %d`, asked)) {
			return answers.Text(), nil
		}
	}
	return "", nil
}

// unplug pulls the USB adapter out.
func unplug() error { return command(`{"execute":"device_del","arguments":{"id":"adapter"}`) }

// plugIn puts it back, and does then what udev and .ci/board-init do.
func plugIn() error {
	if err := command(`{"execute":"device_add","arguments":{"driver":"usb-serial","id":"adapter","chardev":"usba"}`); err != nil {
		return err
	}
	for range 50 {
		if found, _ := filepath.Glob("/dev/ttyUSB*"); len(found) > 0 {
			if out, err := exec.Command("/bin/stty", "-F", found[0], "raw", "-echo").CombinedOutput(); err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			const dialout = 20
			if err := os.Chown(found[0], 0, dialout); err != nil {
				return err
			}
			return os.Chmod(found[0], 0o660)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("the USB adapter was plugged in, and there is no /dev/ttyUSB*")
}
