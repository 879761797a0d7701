package control

import (
	"crypto/rand"
	"encoding/binary"
	"net/netip"
	"slices"
	"sync"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/status"
)

// The wire format of mode 6 (RFC 9327, section 2).
const (
	mode6HeaderLen = 12
	// mode6DataLen is how much data one datagram carries, and mode6Fragments how many an answer may have: what ntpsec's
	// ntpq takes.
	mode6DataLen   = 468
	mode6Fragments = 32

	bitResponse, bitError, bitMore = 0x80, 0x40, 0x20
	opcodeMask                     = 0x1f
)

// The operations (RFC 9327, section 2; readMRU and requestNonce as in ntpsec).
const (
	opReadStatus   = 1
	opReadVariable = 2
	opReadClock    = 4
	opReadMRU      = 10
	opReadOrdered  = 11
	opRequestNonce = 12
	// What would write: variables, clock variables, a trap, the configuration, saving it; and unset a trap.
	opWriteVariable, opWriteClock, opSetTrap, opConfigure, opSaveConfig, opUnsetTrap = 3, 5, 6, 8, 9, 31
)

// fault is an error code of mode 6 (RFC 9327, section 3.4 and ntpsec's two additions); 0 is none here.
type fault uint8

const (
	faultPermission      fault = 1
	faultFormat          fault = 2
	faultOperation       fault = 3
	faultAssociation     fault = 4
	faultUnknownVariable fault = 5
	faultValue           fault = 6
	// noAnswer is not on the wire: whoever asked is to be met with silence.
	noAnswer fault = 255
)

const (
	// mode6Burst requests are answered at once, and mode6Rate a second in the long run: one ntpq that reads 4096 clients
	// takes 40.
	mode6Burst, mode6Rate = 200, 100
	// clientsFresh is how long the list of clients is kept for the next request of the same run of ntpq.
	clientsFresh = time.Second
)

// Responder answers mode 6 requests. It may be used from any goroutine.
type Responder struct {
	station Station
	version string
	allow   []netip.Prefix

	mu       sync.Mutex
	limit    bucket
	requests uint64
	secret   [32]byte
	watch    stopwatch
	clients  []status.Client // by when they were last seen, oldest first; nil before they were first taken
	taken    time.Duration
}

// NewResponder makes a Responder for the prefixes of the configuration, which must be valid; version is the program's.
func NewResponder(c Config, station Station, version string) (*Responder, error) {
	allow, err := c.mode6Prefixes()
	if err != nil {
		return nil, err
	}
	r := &Responder{station: station, version: version, allow: allow, watch: startStopwatch()}
	rand.Read(r.secret[:]) // never fails
	return r, nil
}

// Allowed reports whether requests from an address, as a socket gives it, are answered at all.
func (r *Responder) Allowed(from netip.Addr) bool {
	from = from.Unmap().WithZone("")
	return slices.ContainsFunc(r.allow, func(p netip.Prefix) bool { return p.Contains(from) })
}

