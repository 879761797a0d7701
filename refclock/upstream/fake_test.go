package upstream

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/nts"
	"timestation/refclock"
	"timestation/refclock/sinktest"
)

// The local clock of the tests says 1970 and is fast; the true time is 2026. Both run by the bubble's time, which begins in
// 2000.
var (
	bubble   = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	truth    = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	built    = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	fastByNS = int64(1_000_000)
)

const taiMinusUTC = 37

func localNow() refclock.Stamp { return refclock.Stamp(time.Since(bubble).Nanoseconds() + fastByNS) }

func trueNow() time.Time { return truth.Add(time.Since(bubble)) }

func stampOf(t time.Time) ntp.Timestamp { return ntp.FromUnix(t.Unix(), int32(t.Nanosecond())) }

// fakeServer answers requests in the process. Its fields may be changed by the test between polls.
type fakeServer struct {
	mu sync.Mutex
	// there and back are how long packets take; inside is how long the server does.
	there, back, inside time.Duration
	silent              bool
	refusing            bool // like a host where nobody listens
	header              ntp.Header
	// change may alter an answer before it is protected, and forge replaces what is sent; a packet of each is sent.
	change func(request, answer *ntp.Header)
	forge  func(request, answer []byte) [][]byte
	key    *ntp.Authenticator
	nts    *nts.Server

	interleaves bool
	sentAt      map[ntp.Timestamp]ntp.Timestamp // true transmit stamps, by the receive stamp of their exchange
	asked       []time.Time
	ports       map[int]bool
	requests    []ntp.Packet
}

// lateTransmit is how much later an answer really leaves than its transmit stamp says.
const lateTransmit = 40 * time.Microsecond

func newFakeServer() *fakeServer {
	return &fakeServer{
		there: 500 * time.Microsecond, back: 500 * time.Microsecond, inside: 20 * time.Microsecond,
		header: ntp.Header{Version: 4, Mode: ntp.Server, Stratum: 1, Precision: -23, ReferenceID: [4]byte{'P', 'T', 'B'},
			RootDelay: 10, RootDispersion: 20},
		sentAt: map[ntp.Timestamp]ntp.Timestamp{}, ports: map[int]bool{},
	}
}

// answer gives what the server sends to a request that has come, and how long after.
func (s *fakeServer) answer(packet []byte, port int) (packets [][]byte, after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, time.Now())
	s.ports[port] = true
	p, err := ntp.Parse(packet)
	if err != nil {
		panic(err)
	}
	s.requests = append(s.requests, p)
	if s.silent {
		return nil, 0
	}
	h := s.header
	received := stampOf(trueNow())
	h.Origin, h.Receive, h.Transmit = p.Transmit, received, stampOf(trueNow().Add(s.inside))
	sent := stampOf(trueNow().Add(s.inside + lateTransmit))
	if true, ok := s.sentAt[p.Origin]; s.interleaves && ok && p.Origin != 0 {
		h.Origin, h.Transmit = p.Receive, true
	}
	s.sentAt[received] = sent
	if s.change != nil {
		s.change(&p.Header, &h)
	}
	b := h.Append(nil)
	switch {
	case s.nts != nil:
		r, err := s.nts.Open(packet, &p)
		if err == nil {
			b = r.AppendProtection(b)
		} else if errors.Is(err, nts.ErrNotAuthentic) {
			h.Stratum, h.ReferenceID = 0, nts.Kiss
			b = r.AppendNAK(h.Append(nil))
		}
	case s.key != nil && p.Digest != nil:
		if !s.key.Check(p.Signed, p.Digest) {
			return nil, 0
		}
		b = s.key.Append(b, len(p.Digest))
	}
	packets = [][]byte{b}
	if s.forge != nil {
		packets = s.forge(packet, b)
	}
	return packets, s.inside + lateTransmit
}

// fakeNetwork leads to fake servers by address.
type fakeNetwork struct {
	mu      sync.Mutex
	hosts   map[string][]netip.Addr
	servers map[netip.AddrPort]*fakeServer
	own4    []netip.Addr
	mine    uint16
	ke      func() net.Conn
	next    int
}

func (n *fakeNetwork) lookup(_ context.Context, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	all, ok := n.hosts[host]
	if !ok {
		return nil, errors.New("no such host")
	}
	return append([]netip.Addr{}, all...), nil
}

