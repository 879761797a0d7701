package serve

import (
	"context"
	"fmt"
	"math/bits"
	"net/netip"
	"strings"
	"time"

	"timestation/engine/ntp"
)

// broadcastPort is where clients wait for broadcasts (RFC 5905, section 3.1).
const broadcastPort = 123

// broadcasts gives where to send the time unasked.
func (c Config) broadcasts() (all []netip.AddrPort, err error) {
	for _, text := range c.Broadcast {
		to, err := netip.ParseAddrPort(text)
		if err != nil {
			var a netip.Addr
			if a, err = netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
				to = netip.AddrPortFrom(a, broadcastPort)
			}
		}
		a := to.Addr()
		switch {
		case err != nil || to.Port() == 0:
			return nil, fmt.Errorf(`broadcast: %q is not an address; write for instance "192.168.1.255", "224.0.1.1" or `+
				`"ff02::101%%eth0"`, text)
		case a.Is6() && !a.IsMulticast():
			return nil, fmt.Errorf(`broadcast: %q is one machine's address; write a multicast one such as "ff02::101%%eth0"`, text)
		case (a.IsLinkLocalMulticast() || a.IsInterfaceLocalMulticast()) && a.Is6() && a.Zone() == "":
			return nil, fmt.Errorf(`broadcast: %q is on every network; say which interface: "%v%%eth0"`, text, a)
		}
		all = append(all, to)
	}
	if len(all) == 0 {
		return nil, nil
	}
	if s := c.BroadcastSeconds; s < 8 || s > 1024 || bits.OnesCount(uint(s)) != 1 {
		return nil, fmt.Errorf("broadcast_seconds: %d is not a power of two from 8 to 1024; write for instance 64", s)
	}
	if c.BroadcastKey == 0 {
		return nil, fmt.Errorf("broadcast_key: a broadcast without a key can be forged by anybody in the network; name a key " +
			"of the key file")
	}
	return all, nil
}

// broadcast sends the time unasked, signed, while the station knows it, until ctx ends.
func (s *Server) broadcast(ctx context.Context) {
	to, _ := s.config.broadcasts()
	if len(to) == 0 {
		return
	}
	f := s.newFace()
	ticker := time.NewTicker(time.Duration(s.config.BroadcastSeconds) * time.Second)
	defer ticker.Stop()
	out := make([]byte, 0, longestRequest)
	for {
		for _, to := range to {
			packet, ok := s.announcement(&f, out)
			if !ok {
				break
			}
			if err := s.sendUnasked(packet, to); err != nil {
				s.log.Warn("broadcast", "to", to, "reason", err)
				continue
			}
			s.tally.broadcasts.Add(1)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// announcement is a broadcast packet (RFC 5905, mode 5), of now; there is none while the station does not know the time.
func (s *Server) announcement(f *face, out []byte) ([]byte, bool) {
	f.look()
	h := f.header(f.at, f.at)
	if f.ill != Answered || h.Leap == ntp.LeapUnsynchronised {
		return nil, false
	}
	h.Version, h.Mode, h.Poll, h.Receive = 4, ntp.Broadcast, int8(bits.TrailingZeros(uint(s.config.BroadcastSeconds))), 0
	key, known := s.keyring.Load().signers()[s.config.BroadcastKey]
	if !known {
		return nil, false
	}
	return key.Append(h.Append(out[:0]), ntp.TruncatedLen), true
}

// sendUnasked sends from the address the server listens on: clients take broadcasts from port 123 alone.
func (s *Server) sendUnasked(packet []byte, to netip.AddrPort) error {
	socket := s.sockets[0]
	if to.Addr().Is4() && !socket.address.Addr().Is4() {
		to = netip.AddrPortFrom(netip.AddrFrom16(to.Addr().As16()), to.Port())
	}
	return socket.send(packet, to)
}
