package serve

import (
	"net/netip"
	"sync/atomic"

	"timestation/engine/ntp"
	"timestation/engine/nts"
	"timestation/refclock"
)

// The kiss codes (RFC 5905, section 7.4).
var (
	kissRate       = [4]byte{'R', 'A', 'T', 'E'}
	kissDenied     = [4]byte{'D', 'E', 'N', 'Y'}
	kissRestricted = [4]byte{'R', 'S', 'T', 'R'}
)

// responder decides about requests, without a socket. It belongs to one goroutine.
type responder struct {
	face
	access    access
	limit     limit
	kisses    string // of Config
	keyring   *atomic.Pointer[keyring]
	clients   *clientTable
	exchanges *exchangeTable
	nts       *nts.Server // nil where the listener has no NTS
	// experimental has requests of version 5 answered.
	experimental bool
	monotonic    *monotonic // with it

	// keys was made from loaded, and is made anew when keyring points to another.
	loaded *keyring
	keys   map[uint32]signer

	// last is what else is to be known of the last answer.
	last outcome
}

// outcome is what respond leaves besides the answer.
type outcome struct {
	authenticated bool // answered under a key or NTS
	nts           bool
	interleaved   bool
	tx            refclock.Stamp // when the answer was expected to leave
	// stamp asks for the time at which the answer leaves, to be noted under key.
	stamp bool
	key   exchangeKey
}

// asked is a request that was understood.
type asked struct {
	ntp.Packet
	mode   ntp.Mode // of the answer
	client clientHash
	// One of them protects the answer.
	key *ntp.Authenticator
	nts *nts.Request
}

// respond writes the answer to the request in, which came from that address and arrived at rx by the local clock, to the
// start of out, and gives its length; or the reason why there is none, where what is written, if anything, is a kiss. in
// and out must not overlap. What is written is never longer than its request, and making it allocates nothing, or under
// NTS at most twice.
func (r *responder) respond(in []byte, from netip.AddrPort, rx refclock.Stamp, out []byte) (int, Reason) {
	r.look()
	return r.answer(in, from.Addr().Unmap(), rx, 0, out)
}

// answer is respond under the status of the last look, for an answer that will leave at tx; 0 is when it is written.
func (r *responder) answer(in []byte, from netip.Addr, rx, tx refclock.Stamp, out []byte) (int, Reason) {
	if r.experimental && isVersion5(in) {
		return r.answer5(in, from, rx, tx, out)
	}
	r.last = outcome{}
	request := asked{client: r.clients.hash(from)}
	reason := r.understand(&request, in, from)
	standing := unworthy
	switch {
	case reason == NTSNAK:
		standing = unopenable
	case reason != Answered:
	case request.key != nil || request.nts != nil:
		standing = signedRequest
	default:
		standing = plainRequest
	}
	unfit := r.fits(rx)
	if reason == Answered && unfit != Answered {
		reason, standing = unfit, unworthy
	}
	pace := r.clients.count(from, request.client, rx, standing, reason, r.limit)
	code, told := r.kiss(reason, pace, from)
	if reason == Answered && pace != inTime {
		reason = RateLimited
	}
	if tx == 0 {
		tx = r.now() // as late as can be
	}
	r.last.tx = tx
	switch {
	case reason != Answered && !told, unfit != Answered:
		return 0, reason
	case told:
		return r.write(&request, in, out, r.refusal(&request, code, rx, tx)), reason
	}
	n := r.write(&request, in, out, r.reply(&request, rx, tx))
	if n == 0 {
		return 0, NoRoom
	}
	r.last.authenticated, r.last.nts = standing == signedRequest, request.nts != nil
	return n, Answered
}

// understand takes a request apart and says whether it deserves an answer.
func (r *responder) understand(request *asked, in []byte, from netip.Addr) (reason Reason) {
	permitted := r.access.permits(from)
	if !permitted && r.kisses != KissAll {
		return Denied
	}
	if request.mode, reason = answerMode(in); reason == Answered {
		var err error
		request.Packet, err = ntp.Parse(in)
		switch err {
		case nil:
		case ntp.ErrVersion:
			reason = Version
		case ntp.ErrExtension:
			reason = Extension
		case ntp.ErrMAC:
			reason = BadMAC
		default:
			reason = Malformed
		}
	}
	switch {
	case !permitted:
		return Denied
	case reason != Answered:
		return reason
	case request.Digest != nil:
		return r.authenticate(request, from)
	case r.nts != nil && nts.Concerns(&request.Packet):
		var err error
		request.nts, err = r.nts.Open(in, &request.Packet)
		switch err {
		case nil:
			return Answered
		case nts.ErrNotAuthentic:
			return NTSNAK
		}
		return NTSMalformed
	}
	return Answered
}

