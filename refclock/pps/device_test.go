package pps

import (
	"errors"
	"strings"
	"testing"
	"time"

	"timestation/refclock"
	"timestation/refclock/edge"
	"timestation/refclock/sinktest"
)

// kernelModel is a PPS device as drivers/pps has it.
type kernelModel struct {
	able    uint32
	set     params
	allowed bool // CAP_SYS_TIME
	now     fetched
	gone    error
}

func (k *kernelModel) capabilities() (uint32, error) {
	if k.able == 0 {
		return 0, errors.New("inappropriate ioctl for device")
	}
	return k.able, nil
}
func (k *kernelModel) params() (params, error) { return k.set, nil }
func (k *kernelModel) alive() error            { return k.gone }
func (k *kernelModel) Close() error            { return nil }

func (k *kernelModel) setParams(p params) error {
	if !k.allowed {
		return errors.New("operation not permitted")
	}
	if p.mode&^k.able != 0 || p.mode&(captureAssert|captureClear) == 0 {
		return errors.New("invalid argument")
	}
	k.set = p
	return nil
}

func (k *kernelModel) fetch(wait time.Duration) (fetched, bool, error) {
	return k.now, wait == 0 || k.gone == nil, nil
}

const everything = captureAssert | captureClear | offsetAssert | offsetClear | 0x100 | formatTSpec

// TestSetUp: with the right to, both edges are switched on; without, what the kernel has set up is used, and refused only
// where it cannot serve.
func TestSetUp(t *testing.T) {
	ofGPIO := params{mode: captureAssert | offsetAssert}
	for _, c := range []struct {
		name   string
		kernel kernelModel
		assert bool
		mode   uint32 // what ends up set
		want   string
	}{
		{"allowed", kernelModel{able: everything, set: ofGPIO, allowed: true}, true, everything &^ (offsetClear | 0x100), ""},
		{"not allowed", kernelModel{able: everything, set: ofGPIO}, true, ofGPIO.mode, ""},
		{"not allowed, and needed", kernelModel{able: everything, set: ofGPIO}, false, ofGPIO.mode, "/dev/pps0: the clear edge is switched off, and switching it on needs CAP_SYS_TIME; "},
		{"allowed, and needed", kernelModel{able: everything, set: ofGPIO, allowed: true}, false, everything &^ (offsetClear | 0x100), ""},
		{"one edge only", kernelModel{able: captureAssert | formatTSpec, set: ofGPIO, allowed: true}, true, ofGPIO.mode, ""},
		{"the other edge only", kernelModel{able: captureAssert | formatTSpec, set: ofGPIO, allowed: true}, false, ofGPIO.mode, `/dev/pps0: it cannot see the clear edge; set edge = "assert", or add capture_clear`},
		{"another device", kernelModel{}, true, 0, "/dev/pps0: it is not a PPS device"},
	} {
		_, err := setUp(&c.kernel, "/dev/pps0", c.assert)
		if err == nil && c.want != "" || err != nil && (c.want == "" || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.kernel.set.mode != c.mode {
			t.Errorf("%s: mode %x, want %x", c.name, c.kernel.set.mode, c.mode)
		}
	}
}

// TestDevice: edges come in their order, each once, without the offset that the kernel adds for somebody else; what was
// stamped before the device was opened does not come, and gaps in the sequence are told.
func TestDevice(t *testing.T) {
	kernel := &kernelModel{able: everything, set: params{mode: everything, assertOffset: 700, clearOffset: -300},
		now: fetched{counted{5, start}, counted{5, start + 1e8}}}
	d, err := setUp(kernel, "/dev/pps0", true)
	if err != nil {
		t.Fatal(err)
	}
	next := func(want ...pulse) {
		t.Helper()
		got, err := d.next(time.Second)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%+v (%v), want %+v", got, err, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%+v, want %+v", got[i], want[i])
			}
		}
	}
	next()
	kernel.now.assert = counted{6, start + 1e9}
	next(pulse{stamp: start + 1e9 - 700})
	kernel.now.clear = counted{6, start + 11e8}
	next(pulse{stamp: start + 11e8 + 300, trailing: true})
	kernel.now = fetched{counted{9, start + 4e9}, counted{9, start + 41e8}} // the program was held up
	next(pulse{stamp: start + 4e9 - 700, lost: 2}, pulse{stamp: start + 41e8 + 300, trailing: true, lost: 2})
	kernel.now = fetched{counted{10, start + 5e9}, counted{9, start + 41e8}}
	next(pulse{stamp: start + 5e9 - 700})
	kernel.gone = errors.New("gone")
	if _, err := d.next(time.Second); !errors.Is(err, kernel.gone) {
		t.Error(err)
	}
	// Of a pulse and the end of the one before it, the end comes first.
	kernel.gone = nil
	kernel.now = fetched{counted{11, start + 6e9}, counted{10, start + 51e8}}
	next(pulse{stamp: start + 51e8 + 300, trailing: true}, pulse{stamp: start + 6e9 - 700})
}

