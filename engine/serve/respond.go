package serve

import (
	"math"
	"net/netip"
	"sync/atomic"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/status"
	"timestation/refclock"
)

const (
	// stepTolerance is by how much CLOCK_REALTIME and the monotonic clock may part before the model counts as void. The
	// two are read one after the other, which takes well under a microsecond; slewing moves both.
	stepTolerance = 100 * time.Microsecond
	// maxWait is how long a request may have waited for its answer; its receive stamp is then no longer trusted.
	maxWait = time.Second
	// maxDispersion is RFC 5905's MAXDISP: a server whose bound is beyond is no server.
	maxDispersion = 16 * time.Second
	// stratumInPacket is how stratum 16 is written (RFC 5905, figure 11).
	stratumInPacket = 0
)

// demonstration is the reference ID of a station that plays a recording, synchronised or not.
var demonstration = [4]byte{'D', 'E', 'M', 'O'}

// responder decides about requests, without a socket. It belongs to one goroutine.
type responder struct {
	board     *status.Board
	access    access
	maxError  time.Duration // 0 is the station's limit alone
	precision int8          // log2 s
	keyring   *atomic.Pointer[keyring]
	// stepped asks whether the local clock was set since the status was published.
	stepped func(*status.Status, time.Time) bool

	// macs was made from loaded, and is made anew when keyring points to another.
	loaded *keyring
	macs   map[uint32]*ntp.Authenticator
}

// respond writes the answer to the request in, which came from that address and arrived at rx by the local clock, to the
// start of out, and gives its length; or the reason why there is none. in and out must not overlap. An answer is never
// longer than its request, and making it allocates nothing.
func (r *responder) respond(in []byte, from netip.AddrPort, rx refclock.Stamp, out []byte) (int, Reason) {
	if !r.access.permits(from.Addr()) {
		return 0, Denied
	}
	mode, reason := answerMode(in)
	if reason != Answered {
		return 0, reason
	}
	request, err := ntp.Parse(in)
	switch err {
	case nil:
	case ntp.ErrVersion:
		return 0, Version
	case ntp.ErrExtension:
		return 0, Extension
	case ntp.ErrMAC:
		return 0, BadMAC
	default:
		return 0, Malformed
	}
	mac, reason := r.authenticate(&request)
	if reason != Answered {
		return 0, reason
	}
	length := ntp.HeaderLen
	if mac != nil {
		length = len(in) - len(request.Extensions)
	}
	if len(out) < length {
		return 0, NoRoom
	}

	s := r.board.Load()
	now := time.Now()
	if r.stepped(s, now) {
		// A process that was stopped between reading one clock and the other sees a step too, but not twice.
		if now = time.Now(); r.stepped(s, now) {
			return 0, ClockStepped
		}
	}
	tx := refclock.Stamp(now.UnixNano())
	switch waited := tx.Sub(rx); {
	case waited < 0:
		return 0, ClockStepped
	case waited > maxWait:
		return 0, Late
	}
	answer := r.header(s, rx, tx)
	answer.Version, answer.Mode = request.Version, mode
	answer.Poll, answer.Origin = request.Poll, request.Transmit
	b := answer.Append(out[:0])
	if mac != nil {
		b = mac.Append(b, len(request.Digest))
	}
	return len(b), Answered
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

// authenticate gives what signs the answer: nil for a request without a code.
func (r *responder) authenticate(request *ntp.Packet) (*ntp.Authenticator, Reason) {
	if request.Digest == nil {
		return nil, Answered
	}
	if keyring := r.keyring.Load(); keyring != r.loaded {
		r.macs, r.loaded = keyring.authenticators(), keyring
	}
	mac := r.macs[request.KeyID]
	switch {
	case isMSSNTP(request):
		return nil, MSSNTP
	case mac == nil:
		return nil, UnknownKey
	case !mac.Check(request.Signed, request.Digest):
		return nil, BadMAC
	}
	return mac, Answered
}

// isMSSNTP recognises the authenticator of [MS-SNTP] section 2.2.1: 16 octets of zero after the key.
func isMSSNTP(request *ntp.Packet) bool {
	return request.Version == 3 && len(request.Digest) == 16 && [16]byte(request.Digest) == [16]byte{}
}

// header is the part of the answer that is about the station: what its time was at rx, what it is at tx, and how sure.
func (r *responder) header(s *status.Status, rx, tx refclock.Stamp) ntp.Header {
	now := s.At(tx)
	h := ntp.Header{
		Leap:        leapIndicator(s, now),
		Stratum:     now.Stratum,
		Precision:   r.precision,
		RootDelay:   ntp.ShortFromDuration(s.RootDelay),
		ReferenceID: s.ReferenceID,
	}
	// RootDelay/2 + RootDispersion ≥ MaxError is what a client makes its own bound from (RFC 5905, section 11.1).
	h.RootDispersion = ntp.ShortFromDuration(now.MaxError - h.RootDelay.Duration()/2)
	if now.Known {
		h.Receive = timestamp(s.At(rx).Instant)
		h.Transmit = timestamp(now.Instant)
		// A client refuses a reference time that is later than the answer (RFC 5905, section A.5.1.1).
		if reference := s.ReferenceTime; !reference.IsZero() {
			if reference.TAI > now.Instant.TAI {
				reference = now.Instant
			}
			h.Reference = timestamp(reference)
		}
	} else {
		h.RootDispersion = ntp.ShortFromDuration(maxDispersion)
	}
	if !now.Synchronised() || now.Stratum == 0 || now.Stratum >= status.Stratum16 || now.MaxError > maxDispersion ||
		r.maxError > 0 && now.MaxError > r.maxError {
		h.Leap, h.Stratum, h.ReferenceID = ntp.LeapUnsynchronised, stratumInPacket, [4]byte{}
	}
	if s.Demonstration {
		h.ReferenceID = demonstration
	}
	return h
}

// leapIndicator announces a leap second on its own day only (RFC 8633, section 3.7), until it is over.
func leapIndicator(s *status.Status, now status.Reading) ntp.Leap {
	until := s.LeapAt.Sub(now.Instant)
	switch {
	case now.Leap == refclock.LeapInsert && until <= 86400*time.Second:
		return ntp.LeapInsert
	case now.Leap == refclock.LeapDelete && until <= 86399*time.Second:
		return ntp.LeapDelete
	}
	return ntp.LeapNone
}

// timestamp says an instant as UTC. Inside a leap second it repeats 23:59:59, as NTP does.
func timestamp(i refclock.Instant) ntp.Timestamp {
	u := i.UTC()
	return ntp.FromUnix(u.Seconds, u.Nanoseconds)
}

// measurePrecision gives the smallest step that reading the clock can see, as NTP's precision: log2 s, rounded up (RFC
// 5905, section 7.3).
func measurePrecision() int8 {
	smallest := time.Second
	for last, steps := time.Now(), 0; steps < 20; {
		now := time.Now()
		if d := now.Sub(last); d > 0 {
			smallest, last = min(smallest, d), now
			steps++
		}
	}
	return int8(math.Ceil(math.Log2(smallest.Seconds())))
}
