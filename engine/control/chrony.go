package control

import (
	"context"
	"encoding/binary"
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

	"timestation/engine/status"
)

// Server speaks chrony's command protocol on this machine's loopback.
type Server struct {
	log   *slog.Logger
	conns []*net.UDPConn
	desk  desk
}

// Listen binds the addresses of the configuration, so that Run has nothing left that a person could have to mend. Where
// chrony_address is empty, the Server has nothing to do. Errors are one line: the key, the reason, the mend. A Server
// that is not Run has to be Closed.
func Listen(c Config, station Station, log *slog.Logger) (*Server, error) {
	addresses, err := c.chronyAddresses()
	if err != nil {
		return nil, err
	}
	s := &Server{log: log, desk: desk{station: station, watch: startStopwatch()}}
	for i, a := range addresses {
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(a))
		if err != nil && i > 0 && errors.Is(err, syscall.EADDRNOTAVAIL) {
			continue // a system without IPv6
		}
		if err != nil {
			s.Close()
			return nil, bindError(a, err)
		}
		s.conns = append(s.conns, conn)
	}
	return s, nil
}

// bindError says in one line why an address cannot be listened on, and the mend.
func bindError(address netip.AddrPort, err error) error {
	var reason, mend string
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		reason, mend = "another program has this port", "stop it (most likely chronyd), choose another port, or write \"\" for none"
	case errors.Is(err, os.ErrPermission):
		program, _ := os.Executable()
		reason = "no permission for a port below 1024"
		mend = "run: sudo setcap cap_net_bind_service=+ep " + program + " (or choose a port from 1024, or write \"\" for none)"
	default:
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		return fmt.Errorf("chrony_address: cannot listen on %s: %w; correct the address", address, err)
	}
	return fmt.Errorf("chrony_address: cannot listen on %s: %s; %s", address, reason, mend)
}

// Addresses is where the server listens, with the ports the system chose where the configuration says 0.
func (s *Server) Addresses() []netip.AddrPort {
	var all []netip.AddrPort
	for _, conn := range s.conns {
		all = append(all, conn.LocalAddr().(*net.UDPAddr).AddrPort())
	}
	return all
}

// Close frees the addresses. Run returns.
func (s *Server) Close() error {
	var all []error
	for _, conn := range s.conns {
		all = append(all, conn.Close())
	}
	return errors.Join(all...)
}

// Run answers until ctx ends, and then closes the sockets and returns nil. It is to be called once.
func (s *Server) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { s.Close() })()
	var all sync.WaitGroup
	for _, conn := range s.conns {
		s.log.Info("answering chronyc", "address", conn.LocalAddr())
		all.Go(func() { s.serve(ctx, conn) })
	}
	all.Wait()
	return nil
}

func (s *Server) serve(ctx context.Context, conn *net.UDPConn) {
	defer conn.Close()
	// readRetry is how long to wait after the kernel refused a read, so that a broken socket costs no CPU time.
	const readRetry = 10 * time.Millisecond
	request := make([]byte, 1024) // the longest that a client sends has 520 octets, or 420 with an address to add
	for {
		n, from, err := conn.ReadFromUDPAddrPort(request)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			select {
			case <-ctx.Done():
			case <-time.After(readRetry):
			}
			continue
		}
		if answer := s.desk.answer(request[:n]); answer != nil {
			if _, err := conn.WriteToUDPAddrPort(answer, from); err != nil {
				s.log.Debug("chronyc got no answer", "reason", err)
			}
		}
	}
}

// desk answers chrony's commands, without a socket. It may be used from any goroutine.
type desk struct {
	station Station
	watch   stopwatch
	// requests were answered with what they asked for, refused with a no, or not at all.
	requests, refused atomic.Uint64

	mu sync.Mutex
	// clients is the list that is being read, from taken on; nil before the first.
	clients []status.Client
	taken   time.Duration
}

// answer gives what to send back, nil for nothing. It is never longer than the request.
func (d *desk) answer(request []byte) []byte {
	h, ok := parseChrony(request)
	if !ok {
		d.refused.Add(1)
		return nil
	}
	kind, report, result := uint16(replyNull), chronyReport(nil), chronyBadVersion
	if h.version == chronyVersion {
		kind, report, result = d.report(h)
	}
	if result == chronySuccess {
		f := h.reply(kind, result)
		if report != nil {
			report(&f)
		}
		if len(f.b) <= len(request) {
			d.requests.Add(1)
			return f.b
		}
		result = chronyBadLength
	}
	d.refused.Add(1)
	if f := h.reply(replyNull, result); len(f.b) <= len(request) {
		return f.b
	}
	return nil
}

