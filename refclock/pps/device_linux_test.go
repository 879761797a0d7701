package pps

import (
	"encoding/binary"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestRequests: the numbers are those of linux/pps.h, which encode the size of a pointer.
func TestRequests(t *testing.T) {
	got := [...]uintptr{getParams, setParams, getCap, fetch}
	want := [...]uintptr{0x800870a1, 0x400870a2, 0x800870a3, 0xc00870a4}
	if pointerSize == 4 {
		want = [...]uintptr{0x800470a1, 0x400470a2, 0x800470a3, 0xc00470a4}
	}
	if got != want {
		t.Errorf("%x, want %x", got, want)
	}
}

// TestLayouts: a fetch as the C compiler lays it out. Of the 32-bit kernels ARM aligns 64-bit integers to 8 and 386 to 4;
// a 64-bit kernel takes the packed layout from every 32-bit program.
func TestLayouts(t *testing.T) {
	for _, c := range []struct {
		arch, machine string
		want          int
	}{
		{"amd64", "x86_64", 48}, {"arm64", "aarch64", 48}, {"arm", "armv6l", 48}, {"arm", "armv7l", 48},
		{"arm", "aarch64", 44}, {"arm", "armv8l", 44}, {"386", "i686", 44}, {"386", "x86_64", 44},
	} {
		if got := timeoutAt(c.arch, c.machine); got != c.want {
			t.Errorf("%s on %s: %d", c.arch, c.machine, got)
		}
	}
	if m := machine(); m == "" {
		t.Error("what machine is this?")
	} else if runtime.GOARCH == "amd64" && m != "x86_64" {
		t.Error(m)
	}
	var b []byte
	for _, v := range []uint32{7, 9} { // the sequences
		b = binary.NativeEndian.AppendUint32(b, v)
	}
	for _, second := range []int64{1_800_000_000, -1} { // assert; clear just before 1970, as a Pi may stamp it
		b = binary.NativeEndian.AppendUint64(b, uint64(second))
		b = binary.NativeEndian.AppendUint32(b, 999_999_999)
		b = binary.NativeEndian.AppendUint32(b, 0)
	}
	b = append(b, make([]byte, fetchSize-len(b))...)
	want := fetched{counted{7, 1_800_000_000_999_999_999}, counted{9, -1}}
	if got := parseFetch(b); got != want {
		t.Errorf("%+v", got)
	}
	putKtime(b[timeoutAt8:], 1250*time.Millisecond)
	if binary.NativeEndian.Uint64(b[48:]) != 1 || binary.NativeEndian.Uint32(b[56:]) != 250_000_000 || binary.NativeEndian.Uint32(b[60:]) != 0 {
		t.Errorf("% x", b[48:])
	}
}

// TestOpenErrors: what cannot be opened is explained in one line with the mend. /dev/null is a device of another kind,
// which the kernel's answer tells.
func TestOpenErrors(t *testing.T) {
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/dev/pps77": "there is no such PPS device; add dtoverlay=pps-gpio",
		"/dev/null":  "it is not a PPS device",
		file:         "it is not a PPS device",
	} {
		if _, err := openDevice(path, true); err == nil || !strings.HasPrefix(err.Error(), path+": "+want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
