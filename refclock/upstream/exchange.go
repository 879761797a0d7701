package upstream

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

	"timestation/engine/ntp"
	"timestation/refclock"
)

const (
	// answerTime is how long an answer is waited for.
	answerTime = 2 * time.Second
	// longestAnswer is what a datagram may have in octets; what is cut off at one more has a length no packet has.
	longestAnswer = 2048
	// oldestStamp is how long the true transmit stamp of an answer may be in coming: the engine knows no longer where older
	// stamps of the local clock belong.
	oldestStamp = 30 * time.Second
	// socketUses is how many requests leave from the same random port where the server tells interleaving clients apart by
	// it. Without interleaved mode each has its own.
	socketUses = 8
)

// reply is an answer that is authentic.
type reply struct {
	ntp.Header
	// T1 and T4 are when the request left and the answer came; Receive and Transmit of the header are T2 and T3.
	T1, T4 refclock.Stamp
	// Kernel tells that T1 and T4 are the kernel's, Interleaved that T3 is the server's true transmit stamp.
	Kernel, Interleaved bool
}

// exchanger makes an exchange with one server.
type exchanger interface {
	// exchange asks once. Where the server interleaves, replies has the previous exchange, completed by this answer, and
	// newest the header of this one; otherwise they are of the same. dropped counts what came besides. The error is of the
	// network, or errNoAnswer.
	exchange(ctx context.Context, dropped func(reason)) (newest ntp.Header, replies []reply, err error)
	// flush gives the last exchange, if its true transmit stamp has not come and will not be waited for.
	flush() []reply
	close()
}

var errNoAnswer = errors.New("no answer")

// wire exchanges packets by itself.
type wire struct {
	network    network
	to         netip.AddrPort
	protection protection
	interleave bool

	socket  socket
	uses    int
	buffer  []byte
	last    *waiting // the last exchange in interleaved mode
	request []byte
}

// waiting is an exchange whose true transmit stamp may come with the next answer.
type waiting struct {
	reply
	// usable: it has a transmit stamp of its own, if not the true one. given: it was handed out.
	usable, given bool
}

func (w *wire) exchange(ctx context.Context, dropped func(reason)) (newest ntp.Header, replies []reply, err error) {
	if w.socket == nil || w.uses >= socketUses || !w.interleave {
		// The old socket is closed only now: the kernel stamps what comes only while somebody wants it to, and takes a while to
		// begin.
		fresh, err := w.network.connect(w.to)
		if err != nil {
			return newest, nil, err
		}
		w.close()
		w.socket = fresh
	}
	w.uses++
	got, err := w.ask(ctx, dropped)
	if err != nil {
		w.last, w.uses = nil, socketUses
		return newest, nil, err
	}
	return got.Header, w.complete(*got), nil
}

// complete tells which exchanges have all their stamps with this answer (RFC 9769, section 2).
func (w *wire) complete(got reply) (replies []reply) {
	if !w.interleave || got.Stratum == 0 {
		w.last = nil
		return []reply{got}
	}
	switch previous := w.last; {
	case previous == nil || previous.given:
	case !got.Interleaved:
		replies = w.flush()
	case got.T1.Sub(previous.T4) <= oldestStamp:
		previous.Transmit, previous.Interleaved = got.Transmit, true
		replies = []reply{previous.reply}
	}
	w.last = &waiting{reply: got, usable: !got.Interleaved}
	w.last.Interleaved = false
	return replies
}

func (w *wire) flush() []reply {
	if w.last == nil || w.last.given || !w.last.usable {
		return nil
	}
	w.last.given = true
	return []reply{w.last.reply}
}

// ask sends a request and waits for its answer.
func (w *wire) ask(ctx context.Context, dropped func(reason)) (*reply, error) {
	request := ntp.Header{Version: 4, Mode: ntp.Client, Transmit: random()}
	if w.last != nil {
		request.Origin, request.Receive = w.last.Header.Receive, random()
	}
	packet, err := w.protection.protect(request.Append(w.request[:0]))
	if err != nil {
		return nil, err
	}
	w.request = packet
	if w.buffer == nil {
		w.buffer = make([]byte, longestAnswer+1)
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	t1, err := w.socket.send(packet)
	if err != nil {
		return nil, err
	}
	for {
		n, t4, kernel, err := w.socket.receive(ctx, w.buffer)
		if err != nil {
			if ctx.Err() != nil {
				err = errNoAnswer
			}
			return nil, err
		}
		header, interleaved, why := w.judge(w.buffer[:n], request)
		if why != used {
			dropped(why)
			continue
		}
		got := &reply{Header: header, T1: t1, T4: t4, Interleaved: interleaved}
		if sent, ok := w.socket.sent(); ok {
			got.T1, got.Kernel = sent, kernel
		}
		return got, nil
	}
}

// judge tells whether a packet is the answer to a request.
func (w *wire) judge(b []byte, request ntp.Header) (header ntp.Header, interleaved bool, why reason) {
	p, err := ntp.Parse(b)
	if err != nil {
		return header, false, malformed
	}
	if p.Mode != ntp.Server || p.Version != request.Version {
		return header, false, wrongMode
	}
	interleaved = request.Receive != 0 && p.Origin == request.Receive
	if !interleaved && p.Origin != request.Transmit {
		return header, false, wrongOrigin
	}
	return p.Header, interleaved, w.protection.check(b, &p)
}

func (w *wire) close() {
	if w.socket != nil {
		w.socket.close()
		w.socket, w.uses = nil, 0
	}
}

// random is a timestamp that says nothing; zero has a meaning.
func random() ntp.Timestamp {
	var b [8]byte
	for {
		rand.Read(b[:])
		if t := ntp.Timestamp(binary.BigEndian.Uint64(b[:])); t != 0 {
			return t
		}
	}
}
