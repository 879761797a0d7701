package fastpath

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"timestation/engine/ntp"
	"timestation/engine/serve/namespace"
)

// patience is how long a test waits for an answer. That there is none it usually hears at once: nobody listens.
const patience = 4 * time.Second

// station is a network with a server's address and one with a client's, on one cable. No program listens: whatever is
// answered, the kernel answers.
func station(t testing.TB) (server, client *namespace.Namespace) {
	t.Helper()
	server, client = namespace.New(t), namespace.New(t)
	namespace.Join(t, server, "wan0", client, "wan0")
	server.Set(t, "ipv4/icmp_ratelimit", "0")
	server.Set(t, "ipv6/icmp/ratelimit", "0")
	server.Run(t, `
		ip addr add 192.0.2.1/24 dev wan0
		ip addr add 2001:db8::1/64 dev wan0 nodad`)
	client.Run(t, `
		ip addr add 192.0.2.7/24 dev wan0
		ip addr add 2001:db8::7/64 dev wan0 nodad`)
	return server, client
}

// attach puts a path into a namespace.
func attach(t testing.TB, n *namespace.Namespace, o Options) (p *Path) {
	t.Helper()
	var err error
	n.Do(func() { p, err = Attach(o) })
	if errors.Is(err, os.ErrPermission) {
		t.Skipf("this kernel lets root load no eBPF: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func publish(t testing.TB, n *namespace.Namespace, p *Path, m Model) {
	t.Helper()
	var err error
	n.Do(func() { err = p.Publish(m) })
	if err != nil {
		t.Fatal(err)
	}
}

// ask sends a request from a namespace, and gives the answer if one comes.
func ask(t testing.TB, n *namespace.Namespace, to string, payload []byte) (answer ntp.Header, answered bool) {
	t.Helper()
	return askFor(t, n, to, payload, patience)
}

func askFor(t testing.TB, n *namespace.Namespace, to string, payload []byte, patience time.Duration) (answer ntp.Header, answered bool) {
	t.Helper()
	var conn *net.UDPConn
	var err error
	n.Do(func() { conn, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(to))) })
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(payload); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 512)
	got, err := conn.Read(b)
	if err != nil {
		return answer, false
	}
	p, err := ntp.Parse(b[:got])
	if err != nil || got != len(payload) {
		t.Fatalf("%x: %v", b[:got], err)
	}
	return p.Header, true
}

func asked() []byte {
	h := request()
	return h.Append(nil)
}

func TestOverACable(t *testing.T) {
	server, client := station(t)
	p := attach(t, server, Options{Address: netip.MustParseAddrPort("[::]:123"), Allow: everyone()})
	if got := p.Interfaces(); !slices.Equal(got, []string{"lo", "wan0"}) {
		t.Errorf("on %v", got)
	}
	targets := []string{"192.0.2.1:123", "[2001:db8::1]:123", linkLocal(t, server)}
	for _, to := range targets {
		if _, answered := ask(t, client, to, asked()); answered {
			t.Errorf("%s answers before there is a model", to)
		}
	}
	publish(t, server, p, model())
	for _, to := range targets {
		got, answered := ask(t, client, to, asked())
		if !answered || got.Origin != request().Transmit || got.Stratum != 1 || got.Mode != ntp.Server {
			t.Errorf("%s: %+v, %v", to, got, answered)
		}
	}
	// The station asks itself.
	for _, to := range []string{"127.0.0.1:123", "[::1]:123", "192.0.2.1:123", "[2001:db8::1]:123"} {
		if got, answered := ask(t, server, to, asked()); !answered || got.Origin != request().Transmit {
			t.Errorf("%s from itself: %+v, %v", to, got, answered)
		}
	}
	if got, want := p.Counters().Answered, uint64(len(targets)+4); got != want {
		t.Errorf("%d answered, want %d", got, want)
	}
	for name, payload := range map[string][]byte{"signed": append(asked(), make([]byte, 20)...), "control": {0x16, 1, 0, 1}} {
		if _, answered := ask(t, client, "192.0.2.1:123", payload); answered {
			t.Errorf("%s is answered", name)
		}
	}
	// What the socket sent was not summed yet; over a wire it is.
	frames := packets(t, client)
	for _, in := range [][]byte{
		frame(netip.MustParseAddrPort("192.0.2.7:5"), netip.MustParseAddrPort("192.0.2.1:123"), asked()),
		frame(netip.MustParseAddrPort("[2001:db8::7]:5"), netip.MustParseAddrPort("[2001:db8::1]:123"), asked()),
	} {
		copy(in, hardware(t, server))
		copy(in[6:], hardware(t, client))
		if _, err := unix.Write(frames, in); err != nil {
			t.Fatal(err)
		}
		check(t, in, nextFrom(t, frames, hardware(t, server)))
	}
	p.Close()
	if _, answered := ask(t, client, "192.0.2.1:123", asked()); answered {
		t.Error("answers after Close")
	}
}

func wan(t testing.TB, n *namespace.Namespace) (i *net.Interface) {
	t.Helper()
	var err error
	if n.Do(func() { i, err = net.InterfaceByName("wan0") }); err != nil {
		t.Fatal(err)
	}
	return i
}

