package serve

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"timestation/refclock"
)

// Where there is no card with a clock the kernel stamps, and one line says so.
func TestNoHardwareStampsHere(t *testing.T) {
	var said bytes.Buffer
	cfg := listener(t, "127.0.0.1:0")
	cfg.HardwareTimestamps = "lo"
	s, err := New(cfg, newBoard(), slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if c := s.Counters(); c.ReceiveStamps != FromKernel || c.TransmitStamps != FromKernel {
		t.Errorf("%+v", c)
	}
	if !strings.Contains(said.String(), "the kernel stamps packets, not a network card") ||
		!strings.Contains(said.String(), "lo has no hardware time stamps") {
		t.Error(said.String())
	}
}

// cmsg is a control message as the kernel writes it.
func cmsg(level, kind int32, data []byte) []byte {
	b := make([]byte, unix.CmsgSpace(len(data)))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(len(data)))
	copy(b[unix.CmsgLen(0):], data)
	return b
}

func TestStampsOfKernelAndCard(t *testing.T) {
	times := make([]byte, 48)
	for i, v := range []uint64{1_800_000_000, 250, 0, 0, 37, 999} {
		binary.NativeEndian.PutUint64(times[8*i:], v)
	}
	index := make([]byte, 16)
	binary.NativeEndian.PutUint32(index, 4)
	all := join(cmsg(unix.SOL_SOCKET, unix.SO_TIMESTAMPING_NEW, times), cmsg(unix.SOL_SOCKET, unix.SCM_TIMESTAMPING_PKTINFO, index))
	var reply replyControl
	if got, want := readControl(all, &reply), (stamps{1_800_000_000_000_000_250, 37_000_000_999, 4}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// A stamp of the card is taken only where the kernel's confirms it, and is never later than that.
func TestCardsStampsThatDoNotFit(t *testing.T) {
	kernel := refclock.Stamp(1_800_000_000_000_000_000)
	for earlier, want := range map[time.Duration]time.Duration{
		3 * time.Microsecond:   3 * time.Microsecond,
		9 * time.Millisecond:   9 * time.Millisecond,
		-5 * time.Microsecond:  0,
		11 * time.Millisecond:  -1,
		-time.Millisecond:      -1,
		37 * time.Second:       -1,
		-37 * time.Second:      -1,
		400 * 24 * time.Hour:   -1,
		-60 * time.Microsecond: -1,
	} {
		rx, byCard := plausible(kernel.Add(-earlier), kernel)
		if byCard != (want >= 0) || kernel.Sub(rx) != max(0, want) {
			t.Errorf("%v earlier: %v earlier, %v", earlier, kernel.Sub(rx), byCard)
		}
	}
}
