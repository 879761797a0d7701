package demo

import (
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal: what is written to the master end comes out of the device that its reader opens.
type terminal struct{ master, slave int }

// openTerminal makes one, in raw mode from the start, so that bytes pass unchanged and are not echoed (pty(7), ioctl_tty(2)).
// The player keeps the device's end open itself: a terminal that is opened anew is no longer raw.
func openTerminal() (line io.WriteCloser, device string, err error) {
	const flags = unix.O_RDWR | unix.O_NOCTTY | unix.O_CLOEXEC
	// Not blocking: nobody may be reading.
	master, err := unix.Open("/dev/ptmx", flags|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, "", fmt.Errorf("/dev/ptmx: %w", err)
	}
	t := &terminal{master: master, slave: -1}
	defer func() {
		if err != nil {
			t.Close()
		}
	}()
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		return nil, "", fmt.Errorf("unlocking: %w", err)
	}
	number, err := unix.IoctlGetUint32(master, unix.TIOCGPTN)
	if err != nil {
		return nil, "", fmt.Errorf("its number: %w", err)
	}
	device = fmt.Sprintf("/dev/pts/%d", number)
	if t.slave, err = unix.Open(device, flags, 0); err != nil {
		return nil, "", fmt.Errorf("%s: %w", device, err)
	}
	mode, err := unix.IoctlGetTermios(t.slave, unix.TCGETS)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", device, err)
	}
	// As cfmakeraw(3) does.
	mode.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	mode.Oflag &^= unix.OPOST
	mode.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	mode.Cflag = mode.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	if err := unix.IoctlSetTermios(t.slave, unix.TCSETS, mode); err != nil {
		return nil, "", fmt.Errorf("%s: %w", device, err)
	}
	return t, device, nil
}

// Write gives up at once where the terminal's buffer is full.
func (t *terminal) Write(p []byte) (int, error) {
	n, err := unix.Write(t.master, p)
	return max(n, 0), err
}

// Close hangs up on whoever has the device open.
func (t *terminal) Close() error {
	if t.slave >= 0 {
		unix.Close(t.slave)
	}
	return unix.Close(t.master)
}
