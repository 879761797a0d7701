package nts

import (
	"crypto/subtle"
	"errors"
	"fmt"
)

// Algorithm is an AEAD algorithm by its number in IANA's registry (RFC 8915, section 4.1.5).
type Algorithm uint16

const (
	// AESSIVCMAC256 is AEAD_AES_SIV_CMAC_256 (RFC 5297), which everybody has to know.
	AESSIVCMAC256 Algorithm = 15
	// AES128GCMSIV is AEAD_AES_128_GCM_SIV (RFC 8452), whose shorter keys make shorter cookies.
	AES128GCMSIV Algorithm = 30
)

// String is the name in IANA's registry without its prefix.
func (a Algorithm) String() string {
	switch a {
	case AESSIVCMAC256:
		return "AES-SIV-CMAC-256"
	case AES128GCMSIV:
		return "AES-128-GCM-SIV"
	}
	return fmt.Sprintf("AEAD %d", uint16(a))
}

// keyLen is in octets; 0 where the algorithm is not known here.
func (a Algorithm) keyLen() int {
	switch a {
	case AESSIVCMAC256:
		return 32
	case AES128GCMSIV:
		return 16
	}
	return 0
}

// nonceLen is the length in octets of the nonces made here. RFC 8915, section 5.6, asks for 16 where the algorithm takes as
// many; AES-GCM-SIV takes 12 and no other length.
func (a Algorithm) nonceLen() int {
	if a == AES128GCMSIV {
		return gcmSIVNonceLen
	}
	return 16
}

// tagLen is by how many octets the ciphertext of either algorithm is longer than its plaintext.
const tagLen = 16

// errAuth: a ciphertext, its nonce or what it vouches for is not what was sealed with this key.
var errAuth = errors.New("the authenticator does not fit")

// aead seals and opens under one key. It keeps its working blocks, so that neither allocates more than the algorithm
// cannot do without; for the same reason it must not be used from two goroutines at once. The results are added to dst,
// which must not overlap with the other arguments.
type aead interface {
	seal(dst, nonce, plaintext, data []byte) []byte
	open(dst, nonce, ciphertext, data []byte) ([]byte, error)
}

// newAEAD takes a key of a.keyLen() octets.
func newAEAD(a Algorithm, key []byte) (aead, error) {
	if len(key) != a.keyLen() {
		return nil, fmt.Errorf("%v with a key of %d octets", a, len(key))
	}
	switch a {
	case AESSIVCMAC256:
		return newSIV(key)
	case AES128GCMSIV:
		return newGCMSIV(key)
	}
	return nil, fmt.Errorf("%v is not known here", a)
}

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
