package gps

import (
	"context"
	"log/slog"
	"time"

	"timestation/refclock"
)

const (
	// ttyBuffer is as much as the kernel's line discipline holds (N_TTY_BUF_SIZE), so one read empties it.
	ttyBuffer = 4096
	// lostTrack is after how long of bytes without a message the line speed is looked for again: somebody has changed it.
	lostTrack = 10 * time.Second
)

// driver reads one port. Its port returns from Read with 0, nil where nothing came for a while.
type driver struct {
	config Config
	env    refclock.Environment
	open   func(device string, baud int) (tunable, error)
}

// Run implements [refclock.Driver].
func (d *driver) Run(ctx context.Context, out refclock.Sink) error {
	baud := d.config.Baud
	if baud == automatic {
		baud = usualBauds[0]
	}
	port, err := d.open(d.config.Device, baud)
	if err != nil {
		return err
	}
	defer port.Close()
	for ctx.Err() == nil {
		if d.config.Baud == automatic {
			if baud, err = d.tune(ctx, port, out); err != nil || ctx.Err() != nil {
				return err
			}
		}
		if err := d.decode(ctx, port, baud, out); err != nil {
			return err
		}
	}
	return nil
}

// tune finds the speed of the line; it takes as long as it takes.
func (d *driver) tune(ctx context.Context, port tunable, out refclock.Sink) (baud int, err error) {
	s := search{device: d.config.Device, port: port}
	var said refclock.Signal
	for ctx.Err() == nil && !s.found() {
		if err := s.step(d.env.Now()); err != nil {
			return 0, err
		}
		signal := refclock.Signal{State: refclock.Waiting, GNSS: &refclock.GNSS{Fix: refclock.NoFix, Satellites: []refclock.Satellite{}},
			Text: "listening for the receiver and its line speed: check its power and that its TX is wired to this port's RX"}
		if s.heard {
			signal.State = refclock.Receiving
			signal.Text = "bytes arrive; looking for the line speed at which they are NMEA or UBX messages"
		}
		if signal.State != said.State {
			out.Signal(signal)
			said = signal
		}
	}
	if s.attempt == nil {
		return 0, nil
	}
	return s.attempt.baud, nil
}

// decode reads until the port is lost, or until the line speed has been found out and is right no more.
func (d *driver) decode(ctx context.Context, port tunable, baud int, out refclock.Sink) error {
	config := d.config
	config.Baud = baud
	decoder := NewDecoder(config, d.env, out)
	var setting *setup
	if config.Configure == forTiming {
		setting = newSetup(decoder, port, d.log())
	}
	buffer := make([]byte, ttyBuffer)
	for ctx.Err() == nil {
		n, err := port.Read(buffer)
		decoder.Receive(buffer[:n], d.env.Now())
		if err == nil && setting != nil {
			err = setting.step()
		}
		if err != nil {
			return lost(d.config.Device, err)
		}
		if d.config.Baud == automatic && decoder.unintelligible(lostTrack) {
			return nil
		}
	}
	return nil
}

func (d *driver) log() *slog.Logger {
	if d.env.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return d.env.Log
}
