package feed

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// openSHM attaches a unit's segment, or makes it: whoever comes first does, ntpd and chronyd too.
func openSHM(unit int) (writer, error) {
	const forRoot = 2 // units
	permissions := 0o660
	if unit < forRoot {
		permissions = 0o600
	}
	id, err := unix.SysvShmGet(shmKey+unit, 0, 0)
	if errors.Is(err, unix.ENOENT) {
		size := shmSize32
		if wideTime {
			size = shmSize64
		}
		id, err = unix.SysvShmGet(shmKey+unit, size, unix.IPC_CREAT|permissions)
	}
	var memory []byte
	if err == nil {
		memory, err = unix.SysvShmAttach(id, 0, 0)
	}
	switch {
	case errors.Is(err, unix.EACCES):
		return nil, fmt.Errorf("shared memory unit %d: the station may not write to it; choose another unit from %d on, or let the station make it before the other program starts", unit, forRoot)
	case err != nil:
		return nil, fmt.Errorf("shared memory unit %d: %w", unit, err)
	case len(memory) < shmSize32:
		unix.SysvShmDetach(memory)
		return nil, fmt.Errorf("shared memory unit %d: it has %d bytes, and no struct shmTime has; another program uses the key %#x", unit, len(memory), shmKey+unit)
	}
	return newSHMWriter(memory, unix.SysvShmDetach), nil
}
