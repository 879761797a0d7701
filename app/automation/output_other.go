//go:build !linux

package automation

import (
	"errors"
	"fmt"

	"timestation/refclock/edge"
)

// OpenOutput says that there are no lines to drive here.
func OpenOutput(o edge.Options) (Output, error) {
	return nil, fmt.Errorf("%v: GPIO lines are driven on Linux only: %w", o, errors.ErrUnsupported)
}
