package screen

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// confined runs start on a thread of its own that has no capability to hand on: neither those that the service manager
// gave the station, nor, where the station runs as root, those that an exec as root would give. The thread lives as long
// as start, and ends with it.
func confined(start func() error) {
	runtime.LockOSThread() // never unlocked: the thread must not be used for anything else
	// Each of these fails only where there is nothing to take away: on a kernel without it, or without the right to drop.
	_ = unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
	for capability := uintptr(0); capability <= unix.CAP_LAST_CAP; capability++ {
		_ = unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0)
	}
	_ = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	_ = start()
}

// limit bounds a process' memory in bytes, and has the kernel take it first when the machine has none left.
func limit(pid int, bytes uint64) error {
	const first = "1000" // proc_pid_oom_score_adj(5)
	most := unix.Rlimit{Cur: bytes, Max: bytes}
	return errors.Join(
		unix.Prlimit(pid, unix.RLIMIT_DATA, &most, nil),
		os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte(first), 0),
	)
}
