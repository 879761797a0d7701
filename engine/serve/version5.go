package serve

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"time"

	"timestation/engine/ntp"
	"timestation/refclock"
)

// NTPv5 as of draft-ietf-ntp-ntpv5-09: an experiment, for listeners that say so, and for clients of the same draft. Of its
// optional parts there are keys, the scales UTC and TAI (or smeared UTC), what servers say of themselves, interleaved mode,
// monotonic timestamps and what switches on the way correct; not NTS.
const (
	version5 = 5
	draft    = "draft-ietf-ntp-ntpv5-09"
	// wantsVersion5 in the reference timestamp of a request of version 4 asks whether the server knows version 5; such a
	// server puts it into the same place.
	wantsVersion5 ntp.Timestamp = 0x4e54503544524654 // NTP5DRFT
)

// Fields of version 5. Their lengths leave padding out, and may be as short as the header.
const (
	field5Padding       = 0xf501
	field5MAC           = 0xf502
	field5FilterRequest = 0xf503
	field5Filter        = 0xf504
	field5Server        = 0xf505
	field5Correction    = 0xf506
	field5Reference     = 0xf507
	field5Monotonic     = 0xf508
	field5Secondary     = 0xf509
	field5Draft         = 0xf5ff
)

// The time scales of version 5.
const (
	scaleUTC     = 0
	scaleTAI     = 1
	scaleSmeared = 3
)

const (
	flag5Synchronised = 1
	flag5Interleaved  = 2
)

// correction5 is the length of field5Correction without its header: what was corrected on the way there, by which path, two
// octets that are reserved, the same for the way back, and two that keep the checksum right.
const correction5 = 24

// filter5 is the Bloom filter that says from which servers the time comes, here this one alone: ten bits of 4096, drawn
// at random when the program starts.
var filter5 = func() (filter [512]byte) {
	for range 10 {
		bit := rand.IntN(4096)
		filter[bit/8] |= 1 << (bit % 8)
	}
	return filter
}()

// isVersion5 tells whether a datagram is a request of version 5.
func isVersion5(in []byte) bool {
	return len(in) >= ntp.HeaderLen && in[0]>>3&7 == version5 && ntp.Mode(in[0]&7) == ntp.Client
}

