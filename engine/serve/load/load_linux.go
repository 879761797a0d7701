package load

import (
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"timestation/engine/ntp"
)

const (
	batch = 64
	// patience is how long an answer may take.
	patience = time.Second
)

type mmsghdr struct {
	header unix.Msghdr
	length uint32
}

type port struct {
	*slots
	fd        int
	progress  time.Time
	out, in   [batch]mmsghdr
	outAt     [batch]unix.Iovec
	inAt      [batch]unix.Iovec
	buffers   [batch][1024]byte
	connected *net.UDPConn
}

// Run asks from the calling goroutine, without ever sleeping unless a pace is given: give it a processor of its own. It
// allocates nothing while it runs.
func Run(c Config) (r Result, err error) {
	if err := c.validate(); err != nil {
		return r, err
	}
	var auth *ntp.Authenticator
	if c.Key != nil {
		if auth, err = ntp.NewAuthenticator(*c.Key); err != nil {
			return r, err
		}
	}
	var ports []*port
	defer func() {
		for _, p := range ports {
			p.connected.Close()
		}
	}()
	for n := range c.Ports {
		p, err := dial(c, n, auth)
		if err != nil {
			return r, err
		}
		ports = append(ports, p)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := time.Now()
	for next := 0; ; {
		now := time.Now()
		r.Elapsed = now.Sub(began)
		if r.Elapsed >= c.Duration {
			break
		}
		allowed := uint64(1) << 62
		if c.PerSecond > 0 {
			due := uint64(r.Elapsed.Seconds() * c.PerSecond)
			if allowed = due - min(due, r.Sent); allowed == 0 {
				time.Sleep(time.Duration(float64(r.Sent+1)/c.PerSecond*1e9) - r.Elapsed)
			}
		}
		for range ports {
			p := ports[next%len(ports)]
			if sent := p.send(&c, min(allowed, batch)); sent > 0 {
				r.Sent += sent
				allowed -= sent
				next++
			} else if c.PerSecond == 0 {
				next++
			}
			if allowed == 0 {
				break
			}
		}
		for _, p := range ports {
			p.receive(&c, &r, now)
		}
	}
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) && underWay(ports) {
		for _, p := range ports {
			p.receive(&c, &r, time.Now())
		}
	}
	for _, p := range ports {
		r.Lost += p.giveUp()
	}
	return r, nil
}

func underWay(ports []*port) bool {
	for _, p := range ports {
		if p.from < p.to {
			return true
		}
	}
	return false
}

func dial(c Config, n int, auth *ntp.Authenticator) (*port, error) {
	var local *net.UDPAddr
	if len(c.Sources) > 0 {
		local = net.UDPAddrFromAddrPort(netip.AddrPortFrom(c.Sources[n%len(c.Sources)], 0))
	}
	conn, err := net.DialUDP("udp", local, net.UDPAddrFromAddrPort(c.Target))
	if err != nil {
		return nil, err
	}
	p := &port{connected: conn}
	p.slots, err = newSlots(c, n, auth)
	var raw syscall.RawConn
	if err == nil {
		raw, err = conn.SyscallConn()
	}
	if err == nil {
		err = raw.Control(func(fd uintptr) { p.fd = int(fd) })
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	_ = conn.SetReadBuffer(4 << 20)
	for i := range batch {
		p.inAt[i].Base = &p.buffers[i][0]
		p.inAt[i].SetLen(len(p.buffers[i]))
		p.in[i].header.Iov = &p.inAt[i]
		p.in[i].header.SetIovlen(1)
		p.out[i].header.Iov = &p.outAt[i]
		p.out[i].header.SetIovlen(1)
	}
	return p, nil
}

// send sends up to n requests, as far as the window allows.
func (p *port) send(c *Config, n uint64) uint64 {
	n = min(n, uint64(c.Window)-min(uint64(c.Window), p.to-p.from))
	if n == 0 {
		return 0
	}
	if p.from == p.to {
		p.progress = time.Now()
	}
	for i := range n {
		request := p.requests[(p.to+i)%uint64(len(p.requests))]
		p.outAt[i].Base = &request[0]
		p.outAt[i].SetLen(len(request))
	}
	sent, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(p.fd), uintptr(unsafe.Pointer(&p.out[0])), uintptr(n),
		unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0
	}
	for range sent {
		p.underWay[p.to%uint64(len(p.underWay))] = true
		p.to++
	}
	return uint64(sent)
}

func (p *port) receive(c *Config, r *Result, now time.Time) {
	if p.from == p.to {
		return
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(p.fd), uintptr(unsafe.Pointer(&p.in[0])), batch,
		unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		if now.Sub(p.progress) > patience {
			r.Lost += p.giveUp()
		}
		return
	}
	p.progress = now
	for i := range int(n) {
		if p.take(c, p.buffers[i][:p.in[i].length]) {
			r.Answered++
		} else {
			r.Wrong++
		}
	}
}
