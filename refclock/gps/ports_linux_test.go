package gps

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestPorts: on a Pi with a console on the UART and a USB receiver, only the receiver's port is listed.
func TestPorts(t *testing.T) {
	class := t.TempDir()
	put := func(path, content string) {
		path = filepath.Join(class, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("console/active", "tty1 ttyAMA0\n")
	put("tty1/dev", "4:1\n")           // a virtual console: no device behind it
	put("ttyAMA0/device/uevent", "")   // the console's UART
	put("ttyAMA0/type", "32\n")        //
	put("ttyAMA10/device/uevent", "")  // a UART that is there
	put("ttyAMA10/type", "32\n")       //
	put("ttyS3/device/uevent", "")     // a UART by name only
	put("ttyS3/type", "0\n")           //
	put("ttyACM0/device/uevent", "\n") // a receiver on USB
	got, err := portsIn(class, "/dev")
	if want := []string{"/dev/ttyACM0", "/dev/ttyAMA10"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}
