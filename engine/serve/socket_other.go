//go:build !linux

package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"timestation/engine/serve/phc"
	"timestation/refclock"
)

func sockets() int { return 1 }

// prepare says that this system has no kernel time stamps here; answers leave from the address the system chooses.
func prepare(syscall.RawConn, bool, bool) error {
	return fmt.Errorf("kernel time stamps: %w", errors.ErrUnsupported)
}

func share(*net.UDPConn) error { return errors.ErrUnsupported }

// socket is the listener's.
type socket struct {
	*net.UDPConn
	address netip.AddrPort
}

func newSocket(conn *net.UDPConn) (*socket, error) {
	return &socket{conn, conn.LocalAddr().(*net.UDPAddr).AddrPort()}, nil
}

func (s *socket) send(packet []byte, to netip.AddrPort) error {
	_, err := s.WriteToUDPAddrPort(packet, to)
	return err
}

// openCard says that this system has no hardware time stamps, where the configuration asks for them.
func (s *Server) openCard() {
	if s.config.HardwareTimestamps != "" {
		_, err := phc.Open(s.config.HardwareTimestamps)
		s.log.Warn("hardware_timestamps: the program stamps packets, not a network card", "reason", err)
	}
}

// worker answers what comes to the socket.
type worker struct {
	server    *Server
	conn      *socket
	responder responder
	tally     batchTally
}

func (s *Server) newWorker(conn *socket) *worker {
	return &worker{server: s, conn: conn, responder: s.newResponder()}
}

func (w *worker) run(ctx context.Context) {
	in, out := make([]byte, longestRequest+1), make([]byte, longestRequest)
	for {
		n, from, err := w.conn.ReadFromUDPAddrPort(in)
		switch {
		case w.server.closing.Load(), errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			// Some systems report here that an earlier answer could not be delivered, or that a datagram was too long.
			w.server.log.Debug("read", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(readRetry):
			}
			continue
		}
		w.answer(in[:n], from, refclock.Stamp(time.Now().UnixNano()), out)
		w.tally.tell(&w.server.tally)
	}
}

func (w *worker) answer(in []byte, from netip.AddrPort, rx refclock.Stamp, out []byte) {
	plain := netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	if w.server.isControl(in, plain) && w.server.controller.Control(in, plain, func(answer []byte) {
		if _, err := w.conn.WriteToUDPAddrPort(answer, from); err != nil {
			w.server.log.Debug("control", "error", err)
		}
	}) {
		w.tally.control++
		return
	}
	n, reason := w.responder.respond(in, from, rx, out)
	if n > 0 {
		if _, err := w.conn.WriteToUDPAddrPort(out[:n], from); err != nil {
			n, reason = 0, SendFailed
		}
	}
	w.tally.count(n, reason, &w.responder.last)
}
