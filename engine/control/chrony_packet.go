package control

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"

	"timestation/refclock"
)

// chrony's command protocol, version 6: a request has a head of 20 octets, an answer one of 28, and everything is
// big-endian (chrony's documentation and the layout of its candm.h). Clients pad their requests to the length of the
// answer they expect, which also tells their version.
const (
	chronyVersion = 6
	// chronyOldest is the oldest version that is told of the difference; older ones get silence.
	chronyOldest     = 5
	chronyRequest    = 1
	chronyReply      = 2
	chronyRequestLen = 20
	chronyReplyLen   = 28
	chronyCommands   = 75
)

// The commands that are answered; all others that there are change something, or show what is not kept here.
const (
	cmdNull        = 0
	cmdSources     = 14
	cmdSourceData  = 15
	cmdTracking    = 33
	cmdSourceStats = 34
	cmdRTC         = 35
	cmdManualList  = 41
	cmdActivity    = 44
	cmdSmoothing   = 51
	cmdServerStats = 54
	cmdNTPData     = 57
	cmdSourceName  = 65
	cmdClients     = 68
)

// The kinds of answer.
const (
	replyNull         = 1
	replySources      = 2
	replySourceData   = 3
	replyTracking     = 5
	replySourceStats  = 6
	replyActivity     = 12
	replyNTPData      = 16
	replySourceName   = 19
	replyClients      = 21
	replyServerStats2 = 22
	replyServerStats3 = 24
	replyServerStats4 = 25
	replyNTPData2     = 26
)

// chronyStatus is how a command went.
type chronyStatus uint16

const (
	chronySuccess      chronyStatus = 0
	chronyUnauthorised chronyStatus = 2
	chronyInvalid      chronyStatus = 3
	chronyNoSource     chronyStatus = 4
	chronyNotEnabled   chronyStatus = 6
	chronyNoRTC        chronyStatus = 13
	chronyBadVersion   chronyStatus = 18
	chronyBadLength    chronyStatus = 19
)

// chronyHead is the head of a request, and data what follows it, padding included.
type chronyHead struct {
	version  uint8
	command  uint16
	sequence uint32
	data     []byte
}

// parseChrony refuses what is no request, above all answers.
func parseChrony(b []byte) (h chronyHead, ok bool) {
	if len(b) < chronyRequestLen || b[0] < chronyOldest || b[1] != chronyRequest || b[2] != 0 || b[3] != 0 {
		return h, false
	}
	return chronyHead{
		version: b[0], command: binary.BigEndian.Uint16(b[4:]), sequence: binary.BigEndian.Uint32(b[8:]),
		data: b[chronyRequestLen:],
	}, true
}

// reply begins an answer.
func (h chronyHead) reply(kind uint16, status chronyStatus) fields {
	f := fields{b: make([]byte, 0, 520)} // the longest is the list of clients
	f.b = append(f.b, chronyVersion, chronyReply, 0, 0)
	f.u16(h.command, kind, uint16(status), 0, 0, 0)
	f.u32(h.sequence, 0, 0)
	return f
}

// fields writes the fields of an answer one after the other.
type fields struct{ b []byte }

func (f *fields) u8(values ...uint8) { f.b = append(f.b, values...) }

func (f *fields) u16(values ...uint16) {
	for _, v := range values {
		f.b = binary.BigEndian.AppendUint16(f.b, v)
	}
}

func (f *fields) u32(values ...uint32) {
	for _, v := range values {
		f.b = binary.BigEndian.AppendUint32(f.b, v)
	}
}

func (f *fields) u64(values ...uint64) {
	for _, v := range values {
		f.b = binary.BigEndian.AppendUint64(f.b, v)
	}
}

// zeros writes n octets of nothing.
func (f *fields) zeros(n int) { f.b = append(f.b, make([]byte, n)...) }

// The families of addresses; none is a reference clock's.
const (
	familyNone = 0
	familyIPv4 = 1
	familyIPv6 = 2
)

// address is 16 octets, the family, and two of padding.
func (f *fields) address(a netip.Addr) {
	family := uint16(familyNone)
	switch {
	case a.Is4():
		octets := a.As4()
		f.u8(octets[:]...)
		f.zeros(12)
		family = familyIPv4
	case a.Is6():
		octets := a.As16()
		f.u8(octets[:]...)
		family = familyIPv6
	default:
		f.zeros(16)
	}
	f.u16(family, 0)
}

const addressLen = 20

// parseChronyAddress reads what address wrote; what has no family is no address.
func parseChronyAddress(b []byte) netip.Addr {
	switch binary.BigEndian.Uint16(b[16:]) {
	case familyIPv4:
		return netip.AddrFrom4([4]byte(b))
	case familyIPv6:
		return netip.AddrFrom16([16]byte(b))
	}
	return netip.Addr{}
}

// time is Unix seconds, in two halves, and nanoseconds; zero where it was never set.
func (f *fields) time(i refclock.Instant) {
	if i.IsZero() {
		f.zeros(12)
		return
	}
	u := i.UTC()
	f.u64(uint64(u.Seconds))
	f.u32(uint32(u.Nanoseconds))
}

func (f *fields) duration(values ...time.Duration) {
	for _, v := range values {
		f.float(v.Seconds())
	}
}

func (f *fields) float(values ...float64) {
	for _, v := range values {
		f.u32(chronyFloat(v))
	}
}

// chronyFloat is a signed exponent of 7 bits and a signed coefficient of 25 bits without a hidden one: coefficient
// × 2^(exponent−25). What is too large becomes the largest there is, what is too small or not a number 0.
func chronyFloat(x float64) uint32 {
	const (
		coefficientBits = 25
		largest         = 1<<(coefficientBits-1) - 1
		exponentMin     = -64
		exponentMax     = 63
	)
	fraction, exponent := math.Frexp(x) // 0.5 ≤ |fraction| < 1
	switch {
	case x == 0 || math.IsNaN(x):
		return 0
	case math.IsInf(x, 0):
		fraction, exponent = math.Copysign(1, x), exponentMax
	}
	exponent++ // the coefficient has 24 bits and a sign
	coefficient := math.Round(math.Ldexp(fraction, coefficientBits-1))
	if math.Abs(coefficient) > largest {
		coefficient, exponent = coefficient/2, exponent+1
	}
	switch {
	case exponent > exponentMax:
		coefficient, exponent = math.Copysign(largest, x), exponentMax
	case exponent < exponentMin:
		coefficient, exponent = math.Round(math.Ldexp(coefficient, exponent-exponentMin)), exponentMin
	}
	return uint32(exponent)<<coefficientBits | uint32(int32(coefficient))&(1<<coefficientBits-1)
}
