//go:build !linux

package serve

import (
	"errors"
	"fmt"
	"syscall"

	"timestation/refclock"
)

// prepare says that this system has no kernel time stamps here; answers leave from the address the system chooses.
func prepare(syscall.RawConn) error {
	return fmt.Errorf("kernel time stamps: %w", errors.ErrUnsupported)
}

type replySource struct{}

func (*replySource) control() []byte { return nil }

func readControl([]byte, *replySource) (refclock.Stamp, bool) { return 0, false }
