package edge

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/warthog618/go-gpiocdev/uapi"
)

// event is what the kernel writes: struct gpio_v2_line_event of linux/gpio.h.
func event(stamp uint64, id uapi.LineEventID, sequence uint32) []byte {
	var p []byte
	p = binary.NativeEndian.AppendUint64(p, stamp)
	p = binary.NativeEndian.AppendUint32(p, uint32(id))
	p = binary.NativeEndian.AppendUint32(p, 18)       // the line
	p = binary.NativeEndian.AppendUint32(p, 999)      // of all lines of the request
	p = binary.NativeEndian.AppendUint32(p, sequence) // of this line
	return append(p, make([]byte, 24)...)
}

// TestLayout: the structures are as long as the kernel's on every architecture, and ask for real time stamps of both edges.
func TestLayout(t *testing.T) {
	if n := unsafe.Sizeof(uapi.LineEvent{}); n != eventSize || len(event(0, 0, 0)) != eventSize {
		t.Errorf("an event has %d bytes", n)
	}
	if n := unsafe.Sizeof(uapi.LineRequest{}); n != 592 {
		t.Errorf("a request has %d bytes", n)
	}
	c := config(Options{ActiveLow: true, Bias: PullUp, Debounce: 3 * time.Millisecond})
	// Bits of enum gpio_v2_line_flag: active low 1, input 2, edges 4 and 5, pull-up 8, realtime clock 11.
	if want := uapi.LineFlagV2(1<<1 | 1<<2 | 1<<4 | 1<<5 | 1<<8 | 1<<11); c.Flags != want {
		t.Errorf("flags %b, want %b", c.Flags, want)
	}
	if c.NumAttrs != 1 || c.Attrs[0].Attr.ID != uapi.LineAttributeIDDebounce || c.Attrs[0].Attr.Value32() != 3000 || c.Attrs[0].Mask != 1 {
		t.Errorf("debounce: %+v", c.Attrs[0])
	}
}

// TestEvents: edges come out as they were stamped, several of one read too; a chip that goes away ends the channel with
// the reason, Close without one.
func TestEvents(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	l := newLine(read, "/dev/gpiochip0 line 18")
	const at = 1_800_000_000_123_456_789
	two := append(event(at, uapi.LineEventRisingEdge, 7), event(at+1e8, uapi.LineEventFallingEdge, 8)...)
	if _, err := write.Write(two); err != nil {
		t.Fatal(err)
	}
	if e := <-l.Edges(); e != (Edge{Stamp: at, Rising: true, Sequence: 7}) {
		t.Errorf("%+v", e)
	}
	if e := <-l.Edges(); e != (Edge{Stamp: at + 1e8, Rising: false, Sequence: 8}) {
		t.Errorf("%+v", e)
	}
	write.Close()
	if _, more := <-l.Edges(); more {
		t.Error("an edge from nowhere")
	}
	if err := l.Err(); err == nil || !strings.Contains(err.Error(), "/dev/gpiochip0 line 18: the GPIO chip is gone") {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// TestClose: Close ends a read that waits, and a reader that nobody empties.
func TestClose(t *testing.T) {
	for _, edges := range []int{0, 2 * eventBuffer} {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		l := newLine(read, "line")
		for i := range edges {
			if _, err := write.Write(event(uint64(i), uapi.LineEventRisingEdge, uint32(i))); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if err := l.Err(); err != nil {
			t.Error(err)
		}
		if err := l.Close(); err == nil {
			t.Error("closed twice without a word")
		}
		write.Close()
	}
}

// TestOpenErrors: what cannot be opened is explained in one line with the mend.
func TestOpenErrors(t *testing.T) {
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		options Options
		want    string
	}{
		{Options{}, "line: is missing"},
		{Options{Line: "18"}, `write the name "GPIO18"`},
		{Options{Line: "GPIO18", Bias: "up"}, `bias: "up" is not known; write "pull-up"`},
		{Options{Line: "GPIO18", Debounce: time.Second}, "debounce_seconds: 1 is not between 0 and 0.05"},
		{Options{Chip: "gpiochip77", Line: "18"}, "/dev/gpiochip77: there is no such GPIO chip; there "},
		{Options{Chip: file, Line: "18"}, file + ": it is not a GPIO chip"},
		{Options{Line: "no such line"}, "gpiochip"},
	} {
		if _, err := Open(c.options); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v", c.options, err)
		}
	}
}
