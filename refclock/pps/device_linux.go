package pps

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The requests hold the size of a pointer: the header declares them with pointers to the structures (linux/pps.h).
const (
	pointerSize = unsafe.Sizeof(uintptr(0))
	getParams   = 2<<30 | pointerSize<<16 | 'p'<<8 | 0xa1
	setParams   = 1<<30 | pointerSize<<16 | 'p'<<8 | 0xa2
	getCap      = 2<<30 | pointerSize<<16 | 'p'<<8 | 0xa3
	fetch       = 3<<30 | pointerSize<<16 | 'p'<<8 | 0xa4
)

// kernel is an open PPS device.
type kernel struct {
	file      *os.File
	fd        uintptr
	timeoutAt int
}

func openDevice(path string, assert bool) (source, error) {
	// SETPARAMS asks for a capability, not for a writable file.
	file, err := os.OpenFile(path, os.O_RDONLY, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: there is no such PPS device; add dtoverlay=pps-gpio,gpiopin=18 to config.txt and restart, or read the line itself with line = \"GPIO18\"", path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf(`%s: you may not read it; let a udev rule give it to a group of yours: SUBSYSTEM=="pps", GROUP="dialout"`, path)
	case err != nil:
		return nil, fmt.Errorf("%s: it cannot be opened: %w", path, err)
	}
	d, err := setUp(&kernel{file: file, fd: file.Fd(), timeoutAt: timeoutAt(runtime.GOARCH, machine())}, path, assert)
	if err != nil {
		file.Close()
		return nil, err
	}
	return d, nil
}

// timeoutAt is where a program of an architecture puts the time-out for a kernel of a machine.
func timeoutAt(arch, machine string) int {
	switch {
	case arch == "386", arch == "arm" && (machine == "aarch64" || machine == "armv8l"):
		return timeoutAt4
	}
	return timeoutAt8
}

// machine is the kernel's own architecture: a Raspberry Pi OS of 32 bits may run on a kernel of 64.
func machine() string {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Machine[:])
}

func (k *kernel) ioctl(request uintptr, argument unsafe.Pointer) error {
	for {
		// A fetch may wait: an ordinary system call, so that the runtime gives its thread's place to others.
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, k.fd, request, uintptr(argument))
		if errno == 0 {
			return nil
		}
		if errno != unix.EINTR {
			return errno
		}
	}
}

func (k *kernel) capabilities() (uint32, error) {
	var mode int32
	err := k.ioctl(getCap, unsafe.Pointer(&mode))
	return uint32(mode), err
}

func (k *kernel) params() (params, error) {
	var b [paramsSize]byte
	err := k.ioctl(getParams, unsafe.Pointer(&b))
	return parseParams(b[:]), err
}

func (k *kernel) setParams(p params) error {
	return k.ioctl(setParams, unsafe.Pointer(unsafe.SliceData(p.bytes())))
}

func (k *kernel) fetch(wait time.Duration) (fetched, bool, error) {
	var b [fetchSize]byte
	putKtime(b[k.timeoutAt:], wait)
	err := k.ioctl(fetch, unsafe.Pointer(&b))
	if errors.Is(err, unix.ETIMEDOUT) {
		return fetched{}, false, nil
	}
	if err != nil {
		return fetched{}, false, fmt.Errorf("%s: it cannot be read any more (%v); it is opened again", k.file.Name(), err)
	}
	return parseFetch(b[:]), true, nil
}

// alive looks at the name: a device that was taken away stays open, and silent for ever.
func (k *kernel) alive() error {
	open, err := k.file.Stat()
	if err != nil {
		return err
	}
	named, err := os.Stat(k.file.Name())
	if err != nil || !os.SameFile(open, named) {
		return fmt.Errorf("%s: the device is gone; plug the receiver in again", k.file.Name())
	}
	return nil
}

func (k *kernel) Close() error { return k.file.Close() }
