//go:build unix

package state

import (
	"errors"
	"os"
	"syscall"
)

// syncFolder makes a rename durable. Some network file systems cannot, and say so with EINVAL.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}
