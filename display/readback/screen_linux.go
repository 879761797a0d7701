package readback

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// VirtualScreen starts an X server in memory, with a screen of a size such as 1280x720x24, on the named display or, where that
// is empty, on a free one. It gives its DISPLAY and ends it with the test; stop ends it before.
func VirtualScreen(t testing.TB, display, size string) (name string, stop func()) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	args := []string{"-displayfd", "3", "-screen", "0", size, "-nolisten", "tcp"}
	if display != "" {
		args = append([]string{display}, args...)
	}
	server := exec.Command("Xvfb", args...)
	server.ExtraFiles = []*os.File{write}
	err = server.Start()
	write.Close()
	if err != nil {
		t.Fatalf("%v; apt install xvfb", err)
	}
	stop = func() {
		_ = server.Process.Kill() // it may have ended
		_ = server.Wait()         // once is enough
	}
	t.Cleanup(stop)
	number, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb did not start: %v", err)
	}
	return ":" + strings.TrimSpace(number), stop
}
