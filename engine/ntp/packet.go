package ntp

import (
	"encoding/binary"
	"errors"
)

// Why Parse refuses a packet. They are compared with == or errors.Is.
var (
	// ErrLength: shorter than a header, or not a multiple of four octets.
	ErrLength = errors.New("the length is not that of an NTP packet")
	// ErrVersion: not version 1, 2, 3 or 4.
	ErrVersion = errors.New("the version is not 1 to 4")
	// ErrExtension: an extension field against RFC 7822.
	ErrExtension = errors.New("an extension field is malformed")
	// ErrMAC: what follows the header is too short for a message authentication code, such as a crypto-NAK.
	ErrMAC = errors.New("the message authentication code is cut short")
)

// The lengths in octets that RFC 7822 (section 3) tells extension fields and MACs apart by.
const (
	keyIDLen        = 4
	minMACLen       = keyIDLen + 16
	maxV4MACLen     = keyIDLen + 20
	minExtensionLen = 16
)

// Packet is a parsed packet. Its slices point into the octets it was parsed from.
type Packet struct {
	Header
	// Extensions are all extension fields as they came, each known to be well-formed; see NextExtension.
	Extensions []byte
	// Digest is the authentication code without its key ID, nil where the packet carries none; KeyID is the key it
	// claims, and Signed the octets it covers. Nothing has been checked yet: see Authenticator.
	KeyID  uint32
	Digest []byte
	Signed []byte
}

// Parse reads a packet of versions 1 to 4. Whatever follows the header is a MAC in versions up to 3; in version 4 it is
// extension fields, of which unknown types are no error, and then a MAC of 20 or 24 octets (RFC 7822). The error is
// ErrLength, ErrVersion, ErrExtension or ErrMAC.
func Parse(b []byte) (p Packet, err error) {
	if len(b) < HeaderLen || len(b)%4 != 0 {
		return p, ErrLength
	}
	p.Header = parseHeader(b)
	if p.Version < 1 || p.Version > 4 {
		return p, ErrVersion
	}
	rest := b[HeaderLen:]
	if p.Version == 4 {
		for len(rest) > maxV4MACLen {
			_, next, err := NextExtension(rest)
			if err != nil {
				return p, err
			}
			rest = next
		}
	}
	end := len(b) - len(rest)
	p.Extensions = b[HeaderLen:end]
	switch {
	case len(rest) == 0:
		return p, nil
	case len(rest) >= minMACLen:
		p.KeyID, p.Digest, p.Signed = binary.BigEndian.Uint32(rest), rest[keyIDLen:], b[:end]
		return p, nil
	case len(rest) == keyIDLen || p.Version < 4:
		return p, ErrMAC
	}
	return p, ErrExtension
}

// Extension is one extension field (RFC 7822, figure 2).
type Extension struct {
	Type uint16
	// Value is what follows type and length, padding included.
	Value []byte
}

// NextExtension takes the first field off a list of extension fields. The error is ErrExtension: a field is at least 16
// octets, a multiple of four, and not longer than what is there.
func NextExtension(b []byte) (field Extension, rest []byte, err error) {
	if len(b) < minExtensionLen {
		return field, nil, ErrExtension
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n < minExtensionLen || n%4 != 0 || n > len(b) {
		return field, nil, ErrExtension
	}
	return Extension{Type: binary.BigEndian.Uint16(b), Value: b[4:n]}, b[n:], nil
}

// AppendExtension writes an extension field at the end of b: type, length, value, and zeros up to a multiple of four and
// to the 16 octets that a field has at least (RFC 7822, section 3; the last field of a packet without a MAC must have 28).
// The value must fit the field's length: at most 65528 octets.
func AppendExtension(b []byte, kind uint16, value []byte) []byte {
	length := max(minExtensionLen, (4+len(value)+3)&^3)
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(length))
	b = append(b, value...)
	for range length - 4 - len(value) {
		b = append(b, 0)
	}
	return b
}
