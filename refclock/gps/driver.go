package gps

import (
	"context"
	"fmt"
	"io"

	"timestation/refclock"
)

// ttyBuffer is as much as the kernel's line discipline holds (N_TTY_BUF_SIZE), so one read empties it.
const ttyBuffer = 4096

// driver reads one port. Its port returns from Read with 0, nil where nothing came for a while.
type driver struct {
	config Config
	env    refclock.Environment
	open   func(device string, baud int) (io.ReadCloser, error)
}

// Run implements [refclock.Driver].
func (d *driver) Run(ctx context.Context, out refclock.Sink) error {
	port, err := d.open(d.config.Device, d.config.Baud)
	if err != nil {
		return err
	}
	defer port.Close()
	decoder := NewDecoder(d.config, d.env, out)
	buffer := make([]byte, ttyBuffer)
	for ctx.Err() == nil {
		n, err := port.Read(buffer)
		decoder.Receive(buffer[:n], d.env.Now())
		if err != nil {
			return fmt.Errorf("%s: the port is gone (%v); plug the receiver in again", d.config.Device, err)
		}
	}
	return nil
}
