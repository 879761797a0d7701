//go:build !linux

package upstream

import (
	"context"
	"net"
	"time"

	"timestation/refclock"
)

// kernelStamps: plain exchanges are left to a library that knows this system's clocks.
const kernelStamps = false

// plainSocket has the program's own stamps.
type plainSocket struct {
	conn *net.UDPConn
	now  func() refclock.Stamp
}

func newSocket(conn *net.UDPConn, now func() refclock.Stamp) (socket, error) {
	return plainSocket{conn, now}, nil
}

func (s plainSocket) send(b []byte) (refclock.Stamp, error) {
	at := s.now()
	_, err := s.conn.Write(b)
	return at, err
}

func (s plainSocket) receive(ctx context.Context, b []byte) (n int, at refclock.Stamp, kernel bool, err error) {
	defer context.AfterFunc(ctx, func() { s.conn.SetReadDeadline(time.Unix(1, 0)) })()
	n, err = s.conn.Read(b)
	return n, s.now(), false, err
}

func (plainSocket) sent() (refclock.Stamp, bool) { return 0, false }

func (s plainSocket) close() { s.conn.Close() }

// ownPort cannot be told here.
func ownPort(uint16) bool { return false }
