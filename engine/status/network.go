package status

import "net/netip"

// Network is who counts as one where attempts are counted: an IPv4 address, or an IPv6 network of 64 bits, all of which one
// machine can have (RFC 4291, section 2.5.4). The zero address gives the zero prefix.
func Network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}
