package feed

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"timestation/refclock"
)

// TestSocket: a receiver as chronyd's gets what was sent; its absence is explained.
func TestSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chrony.sock")
	if _, err := openSOCK(path); err == nil || !strings.Contains(err.Error(), `put "refclock SOCK `+path+`" into chrony.conf`) {
		t.Error(err)
	}
	receiver, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	w, err := openSOCK(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	sample := Sample{Stamp: refclock.Stamp(noon), Offset: time.Millisecond}
	if err := w.write(sample); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 100)
	n, err := receiver.Read(buffer)
	if err != nil || string(buffer[:n]) != string(datagram(sample, wideTime)) {
		t.Errorf("% x (%v)", buffer[:n], err)
	}
	receiver.Close()
	if err := w.write(sample); err == nil || !strings.Contains(err.Error(), "nobody receives there") {
		t.Error(err)
	}
}

// TestKernelSegment: a segment is made where there is none, and found again.
func TestKernelSegment(t *testing.T) {
	unit := 200 + os.Getpid()%50
	first, err := openSHM(unit)
	if err != nil {
		t.Fatal(err)
	}
	id, err := unix.SysvShmGet(shmKey+unit, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.SysvShmCtl(id, unix.IPC_RMID, nil)
	second, err := openSHM(unit)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.write(Sample{Stamp: refclock.Stamp(noon), Leap: 1}); err != nil {
		t.Fatal(err)
	}
	if memory := second.(*shmWriter).memory; memory[0] != 1 || memory[layout64.leap] != 1 {
		t.Errorf("% x", memory)
	}
	first.Close()
	second.Close()
}
