package doctor

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"github.com/warthog618/go-gpiocdev"
	"golang.org/x/sys/unix"
)

// access asks the kernel; a serial port is not opened for it, for that would move its control lines.
func access(path string, write bool) error {
	mode := uint32(unix.R_OK)
	if write {
		mode |= unix.W_OK
	}
	return unix.Faccessat(unix.AT_FDCWD, path, mode, unix.AT_EACCESS)
}

func fileGroup(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	group, err := user.LookupGroupId(strconv.Itoa(int(owner.Gid)))
	if err != nil {
		return ""
	}
	return group.Name
}

func freeBytes(folder string) (uint64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(folder, &fs); err != nil {
		return 0, err
	}
	return fs.Bavail * uint64(fs.Bsize), nil
}

// lineUser asks the kernel, without taking the line.
func lineUser(chip, line string) (string, error) {
	offset, err := strconv.Atoi(line)
	if err != nil {
		found, at, err := gpiocdev.FindLine(line)
		switch {
		case errors.Is(err, os.ErrPermission):
			return "", errors.New("the GPIO chips may not be opened")
		case err != nil:
			return "", errors.New("no GPIO chip that may be opened has a line of that name")
		}
		chip, offset = found, at
	}
	c, err := gpiocdev.NewChip(chip)
	if errors.Is(err, os.ErrPermission) {
		return "", errors.New("the GPIO chip may not be opened")
	}
	if err != nil {
		return "", fmt.Errorf("the GPIO chip cannot be opened (%v)", err)
	}
	defer c.Close()
	info, err := c.LineInfo(offset)
	switch {
	case err != nil:
		return "", fmt.Errorf("the line cannot be looked at (%v)", err)
	case info.Used && info.Consumer == "":
		return "the kernel", nil
	case info.Used:
		return info.Consumer, nil
	}
	return "", nil
}
