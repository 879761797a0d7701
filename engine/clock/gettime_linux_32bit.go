//go:build linux && (arm || 386)

package clock

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// clockGettime64 is the system call's number on 32-bit machines (Linux 5.1 on). The older call, which the library uses,
// ends in 2038.
const clockGettime64 = 403

func get(id int32) int64 {
	var ts struct{ seconds, nanoseconds int64 }
	if _, _, errno := unix.Syscall(clockGettime64, uintptr(id), uintptr(unsafe.Pointer(&ts)), 0); errno != 0 {
		var old unix.Timespec
		_ = unix.ClockGettime(id, &old)
		return old.Nano()
	}
	return ts.seconds*1e9 + ts.nanoseconds
}
