//go:build !linux

package feed

import (
	"errors"
	"fmt"
)

func openSHM(unit int) (writer, error) {
	return nil, fmt.Errorf("shared memory unit %d: it is written on Linux only: %w", unit, errors.ErrUnsupported)
}
