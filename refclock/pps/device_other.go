//go:build !linux

package pps

import (
	"errors"
	"fmt"
)

func openDevice(path string, _ bool) (source, error) {
	return nil, fmt.Errorf("%s: PPS devices are read on Linux only: %w", path, errors.ErrUnsupported)
}
