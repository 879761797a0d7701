//go:build !linux

package doctor

import (
	"errors"
	"os"
)

// access opens the path: this system has no question to ask instead. Devices are not checked here.
func access(path string, write bool) error {
	flag := os.O_RDONLY
	if write {
		flag = os.O_RDWR
	}
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

func fileGroup(string) string { return "" }

func freeBytes(string) (uint64, error) { return 0, errors.ErrUnsupported }

func lineUser(string, string) (string, error) {
	return "", errors.New("GPIO lines are read on Linux only")
}
