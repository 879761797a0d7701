//go:build !linux

package phc

import (
	"context"
	"errors"
	"fmt"
)

// Auto in the place of an interface's name is the first that has a clock.
const Auto = "auto"

// Clock is a card's clock; there is none on this system.
type Clock struct{ mapping }

// Open says that this system has none.
func Open(string) (*Clock, error) {
	return nil, fmt.Errorf("this system has no hardware time stamps: %w", errors.ErrUnsupported)
}

// Run returns at once.
func (*Clock) Run(context.Context) {}

// Close does nothing.
func (*Clock) Close() error { return nil }
