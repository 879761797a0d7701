package serve

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"timestation/refclock"
)

const (
	// maxAhead is how much earlier than expected an answer may leave: those of a batch are no longer under way.
	maxAhead = boundAhead
	// stampsPending is how many answers may wait for the time at which they left.
	stampsPending = 256
)

// departure is an answer that waits for the time at which it left.
type departure struct {
	key      exchangeKey
	number   uint32
	expected refclock.Stamp
	valid    bool
}

// sendStamped is send for answers some of which wait for the time at which they leave. Meanwhile the socket is not listened
// to: telling of a stamp would take its time between that and the moment at which the client has the packet. Most stamps
// are there at once.
func (w *worker) sendStamped(fd uintptr, n int) {
	if !w.rounds.on {
		w.socket.unlisten()
	}
	w.send(fd, n)
	w.takeDepartures(fd)
	if !w.rounds.on {
		w.deaf = w.socket.listen() != nil
	}
}

// expect notes that the kernel will tell when an answer left.
func (w *worker) expect(d departure) {
	place := &w.departures[w.next%stampsPending]
	if !place.valid {
		w.waiting++
	}
	d.number, d.valid = w.next, true
	*place = d
	w.next++
}

// takeDepartures notes what the error queue says of answers that left.
func (w *worker) takeDepartures(fd uintptr) {
	for w.waiting > 0 {
		for i := range w.late {
			w.late[i].header.SetControllen(len(w.lateAt[i]))
		}
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&w.late[0])), uintptr(len(w.late)),
			unix.MSG_DONTWAIT|unix.MSG_ERRQUEUE, 0, 0)
		if errno != 0 {
			return
		}
		w.responder.look()
		for i := range int(n) {
			if number, s, ok := readDeparture(w.lateAt[i][:w.late[i].header.Controllen]); ok {
				w.departed(number, s)
			}
		}
		if int(n) < len(w.late) {
			return
		}
	}
}

// departed notes when an answer left.
func (w *worker) departed(number uint32, s stamps) {
	d := &w.departures[number%stampsPending]
	if !d.valid || d.number != number {
		return
	}
	d.valid = false
	w.waiting--
	stamp := s.kernel
	if stamp == 0 && !w.server.departure(s, &stamp) {
		return
	}
	// Anything else is not of this answer, or the clock was set meanwhile.
	if late := stamp.Sub(d.expected); late < -maxAhead || late > maxWait || w.responder.ill != Answered {
		return
	}
	if transmit := w.responder.sent(stamp); transmit != 0 {
		w.server.exchanges.sent(d.key, transmit)
	}
}

// renumber begins again with number 0: after a failure nobody knows whether the kernel counted it.
func (w *worker) renumber() {
	options := stampOptions
	if w.server.card != nil {
		options |= cardOptions
	}
	_ = w.socket.stampBy(options &^ unix.SOF_TIMESTAMPING_OPT_ID)
	_ = w.socket.stampBy(options)
	clear(w.departures[:])
	w.next, w.waiting = 0, 0
}
