//go:build !linux

package demo

import (
	"errors"
	"io"
)

func openTerminal() (line io.WriteCloser, device string, err error) {
	return nil, "", errors.ErrUnsupported
}
