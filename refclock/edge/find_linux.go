package edge

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/warthog618/go-gpiocdev"
	"github.com/warthog618/go-gpiocdev/uapi"
	"golang.org/x/sys/unix"
)

// find opens the chip that has the line and tells the line's number on it.
func find(o Options) (*os.File, uint32, error) {
	if o.Chip != "" {
		chip, err := openChip(o.Chip)
		if err != nil {
			return nil, 0, err
		}
		offset, err := offsetOn(chip, o.Line)
		if err != nil {
			chip.Close()
			return nil, 0, err
		}
		return chip, offset, nil
	}
	names := gpiocdev.Chips()
	if len(names) == 0 {
		return nil, 0, fmt.Errorf("%v: this machine has no GPIO chip (/dev/gpiochip*); it needs a Raspberry Pi or the like, and in a container that device", o)
	}
	var refused error
	for _, name := range names {
		chip, err := openChip(name)
		if err != nil {
			refused = err
			continue
		}
		if offset, err := offsetOn(chip, o.Line); err == nil {
			return chip, offset, nil
		}
		chip.Close()
	}
	if refused != nil {
		return nil, 0, refused
	}
	return nil, 0, fmt.Errorf("%v: no chip has a line of that name (looked on %s); gpioinfo lists them", o, strings.Join(names, ", "))
}

func openChip(name string) (*os.File, error) {
	path := name
	if !strings.Contains(path, "/") {
		path = "/dev/" + path
	}
	chip, err := os.OpenFile(path, os.O_RDWR|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		there := "there is none on this machine"
		if chips, _ := filepath.Glob("/dev/gpiochip*"); len(chips) > 0 {
			there = "there are " + strings.Join(chips, ", ")
		}
		return nil, fmt.Errorf("%s: there is no such GPIO chip; %s", path, there)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf(`%s: you may not use it; run "sudo adduser $USER gpio" and log in again`, path)
	case err != nil:
		return nil, fmt.Errorf("%s: it cannot be opened: %w", path, err)
	}
	return chip, nil
}

// offsetOn tells the number of a line that is given by its number or name.
func offsetOn(chip *os.File, line string) (uint32, error) {
	info, err := uapi.GetChipInfo(chip.Fd())
	if err != nil {
		return 0, fmt.Errorf("%s: it is not a GPIO chip; gpiodetect lists them", chip.Name())
	}
	if number, err := strconv.ParseUint(line, 10, 32); err == nil {
		if uint32(number) >= info.Lines {
			return 0, fmt.Errorf("%s: it has the lines 0 to %d, not %d; gpioinfo lists them", chip.Name(), int(info.Lines)-1, number)
		}
		return uint32(number), nil
	}
	for offset := range info.Lines {
		got, err := uapi.GetLineInfoV2(chip.Fd(), int(offset))
		if err != nil {
			return 0, fmt.Errorf("%s: this kernel is too old for time stamps of edges (%v); it needs Linux 5.11", chip.Name(), err)
		}
		if uapi.BytesToString(got.Name[:]) == line {
			return offset, nil
		}
	}
	return 0, fmt.Errorf("%s: it has no line %q; gpioinfo lists them", chip.Name(), line)
}

// explainRequest says what to do about a line that the kernel does not give.
func explainRequest(o Options, chip *os.File, offset uint32, err error) error {
	where := fmt.Sprintf("%s line %d", chip.Name(), offset)
	switch {
	case errors.Is(err, unix.EBUSY):
		user := "another program or the kernel"
		if info, err := uapi.GetLineInfoV2(chip.Fd(), int(offset)); err == nil {
			if consumer := uapi.BytesToString(info.Consumer[:]); consumer != "" {
				user = strconv.Quote(consumer)
			}
		}
		return fmt.Errorf("%s: it is used by %s; stop that, or choose another line (one of dtoverlay=pps-gpio is read as /dev/pps0)", where, user)
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf(`%s: you may not use it; run "sudo adduser $USER gpio" and log in again`, where)
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOTTY):
		return fmt.Errorf("%s: this kernel cannot stamp its edges (%v); it needs Linux 5.11, and not every chip can", where, err)
	case errors.Is(err, unix.ENXIO), errors.Is(err, unix.EOPNOTSUPP):
		return fmt.Errorf("%s: this line raises no interrupts (%v); choose one of the processor's own lines", where, err)
	}
	return fmt.Errorf("%v (%s): it cannot be taken: %w", o, where, err)
}
