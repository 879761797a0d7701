package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/nts"
	"timestation/engine/serve/fastpath"
	"timestation/engine/serve/phc"
	"timestation/engine/status"
)

const (
	// longestRequest is what a datagram may have in octets; NTP's fit an Ethernet frame. The buffer has one octet more,
	// so that what is cut off has a length that no packet has.
	longestRequest = 2048
	// readRetry is how long the server waits after the kernel refused a read, so that a broken socket costs no CPU time.
	readRetry = 10 * time.Millisecond
)

// Controller answers control messages (mode 6, RFC 9327) that come to the NTP port. It decides whom it answers, and may
// be called from several goroutines at once.
type Controller interface {
	// Control answers a request from an address, without IPv4 in IPv6 form, by any number of datagrams. It keeps none of
	// the slices, and reports whether it answered.
	Control(request []byte, from netip.AddrPort, reply func(answer []byte)) bool
}

// Server answers on one address.
type Server struct {
	config     Config
	log        *slog.Logger
	board      *status.Board
	access     access
	limit      limit
	smear      smear
	precision  int8
	sockets    []*socket // of the same address; each request comes to one of them
	keyring    atomic.Pointer[keyring]
	tally      tally
	clients    *clientTable
	exchanges  *exchangeTable
	monotonic  monotonic
	jar        *nts.Jar
	controller Controller
	// kernelStamps: arrivals and departures are stamped by the kernel.
	kernelStamps bool
	fast         *fastpath.Path // nil without
	card         *phc.Clock     // nil without
	closing      atomic.Bool
	closed       func() error
}

// New reads the keys and binds the sockets, so that Run has nothing left that a person could have to mend. Errors are one
// line: the key or address, the reason, the mend. A Server that is not Run has to be Closed.
func New(cfg Config, board *status.Board, log *slog.Logger) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Server{
		config: cfg, log: log.With("listener", cfg.Address), board: board,
		clients: newClientTable(), exchanges: new(exchangeTable), precision: measurePrecision(),
	}
	// Validate has seen to the errors.
	s.access, _ = cfg.access()
	s.limit, _ = cfg.limit()
	s.smear, _ = cfg.smear()
	s.closed = sync.OnceValue(s.close)
	if err := s.ReloadKeys(); err != nil {
		return nil, err
	}
	if err := s.bind(); err != nil {
		s.Close()
		return nil, err
	}
	s.openCard()
	s.attach()
	return s, nil
}

// ProtectWith gives the master keys of the cookies, which the server that establishes keys has too. It is to be called
// before Run where the configuration says nts.
func (s *Server) ProtectWith(jar *nts.Jar) { s.jar = jar }

// ControlWith hands control messages to c. It is to be called before Run.
func (s *Server) ControlWith(c Controller) { s.controller = c }

// bind opens the sockets.
func (s *Server) bind() error {
	network, address, err := s.config.bind()
	if err != nil {
		return err
	}
	s.kernelStamps = true
	to, err := netip.ParseAddrPort(address)
	everywhere := err != nil || to.Addr().IsUnspecified()
	for n := range sockets() {
		listen := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
			if err := prepare(raw, everywhere, n > 0); err != nil && n == 0 {
				s.kernelStamps = false
				s.log.Warn("arrival times come from the program, not from the kernel: less exact", "reason", err)
			}
			return nil
		}}
		conn, err := listen.ListenPacket(context.Background(), network, address)
		if err != nil {
			if n == 0 {
				return bindError(address, err)
			}
			s.log.Debug("fewer sockets than processors", "sockets", n, "reason", err)
			break
		}
		bound := conn.LocalAddr().String() // where the system chose the port
		single := error(nil)
		if n == 0 {
			address, single = bound, share(conn.(*net.UDPConn))
		}
		socket, err := newSocket(conn.(*net.UDPConn))
		if err != nil {
			return fmt.Errorf("address: cannot listen on %s: %w", address, err)
		}
		s.sockets = append(s.sockets, socket)
		if single != nil {
			s.log.Debug("one socket for all processors", "reason", single)
			break
		}
	}
	return nil
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
	a := s.sockets[0].address
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// Precision is what the answers state: the smallest step that reading the clock can see, log2 s.
func (s *Server) Precision() int8 { return s.precision }

// Counters may be called from any goroutine.
func (s *Server) Counters() Counters {
	c := s.tally.counters()
	c.ReceiveStamps, c.TransmitStamps = FromProgram, FromProgram
	if s.kernelStamps {
		c.ReceiveStamps, c.TransmitStamps = FromKernel, FromKernel
	}
	if s.tally.arrivedByCard.Load() > 0 {
		c.ReceiveStamps = FromCard
	}
	if s.tally.leftByCard.Load() > 0 {
		c.TransmitStamps = FromCard
	}
	s.countFast(&c)
	return c
}

