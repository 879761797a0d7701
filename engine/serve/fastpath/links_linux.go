package fastpath

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// network is what this machine has to answer with.
type network struct {
	// links are the interfaces that a program can sit on: up, with Ethernet's header, and nobody's port (of a bridge, a
	// bond or a routing domain of its own, where other sockets listen).
	links map[int]linkInfo
	// addresses are this machine's, and the index of the interface that each is good on: 0 for all.
	addresses map[[16]byte]uint32
}

type linkInfo struct {
	name     string
	loopback bool
}

// readNetwork asks the kernel (rtnetlink(7)), as far as it concerns a listener.
func readNetwork(o Options) (n network, err error) {
	listen := o.Address.Addr()
	n = network{links: map[int]linkInfo{}, addresses: map[[16]byte]uint32{}}
	all := map[int]linkInfo{}
	if err := dump(unix.RTM_GETLINK, func(m *syscall.NetlinkMessage) {
		if index, info, ok := readLink(m); ok {
			all[index] = info
		}
	}); err != nil {
		return n, err
	}
	err = dump(unix.RTM_GETADDR, func(m *syscall.NetlinkMessage) {
		index, a, ok := readAddress(m)
		if !ok || !concerns(listen, a) || o.OnlyIPv6 && a.Is4() {
			return
		}
		info, usable := all[index]
		if usable {
			n.links[index] = info
		}
		only := uint32(0)
		if a.IsLoopback() || a.IsLinkLocalUnicast() && a.Is6() {
			only = uint32(index)
		}
		n.addresses[a.As16()] = only
	})
	if len(n.addresses) > 0 && !listen.IsLoopback() {
		// What this machine sends to itself comes by the loopback interface, whatever the address.
		for index, info := range all {
			if info.loopback {
				n.links[index] = info
			}
		}
	}
	return n, err
}

// concerns tells whether a socket that is bound to listen receives what is sent to a.
func concerns(listen, a netip.Addr) bool {
	switch {
	case listen == netip.IPv6Unspecified():
		return true
	case listen.IsUnspecified():
		return a.Is4()
	}
	return listen.WithZone("") == a
}

func dump(kind int, each func(*syscall.NetlinkMessage)) error {
	b, err := syscall.NetlinkRIB(kind, unix.AF_UNSPEC)
	if err != nil {
		return fmt.Errorf("reading the interfaces: %w", os.NewSyscallError("netlink", err))
	}
	all, err := syscall.ParseNetlinkMessage(b)
	if err != nil {
		return fmt.Errorf("reading the interfaces: %w", os.NewSyscallError("netlink", err))
	}
	for i := range all {
		each(&all[i])
	}
	return nil
}

// readLink takes an interface from RTM_NEWLINK; ok is false where no program can sit on it.
func readLink(m *syscall.NetlinkMessage) (index int, info linkInfo, ok bool) {
	// struct ifinfomsg: family, padding, type, index, flags.
	if m.Header.Type != unix.RTM_NEWLINK || len(m.Data) < unix.SizeofIfInfomsg {
		return 0, info, false
	}
	kind := binary.NativeEndian.Uint16(m.Data[2:])
	index = int(binary.NativeEndian.Uint32(m.Data[4:]))
	flags := binary.NativeEndian.Uint32(m.Data[8:])
	attributes, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return 0, info, false
	}
	for _, a := range attributes {
		switch a.Attr.Type {
		case unix.IFLA_IFNAME:
			info.name = unix.ByteSliceToString(a.Value)
		case unix.IFLA_MASTER:
			return 0, info, false
		}
	}
	info.loopback = kind == unix.ARPHRD_LOOPBACK
	return index, info, flags&unix.IFF_UP != 0 && (info.loopback || kind == unix.ARPHRD_ETHER)
}

// readAddress takes an address from RTM_NEWADDR that is in use.
func readAddress(m *syscall.NetlinkMessage) (index int, address netip.Addr, ok bool) {
	// struct ifaddrmsg: family, prefix length, flags, scope, index.
	if m.Header.Type != unix.RTM_NEWADDR || len(m.Data) < unix.SizeofIfAddrmsg {
		return 0, address, false
	}
	flags := uint32(m.Data[2])
	index = int(binary.NativeEndian.Uint32(m.Data[4:]))
	attributes, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return 0, address, false
	}
	var local bool
	for _, a := range attributes {
		switch a.Attr.Type {
		case unix.IFA_FLAGS:
			if len(a.Value) >= 4 {
				flags = binary.NativeEndian.Uint32(a.Value)
			}
		case unix.IFA_LOCAL: // beats IFA_ADDRESS, which is the other end's where there are two
			address, local = netip.AddrFromSlice(a.Value)
		case unix.IFA_ADDRESS:
			if !local {
				address, _ = netip.AddrFromSlice(a.Value)
			}
		}
	}
	return index, address, address.IsValid() && flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) == 0
}
