package serve

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"timestation/refclock"
)

// receiveBuffer is what a socket may hold, in octets as the kernel counts them: some two thousand requests, which is the
// 10 ms that a busy machine may let the program wait at 200,000 a second.
const receiveBuffer = 2 << 20

// stampOptions: arrival times and, where a message asks for it, departure times, both taken by the kernel in software;
// the latter with a number instead of the packet (Documentation/networking/timestamping.rst). The variant with 64-bit
// seconds (Linux 5.1) makes 2038 an ordinary year on 32-bit ARM too.
const stampOptions = unix.SOF_TIMESTAMPING_SOFTWARE | unix.SOF_TIMESTAMPING_RX_SOFTWARE |
	unix.SOF_TIMESTAMPING_OPT_ID | unix.SOF_TIMESTAMPING_OPT_TSONLY

// sockets is how many to bind to one address: one for every processor the program may use.
func sockets() int { return runtime.GOMAXPROCS(0) }

// prepare sets up a socket before it is bound: time stamps (socket(7)) and, where it is for all addresses, that which a
// datagram was sent to (ip(7), ipv6(7)). Only the error of these is told; the rest makes it faster where it is known.
func prepare(raw syscall.RawConn, everywhere, shared bool) error {
	var err error
	failed := raw.Control(func(fd uintptr) {
		s := int(fd)
		err = unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_TIMESTAMPING_NEW, stampOptions)
		// A socket is of one family, and refuses the other's option.
		if everywhere && unix.SetsockoptInt(s, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1) != nil {
			err = errors.Join(err, unix.SetsockoptInt(s, unix.IPPROTO_IP, unix.IP_PKTINFO, 1))
		}
		if unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
			_ = unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
		}
		// No answer is ever fragmented, and what anybody claims about the path's MTU is not believed.
		_ = unix.SetsockoptInt(s, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE)
		_ = unix.SetsockoptInt(s, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE)
		if shared {
			_ = unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return fmt.Errorf("setsockopt: %w", err)
	}
	return nil
}

// share lets the sockets to come have the address of conn too. It was bound without, so that a second program (or a
// second station) cannot have it.
func share(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	failed := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
	return errors.Join(err, failed)
}

// replyControl is what goes with an answer: the address it is to leave from, which on a machine with several is not the
// one the kernel would choose, and whether to stamp it.
type replyControl struct {
	buffer [96]byte
	length int
}

// cmsgHeader is the length in octets of a control message's header, padded.
var cmsgHeader = unix.CmsgLen(0)

// bytes is what sendmsg takes; nothing leaves the choice to the kernel.
func (r *replyControl) bytes() []byte { return r.buffer[:r.length] }

// add appends a control message.
func (r *replyControl) add(level, kind int32, data []byte) {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&r.buffer[r.length]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(len(data)))
	copy(r.buffer[r.length+cmsgHeader:], data)
	r.length += unix.CmsgSpace(len(data))
}

// stamp asks for the time at which the answer leaves.
func (r *replyControl) stamp() {
	var flags [4]byte
	binary.NativeEndian.PutUint32(flags[:], unix.SOF_TIMESTAMPING_TX_SOFTWARE)
	r.add(unix.SOL_SOCKET, unix.SO_TIMESTAMPING_NEW, flags[:])
}

// nextControl takes the first control message off b.
func nextControl(b []byte) (level, kind int32, data, rest []byte, ok bool) {
	if len(b) < unix.SizeofCmsghdr {
		return 0, 0, nil, nil, false
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	n := int(h.Len)
	if n < cmsgHeader || n > len(b) {
		return 0, 0, nil, nil, false
	}
	return h.Level, h.Type, b[cmsgHeader:n], b[min(len(b), unix.CmsgSpace(n-cmsgHeader)):], true
}

// stampOf reads the first of three struct __kernel_timespec, each of two 64-bit integers on every architecture: the
// software stamp.
func stampOf(data []byte) (refclock.Stamp, bool) {
	if len(data) < 16 {
		return 0, false
	}
	seconds, nanos := binary.NativeEndian.Uint64(data), binary.NativeEndian.Uint64(data[8:])
	return refclock.Stamp(seconds*1e9 + nanos), seconds != 0
}

// readControl takes the arrival time and the destination from what came with a datagram.
func readControl(b []byte, reply *replyControl) (stamp refclock.Stamp, stamped bool) {
	reply.length = 0
	for {
		level, kind, data, rest, ok := nextControl(b)
		if !ok {
			return stamp, stamped
		}
		b = rest
		switch {
		case level == unix.SOL_SOCKET && kind == unix.SO_TIMESTAMPING_NEW:
			stamp, stamped = stampOf(data)
		case level == unix.IPPROTO_IP && kind == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			// ipi_spec_dst is the local address that answers, also for a broadcast; the route chooses the interface.
			info := unix.Inet4Pktinfo{Spec_dst: [4]byte(data[4:8])}
			reply.add(level, kind, unsafe.Slice((*byte)(unsafe.Pointer(&info)), unix.SizeofInet4Pktinfo))
		case level == unix.IPPROTO_IPV6 && kind == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			info := unix.Inet6Pktinfo{Addr: [16]byte(data[:16])}
			to := netip.AddrFrom16(info.Addr)
			if to.IsMulticast() {
				continue
			}
			// A link-local address says nothing without its interface; for others the route chooses it.
			if to.IsLinkLocalUnicast() {
				info.Ifindex = binary.NativeEndian.Uint32(data[16:])
			}
			reply.add(level, kind, unsafe.Slice((*byte)(unsafe.Pointer(&info)), unix.SizeofInet6Pktinfo))
		}
	}
}

// readDeparture takes number and time from a message of the error queue.
func readDeparture(b []byte) (number uint32, stamp refclock.Stamp, ok bool) {
	var stamped, numbered bool
	for {
		level, kind, data, rest, more := nextControl(b)
		if !more {
			return number, stamp, stamped && numbered
		}
		b = rest
		switch {
		case level == unix.SOL_SOCKET && kind == unix.SO_TIMESTAMPING_NEW:
			stamp, stamped = stampOf(data)
		case level == unix.IPPROTO_IP && kind == unix.IP_RECVERR, level == unix.IPPROTO_IPV6 && kind == unix.IPV6_RECVERR:
			const origin, count = 4, 12 // in struct sock_extended_err
			if len(data) >= count+4 && data[origin] == unix.SO_EE_ORIGIN_TIMESTAMPING {
				number, numbered = binary.NativeEndian.Uint32(data[count:]), true
			}
		}
	}
}
