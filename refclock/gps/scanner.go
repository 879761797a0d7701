package gps

import (
	"encoding/binary"
	"math"
	"slices"

	"timestation/refclock"
)

// longestSentence is in bytes, from '$' to the checksum. NMEA 0183 allows 82, and receivers do not keep to it with their
// own sentences: gpsd's recordings have up to 203, u-blox's PUBX,03 may have some 400.
const longestSentence = 512

// longestPacket is the longest binary packet that is waited for, in bytes: RXM-RAWX of 255 signals, the longest a u-blox
// can send, has 8184.
const longestPacket = 8192

// mostCandidates is how many beginnings of packets are followed at a time. A real packet has none inside it but by
// chance, so of more than this many the oldest was no packet.
const mostCandidates = 8

// protocol is what a frame is written in.
type protocol uint8

const (
	nmea0183 protocol = iota
	ubx
	rtcm3
	sirf
	skytraq
)

// frame is one whole message whose checksum is right.
type frame struct {
	protocol protocol
	// sentence is from '$' to the checksum, where the protocol is NMEA 0183.
	sentence string
	// class and id are UBX's; payload is without header and checksum, and is overwritten by what comes next.
	class, id byte
	payload   []byte
	// start is when the first byte came, end when the last.
	start, end refclock.Stamp
}

// scanner finds whole messages in a stream of any bytes: after garbage, within one another's debris, torn by lost bytes.
// Sentences and packets are looked for side by side, so no mistaken length keeps anything else from being found.
type scanner struct {
	line   []byte
	inside bool
	start  refclock.Stamp
	// window holds the bytes since the oldest candidate began; due is the length at which the next one is looked at.
	window     []byte
	candidates []candidate
	due        int
	// refused counts what looked like a sentence or a packet and whose checksum was wrong or missing. held are those that
	// came while a packet seems to be under way, by where in the window they were: if it turns out to be one, what was inside
	// it was nothing but its content.
	refused uint64
	held    []int
}

// candidate is what may be a packet: it begins at an index of the window, and is looked at again when it has need bytes.
type candidate struct {
	protocol protocol
	at, need int
	stage    stage
	start    refclock.Stamp
}

type stage uint8

const (
	leading stage = iota // the two bytes that begin a packet are awaited
	heading              // the length
	whole                // the end
)

// scan takes the next bytes; stamp tells when the i-th of them came. It calls deliver for each message that ends in them.
func (s *scanner) scan(p []byte, stamp func(i int) refclock.Stamp, deliver func(frame)) {
	for i, b := range p {
		switch {
		case b == '$':
			if s.inside {
				s.refuse() // the end of the last one was lost
			}
			s.line, s.inside, s.start = append(s.line[:0], b), true, stamp(i)
		case !s.inside:
		case b == '\r' || b == '\n':
			s.inside = false
			if intact(s.line) {
				deliver(frame{protocol: nmea0183, sentence: string(s.line), start: s.start, end: stamp(i)})
			} else {
				s.refuse()
			}
		case b < ' ' || b > '~' || len(s.line) == longestSentence:
			s.inside = false // binary data, in which a '$' means nothing
		default:
			s.line = append(s.line, b)
		}
		if b == 0xb5 || b == 0xd3 || b == 0xa0 {
			s.begin(b, stamp(i))
		}
		if len(s.candidates) == 0 {
			continue
		}
		s.window = append(s.window, b)
		if len(s.window) >= s.due {
			s.examine(i, stamp, deliver)
		}
	}
}

// begin notes a candidate whose first byte is about to be appended to the window.
func (s *scanner) begin(b byte, at refclock.Stamp) {
	kind := ubx
	switch b {
	case 0xd3:
		kind = rtcm3
	case 0xa0:
		kind = sirf // or Skytraq, as the second byte tells
	}
	if len(s.candidates) == mostCandidates {
		s.drop(0, true)
	}
	s.candidates = append(s.candidates, candidate{protocol: kind, at: len(s.window), need: 2, start: at})
	s.settle()
}

// settle reckons when a candidate is to be looked at next, and forgets bytes that no candidate needs.
func (s *scanner) settle() {
	if len(s.candidates) == 0 {
		s.window = s.window[:0]
		s.refused, s.held = s.refused+uint64(len(s.held)), s.held[:0]
		return
	}
	if first := s.candidates[0].at; first > longestPacket {
		s.window = append(s.window[:0], s.window[first:]...)
		for i := range s.candidates {
			s.candidates[i].at -= first
		}
		for i := range s.held {
			s.held[i] -= first
		}
	}
	s.due = math.MaxInt
	for _, c := range s.candidates {
		s.due = min(s.due, c.at+c.need)
	}
}

// drop gives a candidate up; an error is counted where it was promising enough.
func (s *scanner) drop(i int, wrong bool) {
	if c := s.candidates[i]; wrong && c.protocol == ubx && c.stage == whole {
		s.held = slices.DeleteFunc(s.held, func(at int) bool { return at > c.at }) // its content, however garbled
		s.held = append(s.held, c.at)
	}
	s.candidates = append(s.candidates[:i], s.candidates[i+1:]...)
}

