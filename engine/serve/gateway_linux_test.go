package serve

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/serve/namespace"
	"timestation/engine/status"
)

// needFilter skips a test that needs the packet filter's program, and another.
func needFilter(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range append(programs, "nft") {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("it needs nft (nftables) and %s: %v", p, err)
		}
	}
}

// serveIn runs a server in a namespace until the test ends.
func serveIn(t *testing.T, n *namespace.Namespace, config Config, board *status.Board) (server *Server) {
	t.Helper()
	var err error
	n.Do(func() { server, err = New(config, board, discard()) })
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return server
}

// startIn runs a server on port 123 of a namespace, with a reference ID of its own.
func startIn(t *testing.T, n *namespace.Namespace, id string) (board *status.Board, s *status.Status) {
	t.Helper()
	board = new(status.Board)
	s = good()
	copy(s.ReferenceID[:], id)
	config := DefaultConfig()
	config.Address, config.Allow = ":123", []string{"0.0.0.0/0", "::/0"}
	serveIn(t, n, config, board)
	return board, s
}

// askFrom asks from an address of a namespace; answers from elsewhere than the address that was asked are nobody's.
func askFrom(t *testing.T, n *namespace.Namespace, from, to netip.Addr) (answer ntp.Header, answered bool) {
	t.Helper()
	var conn *net.UDPConn
	var err error
	n.Do(func() {
		conn, err = net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0)),
			net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, 123)))
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(request(4, ntp.Client)); err != nil {
		t.Fatal(err)
	}
	// A neighbour that does not answer at first is asked once a second.
	_ = conn.SetReadDeadline(time.Now().Add(4 * time.Second))
	b := make([]byte, 100)
	got, err := conn.Read(b)
	if err != nil {
		return answer, false
	}
	p, err := ntp.Parse(b[:got])
	if err != nil {
		t.Fatal(err)
	}
	return p.Header, true
}

// republish is what an engine does: the same model, made anew.
func republish(board *status.Board, s *status.Status, state status.State) {
	next := *s
	next.Epoch, next.State = now(), state
	next.EpochInstant = s.EpochInstant.Add(next.Epoch.Sub(s.Epoch))
	board.Publish(&next)
}

// keep does it now and over and over, as an engine publishes its model, until stop is called.
func keep(do func()) (stop func()) {
	do()
	ended := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case <-ended:
				return
			case <-time.After(250 * time.Millisecond):
				do()
			}
		}
	})
	return func() {
		close(ended)
		running.Wait()
	}
}

// TestBalancer: one virtual address before three stations. A station that loses its source says so in its answers, the
// health check sees that and takes it out of the pool, and lets it in again when it knows the time.
func TestBalancer(t *testing.T) {
	needFilter(t, "bash")
	router, clients := namespace.New(t), namespace.New(t)
	virtual := netip.MustParseAddr("203.0.113.1")
	router.Set(t, "ipv4/ip_forward", "1")
	namespace.Join(t, router, "lan", clients, "lan")
	router.Run(t, "ip addr add 10.0.0.1/24 dev lan")
	var addresses []netip.Addr
	for i := range 24 {
		a := netip.AddrFrom4([4]byte{10, 0, 0, byte(10 + i)})
		addresses = append(addresses, a)
		clients.Run(t, fmt.Sprintf("ip addr add %v/24 dev lan", a))
	}
	clients.Run(t, "ip route add default via 10.0.0.1")
	names := []string{"S1", "S2", "S3"}
	var boards []*status.Board
	var models []*status.Status
	command := "bash testdata/balance.sh " + virtual.String()
	for i, name := range names {
		station := namespace.New(t)
		cable := fmt.Sprintf("s%d", i+1)
		namespace.Join(t, router, cable, station, "lan")
		router.Run(t, fmt.Sprintf("ip addr add 10.0.%d.1/24 dev %s", i+1, cable))
		station.Run(t, fmt.Sprintf("ip addr add 10.0.%d.2/24 dev lan\nip route add default via 10.0.%d.1", i+1, i+1))
		board, model := startIn(t, station, name)
		boards, models = append(boards, board), append(models, model)
		command += fmt.Sprintf(" 10.0.%d.2", i+1)
	}
	// check publishes, lets the health check run, and holds the stations that answer against those that should.
	check := func(when string, states ...status.State) {
		t.Helper()
		defer keep(func() {
			for i, state := range states {
				if state != "" {
					republish(boards[i], models[i], state)
				}
			}
		})()
		router.Run(t, command)
		answers := map[string]int{}
		for _, a := range addresses {
			got, answered := askFrom(t, clients, a, virtual)
			switch id := string(got.ReferenceID[:2]); {
			case !answered:
				answers["none"]++
			case got.Leap == ntp.LeapUnsynchronised || got.Stratum == 0:
				answers["unsynchronised"]++
			default:
				answers[id]++
			}
		}
		t.Logf("%s: %v", when, answers)
		total := 0
		for i, state := range states {
			n := answers[names[i]]
			total += n
			if good := state == status.Synchronised; good != (n > 0) {
				t.Errorf("%s: %s answers %d clients", when, names[i], n)
			}
		}
		if total != len(addresses) {
			t.Errorf("%s: %v of %d clients", when, answers, len(addresses))
		}
	}
	check("all know the time", status.Synchronised, status.Synchronised, status.Synchronised)
	check("one lost its source", status.Synchronised, status.Unsynchronised, status.Synchronised)
	check("it found it again", status.Synchronised, status.Synchronised, status.Synchronised)
	router.Run(t, "ip link set s3 down")
	check("one more is gone", status.Synchronised, status.Unsynchronised, "")
}