// ReloadKeys reads the key file again; the next request is checked against what it holds now. After an error the old
// keys stay in force. It may be called from any goroutine.
func (s *Server) ReloadKeys() error {
	keys, err := readKeys(s.config.Keys)
	if err != nil {
		return err
	}
	if id := s.config.BroadcastKey; len(s.config.Broadcast) > 0 && !keys.has(id) {
		return KeyFileError{fmt.Errorf("broadcast_key: the key file %s has no key %d; add it, or name one that it has",
			s.config.Keys, id)}
	}
	s.keyring.Store(keys)
	return nil
}

// Close frees the address. Run returns.
func (s *Server) Close() error { return s.closed() }

func (s *Server) close() error {
	s.closing.Store(true)
	var all []error
	for _, socket := range s.sockets {
		all = append(all, socket.Close())
	}
	if s.fast != nil {
		all = append(all, s.fast.Close())
	}
	if s.card != nil {
		all = append(all, s.card.Close())
	}
	return errors.Join(all...)
}

// Run answers until ctx ends, and then closes the sockets and returns nil. It is to be called once.
func (s *Server) Run(ctx context.Context) error {
	defer s.Close()
	defer context.AfterFunc(ctx, func() { s.Close() })()
	s.log.Info("answering NTP", "address", s.Address(), "keys", len(s.keyring.Load().keys), "sockets", len(s.sockets))
	running, stop := context.WithCancel(ctx)
	defer stop()
	var wait sync.WaitGroup
	wait.Go(func() { s.broadcast(running) })
	wait.Go(func() { s.keepFast(running) })
	if s.card != nil {
		wait.Go(func() { s.card.Run(running) })
	}
	var workers sync.WaitGroup
	for _, socket := range s.sockets {
		w := s.newWorker(socket)
		workers.Go(func() { w.run(running) })
	}
	workers.Wait()
	stop()
	wait.Wait()
	return nil
}

func (s *Server) newFace() face {
	return face{
		board:     s.board,
		maxError:  s.config.maxError(),
		precision: s.precision,
		policy:    s.smear,
		stepped:   func(s *status.Status, now time.Time) bool { return s.Stepped(now, stepTolerance) },
		broke:     s.exchanges.forget,
	}
}

func (s *Server) newResponder() responder {
	r := responder{
		face: s.newFace(), access: s.access, limit: s.limit, kisses: s.config.Kisses,
		keyring: &s.keyring, clients: s.clients, exchanges: s.exchanges, experimental: s.config.Experimental,
		monotonic: &s.monotonic,
	}
	if s.config.NTS && s.jar != nil {
		r.nts = nts.NewServer(s.jar)
	}
	return r
}

// isControl tells whether a datagram is for the controller, if there is one: a control message, or a private one.
func (s *Server) isControl(in []byte, from netip.AddrPort) bool {
	const shortest, shortestPrivate = 12, 8 // RFC 9327, section 2; a request for LeoNTP's statistics
	return s.controller != nil && (len(in) >= shortest && ntp.Mode(in[0]&7) == ntp.Control ||
		len(in) >= shortestPrivate && ntp.Mode(in[0]&7) == ntp.Private) && s.access.permits(from.Addr())
}

// batchTally counts for one goroutine until it finds time to tell.
type batchTally struct {
	plain, authenticated, nts, control, interleaved, kisses uint64
	dropped                                                 [reasons]uint64
	any                                                     bool // in dropped
}

// count takes in what became of one request: n is how many octets were sent to it.
func (b *batchTally) count(n int, reason Reason, last *outcome) {
	if reason != Answered {
		b.dropped[reason]++
		b.any = true
		if n > 0 {
			b.kisses++
		}
		return
	}
	if last.interleaved {
		b.interleaved++
	}
	switch {
	case last.nts:
		b.nts++
		fallthrough
	case last.authenticated:
		b.authenticated++
	default:
		b.plain++
	}
}

func (b *batchTally) tell(t *tally) {
	for _, c := range []struct {
		from *uint64
		to   *atomic.Uint64
	}{
		{&b.plain, &t.plain}, {&b.authenticated, &t.authenticated}, {&b.nts, &t.nts}, {&b.control, &t.control},
		{&b.interleaved, &t.interleaved}, {&b.kisses, &t.kisses},
	} {
		if *c.from != 0 {
			c.to.Add(*c.from)
			*c.from = 0
		}
	}
	if !b.any {
		return
	}
	for r := range b.dropped {
		if b.dropped[r] != 0 {
			t.dropped[r].Add(b.dropped[r])
			b.dropped[r] = 0
		}
	}
	b.any = false
}
