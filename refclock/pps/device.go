package pps

import (
	"encoding/binary"
	"fmt"
	"time"

	"timestation/refclock"
)

// The kernel's PPS API (linux/pps.h), the part that is used. Mode bits of capabilities and parameters:
const (
	captureAssert = 0x01
	captureClear  = 0x02
	offsetAssert  = 0x10 // the kernel adds assert_off_tu to every stamp
	offsetClear   = 0x20
	formatTSpec   = 0x1000
	apiVersion    = 1
)

// The layouts are the same everywhere, but for where the time-out of a fetch stands: struct pps_kinfo ends in an int and
// is padded to a multiple of the alignment of 64-bit integers. That is 4 on 386, and also in what a 64-bit kernel takes
// from any 32-bit program (struct pps_fdata_compat), where a 32-bit ARM kernel has 8.
const (
	paramsSize = 40
	fetchSize  = 64
	timeoutAt4 = 44
	timeoutAt8 = 48
)

// fetched is what a fetch gives: of each edge the last one, with its number.
type fetched struct{ assert, clear counted }

type counted struct {
	sequence uint32
	stamp    refclock.Stamp
}

// parseFetch reads a struct pps_fdata, whose beginning is the same in every layout; p has fetchSize bytes.
func parseFetch(p []byte) fetched {
	return fetched{
		assert: counted{binary.NativeEndian.Uint32(p[0:]), ktime(p[8:])},
		clear:  counted{binary.NativeEndian.Uint32(p[4:]), ktime(p[24:])},
	}
}

// ktime reads a struct pps_ktime as nanoseconds.
func ktime(p []byte) refclock.Stamp {
	return refclock.Stamp(int64(binary.NativeEndian.Uint64(p))*1e9 + int64(int32(binary.NativeEndian.Uint32(p[8:]))))
}

func putKtime(p []byte, d time.Duration) {
	binary.NativeEndian.PutUint64(p, uint64(d/time.Second))
	binary.NativeEndian.PutUint32(p[8:], uint32(d%time.Second))
	binary.NativeEndian.PutUint32(p[12:], 0)
}

// params is a struct pps_kparams.
type params struct {
	mode uint32
	// The kernel adds these to the stamps if the mode says so.
	assertOffset, clearOffset time.Duration
}

func parseParams(p []byte) params {
	return params{
		mode:         binary.NativeEndian.Uint32(p[4:]),
		assertOffset: time.Duration(ktime(p[8:])),
		clearOffset:  time.Duration(ktime(p[24:])),
	}
}

func (p params) bytes() []byte {
	b := make([]byte, paramsSize)
	binary.NativeEndian.PutUint32(b, apiVersion)
	binary.NativeEndian.PutUint32(b[4:], p.mode)
	putKtime(b[8:], p.assertOffset)
	putKtime(b[24:], p.clearOffset)
	return b
}

// api is the kernel's side of an open PPS device.
type api interface {
	capabilities() (uint32, error)
	params() (params, error)
	setParams(params) error
	// fetch waits for an edge at most for so long; ok is false where none came. A wait of 0 gives what there is.
	fetch(wait time.Duration) (f fetched, ok bool, err error)
	// alive says whether the device is still there.
	alive() error
	Close() error
}

// device is a source on a PPS device.
type device struct {
	api
	assert bool // the leading edge
	params params
	last   fetched
}

// setUp asks for both edges as far as the device can, which needs CAP_SYS_TIME, and otherwise takes what is set.
func setUp(kernel api, path string, assert bool) (*device, error) {
	able, err := kernel.capabilities()
	if err != nil {
		return nil, fmt.Errorf("%s: it is not a PPS device (%v); they are /dev/pps0 and so on", path, err)
	}
	set, err := kernel.params()
	if err != nil {
		return nil, fmt.Errorf("%s: its parameters cannot be read: %w", path, err)
	}
	both := able & (captureAssert | captureClear)
	if wanted := set; set.mode&both != both {
		wanted.mode |= both | formatTSpec
		if kernel.setParams(wanted) == nil {
			set = wanted
		}
	}
	need, name, mend := uint32(captureAssert), "assert", `set edge = "clear"`
	if !assert {
		need, name, mend = captureClear, "clear", `set edge = "assert", or add capture_clear to dtoverlay=pps-gpio in config.txt`
	}
	switch {
	case able&need == 0:
		return nil, fmt.Errorf("%s: it cannot see the %s edge; %s", path, name, mend)
	case set.mode&need == 0:
		return nil, fmt.Errorf("%s: the %s edge is switched off, and switching it on needs CAP_SYS_TIME; %s, or grant that", path, name, mend)
	}
	d := &device{api: kernel, assert: assert, params: set}
	if d.last, _, err = kernel.fetch(0); err != nil {
		return nil, fmt.Errorf("%s: it cannot be read: %w", path, err)
	}
	return d, nil
}

// next implements [source].
func (d *device) next(wait time.Duration) ([]pulse, error) {
	f, ok, err := d.fetch(wait)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, d.alive()
	}
	var pulses []pulse
	add := func(now, last counted, assert bool, bit uint32, offset time.Duration) {
		if now.sequence == last.sequence {
			return
		}
		if d.params.mode&bit == 0 {
			offset = 0
		}
		pulses = append(pulses, pulse{
			stamp: now.stamp.Add(-offset), trailing: assert != d.assert, lost: now.sequence - last.sequence - 1,
		})
	}
	add(f.assert, d.last.assert, true, offsetAssert, d.params.assertOffset)
	add(f.clear, d.last.clear, false, offsetClear, d.params.clearOffset)
	if len(pulses) == 2 && pulses[1].stamp < pulses[0].stamp {
		pulses[0], pulses[1] = pulses[1], pulses[0]
	}
	d.last = f
	return pulses, nil
}
