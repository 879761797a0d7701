package clock

import (
	"errors"
	"flag"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

type systemKernel struct{}

// SystemKernel is this machine's kernel. In a test it is refused: no test may touch a machine's clock.
func SystemKernel() (Kernel, error) {
	if flag.Lookup("test.v") != nil {
		return nil, errors.New("a test may not have the machine's own clock; give it a model")
	}
	return systemKernel{}, nil
}

// timex64 is struct timex as 64-bit machines have it, and struct __kernel_timex of clock_adjtime64 as all others do. The
// padding is written out: 32-bit Go aligns int64 to four bytes.
type timex64 struct {
	modes, _                            uint32
	offset, freq, maxerror, esterror    int64
	status, _                           int32
	constant, precision, tolerance      int64
	seconds, fraction                   int64
	tick, ppsfreq, jitter               int64
	shift, _                            int32
	stabil, jitcnt, calcnt, err, stbcnt int64
	tai                                 int32
	_                                   [11]int32
}

func (systemKernel) Adjust(t *Timex) (state int, err error) {
	k := timex64{
		modes: t.Modes, offset: t.Offset, freq: t.Frequency, maxerror: t.MaxError, esterror: t.EstError,
		status: t.Status, constant: t.Constant, seconds: t.Seconds, fraction: t.Fraction, tick: t.Tick,
	}
	r, _, errno := unix.Syscall(clockAdjtime64, unix.CLOCK_REALTIME, uintptr(unsafe.Pointer(&k)), 0)
	switch {
	case errno == unix.EPERM:
		return 0, ErrNotPermitted
	case errno == unix.ENOSYS:
		return 0, errors.New("clock_adjtime: this kernel is older than Linux 5.1; update the system")
	case errno != 0:
		return 0, fmt.Errorf("clock_adjtime, modes %#x: %w", t.Modes, errno)
	}
	*t = Timex{
		Modes: t.Modes, Offset: k.offset, Frequency: k.freq, MaxError: k.maxerror, EstError: k.esterror,
		Status: k.status, Constant: k.constant, Seconds: k.seconds, Fraction: k.fraction, Tick: k.tick, TAI: k.tai,
	}
	return int(r), nil
}
