package serve

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"timestation/refclock"
)

const (
	// batch is how many datagrams one system call takes.
	batch = 64
	// few datagrams are answered one by one, so that each answer leaves when it is written; more together, for speed.
	few = 4
	// controlSpace holds a time stamp of 64 octets, whose it is in 32, and a destination of 40.
	controlSpace = 144
)

// mmsghdr is struct mmsghdr (recvmmsg(2)).
type mmsghdr struct {
	header unix.Msghdr
	length uint32
}

// worker answers what comes to one socket. All its memory is taken when it is made.
type worker struct {
	server    *Server
	socket    *socket
	responder responder
	tally     batchTally
	zones     map[uint32]string // names of interfaces

	received, sending [batch]mmsghdr
	receivedAt, sent  [batch]unix.Iovec
	names             [batch]unix.RawSockaddrInet6 // has room for both families
	controls          [batch][controlSpace]byte
	replies           [batch]replyControl
	in                [batch][longestRequest + 1]byte
	out               [batch][longestRequest]byte
	outcomes          [batch]struct {
		outcome
		reason Reason
		length int
	}

	// Departures are numbered by the kernel from 0 on; next is the number of the next, waiting how many are not back.
	departures [stampsPending]departure
	next       uint32
	waiting    int
	deaf       bool // the socket ought to be listened to and is not
	late       [16]mmsghdr
	lateAt     [16][2 * controlSpace]byte

	rounds rounds

	// thinking and telling are what making and sending one answer of a batch usually take.
	thinking, telling usual
}

// usual is a running median, which a pause of the program does not move far.
type usual time.Duration

// learn takes in how long n took together.
func (u *usual) learn(took time.Duration, n int) {
	const steps = 32
	switch each := usual(took) / usual(n); {
	case *u == 0:
		*u = each
	case each > *u:
		*u += *u/steps + 1
	case each < *u:
		*u -= *u / steps
	}
}

func (s *Server) newWorker(socket *socket) *worker {
	w := &worker{server: s, socket: socket, responder: s.newResponder(), zones: map[uint32]string{}}
	for i := range batch {
		w.receivedAt[i].Base = &w.in[i][0]
		w.receivedAt[i].SetLen(len(w.in[i]))
		h := &w.received[i].header
		h.Name, h.Iov, h.Control = (*byte)(unsafe.Pointer(&w.names[i])), &w.receivedAt[i], &w.controls[i][0]
		h.SetIovlen(1)
	}
	for i := range w.late {
		w.late[i].header.Control = &w.lateAt[i][0]
	}
	w.reset(batch)
	return w
}

// reset makes the first n places ready to receive.
func (w *worker) reset(n int) {
	for i := range n {
		h := &w.received[i].header
		h.Namelen = uint32(unsafe.Sizeof(w.names[i]))
		h.SetControllen(controlSpace)
	}
}

// run answers until the socket is closed.
func (w *worker) run(ctx context.Context) {
	raw, err := w.socket.arrivals.SyscallConn()
	if err != nil {
		return // closed
	}
	fd := uintptr(w.socket.fd) // open for as long as the arrivals are
	for {
		var failed error
		err := raw.Read(func(uintptr) (done bool) {
			done, failed = w.drain(fd)
			return done
		})
		switch {
		case w.server.closing.Load(), errors.Is(err, os.ErrClosed):
			return
		case err != nil:
			failed = err
		}
		w.server.log.Debug("read", "error", failed)
		select {
		case <-ctx.Done():
		case <-time.After(readRetry):
		}
	}
}

// drain answers all that lies in the socket. It then wants to be called again when there is more (done is false): the
// runtime wakes it by an edge, which every new datagram raises, so that after a batch that is not full there is no need
// to ask once more whether there is nothing.
//
// The calls are raw because they never block: the scheduler need not hear of them.
func (w *worker) drain(fd uintptr) (done bool, err error) {
	for all := 0; !w.server.closing.Load(); {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&w.received[0])), batch,
			unix.MSG_DONTWAIT, 0, 0)
		if w.waiting > 0 {
			w.takeDepartures(fd)
		}
		switch errno {
		case 0:
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return w.wait(all)
		default:
			return true, errno
		}
		if all += int(n); n <= few {
			for i := range int(n) {
				w.answer(fd, i, i+1)
			}
		} else {
			w.answer(fd, 0, int(n))
		}
		w.tally.tell(&w.server.tally)
		w.reset(int(n))
		if n < batch {
			return w.wait(all)
		}
		runtime.Gosched() // in a flood the engine must still get its turn
	}
	return true, nil
}

