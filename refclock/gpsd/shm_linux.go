package gpsd

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// sysv is an attached System V segment.
type sysv struct {
	unit, id int
	memory   []byte
}

// attach attaches a unit's segment for reading; its feeder has made it.
func attach(unit int) (segment, error) {
	id, err := unix.SysvShmGet(shmKey+unit, 0, 0)
	switch {
	case errors.Is(err, unix.ENOENT):
		return nil, fmt.Errorf("shared memory unit %d: nobody has made it; start the feeder, for gpsd: sudo systemctl start gpsd", unit)
	case err != nil:
		return nil, explainSHM(unit, err)
	}
	memory, err := unix.SysvShmAttach(id, 0, unix.SHM_RDONLY)
	if err != nil {
		return nil, explainSHM(unit, err)
	}
	return &sysv{unit, id, memory}, nil
}

func explainSHM(unit int, err error) error {
	if errors.Is(err, unix.EACCES) {
		return fmt.Errorf("shared memory unit %d: you may not read it: units 0 and 1 are root's; run gpsd as another user, which then writes 2 and 3", unit)
	}
	return fmt.Errorf("shared memory unit %d: it cannot be used: %w", unit, err)
}

func (s *sysv) bytes() []byte { return s.memory }

func (s *sysv) alive() error {
	if id, err := unix.SysvShmGet(shmKey+s.unit, 0, 0); err != nil || id != s.id {
		return fmt.Errorf("shared memory unit %d: it was taken away; it is attached again when the feeder has made it anew", s.unit)
	}
	return nil
}

func (s *sysv) Close() error { return unix.SysvShmDetach(s.memory) }
