//go:build !linux

package gpsd

import (
	"errors"
	"fmt"
)

func attach(unit int) (segment, error) {
	return nil, fmt.Errorf("shared memory unit %d: it is read on Linux only: %w", unit, errors.ErrUnsupported)
}
