package gpsd

import (
	"context"
	"encoding/binary"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"timestation/refclock"
	"timestation/refclock/sinktest"
)

// datagram is a struct sock_sample as a C compiler lays it out with 64 bits of time_t, or with 32.
func datagram(wide bool, sec, usec int64, offset float64, pulse, leap, magic uint32) []byte {
	var p []byte
	if wide {
		p = binary.NativeEndian.AppendUint64(p, uint64(sec))
		p = binary.NativeEndian.AppendUint64(p, uint64(usec))
	} else {
		p = binary.NativeEndian.AppendUint32(p, uint32(sec))
		p = binary.NativeEndian.AppendUint32(p, uint32(usec))
	}
	p = binary.NativeEndian.AppendUint64(p, math.Float64bits(offset))
	for _, v := range []uint32{pulse, leap, 0, magic} {
		p = binary.NativeEndian.AppendUint32(p, v)
	}
	return p
}

// TestSOCK: datagrams of both sizes are understood, all others refused.
func TestSOCK(t *testing.T) {
	for _, wide := range []bool{true, false} {
		p := datagram(wide, 1795348800, 250_001, -0.000_000_123, 0, 1, sockMagic)
		got, err := parseSOCK(p)
		want := fed{stamp: refclock.Stamp(noon + 250_001_000), offset: -123, leap: refclock.LeapInsert, noise: smallestNoise}
		if err != nil || got != want {
			t.Errorf("%d bytes: %+v (%v)", len(p), got, err)
		}
	}
	// A machine that thinks it is 1970 is told to be 56 years off, to the nanosecond that a double of that size holds.
	if got, err := parseSOCK(datagram(true, 100, 0, 1795348700.25, 1, 0, sockMagic)); err != nil || got.offset != 1795348700250*time.Millisecond || !got.pulse {
		t.Errorf("%+v (%v)", got, err)
	}
	for name, p := range map[string][]byte{
		"short": make([]byte, 39), "empty": nil, "other magic": datagram(true, noon/1e9, 0, 0, 0, 0, 1),
		"not synchronised": datagram(true, 1, 0, 0, 0, 3, sockMagic), "no number": datagram(true, 1, 0, math.NaN(), 0, 0, sockMagic),
		"no microseconds": datagram(false, 1, -1, 0, 0, 0, sockMagic), "far away": datagram(true, math.MaxInt64, 0, 0, 0, 0, sockMagic),
	} {
		if got, err := parseSOCK(p); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestFeeder: absolute samples, pulses, and what is refused.
func TestFeeder(t *testing.T) {
	take := func(c feederConfig, s fed) (*sinktest.Record, refclock.Signal) {
		out := &sinktest.Record{}
		f := &feeder{config: c, env: environment(), out: out}
		f.take(s)
		return out, out.Last()
	}
	plain := feederConfig{delay: 0.1, limit: 0.02}
	out, signal := take(plain, fed{stamp: refclock.Stamp(noon - 5e9), offset: 5*time.Second + 300, noise: 1, leap: refclock.LeapDelete})
	if s := out.Samples()[0]; signal.State != refclock.Timing || s.Kind != refclock.Absolute || s.Stamp != refclock.Stamp(noon-5e9) ||
		s.Instant.TAI != noon+300+37e9+100e6 || s.Systematic != 20*time.Millisecond || s.Noise != smallestNoise || s.Leap != refclock.LeapDelete {
		t.Errorf("%+v", s)
	}
	// The true second began 300 ns before, or 300 ns after, what was stamped.
	with := feederConfig{with: "gps0", limit: 1e-4}
	for offset, want := range map[time.Duration]int64{300: -300, -300: 300, 7*time.Second + 300: -300} {
		out, _ := take(with, fed{stamp: refclock.Stamp(noon), offset: offset, pulse: true})
		if s := out.Samples()[0]; s.Kind != refclock.Phase || s.Stamp != refclock.Stamp(noon+want) || s.Pulse.With != "gps0" {
			t.Errorf("%v: %+v", offset, s)
		}
	}
	if out, signal := take(plain, fed{stamp: refclock.Stamp(noon), pulse: true}); len(out.Samples()) > 0 || !strings.Contains(signal.Text, "with =") {
		t.Errorf("%+v", signal)
	}
	if out, signal := take(plain, fed{stamp: 1e9}); len(out.Samples()) > 0 || !strings.Contains(signal.Text, "before this program was built") {
		t.Errorf("%+v", signal)
	}
}

// written makes a segment of a layout as a feeder fills it.
func (l shmLayout) written(size int, mode, count int32, clock, stamp int64, leap, precision, valid int32) []byte {
	p := make([]byte, size)
	put := func(at int, v int32) { binary.NativeEndian.PutUint32(p[at:], uint32(v)) }
	seconds := func(at int, v int64) {
		if l.wide {
			binary.NativeEndian.PutUint64(p[at:], uint64(v))
		} else {
			put(at, int32(v))
		}
	}
	put(0, mode)
	put(4, count)
	seconds(l.clockSeconds, clock/1e9)
	put(l.clockMicros, int32(clock%1e9/1000))
	put(l.clockNanos, int32(clock%1e9))
	seconds(l.stampSeconds, stamp/1e9)
	put(l.stampMicros, int32(stamp%1e9/1000))
	put(l.stampNanos, int32(stamp%1e9))
	put(l.leap, leap)
	put(l.precision, precision)
	put(l.valid, valid)
	return p
}

// TestSHM: both layouts are read by the size of the segment; a writer without nanoseconds is understood.
func TestSHM(t *testing.T) {
	for _, size := range []int{shmSize64, shmSize32, 4096} {
		l, ok := layoutOf(size)
		if !ok || l.wide != (size != shmSize32) {
			t.Fatalf("%d: %+v", size, l)
		}
		p := l.written(size, 1, 7, noon+1, noon-250_000_777, 2, -20, 1)
		r, whole := l.read(p)
		got, err := r.sample()
		if want := (fed{stamp: refclock.Stamp(noon - 250_000_777), offset: 250_000_778, leap: refclock.LeapDelete, noise: 953}); !whole || err != nil || got != want {
			t.Errorf("%d: %+v (%v)", size, got, err)
		}
		binary.NativeEndian.PutUint32(p[l.stampNanos:], 0)
		if r, _ := l.read(p); r.stampMicros != 749_999 {
			t.Fatal(r)
		} else if got, _ := r.sample(); got.stamp != refclock.Stamp(noon-250_001_000) {
			t.Errorf("without nanoseconds: %+v", got)
		}
	}
	for _, c := range []struct {
		leap, mode int32
		clock      int64
		want       string
	}{{3, 1, noon, "not synchronised"}, {0, 2, noon, "mode is 2"}, {0, 1, 0, "no time"}} {
		r, _ := layout64.read(layout64.written(96, c.mode, 1, c.clock, noon, c.leap, -1, 1))
		if _, err := r.sample(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// memory is a segment in this process.
type memory []byte

// write is what another process would do.
func (m memory) write(p []byte) {
	for at := 0; at < len(p); at += 4 {
		atomic.StoreInt32((*int32)(unsafe.Pointer(&m[at])), int32(binary.NativeEndian.Uint32(p[at:])))
	}
}

func (m memory) bytes() []byte { return m }
func (m memory) alive() error  { return nil }
func (m memory) Close() error  { return nil }

// TestSHMDriver: what stands there from yesterday is left; each new sample is taken once, whether or not another reader
// clears valid; a sample that is half written is not.
func TestSHMDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := memory(layout64.written(96, 1, 6, noon-86400e9, noon-86400e9, 0, -20, 1))
		d := &shmDriver{config: SHMConfig{DelayLimit: 1e-4}, env: environment(), attach: func(int) (segment, error) { return shared, nil }}
		out := &sinktest.Record{}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- d.Run(ctx, out) }()
		expect := func(samples int, state refclock.SourceState) {
			t.Helper()
			time.Sleep(time.Second)
			synctest.Wait()
			if len(out.Samples()) != samples || out.Last().State != state {
				t.Errorf("%d samples, %+v; want %d, %s", len(out.Samples()), out.Last(), samples, state)
			}
		}
		time.Sleep(50 * time.Millisecond) // between two looks
		expect(0, refclock.Waiting)
		shared.write(layout64.written(96, 1, 8, noon, noon+1, 0, -20, 1))
		expect(1, refclock.Timing)
		shared.write(layout64.written(96, 1, 8, noon, noon+1, 0, -20, 0)) // chronyd has it too
		expect(1, refclock.Timing)
		shared.write(layout64.written(96, 1, 10, noon+1e9, noon+1e9, 0, -20, 0)) // and was quicker
		expect(2, refclock.Timing)
		shared.write(layout64.written(96, 1, 11, noon+17e9, noon+1e9, 0, -20, 0)) // half written
		time.Sleep(100 * time.Millisecond)
		shared.write(layout64.written(96, 1, 12, noon+2e9, noon+2e9, 0, -20, 1))
		expect(3, refclock.Timing)
		shared.write(layout64.written(96, 0, 0, noon+3e9, noon+3e9, 0, -20, 1)) // a feeder of the old kind
		expect(4, refclock.Timing)
		shared.write(layout64.written(96, 1, 14, noon+4e9, noon+4e9, 3, -20, 1))
		expect(4, refclock.Receiving)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		for i, s := range out.Samples() {
			if want := noon + int64(i)*1e9 + 37e9; s.Instant.TAI != want {
				t.Errorf("sample %d: %+v", i, s)
			}
		}
	})
}

// FuzzSOCK: no datagram is harmful.
func FuzzSOCK(f *testing.F) {
	f.Add(datagram(true, noon/1e9, 1, 0.5, 0, 0, sockMagic))
	f.Add(datagram(false, noon/1e9, 1, -4e9, 1, 2, sockMagic))
	f.Fuzz(func(t *testing.T, p []byte) {
		if s, err := parseSOCK(p); err == nil {
			out := &sinktest.Record{}
			(&feeder{config: feederConfig{with: "gps0", limit: 1}, env: environment(), out: out}).take(s)
			(&feeder{config: feederConfig{limit: 1}, env: environment(), out: out}).take(s)
			for _, s := range out.Samples() {
				if s.Kind == refclock.Absolute && s.Instant.UTC().Time().Year() < 2026 {
					t.Errorf("%+v", s)
				}
			}
		}
	})
}

// FuzzSHM: no content of a segment is harmful.
func FuzzSHM(f *testing.F) {
	f.Add(layout64.written(96, 1, 7, noon+1, noon, 2, -20, 1))
	f.Add(layout32.written(80, 0, 7, noon+1, noon, 0, 31, 1))
	f.Fuzz(func(t *testing.T, p []byte) {
		l, ok := layoutOf(len(p))
		if !ok {
			return
		}
		r, _ := l.read(append([]byte(nil), p...)) // aligned
		if s, err := r.sample(); err == nil {
			(&feeder{config: feederConfig{limit: 1}, env: environment(), out: &sinktest.Record{}}).take(s)
		}
	})
}