// Control answers one datagram whose mode is 6, or 7 if it asks for LeoNTP's statistics, and reports whether there was an
// answer. reply is called for each of the answer's datagrams, at most 32 of at most 480 octets, before Control returns; it
// must not keep them. Strangers get no answer, nor does what is no request, nor who asks too often.
func (r *Responder) Control(request []byte, from netip.AddrPort, reply func(answer []byte)) bool {
	if isLeoNTP(request) {
		return r.answersLeoNTP(request, from, reply)
	}
	if !r.Allowed(from.Addr()) {
		return false
	}
	q, ok := parseMode6(request)
	if !ok {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.limit.take(r.watch.elapsed(), mode6Burst, mode6Rate) {
		return false
	}
	r.requests++
	word, data, f := r.answer(q, from.Addr())
	if f == 0 && len(data) > mode6Fragments*mode6DataLen {
		f = faultValue
	}
	switch f {
	case noAnswer:
		return false
	case 0:
		q.send(bitResponse, word, data, reply)
	default:
		q.send(bitResponse|bitError, uint16(f)<<8, nil, reply)
	}
	return true
}

// mode6Request is what a request says.
type mode6Request struct {
	version     uint8
	operation   uint8
	sequence    uint16
	association uint16
	data        string
}

// parseMode6 refuses what is no request: answers, errors, fragments, and what is cut short. A code that may follow the
// data is not looked at: it would change nothing.
func parseMode6(b []byte) (q mode6Request, ok bool) {
	if len(b) < mode6HeaderLen {
		return q, false
	}
	q = mode6Request{
		version: b[0] >> 3 & 7, operation: b[1] & opcodeMask,
		sequence: binary.BigEndian.Uint16(b[2:]), association: binary.BigEndian.Uint16(b[6:]),
	}
	offset, count := binary.BigEndian.Uint16(b[8:]), int(binary.BigEndian.Uint16(b[10:]))
	if ntp.Mode(b[0]&7) != ntp.Control || q.version < 1 || q.version > 4 ||
		b[1]&(bitResponse|bitError|bitMore) != 0 || offset != 0 || count > len(b)-mode6HeaderLen {
		return q, false
	}
	q.data = string(b[mode6HeaderLen : mode6HeaderLen+count])
	return q, true
}

// send cuts data into datagrams. Each is a multiple of four octets long, which its count does not tell.
func (q mode6Request) send(bits uint8, word uint16, data []byte, send func([]byte)) {
	var datagram [mode6HeaderLen + mode6DataLen]byte
	for offset := 0; ; offset += mode6DataLen {
		part, more := data[offset:], uint8(0)
		if len(part) > mode6DataLen {
			part, more = part[:mode6DataLen], bitMore
		}
		b := append(datagram[:0], q.version<<3|byte(ntp.Control), bits|more|q.operation)
		b = binary.BigEndian.AppendUint16(b, q.sequence)
		b = binary.BigEndian.AppendUint16(b, word)
		b = binary.BigEndian.AppendUint16(b, q.association)
		b = binary.BigEndian.AppendUint16(b, uint16(offset))
		b = binary.BigEndian.AppendUint16(b, uint16(len(part)))
		b = append(b, part...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		send(b)
		if more == 0 {
			return
		}
	}
}

// answer gives the status word and the data.
func (r *Responder) answer(q mode6Request, from netip.Addr) (word uint16, data []byte, f fault) {
	switch q.operation {
	case opRequestNonce:
		return 0, []byte("nonce=" + r.nonce(from, r.watch.elapsed()) + "\r\n"), 0
	case opReadMRU:
		data, f = r.readMRU(q.data, from)
		return 0, data, f
	case opReadOrdered, opWriteVariable, opWriteClock, opSetTrap, opConfigure, opSaveConfig, opUnsetTrap:
		return 0, nil, faultPermission
	case opReadStatus, opReadVariable, opReadClock:
	default:
		return 0, nil, faultOperation
	}
	v := look(r.station)
	if q.association == 0 && q.operation == opReadStatus {
		for i := range v.sources {
			data = binary.BigEndian.AppendUint16(data, uint16(v.sources[i].number))
			data = binary.BigEndian.AppendUint16(data, v.sources[i].word())
		}
		return v.word(), data, 0
	}
	s := v.association(q.association, q.operation)
	if s == nil && (q.association != 0 || q.operation == opReadClock) {
		return 0, nil, faultAssociation
	}
	table := peerVariables
	switch {
	case q.operation == opReadClock:
		table = clockVariables
	case q.association == 0:
		table, word = systemVariables, v.word()
	default:
		word = s.word()
	}
	if q.operation == opReadStatus {
		q.data = ""
	}
	data, f = list(table, q.data, &subject{view: v, source: s, responder: r})
	return word, data, f
}

// association is the source of that number; for the variables of a clock 0 is the one that is followed.
func (v *view) association(number uint16, operation uint8) *source {
	switch {
	case number == 0 && operation == opReadClock:
		return v.selected()
	case number == 0 || int(number) > len(v.sources):
		return nil
	}
	s := &v.sources[number-1]
	if operation == opReadClock && s.Signal.Server != nil {
		return nil
	}
	return s
}
