package feed

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"
)

// The shared memory of ntpd's driver 28: the segment's key is shmKey plus the unit, and struct shmTime is of one size
// with 64 bits of time_t and of another with 32.
const (
	shmKey    = 0x4e545030 // "NTP0"
	shmSize64 = 96
	shmSize32 = 80
)

// shmLayout is where the fields of struct shmTime stand; mode and count stand at 0 and 4 in each.
type shmLayout struct {
	clockSeconds, clockMicros, stampSeconds, stampMicros, leap, precision, samples, valid, clockNanos, stampNanos int
	wide                                                                                                          bool
}

var (
	layout64 = shmLayout{8, 16, 24, 32, 36, 40, 44, 48, 52, 56, true}
	layout32 = shmLayout{8, 12, 16, 20, 24, 28, 32, 36, 40, 44, false}
)

// shmWriter writes an attached segment.
type shmWriter struct {
	memory []byte
	layout shmLayout
	detach func([]byte) error
}

func newSHMWriter(memory []byte, detach func([]byte) error) *shmWriter {
	layout := layout32
	if len(memory) >= shmSize64 {
		layout = layout64
	}
	return &shmWriter{memory, layout, detach}
}

func (w *shmWriter) word(at int) *int32 { return (*int32)(unsafe.Pointer(&w.memory[at])) }

func (w *shmWriter) put(at int, v int32) { atomic.StoreInt32(w.word(at), v) }

func (w *shmWriter) putSeconds(at int, v int64) {
	if !w.layout.wide {
		w.put(at, int32(v))
		return
	}
	var p [8]byte
	binary.NativeEndian.PutUint64(p[:], uint64(v))
	w.put(at, int32(binary.NativeEndian.Uint32(p[:])))
	w.put(at+4, int32(binary.NativeEndian.Uint32(p[4:])))
}

// write follows mode 1: count is odd, or at least another, while the fields change, and valid tells that they stand. Each
// store is atomic, so that a reader on another processor sees them in this order.
func (w *shmWriter) write(s Sample) error {
	l := w.layout
	clock, stamp := int64(s.Stamp)+int64(s.Offset), int64(s.Stamp)
	w.put(l.valid, 0)
	w.put(0, 1)
	atomic.AddInt32(w.word(4), 1)
	w.putSeconds(l.clockSeconds, clock/1e9)
	w.put(l.clockMicros, int32(clock%1e9/1000))
	w.put(l.clockNanos, int32(clock%1e9))
	w.putSeconds(l.stampSeconds, stamp/1e9)
	w.put(l.stampMicros, int32(stamp%1e9/1000))
	w.put(l.stampNanos, int32(stamp%1e9))
	w.put(l.leap, s.Leap)
	w.put(l.precision, s.Precision)
	w.put(l.samples, 0)
	atomic.AddInt32(w.word(4), 1)
	w.put(l.valid, 1)
	return nil
}

// Close leaves nothing that a reader would take for the present.
func (w *shmWriter) Close() error {
	w.put(w.layout.valid, 0)
	return w.detach(w.memory)
}
