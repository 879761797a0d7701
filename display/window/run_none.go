//go:build !cgo || headless

package window

import (
	"context"
	"errors"
	"fmt"

	"timestation/display"
)

// Built reports whether this build can open a window.
const Built = false

// Available reports whether a window can be opened: never in this build.
func Available() bool { return false }

// Run fails: this build has no window. The error wraps [errors.ErrUnsupported].
func Run(context.Context, display.Station, display.Config, Options) error {
	return fmt.Errorf("the clock cannot be shown: built without a display (%w); start with --headless, "+
		"or build with cgo and without the tag headless", errors.ErrUnsupported)
}
