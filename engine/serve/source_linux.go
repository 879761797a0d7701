package serve

import (
	"net"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// source is where datagram i came from; IPv4 is never in IPv6 form, and link-local addresses have their zone.
func (w *worker) source(i int) (netip.AddrPort, bool) {
	switch name := &w.names[i]; name.Family {
	case unix.AF_INET:
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), portOf(&v4.Port)), true
	case unix.AF_INET6:
		a := netip.AddrFrom16(name.Addr).Unmap()
		if name.Scope_id != 0 && a.Is6() {
			a = a.WithZone(w.zone(name.Scope_id))
		}
		return netip.AddrPortFrom(a, portOf(&name.Port)), true
	}
	return netip.AddrPort{}, false
}

// portOf reads one in network order.
func portOf(p *uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(p))
	return uint16(b[0])<<8 | uint16(b[1])
}

func (w *worker) zone(index uint32) string {
	name, known := w.zones[index]
	if !known {
		name = strconv.Itoa(int(index))
		if i, err := net.InterfaceByIndex(int(index)); err == nil {
			name = i.Name
		}
		w.zones[index] = name
	}
	return name
}