// wait says that drain has answered the n requests that there were. Where nothing will tell of the next, which takes a lack
// of memory, drain is to be called again soon.
func (w *worker) wait(n int) (done bool, err error) {
	if w.rounds.note(n, w.responder.looked) {
		if w.deaf = !w.rounds.on; w.rounds.on {
			w.socket.unlisten()
		}
	}
	switch {
	case w.rounds.on:
		err = w.socket.rest(w.rounds.length)
		return err != nil, err
	case w.deaf:
		err = w.socket.listen()
		w.deaf = err != nil
	}
	return w.deaf, err
}

// answer answers the datagrams from the one to before the other. All answers are made before the first is sent, and sent
// one by one: each says when it will be its turn. One alone leaves when it is written.
func (w *worker) answer(fd uintptr, from, to int) {
	w.responder.look()
	n := to - from
	var leaves refclock.Stamp
	if n > 1 {
		leaves = w.responder.at.Add(time.Duration(w.thinking) * time.Duration(n))
	}
	sending, stamped := 0, false
	for i := from; i < to; i++ {
		h, in := &w.received[i].header, w.in[i][:w.received[i].length]
		reply := &w.replies[i]
		seen, byCard := readControl(w.controls[i][:h.Controllen], reply), false
		rx := seen.kernel
		if rx == 0 {
			rx = w.responder.at // the kernel begins to stamp some time after the first socket asked for it
		} else if seen.card != 0 && w.server.card != nil {
			rx, byCard = w.server.arrival(seen)
		}
		client, ok := w.source(i)
		if !ok {
			continue
		}
		if w.server.isControl(in, client) && w.control(fd, in, client, h, reply) {
			w.tally.control++
			continue
		}
		length, reason := w.responder.answer(in, client.Addr(), rx, leaves, w.out[sending][:])
		o := &w.outcomes[sending]
		o.outcome, o.reason, o.length = w.responder.last, reason, length
		if length == 0 {
			w.tally.count(0, reason, &o.outcome)
			continue
		}
		if o.stamp = o.stamp && w.server.kernelStamps; o.stamp {
			stamped = true
			reply.stamp(byCard)
		}
		w.sent[sending].Base = &w.out[sending][0]
		w.sent[sending].SetLen(length)
		back := &w.sending[sending].header
		back.Name, back.Namelen, back.Iov, back.Control = h.Name, h.Namelen, &w.sent[sending], nil
		back.SetIovlen(1)
		if back.SetControllen(reply.length); reply.length > 0 {
			back.Control = &reply.buffer[0]
		}
		sending++
		if n > 1 {
			leaves = min(leaves.Add(time.Duration(w.telling)), w.responder.at.Add(boundAhead))
		}
	}
	send := w.send
	if stamped {
		send = w.sendStamped
	}
	if n == 1 {
		send(fd, sending)
	} else {
		made := time.Since(w.responder.looked)
		send(fd, sending)
		w.thinking.learn(made, n)
		w.telling.learn(time.Since(w.responder.looked)-made, max(sending, 1))
	}
}

// send sends the first n answers.
func (w *worker) send(fd uintptr, n int) {
	for at := 0; at < n; {
		sent, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&w.sending[at])), uintptr(n-at),
			unix.MSG_DONTWAIT, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			// It is the first one's fault.
			o := &w.outcomes[at]
			w.tally.count(0, SendFailed, &o.outcome)
			if at++; o.stamp {
				w.renumber()
			}
			continue
		}
		for i := at; i < at+int(sent); i++ {
			o := &w.outcomes[i]
			w.tally.count(o.length, o.reason, &o.outcome)
			if o.stamp {
				w.expect(departure{key: o.key, expected: o.tx})
			}
		}
		at += int(sent)
	}
}

// control hands a control message over, whose header is asked; its answers leave at once.
func (w *worker) control(fd uintptr, in []byte, from netip.AddrPort, asked *unix.Msghdr, reply *replyControl) bool {
	return w.server.controller.Control(in, from, func(answer []byte) {
		to := unix.Msghdr{Name: asked.Name, Namelen: asked.Namelen, Iov: &unix.Iovec{Base: unsafe.SliceData(answer)}}
		to.Iov.SetLen(len(answer))
		to.SetIovlen(1)
		if to.SetControllen(reply.length); reply.length > 0 {
			to.Control = &reply.buffer[0]
		}
		if _, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&to)), unix.MSG_DONTWAIT); errno != 0 {
			w.server.log.Debug("control", "error", errno)
		}
	})
}
