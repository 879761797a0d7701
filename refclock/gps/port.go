package gps

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"go.bug.st/serial"
)

// pollInterval is how long a read waits for bytes. An empty read is worth having: whatever comes next was sent after it.
const pollInterval = 40 * time.Millisecond

// openTunable opens a serial port, 8N1, and throws away what had gathered in it: nobody knows when that came.
func openTunable(device string, baud int) (tunable, error) {
	port, err := serial.Open(device, &serial.Mode{BaudRate: baud})
	if err != nil {
		return nil, explain(device, baud, err)
	}
	err = errors.Join(port.SetReadTimeout(pollInterval), port.ResetInputBuffer())
	if err != nil {
		port.Close()
		return nil, explain(device, baud, err)
	}
	return tunedPort{port}, nil
}

// explain says what to do about a port that cannot be opened.
func explain(device string, baud int, err error) error {
	var port *serial.PortError
	code := serial.PortErrorCode(-1)
	if errors.As(err, &port) {
		code = port.Code()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) || code == serial.PortNotFound:
		return fmt.Errorf("%s: there is no such port; plug the receiver in, or let timestation init list the ports", device)
	case code == serial.PermissionDenied:
		return fmt.Errorf(`%s: you may not read it; run "sudo adduser $USER dialout" and log in again`, device)
	case code == serial.PortBusy:
		return fmt.Errorf("%s: another program is using it; stop that, for gpsd: sudo systemctl disable --now gpsd.socket gpsd", device)
	case code == serial.InvalidSerialPort:
		return fmt.Errorf("%s: it is not a serial port; let timestation init list the ports", device)
	case code == serial.InvalidSpeed:
		return fmt.Errorf("%s: it cannot run at %d baud; set baud to what the receiver uses", device, baud)
	}
	return fmt.Errorf("%s: it cannot be opened: %w", device, err)
}
