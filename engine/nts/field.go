package nts

import (
	"encoding/binary"
	"errors"

	"timestation/engine/ntp"
)

// The extension fields (RFC 8915, section 5.2).
const (
	fieldUniqueID      = 0x0104
	fieldCookie        = 0x0204
	fieldPlaceholder   = 0x0304
	fieldAuthenticator = 0x0404
)

const (
	fieldHeaderLen = 4
	// uniqueIDLen is what a unique identifier has at least, and has here, in octets (RFC 8915, section 5.3).
	uniqueIDLen = 32
	// longestUniqueID is what one may have in a request, so that it can be kept without allocating.
	longestUniqueID = 256
)

// Kiss is the kiss code of a server that cannot open a cookie or an authenticator: the client establishes new keys (RFC
// 8915, section 5.7).
var Kiss = [4]byte{'N', 'T', 'S', 'N'}

// Errors of Open.
var (
	// ErrMalformed: fields are missing, double or too short. There is no answer.
	ErrMalformed = errors.New("the NTS fields are malformed")
	// ErrNotAuthentic: the cookie cannot be opened, or the authenticator does not fit. A server answers with Kiss.
	ErrNotAuthentic = errors.New("the NTS cookie or authenticator does not fit")
)

// fields are those of a packet that belong to NTS; slices of the packet.
type fields struct {
	uniqueID, cookie []byte
	// placeholders counts fields that reserve room for at least placeholderLen octets each.
	placeholders   int
	placeholderLen int
	// authenticated is how many octets come before the authenticator; nonce and ciphertext are its own.
	authenticated     int
	nonce, ciphertext []byte
	authenticatorLen  int
}

// readFields reads the fields up to the authenticator, and leaves what follows it alone: nobody vouches for that. packet is
// the whole packet and p what it was parsed to.
func readFields(packet []byte, p *ntp.Packet) (f fields, err error) {
	if p.Digest != nil { // who has a shared key does not need this
		return f, ErrMalformed
	}
	for rest := p.Extensions; len(rest) > 0; {
		at := len(packet) - len(rest)
		var field ntp.Extension
		if field, rest, err = ntp.NextExtension(rest); err != nil {
			return f, ErrMalformed
		}
		switch field.Type {
		case fieldUniqueID:
			if f.uniqueID != nil || len(field.Value) < uniqueIDLen || len(field.Value) > longestUniqueID {
				return f, ErrMalformed
			}
			f.uniqueID = field.Value
		case fieldCookie:
			if f.cookie != nil {
				return f, ErrMalformed
			}
			f.cookie = field.Value
		case fieldPlaceholder:
			if f.placeholders == 0 || len(field.Value) < f.placeholderLen {
				f.placeholderLen = len(field.Value)
			}
			f.placeholders++
		case fieldAuthenticator:
			f.authenticated, f.authenticatorLen = at, fieldHeaderLen+len(field.Value)
			f.nonce, f.ciphertext, err = readAuthenticator(field.Value)
			return f, err
		}
	}
	return f, nil
}

// readAuthenticator takes the value of an authenticator apart (RFC 8915, section 5.6).
func readAuthenticator(b []byte) (nonce, ciphertext []byte, err error) {
	if len(b) < 4 {
		return nil, nil, ErrMalformed
	}
	nonceLen, ciphertextLen := int(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:]))
	b = b[4:]
	if nonceLen == 0 || ciphertextLen < tagLen || padded(nonceLen)+padded(ciphertextLen) > len(b) {
		return nil, nil, ErrMalformed
	}
	return b[:nonceLen], b[padded(nonceLen):][:ciphertextLen], nil
}

func padded(n int) int { return (n + 3) &^ 3 }

// authenticatorLen is the length of an authenticator's field in octets, header included.
func authenticatorLen(a Algorithm, plaintextLen int) int {
	return fieldHeaderLen + 4 + padded(a.nonceLen()) + padded(tagLen+plaintextLen)
}

// appendAuthenticator vouches for packet, which is all of b from HeaderLen's beginning on, and hides plaintext in it.
func appendAuthenticator(b, packet, nonce, plaintext []byte, box aead) []byte {
	at := len(b)
	b = append(b, fieldAuthenticator>>8, fieldAuthenticator&0xff, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(nonce)))
	b = binary.BigEndian.AppendUint16(b, uint16(tagLen+len(plaintext)))
	b = append(b, nonce...)
	b = pad(b, at)
	b = box.seal(b, nonce, plaintext, packet)
	b = pad(b, at)
	binary.BigEndian.PutUint16(b[at+2:], uint16(len(b)-at))
	return b
}

// pad adds zeros until a multiple of four octets has come since at.
func pad(b []byte, at int) []byte {
	for (len(b)-at)%4 != 0 {
		b = append(b, 0)
	}
	return b
}
