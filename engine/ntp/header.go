package ntp

import "encoding/binary"

// HeaderLen is the length of the header in octets (RFC 5905, figure 8).
const HeaderLen = 48

// Leap is the leap indicator (RFC 5905, figure 9).
type Leap uint8

// The leap indicators: the last minute of the current UTC day has 60, 61 or 59 seconds, or the clock is not
// synchronised.
const (
	LeapNone Leap = iota
	LeapInsert
	LeapDelete
	LeapUnsynchronised
)

// Mode is the association mode (RFC 5905, figure 10).
type Mode uint8

// The modes. Undefined is what clients of version 1, which had no modes yet, send (RFC 1059).
const (
	Undefined Mode = iota
	SymmetricActive
	SymmetricPassive
	Client
	Server
	Broadcast
	Control
	Private
)

// Header is the fixed part of every NTP packet (RFC 5905, section 7.3).
type Header struct {
	Leap    Leap
	Version uint8 // 0…7; this package parses 1…4
	Mode    Mode
	Stratum uint8 // 0 is unspecified or unsynchronised, 1 has a reference clock, up to 15
	// Poll and Precision are logarithms to the base 2, in seconds.
	Poll      int8
	Precision int8
	// RootDelay is the round trip to the reference clock, RootDispersion the error bound on top of half of it.
	RootDelay      Short
	RootDispersion Short
	ReferenceID    [4]byte
	// Reference is when the clock was last set or corrected; Origin the other side's Transmit, echoed; Receive when the
	// request arrived; Transmit when this packet left.
	Reference Timestamp
	Origin    Timestamp
	Receive   Timestamp
	Transmit  Timestamp
}

// parseHeader reads the first HeaderLen octets of b, which must be there.
func parseHeader(b []byte) Header {
	_ = b[HeaderLen-1]
	return Header{
		Leap:           Leap(b[0] >> 6),
		Version:        b[0] >> 3 & 7,
		Mode:           Mode(b[0] & 7),
		Stratum:        b[1],
		Poll:           int8(b[2]),
		Precision:      int8(b[3]),
		RootDelay:      Short(binary.BigEndian.Uint32(b[4:])),
		RootDispersion: Short(binary.BigEndian.Uint32(b[8:])),
		ReferenceID:    [4]byte(b[12:16]),
		Reference:      Timestamp(binary.BigEndian.Uint64(b[16:])),
		Origin:         Timestamp(binary.BigEndian.Uint64(b[24:])),
		Receive:        Timestamp(binary.BigEndian.Uint64(b[32:])),
		Transmit:       Timestamp(binary.BigEndian.Uint64(b[40:])),
	}
}

// Append writes the header at the end of b, and allocates only where b has no room for HeaderLen octets more.
func (h *Header) Append(b []byte) []byte {
	b = append(b, byte(h.Leap)<<6|h.Version&7<<3|byte(h.Mode)&7, h.Stratum, byte(h.Poll), byte(h.Precision))
	b = binary.BigEndian.AppendUint32(b, uint32(h.RootDelay))
	b = binary.BigEndian.AppendUint32(b, uint32(h.RootDispersion))
	b = append(b, h.ReferenceID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(h.Reference))
	b = binary.BigEndian.AppendUint64(b, uint64(h.Origin))
	b = binary.BigEndian.AppendUint64(b, uint64(h.Receive))
	return binary.BigEndian.AppendUint64(b, uint64(h.Transmit))
}
