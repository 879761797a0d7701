//go:build !linux

package fastpath

import (
	"errors"
	"fmt"

	"timestation/engine/status"
)

// Path is the fast path of one listener, which only Linux has.
type Path struct{}

// Attach is for Linux alone.
func Attach(Options) (*Path, error) {
	return nil, fmt.Errorf("fast_path: %w on this system; write fast_path = false", errors.ErrUnsupported)
}

// Interfaces are none.
func (*Path) Interfaces() []string { return nil }

// Publish does nothing.
func (*Path) Publish(Model) error { return errors.ErrUnsupported }

// Counters are zero.
func (*Path) Counters() Counters { return Counters{} }

// Clients are none.
func (*Path) Clients() []status.Client { return nil }

// Close does nothing.
func (*Path) Close() error { return nil }