// report finds what to answer.
func (d *desk) report(h chronyHead) (kind uint16, report chronyReport, result chronyStatus) {
	switch h.command {
	case cmdNull:
		return replyNull, nil, chronySuccess
	case cmdRTC:
		return replyNull, nil, chronyNoRTC
	case cmdSmoothing, cmdManualList:
		return replyNull, nil, chronyNotEnabled
	case cmdSources, cmdTracking, cmdActivity, cmdServerStats, cmdSourceData, cmdSourceStats, cmdNTPData, cmdSourceName, cmdClients:
	default:
		if h.command < chronyCommands {
			return replyNull, nil, chronyUnauthorised
		}
		return replyNull, nil, chronyInvalid
	}
	v := look(d.station)
	switch h.command {
	case cmdSources:
		return replySources, func(f *fields) { f.u32(uint32(len(v.sources))) }, chronySuccess
	case cmdTracking:
		return replyTracking, v.tracking, chronySuccess
	case cmdActivity:
		return replyActivity, v.activity, chronySuccess
	case cmdServerStats:
		kind := serverStatsKind(len(h.data))
		return kind, v.serverStats(kind, d.requests.Load(), d.refused.Load()), chronySuccess
	case cmdClients:
		return d.listClients(v, h)
	}
	return v.ofSource(h)
}

// serverStatsKind is the newest layout that the padding of the request has room for.
func serverStatsKind(padding int) uint16 {
	const longer = chronyReplyLen - chronyRequestLen
	switch {
	case padding >= longer+21*8:
		return replyServerStats4
	case padding >= longer+11*4:
		return replyServerStats3
	}
	return replyServerStats2
}

// ofSource answers what is about one source.
func (v *view) ofSource(h chronyHead) (kind uint16, report chronyReport, result chronyStatus) {
	byAddress := h.command == cmdNTPData || h.command == cmdSourceName
	if byAddress && len(h.data) < addressLen || len(h.data) < 4 {
		return replyNull, nil, chronyBadLength
	}
	var s *source
	if byAddress {
		s = v.serverAt(parseChronyAddress(h.data))
	} else if i := binary.BigEndian.Uint32(h.data); uint64(i) < uint64(len(v.sources)) {
		s = &v.sources[i]
	}
	switch {
	case s == nil:
		return replyNull, nil, chronyNoSource
	case h.command == cmdSourceData:
		return replySourceData, s.data, chronySuccess
	case h.command == cmdSourceStats:
		return replySourceStats, s.stats, chronySuccess
	case h.command == cmdSourceName:
		return replySourceName, s.chronyName, chronySuccess
	}
	const newer = chronyReplyLen - chronyRequestLen + 144 // chronyc of 4.7 and later; libraries send more, whatever they know
	if kind = replyNTPData; len(h.data) == newer {
		kind = replyNTPData2
	}
	return kind, s.ntpData(kind), chronySuccess
}

// serverAt is the NTP server with an address, nil where there is none.
func (v *view) serverAt(a netip.Addr) *source {
	for i := range v.sources {
		if s := &v.sources[i]; s.address.IsValid() && s.address.Addr() == a {
			return s
		}
	}
	return nil
}

// listClients takes the list anew for who begins to read it, so that one who goes on sees each client once.
func (d *desk) listClients(v *view, h chronyHead) (kind uint16, report chronyReport, result chronyStatus) {
	const request, keep = 16, 10 * time.Second
	if len(h.data) < request {
		return replyNull, nil, chronyBadLength
	}
	first, most := binary.BigEndian.Uint32(h.data), binary.BigEndian.Uint32(h.data[4:])
	fewest, reset := binary.BigEndian.Uint32(h.data[8:]), binary.BigEndian.Uint32(h.data[12:])
	if reset != 0 {
		return replyNull, nil, chronyUnauthorised
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.watch.elapsed(); first == 0 || d.clients == nil || now-d.taken > keep {
		d.clients, d.taken = d.station.Clients(), now
	}
	return replyClients, v.clients(d.clients, first, most, fewest), chronySuccess
}
