package serve

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"timestation/refclock"
)

// prepare asks the kernel for the arrival time of every datagram (socket(7); the variant with 64-bit seconds, Linux 5.1,
// so that 2038 is an ordinary year on 32-bit ARM too) and for the address it was sent to (ip(7), ipv6(7)).
func prepare(raw syscall.RawConn) error {
	var err error
	failed := raw.Control(func(fd uintptr) {
		s := int(fd)
		err = unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, 1)
		// A socket is of one family, and refuses the other's option.
		if unix.SetsockoptInt(s, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1) != nil {
			err = errors.Join(err, unix.SetsockoptInt(s, unix.IPPROTO_IP, unix.IP_PKTINFO, 1))
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return fmt.Errorf("setsockopt: %w", err)
	}
	return nil
}

// replySource makes the answer leave from the address the request was sent to, which on a machine with several is not
// the one the kernel would choose.
type replySource struct {
	buffer [64]byte
	length int
}

// control is what sendmsg takes; nil leaves the choice to the kernel.
func (r *replySource) control() []byte { return r.buffer[:r.length] }

// readControl takes the arrival time and the destination from what came with a datagram.
func readControl(b []byte, source *replySource) (stamp refclock.Stamp, ok bool) {
	source.length = 0
	for len(b) >= unix.SizeofCmsghdr {
		header, data, rest, err := unix.ParseOneSocketControlMessage(b)
		if err != nil {
			return stamp, ok
		}
		b = rest
		switch {
		case header.Level == unix.SOL_SOCKET && header.Type == unix.SO_TIMESTAMPNS_NEW && len(data) >= 16:
			// struct __kernel_timespec: two 64-bit integers on every architecture.
			seconds, nanos := binary.NativeEndian.Uint64(data), binary.NativeEndian.Uint64(data[8:])
			stamp, ok = refclock.Stamp(seconds*1e9+nanos), true
		case header.Level == unix.IPPROTO_IP && header.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			// ipi_spec_dst is the local address that answers, also for a broadcast; the route chooses the interface.
			info := unix.Inet4Pktinfo{Spec_dst: [4]byte(data[4:8])}
			source.set(header, unsafe.Slice((*byte)(unsafe.Pointer(&info)), unix.SizeofInet4Pktinfo))
		case header.Level == unix.IPPROTO_IPV6 && header.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			info := unix.Inet6Pktinfo{Addr: [16]byte(data[:16])}
			// A link-local address says nothing without its interface; for others the route chooses it.
			if netip.AddrFrom16(info.Addr).IsLinkLocalUnicast() {
				info.Ifindex = binary.NativeEndian.Uint32(data[16:])
			}
			source.set(header, unsafe.Slice((*byte)(unsafe.Pointer(&info)), unix.SizeofInet6Pktinfo))
		}
	}
	return stamp, ok
}

// set builds a control message of the same kind as header with other data.
func (r *replySource) set(header unix.Cmsghdr, data []byte) {
	r.length = unix.CmsgSpace(len(data))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&r.buffer[0]))
	h.Level, h.Type = header.Level, header.Type
	h.SetLen(unix.CmsgLen(len(data)))
	copy(r.buffer[unix.CmsgLen(0):], data)
}
