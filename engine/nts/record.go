package nts

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The records of key establishment (RFC 8915, section 4.1; IANA's registry for compliantGCMSIV).
const (
	recordEnd          = 0
	recordNextProtocol = 1
	recordError        = 2
	recordWarning      = 3
	recordAEAD         = 4
	recordCookie       = 5
	recordServer       = 6
	recordPort         = 7
	// recordCompliantGCMSIV says that the keys for AES-128-GCM-SIV are exported as RFC 8915 wants it, which chrony up to
	// 4.6 does not (chrony-project.org/doc/spec/nts-compliant-128gcm.html).
	recordCompliantGCMSIV = 1024

	criticalBit  = 0x8000
	protocolNTP4 = 0
)

// The error codes (RFC 8915, section 4.1.3).
const (
	codeUnknownCritical uint16 = 0
	codeBadRequest      uint16 = 1
	codeInternal        uint16 = 2
)

const (
	recordHeaderLen = 4
	// longestRequest and longestResponse are what a message may have in octets. RFC 8915, section 4, has everybody take
	// 1024 and more of a request; eight cookies of 100 octets and a name make a response of 1.1 KiB.
	longestRequest  = 4096
	longestResponse = 16384
	// longestName is what a server's name may have in octets (RFC 1035, section 2.3.4).
	longestName = 255
	// MaxCookies is how many cookies a client holds and a server gives (RFC 8915, section 4.1.6).
	MaxCookies = 8
	// longestCookie is what a cookie may have in octets. Ours have 100 or 68, and nobody's are known to have over 200.
	longestCookie = 256
)

// record is one record of a message.
type record struct {
	critical bool
	kind     uint16
	body     []byte
}

func appendRecord(b []byte, critical bool, kind uint16, body []byte) []byte {
	if critical {
		kind |= criticalBit
	}
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	return append(b, body...)
}

func appendNumbers[N ~uint16](b []byte, critical bool, kind uint16, numbers ...N) []byte {
	var body []byte
	for _, n := range numbers {
		body = binary.BigEndian.AppendUint16(body, uint16(n))
	}
	return appendRecord(b, critical, kind, body)
}

var (
	errRecord  = errors.New("a record is cut short")
	errTooLong = errors.New("the message is too long")
)

// nextRecord takes the first record off a message.
func nextRecord(b []byte) (r record, rest []byte, err error) {
	if len(b) < recordHeaderLen {
		return r, nil, errRecord
	}
	end := recordHeaderLen + int(binary.BigEndian.Uint16(b[2:]))
	if end > len(b) {
		return r, nil, errRecord
	}
	kind := binary.BigEndian.Uint16(b)
	return record{kind&criticalBit != 0, kind &^ criticalBit, b[recordHeaderLen:end]}, b[end:], nil
}

// readMessage reads up to the record End of Message, and that too.
func readMessage(from io.Reader, longest int) ([]byte, error) {
	var b []byte
	for {
		at := len(b)
		b = append(b, make([]byte, recordHeaderLen)...)
		if _, err := io.ReadFull(from, b[at:]); err != nil {
			return nil, err
		}
		length := int(binary.BigEndian.Uint16(b[at+2:]))
		if len(b)+length > longest {
			return nil, errTooLong
		}
		body := len(b)
		b = append(b, make([]byte, length)...)
		if _, err := io.ReadFull(from, b[body:]); err != nil {
			return nil, err
		}
		if binary.BigEndian.Uint16(b[at:])&^criticalBit == recordEnd {
			return b, nil
		}
	}
}

// numbers16 reads a body of 16-bit numbers.
func numbers16(body []byte) (numbers []uint16, ok bool) {
	for ; len(body) >= 2; body = body[2:] {
		numbers = append(numbers, binary.BigEndian.Uint16(body))
	}
	return numbers, len(body) == 0
}

// request is what a client asks for. Server and port are wishes, which the server need not grant.
type request struct {
	ntp4       bool
	algorithms []Algorithm
	compliant  bool
}

func (q request) append(b []byte) []byte {
	b = appendNumbers(b, true, recordNextProtocol, uint16(protocolNTP4))
	b = appendNumbers(b, true, recordAEAD, q.algorithms...)
	if q.compliant {
		b = appendRecord(b, false, recordCompliantGCMSIV, nil)
	}
	return appendRecord(b, true, recordEnd, nil)
}

// refusal is an error record that a server answers with, or answered with.
type refusal uint16

func (r refusal) Error() string {
	switch uint16(r) {
	case codeUnknownCritical:
		return "the server does not know a record that it must know"
	case codeBadRequest:
		return "the server calls the request malformed"
	case codeInternal:
		return "the server has an internal error"
	}
	return fmt.Sprintf("the server refuses with error code %d", uint16(r))
}

// parseRequest reads a whole message. The error is the refusal that answers it.
func parseRequest(b []byte) (q request, err error) {
	protocols, algorithms := 0, 0
	for {
		var r record
		if r, b, err = nextRecord(b); err != nil {
			return q, refusal(codeBadRequest)
		}
		switch r.kind {
		case recordEnd:
			if !r.critical || len(r.body) != 0 || protocols != 1 || q.ntp4 && algorithms != 1 {
				return q, refusal(codeBadRequest)
			}
			return q, nil
		case recordNextProtocol:
			numbers, ok := numbers16(r.body)
			if !ok || len(numbers) == 0 || !r.critical {
				return q, refusal(codeBadRequest)
			}
			protocols++
			for _, n := range numbers {
				q.ntp4 = q.ntp4 || n == protocolNTP4
			}
		case recordAEAD:
			numbers, ok := numbers16(r.body)
			if !ok || len(numbers) == 0 {
				return q, refusal(codeBadRequest)
			}
			algorithms++
			for _, n := range numbers {
				q.algorithms = append(q.algorithms, Algorithm(n))
			}
		case recordServer, recordPort:
			// Wishes, critical or not: there is one server, and the answer says where.
		case recordCompliantGCMSIV:
			q.compliant = true
		case recordError, recordWarning, recordCookie:
			return q, refusal(codeBadRequest)
		default:
			if r.critical {
				return q, refusal(codeUnknownCritical)
			}
		}
	}
}

// response is what a server grants.
type response struct {
	ntp4      bool
	algorithm Algorithm // 0 is none
	compliant bool
	server    string // empty: the one that was asked
	port      uint16 // 0: 123
	cookies   [][]byte
}

func (a response) append(b []byte) []byte {
	if !a.ntp4 {
		return appendRecord(appendRecord(b, true, recordNextProtocol, nil), true, recordEnd, nil)
	}
	b = appendNumbers(b, true, recordNextProtocol, uint16(protocolNTP4))
	if a.algorithm == 0 {
		return appendRecord(appendRecord(b, true, recordAEAD, nil), true, recordEnd, nil)
	}
	b = appendNumbers(b, true, recordAEAD, a.algorithm)
	if a.compliant {
		b = appendRecord(b, false, recordCompliantGCMSIV, nil)
	}
	if a.server != "" {
		b = appendRecord(b, true, recordServer, []byte(a.server))
	}
	if a.port != 0 {
		b = appendNumbers(b, true, recordPort, a.port)
	}
	for _, cookie := range a.cookies {
		b = appendRecord(b, false, recordCookie, cookie)
	}
	return appendRecord(b, true, recordEnd, nil)
}

// parseResponse reads a whole message. More than MaxCookies cookies and those that are too long are left out.
func parseResponse(b []byte) (a response, err error) {
	protocols, algorithms, servers, ports := 0, 0, 0, 0
	for {
		var r record
		if r, b, err = nextRecord(b); err != nil {
			return a, err
		}
		switch r.kind {
		case recordEnd:
			switch {
			case protocols != 1 || algorithms > 1 || servers > 1 || ports > 1:
				return a, errors.New("the answer has a record too many or too few")
			case !a.ntp4:
				return a, errors.New("the server does not speak NTP version 4 under NTS")
			case a.algorithm == 0:
				return a, errors.New("the server knows none of the offered algorithms")
			case len(a.cookies) == 0:
				return a, errors.New("the server gave no cookies that could be used")
			}
			return a, nil
		case recordNextProtocol:
			numbers, ok := numbers16(r.body)
			if !ok || len(numbers) > 1 {
				return a, errors.New("the next protocol in the answer is malformed")
			}
			protocols++
			a.ntp4 = len(numbers) == 1 && numbers[0] == protocolNTP4
		case recordAEAD:
			numbers, ok := numbers16(r.body)
			if !ok || len(numbers) > 1 {
				return a, errors.New("the algorithm in the answer is malformed")
			}
			algorithms++
			if len(numbers) == 1 {
				a.algorithm = Algorithm(numbers[0])
			}
		case recordError, recordWarning:
			code, ok := numbers16(r.body)
			if !ok || len(code) != 1 {
				return a, errors.New("the error code in the answer is malformed")
			}
			if r.kind == recordWarning {
				return a, fmt.Errorf("the server warns with code %d, which nobody knows", code[0])
			}
			return a, refusal(code[0])
		case recordCookie:
			if n := len(r.body); len(a.cookies) < MaxCookies && n > 0 && n <= longestCookie {
				a.cookies = append(a.cookies, r.body)
			}
		case recordServer:
			servers++
			if !validName(r.body) {
				return a, errors.New("the NTP server in the answer is no name or address")
			}
			a.server = string(r.body)
		case recordPort:
			port, ok := numbers16(r.body)
			if !ok || len(port) != 1 || port[0] == 0 {
				return a, errors.New("the port in the answer is malformed")
			}
			ports++
			a.port = port[0]
		case recordCompliantGCMSIV:
			a.compliant = true
		default:
			if r.critical {
				return a, fmt.Errorf("the answer has a critical record of type %d, which is not known here", r.kind)
			}
		}
	}
}

// validName lets through what a host name or an IP address is made of (RFC 8915, section 4.1.7).
func validName(name []byte) bool {
	for _, c := range name {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '.' && c != '-' && c != ':' && c != '_' {
			return false
		}
	}
	return len(name) > 0 && len(name) <= longestName
}