// next5 takes the first field off b, which is a multiple of four octets long.
func next5(b []byte) (kind uint16, value, rest []byte, ok bool) {
	if len(b) < 4 {
		return 0, nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	padded := (n + 3) &^ 3
	if n < 4 || padded > len(b) {
		return 0, nil, nil, false
	}
	return binary.BigEndian.Uint16(b), b[4:n], b[padded:], true
}

// answer5 is answer for version 5. There are no kisses.
func (r *responder) answer5(in []byte, from netip.Addr, rx, tx refclock.Stamp, out []byte) (int, Reason) {
	r.last = outcome{}
	request := asked{client: r.clients.hash(from)}
	reason := r.understand5(&request, in, from)
	if reason == Answered {
		reason = r.fits(rx)
	}
	standing := unworthy
	switch {
	case reason != Answered:
	case request.key != nil:
		standing = signedRequest
	default:
		standing = plainRequest
	}
	if r.clients.count(from, request.client, rx, standing, reason, r.limit) != inTime && reason == Answered {
		reason = RateLimited
	}
	if reason != Answered {
		return 0, reason
	}
	if len(out) < len(in) {
		return 0, NoRoom
	}
	if tx == 0 {
		tx = r.now()
	}
	r.last.tx = tx
	b := r.header5(out[:0], in, request.client, rx, tx)
	b = r.fields5(b, in, &request, rx)
	if len(b) != len(in) {
		return 0, NoRoom
	}
	r.last.authenticated = request.key != nil
	return len(b), Answered
}

// understand5 checks the fields of a request. request gets the key, if there is one.
func (r *responder) understand5(request *asked, in []byte, from netip.Addr) Reason {
	if !r.access.permits(from) {
		return Denied
	}
	if len(in)%4 != 0 {
		return Malformed
	}
	ours := false
	for rest := in[ntp.HeaderLen:]; len(rest) > 0; {
		at := len(in) - len(rest)
		kind, value, next, ok := next5(rest)
		if !ok {
			return Extension
		}
		rest = next
		switch kind {
		case field5Draft:
			ours = string(value) == draft
		case field5MAC:
			const keyIDLen = 4
			if request.Digest != nil || len(value) < keyIDLen+16 {
				return Extension
			}
			request.KeyID, request.Digest = binary.BigEndian.Uint32(value), value[keyIDLen:]
			request.Signed = in[:at]
		}
	}
	switch {
	case !ours:
		return Version
	case request.Digest != nil:
		request.Version = version5
		return r.authenticate(request, from)
	}
	return Answered
}

// header5 writes the header of the answer to a client.
func (r *responder) header5(b, in []byte, client clientHash, rx, tx refclock.Stamp) []byte {
	h := r.exactly(rx, tx)
	scale := byte(scaleUTC)
	switch {
	case !r.policy.plain():
		scale = scaleSmeared
	case in[12] == scaleTAI:
		scale = scaleTAI
	}
	flags := uint16(0)
	if h.Leap != ntp.LeapUnsynchronised {
		flags = flag5Synchronised
	}
	received, era := r.onScale(rx, scale)
	left, _ := r.onScale(tx, scale)
	cookie := rand.Uint64()
	// What is kept are times of the listener's own scale.
	if in[15]&flag5Interleaved != 0 && scale != scaleTAI && flags&flag5Synchronised != 0 {
		if before := r.exchanges.transmit(exchangeKey{client, ntp.Timestamp(binary.BigEndian.Uint64(in[16:]))}); before != 0 {
			left, flags = before, flags|flag5Interleaved
			r.last.interleaved = true
		}
		r.last.stamp, r.last.key = true, r.exchanges.expect(client, ntp.Timestamp(cookie))
		cookie = uint64(r.last.key.receive)
	}
	delay := r.status.RootDelay
	b = append(b, byte(h.Leap)<<6|version5<<3|byte(ntp.Server), h.Stratum, in[2], byte(h.Precision))
	b = binary.BigEndian.AppendUint32(b, short5(delay))
	b = binary.BigEndian.AppendUint32(b, short5(r.status.At(tx).MaxError-delay/2))
	b = append(b, scale, era)
	b = binary.BigEndian.AppendUint16(b, flags)
	b = binary.BigEndian.AppendUint64(b, cookie)
	b = append(b, in[24:32]...) // client cookie
	b = binary.BigEndian.AppendUint64(b, uint64(received))
	return binary.BigEndian.AppendUint64(b, uint64(left))
}

// onScale says a stamp as the listener's time, and in which era that is; 0 where it is not known.
func (r *responder) onScale(at refclock.Stamp, scale byte) (t ntp.Timestamp, era byte) {
	now := r.status.At(at)
	if !now.Known {
		return 0, 0
	}
	seconds := now.Instant.UTC().Seconds
	if scale == scaleTAI {
		seconds = now.Instant.TAI / 1e9
		t = ntp.FromUnix(seconds, int32(now.Instant.TAI%1e9))
	} else {
		t, _, _ = r.timestamp(now.Instant)
	}
	const to1900 = 2208988800
	return t, byte((seconds + to1900) >> 32)
}

// short5 is a duration in seconds, 4 bits, and their fraction, 28 bits, rounded up.
func short5(d time.Duration) uint32 {
	switch {
	case d <= 0:
		return 0
	case d >= 16*time.Second:
		return 1<<32 - 1
	}
	return uint32(min((uint64(d)<<28+1e9-1)/1e9, 1<<32-1))
}

// fields5 answers the fields of a request, each in its own length, and fills the rest with padding, so that the answer is
// as long as the request.
func (r *responder) fields5(b, in []byte, request *asked, rx refclock.Stamp) []byte {
	h := r.exactly(rx, rx)
	var corrected []byte
	for rest := in[ntp.HeaderLen:]; len(rest) > 0; {
		kind, value, next, _ := next5(rest)
		length := uint16(4 + len(value))
		rest = next
		switch {
		case kind == field5Draft:
			b = append(begin5(b, kind, length), draft...)
		case kind == field5Server && len(value) == 4:
			const versions1to5 = 0b11111
			b = append(begin5(b, kind, length), 0, versions1to5, 0, 0)
		case kind == field5Reference && len(value) == 8:
			b = binary.BigEndian.AppendUint64(begin5(b, kind, length), uint64(h.Reference))
		case kind == field5Secondary && len(value) == 12 && r.policy.plain() && value[0] <= scaleTAI:
			t, era := r.onScale(rx, value[0])
			b = append(begin5(b, kind, length), value[0], era, 0, 0)
			b = binary.BigEndian.AppendUint64(b, uint64(t))
		case kind == field5Monotonic && len(value) == 12:
			t, epoch := r.monotonic.read(r.status, rx)
			b = binary.BigEndian.AppendUint32(begin5(b, kind, length), epoch)
			b = binary.BigEndian.AppendUint64(b, uint64(t))
		case kind == field5Correction && len(value) == correction5:
			corrected = value
		case kind == field5FilterRequest && len(value) >= 4:
			if from := int(binary.BigEndian.Uint16(value)); from+len(value) <= len(filter5) {
				b = append(begin5(b, field5Filter, length), filter5[from:from+len(value)]...)
			}
		}
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	mac, end := 0, 0
	if request.key != nil {
		mac = 8 + len(request.Digest)
	}
	if corrected != nil {
		end = 4 + correction5
	}
	if n := len(in) - len(b) - (mac+3)&^3 - end; n >= 4 {
		b = begin5(b, field5Padding, uint16(n))
		for range n - 4 {
			b = append(b, 0)
		}
	}
	if request.key != nil {
		var code [4 + 64]byte // it is made over b, in the place where the field's header comes
		n := copy(code[:], request.key.Append(b, len(request.Digest))[len(b):])
		b = append(begin5(b, field5MAC, uint16(mac)), code[:n]...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	if corrected != nil { // after the code, as who corrects on the way cannot sign
		const there, path, back = 12, 22, 12
		b = append(begin5(b, field5Correction, 4+correction5), corrected[there:path]...)
		for range 2 + back {
			b = append(b, 0)
		}
	}
	return b
}

func begin5(b []byte, kind, length uint16) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, kind), length)
}
