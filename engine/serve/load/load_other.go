//go:build !linux

package load

import "errors"

// Run is for Linux alone.
func Run(Config) (Result, error) { return Result{}, errors.ErrUnsupported }