// examine looks at the candidates that have as many bytes as they waited for, the oldest first.
func (s *scanner) examine(i int, stamp func(i int) refclock.Stamp, deliver func(frame)) {
	for n := 0; n < len(s.candidates); {
		c := &s.candidates[n]
		if len(s.window)-c.at < c.need {
			n++
			continue
		}
		data := s.window[c.at:]
		if c.stage != whole {
			if !c.advance(data) {
				s.drop(n, false)
			}
			continue // an empty packet may be whole by now
		}
		f, ok := c.finish(data)
		f.start, f.end = c.start, stamp(i)
		if !ok {
			s.drop(n, true)
			continue
		}
		// Whatever else began before it was mistaken, and what began inside it is its content.
		for range n {
			s.drop(0, true)
		}
		at := s.candidates[0].at
		for _, h := range s.held {
			if h < at {
				s.refused++
			}
		}
		s.held = s.held[:0]
		s.candidates, s.inside = s.candidates[:0], false
		deliver(f)
	}
	s.settle()
}

// ubxClasses are the classes of messages that u-blox receivers have (F9 and M8 interface descriptions, "UBX message
// class").
var ubxClasses = [256]bool{0x01: true, 0x02: true, 0x04: true, 0x05: true, 0x06: true, 0x09: true, 0x0a: true, 0x0b: true,
	0x0d: true, 0x10: true, 0x13: true, 0x21: true, 0x27: true, 0x28: true, 0x29: true, 0x41: true}

// advance reads as much of a header as there is, and tells whether it can still be one.
func (c *candidate) advance(data []byte) bool {
	if c.stage == leading {
		header := 4
		switch {
		case c.protocol == ubx && data[1] == 0x62:
			header = 6
		case c.protocol == rtcm3 && data[1]&0xfc == 0:
			header = 3
		case c.protocol == sirf && data[1] == 0xa2:
		case c.protocol == sirf && data[1] == 0xa1:
			c.protocol = skytraq
		default:
			return false
		}
		c.stage, c.need = heading, header
		return true
	}
	switch c.protocol {
	case ubx:
		c.need = 6 + int(binary.LittleEndian.Uint16(data[4:])) + 2
		if !ubxClasses[data[2]] {
			return false
		}
	case rtcm3:
		c.need = 3 + int(binary.BigEndian.Uint16(data[1:])&0x3ff) + 3
	case sirf:
		c.need = 4 + int(binary.BigEndian.Uint16(data[2:])) + 4
	case skytraq:
		c.need = 4 + int(binary.BigEndian.Uint16(data[2:])) + 3
	}
	c.stage = whole
	return c.need <= longestPacket
}

// finish makes a frame of a packet that is all there, if its checksum is right.
func (c *candidate) finish(data []byte) (f frame, ok bool) {
	f.protocol = c.protocol
	end := len(data)
	switch c.protocol {
	case ubx:
		f.class, f.id, f.payload = data[2], data[3], data[6:end-2]
		a, b := fletcher(data[2 : end-2])
		return f, a == data[end-2] && b == data[end-1]
	case rtcm3:
		f.payload = data[3 : end-3]
		sum := uint32(data[end-3])<<16 | uint32(data[end-2])<<8 | uint32(data[end-1])
		return f, len(f.payload) > 1 && crc24q(data[:end-3]) == sum
	case sirf:
		f.payload = data[4 : end-4]
		var sum uint16
		for _, b := range f.payload {
			sum += uint16(b)
		}
		return f, sum&0x7fff == binary.BigEndian.Uint16(data[end-4:]) && data[end-2] == 0xb0 && data[end-1] == 0xb3
	}
	f.payload = data[4 : end-3]
	var sum byte
	for _, b := range f.payload {
		sum ^= b
	}
	return f, sum == data[end-3] && data[end-2] == '\r' && data[end-1] == '\n'
}

// fletcher is UBX's checksum: RFC 1145's 8-bit Fletcher algorithm over class, id, length and payload.
func fletcher(p []byte) (a, b byte) {
	for _, v := range p {
		a += v
		b += a
	}
	return a, b
}

// crc24q is RTCM 3's checksum (Qualcomm's polynomial 0x1864cfb; RTCM 10403, section 4).
func crc24q(p []byte) uint32 {
	var crc uint32
	for _, b := range p {
		crc ^= uint32(b) << 16
		for range 8 {
			if crc <<= 1; crc&0x1000000 != 0 {
				crc ^= 0x1864cfb
			}
		}
	}
	return crc
}

// refuse counts the line if it began as sentences do; a '$' among binary data is nobody's error.
func (s *scanner) refuse() {
	if !addressed(s.line) {
		return
	}
	if len(s.candidates) > 0 {
		s.held = append(s.held, len(s.window))
	} else {
		s.refused++
	}
}

// addressed tells whether a line begins with a talker, which is two capitals.
func addressed(line []byte) bool { return len(line) > 2 && isCapital(line[1]) && isCapital(line[2]) }

func isCapital(c byte) bool { return c >= 'A' && c <= 'Z' }

// intact tells whether a line is $…*hh with hh the exclusive or of the bytes between $ and * (NMEA 0183, section 5.3).
// The standard lets some sentences go without; a clock does not.
func intact(line []byte) bool {
	star := len(line) - 3
	if star < 3 || line[star] != '*' || !addressed(line) {
		return false
	}
	var sum byte
	for _, b := range line[1:star] {
		sum ^= b
	}
	high, ok1 := nibble(line[star+1])
	low, ok2 := nibble(line[star+2])
	return ok1 && ok2 && sum == high<<4|low
}

func nibble(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}

// errors counts what was refused so far, with what would be if nothing more came.
func (s *scanner) errors() uint64 { return s.refused + uint64(len(s.held)) }

// promising tells whether a UBX packet has begun that is not over.
func (s *scanner) promising() bool {
	for _, c := range s.candidates {
		if c.protocol == ubx && c.stage == whole {
			return true
		}
	}
	return false
}
