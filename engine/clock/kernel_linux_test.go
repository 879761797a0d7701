package clock

import (
	"testing"
	"unsafe"
)

// struct __kernel_timex is the same on all machines, wherever Go would put an int64 (include/uapi/linux/timex.h).
func TestTimexIsTheKernels(t *testing.T) {
	var k timex64
	for name, at := range map[string][2]uintptr{
		"offset": {unsafe.Offsetof(k.offset), 8}, "freq": {unsafe.Offsetof(k.freq), 16}, "maxerror": {unsafe.Offsetof(k.maxerror), 24},
		"esterror": {unsafe.Offsetof(k.esterror), 32}, "status": {unsafe.Offsetof(k.status), 40}, "constant": {unsafe.Offsetof(k.constant), 48},
		"time": {unsafe.Offsetof(k.seconds), 72}, "tick": {unsafe.Offsetof(k.tick), 88}, "shift": {unsafe.Offsetof(k.shift), 112},
		"stabil": {unsafe.Offsetof(k.stabil), 120}, "tai": {unsafe.Offsetof(k.tai), 160}, "its end": {unsafe.Sizeof(k), 208},
	} {
		if at[0] != at[1] {
			t.Errorf("%s is at %d, not %d", name, at[0], at[1])
		}
	}
}