// TestTextRequest: a monitor that can send and expect nothing but text sees whether the station knows the time.
func TestTextRequest(t *testing.T) {
	text := "#" + strings.Repeat("0", 47)
	lost := *good()
	lost.State = status.Unsynchronised
	for want, s := range map[string]*status.Status{"$\x01": good(), "\xe4\x00": &lost} {
		out := make([]byte, longestRequest)
		n, reason := newResponder(t, s).respond([]byte(text), client, now(), out)
		if n != len(text) || reason != Answered || string(out[:2]) != want {
			t.Errorf("%x, %v, want %x first", out[:n], reason, want)
		}
	}
}

// TestHijack: a gateway redirects whatever a client asks any NTP server to itself, and the answer bears the address that
// was asked.
func TestHijack(t *testing.T) {
	needFilter(t)
	gateway, client := namespace.New(t), namespace.New(t)
	namespace.Join(t, gateway, "lan", client, "lan")
	// Several addresses, so that the right one is no accident.
	gateway.Run(t, `
		ip addr add 10.0.0.1/24 dev lan
		ip addr add 10.0.0.2/24 dev lan
		ip addr add fd00::1/64 dev lan nodad
		ip addr add fd00::2/64 dev lan nodad
		ip route add default dev lan
		ip -6 route add default dev lan
		nft -f testdata/hijack.nft`)
	client.Run(t, `
		ip addr add 10.0.0.7/24 dev lan
		ip addr add fd00::7/64 dev lan nodad
		ip route add default via 10.0.0.1
		ip -6 route add default via fd00::1`)
	gateway.Set(t, "ipv4/ip_forward", "1")
	gateway.Set(t, "ipv6/conf/all/forwarding", "1")
	board, model := startIn(t, gateway, "GATE")
	defer keep(func() { republish(board, model, status.Synchronised) })()
	for _, to := range []string{
		"10.0.0.1", "10.0.0.2", "203.0.113.77", "198.51.100.3", "fd00::1", "fd00::2", "2001:db8::123", "2001:db8:ffff::1",
	} {
		from := "10.0.0.7"
		if netip.MustParseAddr(to).Is6() {
			from = "fd00::7"
		}
		got, answered := askFrom(t, client, netip.MustParseAddr(from), netip.MustParseAddr(to))
		if !answered || got.ReferenceID != [4]byte{'G', 'A', 'T', 'E'} || got.Origin != 0x0123456789abcdef {
			t.Errorf("%s: %+v, %v", to, got, answered)
		}
	}
}