// TestParams: what is written is what the kernel reads, and what it gives is understood.
func TestParams(t *testing.T) {
	p := params{mode: everything, assertOffset: 1500 * time.Millisecond, clearOffset: 12}
	if b := p.bytes(); len(b) != 40 || parseParams(b) != p {
		t.Errorf("%+v became %+v", p, parseParams(b))
	}
}

// TestLineSequence: of edges that the kernel counts in one row, the lost pulses are found.
func TestLineSequence(t *testing.T) {
	l := &lineSource{rising: true}
	for _, c := range []struct {
		rising   bool
		sequence uint32
		lost     uint32
	}{
		{true, 1, 0}, {false, 2, 0}, {true, 3, 0}, // all there
		{true, 5, 0},                // an end was lost
		{false, 6, 0}, {true, 9, 1}, // a whole pulse
		{true, 13, 1},
		{false, 16, 0}, {true, 17, 1}, // begun, ended, begun; then its end came
	} {
		p := l.take(edge.Edge{Stamp: start, Rising: c.rising, Sequence: c.sequence})
		if p.lost != c.lost || p.trailing == c.rising {
			t.Errorf("edge %d: %+v", c.sequence, p)
		}
	}
	if p := (&lineSource{rising: false}).take(edge.Edge{Rising: true}); !p.trailing {
		t.Error("a rising edge ends a pulse that begins falling")
	}
}

// FuzzBeat: whatever arrives, in whatever order: no sample off the beat by more than the tolerance, counts that add up.
func FuzzBeat(f *testing.F) {
	f.Add([]byte{100, 100, 100, 100, 100, 100})
	f.Add([]byte{100, 100, 100, 20, 80, 100, 0, 100, 200, 100, 255, 45, 100})
	f.Add([]byte{50, 50, 50, 50, 50, 50, 50, 50, 50})
	f.Fuzz(func(t *testing.T, steps []byte) {
		out := &sinktest.Record{}
		r := receiverOf(out, nil)
		at := start
		for i, s := range steps {
			at = at.Add(time.Duration(s) * 10 * time.Millisecond) // 100 is a second
			if i%17 == 16 {
				at = at.Add(-100 * time.Duration(s) * time.Millisecond)
			}
			feed(r, pulse{stamp: at, trailing: s%7 == 6, lost: uint32(s) / 250})
		}
		if uint64(len(out.Samples())) != r.beat.seen || r.beat.seen+r.beat.extra > uint64(len(steps)) {
			t.Errorf("%d samples, %+v", len(out.Samples()), r.beat)
		}
	})
}

// FuzzFetch: any bytes of the kernel are read without harm.
func FuzzFetch(f *testing.F) {
	f.Add(make([]byte, fetchSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < fetchSize {
			return
		}
		got := parseFetch(b)
		putKtime(b[8:], time.Duration(got.assert.stamp))
		if again := ktime(b[8:]); got.assert.stamp > 0 && again != got.assert.stamp {
			t.Errorf("%v became %v", got.assert.stamp, again)
		}
		_ = refclock.Stamp(got.clear.stamp)
	})
}
