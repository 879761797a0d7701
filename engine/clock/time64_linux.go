//go:build linux && !arm && !386

package clock

import "golang.org/x/sys/unix"

// The system calls that take 64-bit times.
const (
	clockAdjtime64   = unix.SYS_CLOCK_ADJTIME
	timerfdSettime64 = unix.SYS_TIMERFD_SETTIME
)
