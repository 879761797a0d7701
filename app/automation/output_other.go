//go:build !linux

package automation

import (
	"errors"
	"fmt"

	"timestation/refclock/edge"
)

func openOutput(o edge.Options) (Output, error) {
	return nil, fmt.Errorf("%v: GPIO lines are driven on Linux only: %w", o, errors.ErrUnsupported)
}
