package edge

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/warthog618/go-gpiocdev/uapi"
	"golang.org/x/sys/unix"

	"timestation/refclock"
)

const (
	// eventSize is that of struct gpio_v2_line_event (linux/gpio.h).
	eventSize = 48
	// eventBuffer is how many edges the kernel keeps while the program is held up: seconds of a noisy receiver.
	eventBuffer = 256
)

// Open takes a line as an input and delivers both of its edges until Close. Only one program can have a line. An error is
// one line with the mend. It needs Linux 5.11 or newer, for stamps of CLOCK_REALTIME.
func Open(o Options) (Line, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	chip, offset, err := find(o)
	if err != nil {
		return nil, err
	}
	defer chip.Close()
	request := uapi.LineRequest{
		Offsets:         [uapi.LinesMax]uint32{offset},
		Lines:           1,
		EventBufferSize: eventBuffer,
		Config:          config(o),
	}
	consumer := o.Consumer
	if consumer == "" {
		consumer = "timestation"
	}
	copy(request.Consumer[:len(request.Consumer)-1], consumer)
	if err := uapi.GetLine(chip.Fd(), &request); err != nil {
		return nil, explainRequest(o, chip, offset, err)
	}
	// Non-blocking, so that Go's poller reads it and Close ends the read.
	fd := int(request.Fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("%v: %w", o, err)
	}
	return newLine(os.NewFile(uintptr(fd), o.String()), o.String()), nil
}

func config(o Options) uapi.LineConfig {
	c := uapi.LineConfig{Flags: uapi.LineFlagV2Input | uapi.LineFlagV2EdgeBoth | uapi.LineFlagV2EventClockRealtime}
	if o.ActiveLow {
		c.Flags |= uapi.LineFlagV2ActiveLow
	}
	switch o.Bias {
	case PullUp:
		c.Flags |= uapi.LineFlagV2BiasPullUp
	case PullDown:
		c.Flags |= uapi.LineFlagV2BiasPullDown
	case Disabled:
		c.Flags |= uapi.LineFlagV2BiasDisabled
	}
	if o.Debounce > 0 {
		c.AddAttribute(uapi.LineConfigAttribute{Attr: uapi.DebouncePeriod(o.Debounce).Encode(), Mask: 1})
	}
	return c
}

// line reads the events of a requested line.
type line struct {
	file  *os.File
	where string
	edges chan Edge
	// closing is closed by Close; gone when reading has ended.
	closing, gone chan struct{}
	closed        sync.Once
	err           error // to be read when gone is closed
}

func newLine(file *os.File, where string) *line {
	l := &line{file: file, where: where, edges: make(chan Edge, eventBuffer),
		closing: make(chan struct{}), gone: make(chan struct{})}
	go l.read()
	return l
}

func (l *line) read() {
	defer close(l.edges)
	defer close(l.gone)
	buffer := make([]byte, 16*eventSize)
	for {
		n, err := l.file.Read(buffer)
		for at := 0; at+eventSize <= n; at += eventSize {
			select {
			case l.edges <- parseEvent(buffer[at:]):
			case <-l.closing:
				return
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrClosed):
			return
		case errors.Is(err, io.EOF), errors.Is(err, unix.ENODEV):
			l.err = fmt.Errorf("%s: the GPIO chip is gone; plug it in again, or restart the machine if it is built in", l.where)
			return
		default:
			l.err = fmt.Errorf("%s: it cannot be read any more (%v); it is opened again", l.where, err)
			return
		}
	}
}

// parseEvent reads a struct gpio_v2_line_event; p holds at least eventSize bytes.
func parseEvent(p []byte) Edge {
	return Edge{
		Stamp:    refclock.Stamp(binary.NativeEndian.Uint64(p)),
		Rising:   uapi.LineEventID(binary.NativeEndian.Uint32(p[8:])) == uapi.LineEventRisingEdge,
		Sequence: binary.NativeEndian.Uint32(p[20:]),
	}
}

// Edges implements [Line].
func (l *line) Edges() <-chan Edge { return l.edges }

// Err implements [Line]; it waits until the line is closed or lost.
func (l *line) Err() error {
	<-l.gone
	return l.err
}

// Active implements [Line].
func (l *line) Active() (bool, error) {
	connection, err := l.file.SyscallConn()
	if err != nil {
		return false, fmt.Errorf("%s: %w", l.where, err)
	}
	values := uapi.LineValues{Mask: 1}
	var failed error
	if err := connection.Control(func(fd uintptr) { failed = uapi.GetLineValuesV2(fd, &values) }); err != nil {
		return false, fmt.Errorf("%s: %w", l.where, err)
	}
	if failed != nil {
		return false, fmt.Errorf("%s: its level cannot be read: %w", l.where, failed)
	}
	return values.Get(0) == 1, nil
}

// Close gives the line back.
func (l *line) Close() error {
	err := os.ErrClosed
	l.closed.Do(func() {
		close(l.closing)
		err = l.file.Close()
		select {
		case <-l.gone:
		case <-time.After(time.Second): // a driver that hangs in its read; the line is of no use anyway
		}
	})
	return err
}
