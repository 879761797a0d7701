//go:build !linux

package clock

import (
	"errors"
	"fmt"
)

// SystemKernel is this machine's kernel; only Linux has one that can be steered.
func SystemKernel() (Kernel, error) {
	return nil, fmt.Errorf("the system clock is steered on Linux only; write discipline = \"none\": %w", errors.ErrUnsupported)
}
