package feed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net"
	"syscall"
	"time"
	"unsafe"
)

// sockMagic ends a sample of chrony's SOCK refclock (struct sock_sample of its refclock_sock.c).
const sockMagic = 0x534f434b

// wideTime: time_t of the C library has 64 bits. On a machine of 32 it depends on the system's age; that of Debian 12 has
// 32.
const wideTime = unsafe.Sizeof(uintptr(0)) == 8

// sockWriter is chronyd's socket.
type sockWriter struct {
	path       string
	connection net.Conn
}

func openSOCK(path string) (writer, error) {
	connection, err := net.Dial("unixgram", path)
	if err != nil {
		return nil, explainSOCK(path, err)
	}
	return &sockWriter{path, connection}, nil
}

func explainSOCK(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf(`%s: there is no such socket; put "refclock SOCK %s" into chrony.conf and restart chronyd`, path, path)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%s: nobody receives there; start chronyd", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: the station may not write to it; give its user the right to, for instance by a group", path)
	}
	return fmt.Errorf("%s: %w", path, err)
}

func (w *sockWriter) write(s Sample) error {
	// A program that hangs must not hang the feed.
	if err := w.connection.SetWriteDeadline(time.Now().Add(every / 2)); err != nil {
		return explainSOCK(w.path, err)
	}
	if _, err := w.connection.Write(datagram(s, wideTime)); err != nil {
		return explainSOCK(w.path, err)
	}
	return nil
}

func (w *sockWriter) Close() error { return w.connection.Close() }

// datagram is a struct sock_sample as the C compiler lays it out: a timeval, the offset as a double, and the ints pulse,
// leap, padding and magic.
func datagram(s Sample, wide bool) []byte {
	seconds, micros := int64(s.Stamp)/1e9, int64(s.Stamp)%1e9/1000
	var p []byte
	if wide {
		p = binary.NativeEndian.AppendUint64(p, uint64(seconds))
		p = binary.NativeEndian.AppendUint64(p, uint64(micros))
	} else {
		p = binary.NativeEndian.AppendUint32(p, uint32(seconds))
		p = binary.NativeEndian.AppendUint32(p, uint32(micros))
	}
	p = binary.NativeEndian.AppendUint64(p, math.Float64bits(s.Offset.Seconds()))
	for _, v := range []uint32{0, uint32(s.Leap), 0, sockMagic} {
		p = binary.NativeEndian.AppendUint32(p, v)
	}
	return p
}
