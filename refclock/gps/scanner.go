package gps

import "timestation/refclock"

// longestSentence is in bytes, from '$' to the checksum. NMEA 0183 allows 82, and receivers do not keep to it with their
// own sentences: gpsd's recordings have up to 203, u-blox's PUBX,03 may have some 400.
const longestSentence = 512

// scanner finds whole sentences in a stream of any bytes: after garbage, between binary packets, torn by lost bytes.
type scanner struct {
	line   []byte
	inside bool
	start  refclock.Stamp
	// refused counts lines that looked like a sentence and whose checksum was wrong or missing.
	refused uint64
}

// push takes the next byte and when it came. When the byte ends a sentence whose checksum is right, push returns the
// sentence from '$' to the checksum, and the stamp of its '$'.
func (s *scanner) push(b byte, at refclock.Stamp) (sentence string, start refclock.Stamp, whole bool) {
	switch {
	case b == '$':
		if s.inside {
			s.refuse() // the end of the last one was lost
		}
		s.line, s.inside, s.start = append(s.line[:0], b), true, at
	case !s.inside:
	case b == '\r' || b == '\n':
		s.inside = false
		if !intact(s.line) {
			s.refuse()
			return "", 0, false
		}
		return string(s.line), s.start, true
	case b < ' ' || b > '~' || len(s.line) == longestSentence:
		s.inside = false // binary data, in which a '$' means nothing
	default:
		s.line = append(s.line, b)
	}
	return "", 0, false
}

// refuse counts the line if it began as sentences do; a '$' among binary data is nobody's error.
func (s *scanner) refuse() {
	if addressed(s.line) {
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
