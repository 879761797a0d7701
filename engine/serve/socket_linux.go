package serve

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
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

// cardOptions are what a socket needs more for the card's stamps, and to know which card's.
const cardOptions = unix.SOF_TIMESTAMPING_RX_HARDWARE | unix.SOF_TIMESTAMPING_RAW_HARDWARE | unix.SOF_TIMESTAMPING_OPT_PKTINFO

// stampBy has the packets of the socket stamped by what options say.
func (s *socket) stampBy(options int) error {
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPING_NEW, options))
}

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

// socket is one of a listener's. The runtime's poller does not know it: that asks, of whatever it knows, also when there is
// room to send, which is each time that an answer has left, and would wake the program for nothing. It knows an epoll
// instance instead that asks for arrivals alone (and for the error queue, which nobody can refuse), and is never read.
type socket struct {
	arrivals *os.File
	file     *os.File // blocking, so that the poller leaves it alone: every call says MSG_DONTWAIT
	fd       int      // of file
	poll     int      // of arrivals
	timer    int      // told like an arrival, see rest
	address  netip.AddrPort
}

// newSocket takes the place of conn.
func newSocket(conn *net.UDPConn) (*socket, error) {
	defer conn.Close()
	s := &socket{address: conn.LocalAddr().(*net.UDPAddr).AddrPort()}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	if failed := raw.Control(func(fd uintptr) { s.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) }); failed != nil {
		err = failed
	}
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	if err := unix.SetNonblock(s.fd, false); err != nil {
		unix.Close(s.fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	s.file = os.NewFile(uintptr(s.fd), "socket")
	if s.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		s.file.Close()
		return nil, os.NewSyscallError("epoll_create", err)
	}
	_ = unix.SetNonblock(s.poll, true) // which tells the runtime to poll it
	s.arrivals = os.NewFile(uintptr(s.poll), "arrivals")
	if s.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		err = os.NewSyscallError("timerfd_create", err)
	} else if err = s.tell(s.timer); err == nil {
		err = s.listen()
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// tell has it told when there is something to read.
func (s *socket) tell(fd int) error {
	edge := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(s.poll, unix.EPOLL_CTL_ADD, fd, &edge))
}

// listen has arrivals told, those too that are there already.
func (s *socket) listen() error { return s.tell(s.fd) }

// unlisten has nothing told until the next listen.
func (s *socket) unlisten() { _ = unix.EpollCtl(s.poll, unix.EPOLL_CTL_DEL, s.fd, nil) }

// Close returns when nobody uses the socket any more.
func (s *socket) Close() error {
	return errors.Join(s.arrivals.Close(), unix.Close(s.timer), s.file.Close())
}

// send sends a datagram that is no answer.
func (s *socket) send(packet []byte, to netip.AddrPort) error {
	raw, err := s.file.SyscallConn()
	if err != nil {
		return err
	}
	failed := raw.Control(func(fd uintptr) { err = unix.Sendto(int(fd), packet, unix.MSG_DONTWAIT, sockaddr(to)) })
	return errors.Join(failed, os.NewSyscallError("sendto", err))
}

// sockaddr is an address as the kernel takes it.
func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	to := &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	if i, err := net.InterfaceByName(a.Addr().Zone()); err == nil {
		to.ZoneId = uint32(i.Index)
	} else if n, err := strconv.ParseUint(a.Addr().Zone(), 10, 32); err == nil {
		to.ZoneId = uint32(n)
	}
	return to
}

// replyControl is what goes with an answer: the address it is to leave from, which on a machine with several is not the
// one the kernel would choose, and whether to stamp it.
type replyControl struct {
	buffer [96]byte
	length int
}

// cmsgHeader is the length in octets of a control message's header, padded.
var cmsgHeader = unix.CmsgLen(0)

// add appends a control message.
func (r *replyControl) add(level, kind int32, data []byte) {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&r.buffer[r.length]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(len(data)))
	copy(r.buffer[r.length+cmsgHeader:], data)
	r.length += unix.CmsgSpace(len(data))
}

// stamp asks for the time at which the answer leaves: the card's, or where that has none the kernel's.
func (r *replyControl) stamp(byCard bool) {
	var flags [4]byte
	binary.NativeEndian.PutUint32(flags[:], unix.SOF_TIMESTAMPING_TX_SOFTWARE)
	if byCard {
		binary.NativeEndian.PutUint32(flags[:], unix.SOF_TIMESTAMPING_TX_SOFTWARE|unix.SOF_TIMESTAMPING_TX_HARDWARE)
	}
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

// stamps are what control messages say of when a packet came or left.
type stamps struct {
	kernel refclock.Stamp // 0 for none
	card   int64          // by the clock of the network card, 0 for none
	index  uint32         // of the interface that has the card, where it came
}

// read takes struct scm_timestamping64: three times of two 64-bit integers each on every architecture. The first is the
// kernel's, the last the card's (Documentation/networking/timestamping.rst, section 2.1).
func (s *stamps) read(data []byte) {
	if len(data) < 48 {
		return
	}
	nanoseconds := func(at int) int64 {
		return int64(binary.NativeEndian.Uint64(data[at:])*1e9 + binary.NativeEndian.Uint64(data[at+8:]))
	}
	s.kernel, s.card = refclock.Stamp(nanoseconds(0)), nanoseconds(32)
}

// readControl takes the arrival time and the destination from what came with a datagram.
func readControl(b []byte, reply *replyControl) (s stamps) {
	reply.length = 0
	for {
		level, kind, data, rest, ok := nextControl(b)
		if !ok {
			return s
		}
		b = rest
		switch {
		case level == unix.SOL_SOCKET && kind == unix.SO_TIMESTAMPING_NEW:
			s.read(data)
		case level == unix.SOL_SOCKET && kind == unix.SCM_TIMESTAMPING_PKTINFO && len(data) >= 4:
			s.index = binary.NativeEndian.Uint32(data)
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
func readDeparture(b []byte) (number uint32, s stamps, ok bool) {
	for {
		level, kind, data, rest, more := nextControl(b)
		if !more {
			return number, s, ok
		}
		b = rest
		switch {
		case level == unix.SOL_SOCKET && kind == unix.SO_TIMESTAMPING_NEW:
			s.read(data)
		case level == unix.IPPROTO_IP && kind == unix.IP_RECVERR, level == unix.IPPROTO_IPV6 && kind == unix.IPV6_RECVERR:
			const origin, count = 4, 12 // in struct sock_extended_err
			if len(data) >= count+4 && data[origin] == unix.SO_EE_ORIGIN_TIMESTAMPING {
				number, ok = binary.NativeEndian.Uint32(data[count:]), true
			}
		}
	}
}
