package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/status"
	"timestation/refclock"
)

const (
	// longestRequest is what a datagram may have in octets; NTP's fit an Ethernet frame. The buffer has one octet more,
	// so that what is cut off has a length that no packet has.
	longestRequest = 2048
	longestControl = 256
	// readRetry is how long the server waits after the kernel refused a read, so that a broken socket costs no CPU time.
	readRetry = 10 * time.Millisecond
)

// Server answers on one address.
type Server struct {
	config    Config
	log       *slog.Logger
	conn      *net.UDPConn
	keyring   atomic.Pointer[keyring]
	responder responder
	tally     tally
	clients   *clientTable
}

// New reads the keys and binds the socket, so that Run has nothing left that a person could have to mend. Errors are one
// line: the key or address, the reason, the mend. A Server that is not Run has to be Closed.
func New(cfg Config, board *status.Board, log *slog.Logger) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Server{config: cfg, log: log.With("listener", cfg.Address), clients: newClientTable()}
	if err := s.ReloadKeys(); err != nil {
		return nil, err
	}
	access, err := cfg.access()
	if err != nil {
		return nil, err
	}
	if s.conn, err = s.bind(); err != nil {
		return nil, err
	}
	s.responder = responder{
		board:     board,
		access:    access,
		maxError:  cfg.maxError(),
		precision: measurePrecision(),
		keyring:   &s.keyring,
		stepped: func(s *status.Status, now time.Time) bool {
			return s.Stepped(now, stepTolerance)
		},
	}
	return s, nil
}

func (s *Server) bind() (*net.UDPConn, error) {
	network, address, err := s.config.bind()
	if err != nil {
		return nil, err
	}
	listen := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		if err := prepare(raw); err != nil {
			s.log.Warn("arrival times come from the program, not from the kernel: less exact", "reason", err)
		}
		return nil
	}}
	conn, err := listen.ListenPacket(context.Background(), network, address)
	if err != nil {
		return nil, bindError(address, err)
	}
	return conn.(*net.UDPConn), nil
}

// bindError says in one line why an address cannot be listened on, and the mend.
func bindError(address string, err error) error {
	var reason, mend string
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		reason = "another program has this port"
		mend = "stop it (chronyd, ntpd or another station; see: sudo ss -ulpn) or choose another port"
	case errors.Is(err, os.ErrPermission):
		reason = "no permission for a port below 1024"
		program, _ := os.Executable()
		mend = "run: sudo setcap cap_net_bind_service=+ep " + program + " (or choose a port from 1024)"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		reason = "this machine does not have this address"
		mend = `wait until it has, correct it, or write ":123" for all of them`
	default:
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		return fmt.Errorf("address: cannot listen on %s: %w; correct the address", address, err)
	}
	return fmt.Errorf("address: cannot listen on %s: %s; %s", address, reason, mend)
}

// Address is where the server listens, with the port the system chose where the configuration says 0.
func (s *Server) Address() netip.AddrPort {
	a := s.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// Counters may be called from any goroutine.
func (s *Server) Counters() Counters { return s.tally.counters() }

// ReloadKeys reads the key file again; the next request is checked against what it holds now. After an error the old
// keys stay in force. It may be called from any goroutine.
func (s *Server) ReloadKeys() error {
	keys, err := readKeys(s.config.Keys)
	if err != nil {
		return err
	}
	s.keyring.Store(keys)
	return nil
}

// Close frees the address. Run returns.
func (s *Server) Close() error { return s.conn.Close() }

// Run answers until ctx ends, and then closes the socket and returns nil. It is to be called once.
func (s *Server) Run(ctx context.Context) error {
	defer s.conn.Close()
	defer context.AfterFunc(ctx, func() { s.conn.Close() })()
	s.log.Info("answering NTP", "address", s.Address(), "keys", len(s.keyring.Load().keys))

	in, out := make([]byte, longestRequest+1), make([]byte, longestRequest)
	control := make([]byte, longestControl)
	var source replySource
	for {
		n, controlLen, _, from, err := s.conn.ReadMsgUDPAddrPort(in, control)
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			// Some systems report here that an earlier answer could not be delivered, or that a datagram was too long.
			s.log.Debug("read", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(readRetry):
			}
			continue
		}
		rx, ok := readControl(control[:controlLen], &source)
		if !ok {
			rx = refclock.Stamp(time.Now().UnixNano())
		}
		s.answer(in[:n], from, rx, out, &source)
	}
}

func (s *Server) answer(in []byte, from netip.AddrPort, rx refclock.Stamp, out []byte, source *replySource) {
	n, reason := s.responder.respond(in, from, rx, out)
	if reason == Answered {
		if _, _, err := s.conn.WriteMsgUDPAddrPort(out[:n], source.control(), from); err != nil {
			reason = SendFailed
		}
	}
	authenticated := reason == Answered && n > ntp.HeaderLen
	s.clients.count(from.Addr(), rx, reason == Answered, authenticated)
	switch {
	case reason != Answered:
		s.tally.dropped[reason].Add(1)
	case authenticated:
		s.tally.authenticated.Add(1)
	default:
		s.tally.plain.Add(1)
	}
}
