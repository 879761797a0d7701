//go:build !linux

package screen

import (
	"errors"
	"fmt"
)

func confined(start func() error) { _ = start() }

func limit(int, uint64) error {
	return fmt.Errorf("limits of another process: %w", errors.ErrUnsupported)
}
