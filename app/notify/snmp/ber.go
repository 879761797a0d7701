package snmp

import (
	"slices"
)

// The tags of ASN.1's Basic Encoding Rules that SNMP uses (RFC 3417, section 8; RFC 2578, section 7.1).
const (
	tagInteger   = 0x02
	tagString    = 0x04
	tagNull      = 0x05
	tagOID       = 0x06
	tagSequence  = 0x30
	tagCounter32 = 0x41
	tagGauge32   = 0x42
	tagTimeTicks = 0x43

	tagNoSuchObject   = 0x80
	tagNoSuchInstance = 0x81
	tagEndOfMIBView   = 0x82

	tagGet      = 0xa0
	tagGetNext  = 0xa1
	tagResponse = 0xa2
	tagSet      = 0xa3
	tagGetBulk  = 0xa5
	tagReport   = 0xa8
)

// mostSubidentifiers bounds an object identifier (RFC 3416, section 4.1).
const mostSubidentifiers = 128

// take splits the first element off b. Lengths of more than two octets are not of any datagram.
func take(b []byte) (tag byte, body, rest []byte, ok bool) {
	if len(b) < 2 {
		return 0, nil, nil, false
	}
	tag, length, header := b[0], int(b[1]), 2
	switch {
	case length < 0x80:
	case length == 0x81 && len(b) >= 3:
		length, header = int(b[2]), 3
	case length == 0x82 && len(b) >= 4:
		length, header = int(b[2])<<8|int(b[3]), 4
	default:
		return 0, nil, nil, false
	}
	if len(b)-header < length {
		return 0, nil, nil, false
	}
	return tag, b[header : header+length], b[header+length:], true
}

// takeTag is take for an element that must have a tag.
func takeTag(b []byte, want byte) (body, rest []byte, ok bool) {
	tag, body, rest, ok := take(b)
	return body, rest, ok && tag == want
}

// takeInteger takes a number that fits 32 bits.
func takeInteger(b []byte) (int32, []byte, bool) {
	body, rest, ok := takeTag(b, tagInteger)
	if !ok || len(body) == 0 || len(body) > 4 {
		return 0, nil, false
	}
	value := int32(int8(body[0]))
	for _, octet := range body[1:] {
		value = value<<8 | int32(octet)
	}
	return value, rest, true
}

// takeOID takes an object identifier.
func takeOID(b []byte) ([]uint32, []byte, bool) {
	body, rest, ok := takeTag(b, tagOID)
	if !ok || len(body) == 0 {
		return nil, nil, false
	}
	var id []uint32
	for len(body) > 0 {
		var value uint64
		n := 0
		for ; n < len(body); n++ {
			value = value<<7 | uint64(body[n]&0x7f)
			if value > 1<<32-1 {
				return nil, nil, false
			}
			if body[n] < 0x80 {
				break
			}
		}
		if n == len(body) || len(id) >= mostSubidentifiers {
			return nil, nil, false
		}
		body = body[n+1:]
		if id == nil {
			first := min(value/40, 2)
			id = append(id, uint32(first), uint32(value-40*first))
			continue
		}
		id = append(id, uint32(value))
	}
	return id, rest, true
}

// element writes an element.
func element(tag byte, parts ...[]byte) []byte {
	length := 0
	for _, p := range parts {
		length += len(p)
	}
	b := make([]byte, 0, length+4)
	switch {
	case length < 0x80:
		b = append(b, tag, byte(length))
	case length < 0x100:
		b = append(b, tag, 0x81, byte(length))
	default:
		b = append(b, tag, 0x82, byte(length>>8), byte(length))
	}
	return append(b, slices.Concat(parts...)...)
}

// number writes a number in as few octets as it needs.
func number(tag byte, value int64) []byte {
	body := []byte{byte(value)}
	for value >= 0x80 || value < -0x80 {
		value >>= 8
		body = append(body, byte(value))
	}
	slices.Reverse(body)
	return element(tag, body)
}

// identifier writes an object identifier of at least two numbers.
func identifier(id []uint32) []byte {
	body := base128(nil, id[0]*40+id[1])
	for _, sub := range id[2:] {
		body = base128(body, sub)
	}
	return element(tagOID, body)
}

func base128(b []byte, value uint32) []byte {
	for shift := 28; shift > 0; shift -= 7 {
		if value>>shift > 0 {
			b = append(b, 0x80|byte(value>>shift)&0x7f)
		}
	}
	return append(b, byte(value&0x7f))
}
