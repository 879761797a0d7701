package nts

import (
	"math/rand/v2"

	"timestation/engine/ntp"
)

const (
	// sessionSlots is how many clients' expanded keys a Server remembers; each takes about 2.5 KiB once it is used. To
	// expand the keys of one that is not remembered takes about a microsecond and five allocations.
	sessionSlots = 2048
	// longestPlaintext is what an authenticator may hide in octets: an answer's cookies.
	longestPlaintext = MaxCookies * (fieldHeaderLen + longestCookie)
)

// session is a client's keys, expanded.
type session struct {
	keys      [2 * 32]byte
	keysLen   int
	algorithm Algorithm
	c2s, s2c  aead
}

// Server opens requests under NTS and protects their answers (RFC 8915, section 5.7). It belongs to one goroutine; all
// that are given the same Jar take each other's cookies. Neither allocates for a client that is remembered with
// AES-SIV-CMAC-256, and each allocates once with AES-128-GCM-SIV.
type Server struct {
	baker    *baker
	nonces   *rand.ChaCha8
	sessions [sessionSlots]*session
	request  Request
	plain    []byte
	nonce    [16]byte
}

// NewServer makes a server that seals its cookies with the jar's keys.
func NewServer(jar *Jar) *Server {
	return &Server{baker: newBaker(jar), nonces: newNonces(), plain: make([]byte, 0, longestPlaintext)}
}

// Request is a request under NTS, until the next call of its server's Open.
type Request struct {
	server    *Server
	session   *session
	uniqueID  [longestUniqueID]byte
	uniqueLen int
	cookies   int
	room      int
}

// Concerns tells whether a parsed packet has fields of NTS, so that Open is to judge it.
func Concerns(p *ntp.Packet) bool {
	for rest := p.Extensions; len(rest) > 0; {
		field, next, err := ntp.NextExtension(rest)
		if err != nil {
			return false
		}
		if field.Type == fieldCookie || field.Type == fieldAuthenticator {
			return true
		}
		rest = next
	}
	return false
}

// Open checks a request: packet are its octets, and p what ntp.Parse made of them. With ErrMalformed there is no answer.
// With ErrNotAuthentic the request is still good for Request.AppendNAK. The Request keeps nothing of the packet.
func (s *Server) Open(packet []byte, p *ntp.Packet) (*Request, error) {
	f, err := readFields(packet, p)
	if err != nil || p.Version != 4 || f.uniqueID == nil || f.cookie == nil || f.authenticated == 0 {
		return nil, ErrMalformed
	}
	r := &s.request
	r.server, r.session, r.cookies, r.room = s, nil, 0, len(packet)
	r.uniqueLen = copy(r.uniqueID[:], f.uniqueID)
	if r.session, err = s.open(packet, &f); err != nil {
		return r, err
	}
	// A placeholder reserves room for a cookie as long as itself.
	r.cookies = 1
	if r.session.algorithm.cookieLen() <= f.placeholderLen {
		r.cookies = min(MaxCookies, 1+f.placeholders)
	}
	return r, nil
}

func (s *Server) open(packet []byte, f *fields) (*session, error) {
	keys, err := s.baker.eat(s.plain[:0], f.cookie)
	if err != nil {
		return nil, ErrNotAuthentic
	}
	session := s.recall(keys)
	if session == nil {
		return nil, ErrNotAuthentic
	}
	// A client leaves room for a nonce of 16 octets where the algorithm takes as many (RFC 8915, section 5.6, N_REQ).
	if session.algorithm == AESSIVCMAC256 && f.authenticatorLen < authenticatorLen(AESSIVCMAC256, len(f.ciphertext)-tagLen) {
		return nil, ErrMalformed
	}
	if cap(s.plain) < len(f.ciphertext) {
		return nil, ErrMalformed
	}
	if _, err = session.c2s.open(s.plain[:0], f.nonce, f.ciphertext, packet[:f.authenticated]); err != nil {
		return nil, ErrNotAuthentic
	}
	return session, nil
}

// recall finds the expanded keys of a session, or expands them; nil where they are for no known algorithm.
func (s *Server) recall(keys []byte) *session {
	a := algorithmOf(keys)
	if a == 0 {
		return nil
	}
	// The keys look random, so any of their bits spread them evenly.
	slot := &s.sessions[(int(keys[0])|int(keys[1])<<8)%sessionSlots]
	if known := *slot; known != nil && known.algorithm == a && equal(known.keys[:known.keysLen], keys) {
		return known
	}
	n := a.keyLen()
	c2s, err1 := newAEAD(a, keys[:n])
	s2c, err2 := newAEAD(a, keys[n:])
	if err1 != nil || err2 != nil {
		return nil
	}
	fresh := &session{algorithm: a, c2s: c2s, s2c: s2c, keysLen: len(keys)}
	copy(fresh.keys[:], keys)
	*slot = fresh
	return fresh
}

// Algorithm is what protects the request.
func (r *Request) Algorithm() Algorithm { return r.session.algorithm }

// AppendProtection adds the fields of an answer to b, which holds its header alone: the client's unique identifier, and
// an authenticator that hides a new cookie for each that the client gave or made room for. The answer is never longer
// than its request.
func (r *Request) AppendProtection(b []byte) []byte {
	s := r.server
	a := r.session.algorithm
	b = ntp.AppendExtension(b, fieldUniqueID, r.uniqueID[:r.uniqueLen])
	each := fieldHeaderLen + a.cookieLen()
	fit := (r.room - len(b) - authenticatorLen(a, 0)) / each
	plain := s.plain[:0]
	for range min(r.cookies, max(0, fit)) {
		plain = append(plain, fieldCookie>>8, fieldCookie&0xff, byte(each>>8), byte(each))
		plain = s.baker.bake(plain, r.session.keys[:r.session.keysLen])
	}
	nonce := s.nonce[:a.nonceLen()]
	s.nonces.Read(nonce)
	return appendAuthenticator(b, b, nonce, plain, r.session.s2c)
}

// AppendNAK adds the one field of an answer that says Kiss to b, which holds its header alone. Nobody vouches for it: the
// client believes it only while no authentic answer comes.
func (r *Request) AppendNAK(b []byte) []byte {
	return ntp.AppendExtension(b, fieldUniqueID, r.uniqueID[:r.uniqueLen])
}
