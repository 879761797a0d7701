package upstream

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"timestation/refclock"
)

// kernelStamps: own exchanges are better than anybody's here.
const kernelStamps = true

// timestamping is what the kernel is asked for: stamps in software of what comes and goes, those of what goes by number
// and without the packet. The variant with 64-bit seconds (Linux 5.1) makes 2038 an ordinary year on 32-bit ARM too.
const timestamping = unix.SOF_TIMESTAMPING_RX_SOFTWARE | unix.SOF_TIMESTAMPING_TX_SOFTWARE | unix.SOF_TIMESTAMPING_SOFTWARE |
	unix.SOF_TIMESTAMPING_OPT_ID | unix.SOF_TIMESTAMPING_OPT_TSONLY

const longestControl = 256

// kernelSocket takes its stamps from the kernel where it gives any (networking/timestamping in the kernel's
// documentation).
type kernelSocket struct {
	conn    *net.UDPConn
	raw     syscall.RawConn
	now     func() refclock.Stamp
	control []byte
	count   uint32 // requests sent; the kernel numbers them from 0
}

func newSocket(conn *net.UDPConn, now func() refclock.Stamp) (socket, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		conn.Close()
		return nil, err
	}
	// Without stamps of the kernel the program's own have to do; the Signal page says so.
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPING_NEW, timestamping)
	})
	return &kernelSocket{conn: conn, raw: raw, now: now, control: make([]byte, longestControl)}, nil
}

func (s *kernelSocket) send(b []byte) (refclock.Stamp, error) {
	s.count++
	at := s.now()
	_, err := s.conn.Write(b)
	return at, err
}

func (s *kernelSocket) receive(ctx context.Context, b []byte) (n int, at refclock.Stamp, kernel bool, err error) {
	defer context.AfterFunc(ctx, func() { s.conn.SetReadDeadline(time.Unix(1, 0)) })()
	n, controlLen, _, _, err := s.conn.ReadMsgUDPAddrPort(b, s.control)
	at = s.now()
	if err != nil {
		return 0, 0, false, err
	}
	if stamp, _, ok := readStamps(s.control[:controlLen]); ok {
		return n, stamp, true, nil
	}
	return n, at, false, nil
}

// sent empties the socket's error queue, in which transmit stamps come.
func (s *kernelSocket) sent() (at refclock.Stamp, ok bool) {
	_ = s.raw.Control(func(fd uintptr) {
		for {
			_, n, _, _, err := unix.Recvmsg(int(fd), nil, s.control, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
			if err != nil {
				return
			}
			if stamp, id, has := readStamps(s.control[:n]); has && id == s.count-1 {
				at, ok = stamp, true
			}
		}
	})
	return at, ok
}

func (s *kernelSocket) close() { s.conn.Close() }

// readStamps takes the stamp from what came with a datagram, and the number of the request from what came with the stamp of
// one.
func readStamps(b []byte) (stamp refclock.Stamp, id uint32, ok bool) {
	for len(b) >= unix.SizeofCmsghdr {
		header, data, rest, err := unix.ParseOneSocketControlMessage(b)
		if err != nil {
			return stamp, id, ok
		}
		b = rest
		switch {
		case header.Level == unix.SOL_SOCKET && header.Type == unix.SO_TIMESTAMPING_NEW && len(data) >= 16:
			// struct scm_timestamping64: three pairs of 64-bit seconds and nanoseconds, the first made by software.
			s, ns := binary.NativeEndian.Uint64(data), binary.NativeEndian.Uint64(data[8:])
			stamp, ok = refclock.Stamp(s*1e9+ns), s != 0 || ns != 0
		case len(data) >= 16 && (header.Level == unix.IPPROTO_IP && header.Type == unix.IP_RECVERR ||
			header.Level == unix.IPPROTO_IPV6 && header.Type == unix.IPV6_RECVERR):
			id = binary.NativeEndian.Uint32(data[12:]) // struct sock_extended_err: ee_data
		}
	}
	return stamp, id, ok
}

// ownPort looks the sockets of a UDP port up in /proc, and among the files this process has open.
func ownPort(port uint16) bool {
	wanted := map[string]bool{}
	for _, table := range []string{"/proc/self/net/udp", "/proc/self/net/udp6"} {
		f, err := os.Open(table)
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			// sl, local address:port, remote address:port, state, queues, timer, retransmits, uid, timeout, inode (proc(5))
			fields := strings.Fields(lines.Text())
			if len(fields) > 9 && strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) {
				wanted["socket:["+fields[9]+"]"] = true
			}
		}
		f.Close()
	}
	if len(wanted) == 0 {
		return false
	}
	files, _ := os.ReadDir("/proc/self/fd")
	for _, f := range files {
		if target, err := os.Readlink("/proc/self/fd/" + f.Name()); err == nil && wanted[target] {
			return true
		}
	}
	return false
}
