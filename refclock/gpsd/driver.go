package gpsd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"timestation/refclock"
)

const (
	// connectWithin is how long gpsd may take to answer.
	connectWithin = 5 * time.Second
	// tick is how long one wait for a line is: also how long the driver may take to end.
	tick = 500 * time.Millisecond
	// longestLine is more than gpsd ever sends (GPS_JSON_RESPONSE_MAX is 10240 in gpsd's gps.h).
	longestLine = 64 << 10
	watch       = `?WATCH={"enable":true,"json":true,"pps":true}` + "\n"
)

// driver reads one gpsd.
type driver struct {
	config Config
	env    refclock.Environment
	dial   func(ctx context.Context, address string) (net.Conn, error)
}

func dial(ctx context.Context, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: connectWithin}
	return dialer.DialContext(ctx, "tcp", address)
}

// Run implements [refclock.Driver].
func (d *driver) Run(ctx context.Context, out refclock.Sink) error {
	where := "gpsd at " + d.config.Address
	connection, err := d.dial(ctx, d.config.Address)
	if err != nil {
		return fmt.Errorf("%s: nobody answers (%v); start it with: sudo systemctl enable --now gpsd.socket", where, innermost(err))
	}
	defer connection.Close()
	if _, err := connection.Write([]byte(watch)); err != nil {
		return fmt.Errorf("%s: it does not listen (%v); is it gpsd?", where, innermost(err))
	}
	decoder := newDecoder(d.config, d.env, out)
	lines := bufio.NewReaderSize(connection, longestLine)
	began := time.Now()
	var line []byte
	for ctx.Err() == nil {
		if err := connection.SetReadDeadline(time.Now().Add(tick)); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		part, err := lines.ReadSlice('\n')
		at := d.env.Now()
		line = append(line, part...) // a deadline may cut a line in two
		switch {
		case err == nil:
			decoder.line(line, at, time.Since(began))
			line = line[:0]
		case errors.Is(err, os.ErrDeadlineExceeded):
			decoder.idle(time.Since(began))
		case errors.Is(err, bufio.ErrBufferFull):
		default:
			return fmt.Errorf("%s: the connection is gone (%v); it is made again when gpsd runs", where, innermost(err))
		}
		if len(line) > longestLine || errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("%s: what it sends is not gpsd's JSON; correct the address", where)
		}
	}
	return nil
}

// innermost is the reason of an error of package net without the addresses around it.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
