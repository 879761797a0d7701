//go:build !linux

package clock

import (
	"context"
	"errors"
)

// Steps sends whenever somebody sets the system clock: on Linux only.
func Steps(context.Context) (<-chan struct{}, error) { return nil, errors.ErrUnsupported }
