package upstream

import (
	"context"
	"net"
	"net/netip"

	"timestation/refclock"
)

// network is what the driver needs of one; tests put one of their own in its place.
type network interface {
	// lookup gives the addresses of a host.
	lookup(ctx context.Context, host string) ([]netip.Addr, error)
	// connect gives a socket with a new random port that hears from nobody but that address.
	connect(to netip.AddrPort) (socket, error)
	// own are the addresses of this machine.
	own() ([]netip.Addr, error)
	// ours tells whether a UDP port of this machine is a socket of this program.
	ours(port uint16) bool
	// dial opens a connection.
	dial(ctx context.Context, network, address string) (net.Conn, error)
}

// socket sends requests to one server and hears its answers.
type socket interface {
	// send gives when the request was handed over, by the program's reading of the local clock.
	send(b []byte) (refclock.Stamp, error)
	// receive waits for a datagram until ctx ends, and gives its length and when it came; kernel tells that the kernel saw it
	// come.
	receive(ctx context.Context, b []byte) (n int, at refclock.Stamp, kernel bool, err error)
	// sent gives the kernel's stamp of the last request, if there is one.
	sent() (refclock.Stamp, bool)
	close()
}

// systemNetwork is the real one.
type systemNetwork struct{ now func() refclock.Stamp }

func (systemNetwork) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for i := range all {
		all[i] = all[i].Unmap()
	}
	return all, err
}

func (systemNetwork) own() ([]netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	var own []netip.Addr
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			if address, ok := netip.AddrFromSlice(n.IP); ok {
				own = append(own, address.Unmap())
			}
		}
	}
	return own, err
}

func (systemNetwork) dial(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

func (n systemNetwork) connect(to netip.AddrPort) (socket, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return nil, err
	}
	return newSocket(conn, n.now)
}

func (n systemNetwork) ours(port uint16) bool { return ownPort(port) }