func hardware(t testing.TB, n *namespace.Namespace) []byte { return wan(t, n).HardwareAddr }

// linkLocal is the server's, as the client writes it.
func linkLocal(t testing.TB, n *namespace.Namespace) string {
	t.Helper()
	for word := range strings.FieldsSeq(n.Run(t, "ip -6 -o addr show dev wan0 scope link")) {
		if a, _, ok := strings.Cut(word, "/"); ok && strings.HasPrefix(a, "fe80") {
			return "[" + a + "%wan0]:123"
		}
	}
	t.Fatal("no link-local address")
	return ""
}

// packets is a raw socket on the cable.
func packets(t testing.TB, n *namespace.Namespace) (fd int) {
	t.Helper()
	var err error
	index := wan(t, n).Index
	n.Do(func() {
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(big16(unix.ETH_P_ALL))); err == nil {
			err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: uint16(big16(unix.ETH_P_ALL)), Ifindex: index})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	limit := unix.NsecToTimeval(patience.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit); err != nil {
		t.Fatal(err)
	}
	return fd
}

// nextFrom is the next packet of that hardware address that may be an answer.
func nextFrom(t testing.TB, fd int, from []byte) []byte {
	t.Helper()
	b := make([]byte, 2048)
	for range 50 {
		n, err := unix.Read(fd, b)
		if err != nil {
			t.Fatal(err)
		}
		if (n == packet4Len || n == packet6Len) && string(b[6:12]) == string(from) {
			return b[:n]
		}
	}
	t.Fatal("no answer")
	return nil
}

// TestOneAddress: a listener on one address answers on that alone.
func TestOneAddress(t *testing.T) {
	server, client := station(t)
	p := attach(t, server, Options{Address: netip.MustParseAddrPort("192.0.2.1:4123"), Allow: everyone()})
	publish(t, server, p, model())
	for to, want := range map[string]bool{
		"192.0.2.1:4123": true, "192.0.2.1:123": false, "[2001:db8::1]:4123": false,
	} {
		if _, answered := ask(t, client, to, asked()); answered != want {
			t.Errorf("%s: answered %v, want %v", to, answered, want)
		}
	}
	if _, answered := ask(t, server, "127.0.0.1:4123", asked()); answered {
		t.Error("127.0.0.1 answers")
	}
}

// TestAddressesChange: the path follows what the machine's interfaces and addresses become.
func TestAddressesChange(t *testing.T) {
	server, client := station(t)
	p := attach(t, server, Options{Address: netip.MustParseAddrPort("[::]:123"), Allow: everyone()})
	step := func(in *namespace.Namespace, commands, to string, want bool) {
		t.Helper()
		in.Run(t, commands)
		p.mu.Lock()
		p.looked = p.looked.Add(-lookEvery)
		p.mu.Unlock()
		publish(t, server, p, model())
		wait := patience
		if !want { // nobody has the address, and nobody says so
			wait /= 20
		}
		if _, answered := askFor(t, client, to, asked(), wait); answered != want {
			t.Errorf("after %s: %s answered %v, want %v", commands, to, answered, want)
		}
	}
	step(server, "ip addr add 192.0.2.99/24 dev wan0", "192.0.2.99:123", true)
	step(server, "ip addr del 192.0.2.99/24 dev wan0", "192.0.2.99:123", false)
	step(server, "ip addr show", "192.0.2.1:123", true)
	namespace.Join(t, server, "wan1", client, "wan1")
	client.Run(t, "ip addr add 198.51.100.7/24 dev wan1")
	step(server, "ip addr add 198.51.100.1/24 dev wan1", "198.51.100.1:123", true)
	if got := p.Interfaces(); !slices.Equal(got, []string{"lo", "wan0", "wan1"}) {
		t.Errorf("on %v", got)
	}
	step(server, "ip link del wan1", "192.0.2.1:123", true)
	if got := p.Interfaces(); !slices.Equal(got, []string{"lo", "wan0"}) {
		t.Errorf("on %v", got)
	}
}

// TestCapabilities: CAP_BPF and CAP_NET_ADMIN are enough, and without them one line says so.
func TestCapabilities(t *testing.T) {
	for _, c := range []struct {
		name   string
		set    []int
		enough bool
	}{
		{"both", []int{unix.CAP_BPF, unix.CAP_NET_ADMIN}, true},
		{"none", nil, false},
		{"one", []int{unix.CAP_NET_ADMIN}, false},
	} {
		n := namespace.New(t)
		var err error
		n.Do(func() {
			var data [2]unix.CapUserData // of this thread, which nothing else will run on
			for _, one := range c.set {
				data[one/32].Effective |= 1 << (one % 32)
			}
			data[0].Permitted, data[1].Permitted = data[0].Effective, data[1].Effective
			if err = unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &data[0]); err != nil {
				return
			}
			var p *Path
			if p, err = Attach(Options{Address: netip.MustParseAddrPort("127.0.0.1:123"), Allow: everyone(), Kisses: true}); err == nil {
				err = errors.Join(p.Publish(model()), p.Close())
			}
		})
		switch {
		case c.enough && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case !c.enough && (!errors.Is(err, os.ErrPermission) || !strings.HasPrefix(err.Error(), "fast_path: ") ||
			!strings.Contains(err.Error(), "setcap") || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
