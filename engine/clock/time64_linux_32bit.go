//go:build linux && (arm || 386)

package clock

// The system calls that take 64-bit times on 32-bit machines (Linux 5.1 on): the older ones end in 2038.
const (
	clockAdjtime64   = 405
	timerfdSettime64 = 411
)
