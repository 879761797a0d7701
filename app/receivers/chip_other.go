//go:build !linux

package receivers

import "errors"

// openChip asks a GPIO chip what it has.
func openChip(string) (Chip, error) { return Chip{}, errors.ErrUnsupported }