func (n *fakeNetwork) own() ([]netip.Addr, error) { return n.own4, nil }
func (n *fakeNetwork) ours(port uint16) bool      { return port == n.mine }

func (n *fakeNetwork) dial(context.Context, string, string) (net.Conn, error) {
	if n.ke == nil {
		return nil, syscall.ECONNREFUSED
	}
	return n.ke(), nil
}

func (n *fakeNetwork) connect(to netip.AddrPort) (socket, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s, ok := n.servers[to]
	if !ok {
		return nil, syscall.ENETUNREACH
	}
	n.next++
	return &fakeSocket{server: s, port: n.next, arrived: make(chan arrival, 16)}, nil
}

type arrival struct {
	packet []byte
	at     refclock.Stamp
}

type fakeSocket struct {
	server  *fakeServer
	port    int
	arrived chan arrival
	left    refclock.Stamp
}

func (s *fakeSocket) send(b []byte) (refclock.Stamp, error) {
	packet := append([]byte{}, b...)
	s.left = localNow()
	s.server.mu.Lock()
	there, back := s.server.there, s.server.back
	s.server.mu.Unlock()
	time.AfterFunc(there, func() {
		packets, after := s.server.answer(packet, s.port)
		for _, p := range packets {
			time.AfterFunc(after+back, func() { s.arrived <- arrival{p, localNow()} })
		}
	})
	return s.left - 5000, nil // the program reads the clock before the kernel sends
}

func (s *fakeSocket) receive(ctx context.Context, b []byte) (int, refclock.Stamp, bool, error) {
	if s.server.refusing {
		return 0, 0, false, syscall.ECONNREFUSED
	}
	select {
	case a := <-s.arrived:
		return copy(b, a.packet), a.at, true, nil
	case <-ctx.Done():
		return 0, 0, false, ctx.Err()
	}
}

func (s *fakeSocket) sent() (refclock.Stamp, bool) { return s.left, true }
func (s *fakeSocket) close()                       {}

// times is how often the server was asked since asked was cleared.
func (s *fakeServer) times() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

var (
	address = netip.MustParseAddr("192.0.2.1")
	port123 = netip.AddrPortFrom(address, 123)
)

// scene is a driver with its network, inside a bubble.
type scene struct {
	server  *fakeServer
	network *fakeNetwork
	config  Config
	env     refclock.Environment
	out     *sinktest.Record
	// known is whether the station knows the time.
	known atomic.Bool
}

func newScene() *scene {
	s := &scene{server: newFakeServer(), out: &sinktest.Record{}, config: DefaultConfig()}
	s.network = &fakeNetwork{
		hosts:   map[string][]netip.Addr{"ntp.example.org": {address}},
		servers: map[netip.AddrPort]*fakeServer{port123: s.server},
		own4:    []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.77"), netip.MustParseAddr("2001:db8::77")},
	}
	s.config.Server = "ntp.example.org"
	s.env = refclock.Environment{
		Name: "upstream", Log: slog.New(slog.DiscardHandler), NotBefore: built, Now: localNow,
		TAIMinusUTC: func(refclock.UTC) int32 { return taiMinusUTC },
		UTC: func() (refclock.UTC, bool) {
			t := trueNow()
			return refclock.UTC{Seconds: t.Unix(), Nanoseconds: int32(t.Nanosecond())}, s.known.Load()
		},
	}
	return s
}

// run starts the driver as the station does; it ends with the test.
func (s *scene) run(t *testing.T) {
	t.Helper()
	d, err := newDriver(s.config, s.env, s.network)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		refclock.Supervise(ctx, "upstream", d, s.env.Log, s.out)
	}()
	t.Cleanup(func() {
		stop()
		<-done
		time.Sleep(5 * time.Second) // packets under way
	})
}

// pass lets time go by, and everybody come to rest.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, test func(t *testing.T, s *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newScene()) })
}

// errorOf is how far a sample is from the truth at its middle, by what the tests know of the local clock.
func errorOf(x *refclock.ExchangeData) time.Duration {
	const tai = taiMinusUTC * time.Second
	local := truth.UnixNano() - fastByNS + int64(tai)
	return offset(x) - time.Duration(local)
}
