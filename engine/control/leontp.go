package control

import (
	"encoding/binary"
	"net/netip"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/status"
)

// The statistics packet of Leo Bodnar's LeoNTP (leobodnar.com: the sample program for its monitors), which is asked for
// by a private message (mode 7): implementation 0x10, request 1. Its numbers are little-endian.
const (
	leoRequestLen     = 8
	leoAnswerLen      = 48
	leoImplementation = 0x10
	leoRequest        = 1
	leoResponse       = 0x80
)

// isLeoNTP tells whether a datagram asks for the statistics packet.
func isLeoNTP(b []byte) bool {
	return len(b) >= leoRequestLen && len(b) <= leoAnswerLen && ntp.Mode(b[0]&7) == ntp.Private && b[0]&leoResponse == 0 &&
		b[2] == leoImplementation && b[3] == leoRequest
}

// leoNTP answers a monitor that was made for a LeoNTP: the time, for how long the station has been running and
// synchronised, what it answered, and the satellites in use. The flags, the serial number and the firmware's version mean
// nothing here and are 0.
func (r *Responder) leoNTP(request []byte, reply func(answer []byte)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.limit.take(r.watch.elapsed(), mode6Burst, mode6Rate) {
		return false
	}
	r.requests++
	v := look(r.station)
	var b [leoAnswerLen]byte
	copy(b[:leoRequestLen], request)
	b[0] |= leoResponse
	put := func(at int, value uint64) { binary.LittleEndian.PutUint32(b[at:], uint32(value)) }
	if v.now.Known {
		now := timestamp(v.now.Instant)
		put(16, uint64(now))     // the fraction
		put(20, uint64(now)>>32) // the seconds
	}
	put(24, uint64(r.watch.elapsed()/time.Second))
	put(28, v.served.Answered)
	put(32, r.requests)
	if v.now.Synchronised() && !v.Since.IsZero() {
		put(36, uint64(max(0, v.now.Instant.Sub(v.Since))/time.Second))
	}
	b[41] = v.satellites()
	reply(b[:])
	return true
}

// satellites is how many the receiver uses that uses most.
func (v *view) satellites() uint8 {
	most := 0
	for _, s := range v.sources {
		if gnss := s.Signal.GNSS; gnss != nil && s.State != status.Silent && s.State != status.Unusable {
			most = max(most, gnss.SatellitesUsed)
		}
	}
	return uint8(min(most, 255))
}

// answersLeoNTP is Control for a statistics packet.
func (r *Responder) answersLeoNTP(request []byte, from netip.AddrPort, reply func(answer []byte)) bool {
	return r.Allowed(from.Addr()) && r.leoNTP(request, reply)
}