// kiss gives the code that tells why there is no answer, if it may be told.
func (r *responder) kiss(reason Reason, pace pace, from netip.Addr) (code [4]byte, told bool) {
	switch {
	case reason == NTSNAK:
		return nts.Kiss, pace == inTime
	case pace != mayBeKissed:
		return code, false
	case reason == Denied && r.kisses == KissAll && contains(r.access.deny, from.WithZone("")):
		return kissDenied, true
	case reason == Denied && r.kisses == KissAll:
		return kissRestricted, true
	case reason == Answered && r.kisses != KissNone:
		return kissRate, true
	}
	return code, false
}

// reply is the header of the answer.
func (r *responder) reply(request *asked, rx, tx refclock.Stamp) ntp.Header {
	h := r.header(rx, tx)
	h.Version, h.Mode, h.Poll, h.Origin = request.Version, request.mode, request.Poll, request.Transmit
	if r.experimental && request.Version == 4 && request.Reference == wantsVersion5 {
		h.Reference = wantsVersion5
	}
	if h.Receive == 0 {
		return h
	}
	h.Receive = markReceive(h.Receive, request.client)
	// A client that interleaves says when it received the answer before. Were that also its transmit time, it could not
	// tell the modes apart (RFC 9769, section 2).
	if request.mode != ntp.Server || request.Receive == request.Transmit || !mayBeReceive(request.Origin, request.client) {
		return h
	}
	if h.Leap == ntp.LeapUnsynchronised {
		return h
	}
	if before := r.exchanges.transmit(exchangeKey{request.client, request.Origin}); before != 0 {
		h.Origin, h.Transmit = request.Receive, before
		r.last.interleaved = true
	}
	r.last.stamp, r.last.key = true, r.exchanges.expect(request.client, h.Receive)
	h.Receive = r.last.key.receive
	return h
}

// refusal is the header of a kiss.
func (r *responder) refusal(request *asked, code [4]byte, rx, tx refclock.Stamp) ntp.Header {
	h := r.header(rx, tx)
	h.Version, h.Mode, h.Poll, h.Origin = request.Version, request.mode, request.Poll, request.Transmit
	h.Leap, h.Stratum, h.ReferenceID = ntp.LeapUnsynchronised, stratumInPacket, code
	return h
}

// write puts an answer into out, protected as its request was. It writes nothing where there is no room: out is too
// short, the answer would be longer than its request, or the packet was no request at all.
func (r *responder) write(request *asked, in, out []byte, h ntp.Header) int {
	if request.Version == 0 || len(out) < ntp.HeaderLen {
		return 0
	}
	b := h.Append(out[:0])
	switch {
	case request.key != nil:
		if len(out) < ntp.HeaderLen+4+len(request.Digest) {
			return 0
		}
		b = request.key.Append(b, len(request.Digest))
	case request.nts != nil && h.ReferenceID == nts.Kiss && h.Stratum == stratumInPacket:
		b = request.nts.AppendNAK(b)
	case request.nts != nil:
		b = request.nts.AppendProtection(b)
	}
	if len(b) > len(in) || len(b) > len(out) {
		return 0
	}
	return len(b)
}

// answerMode gives the mode of the answer from a packet's first octet, so that a control message is counted as what it
// is, however short.
func answerMode(in []byte) (ntp.Mode, Reason) {
	if len(in) == 0 {
		return 0, Malformed
	}
	version, mode := in[0]>>3&7, ntp.Mode(in[0]&7)
	switch {
	case version < 1 || version > 4:
		return 0, Version
	case mode == ntp.Client, mode == ntp.Undefined && version == 1:
		return ntp.Server, Answered
	case mode == ntp.SymmetricActive:
		return ntp.SymmetricPassive, Answered
	}
	return 0, Mode
}

// authenticate finds what signs the answer to a request with a code.
func (r *responder) authenticate(request *asked, from netip.Addr) Reason {
	if keyring := r.keyring.Load(); keyring != r.loaded {
		r.keys, r.loaded = keyring.signers(), keyring
	}
	key, known := r.keys[request.KeyID]
	switch {
	case isMSSNTP(&request.Packet):
		return MSSNTP
	case !known:
		return UnknownKey
	case !key.permits(from):
		return KeyAddress
	case !key.Check(request.Signed, request.Digest):
		return BadMAC
	}
	request.key = key.Authenticator
	return Answered
}

// isMSSNTP recognises the authenticator of [MS-SNTP] section 2.2.1: 16 octets of zero after the key.
func isMSSNTP(request *ntp.Packet) bool {
	return request.Version == 3 && len(request.Digest) == 16 && [16]byte(request.Digest) == [16]byte{}
}
