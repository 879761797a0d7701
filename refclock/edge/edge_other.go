//go:build !linux

package edge

import (
	"errors"
	"fmt"
)

// Open is for Linux only.
func Open(o Options) (Line, error) {
	return nil, fmt.Errorf("%v: GPIO lines are read on Linux only: %w", o, errors.ErrUnsupported)
}
