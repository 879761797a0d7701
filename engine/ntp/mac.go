package ntp

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"hash"
	"net/netip"
)

// Algorithm is how a symmetric key makes a message authentication code: a digest over key and packet (RFC 5905, section
// 7.3), or AES-CMAC (RFC 8573, which also deprecates MD5).
type Algorithm uint8

// The algorithms, in the names of chrony's key files; AES192 is spelled after them, which only know the other two.
const (
	MD5 Algorithm = iota
	SHA1
	SHA256
	SHA384
	SHA512
	AES128
	AES256
	AES192
)

var algorithms = [...]struct {
	name string
	// new is nil for AES-CMAC, whose keys are keyLen octets.
	new    func() hash.Hash
	keyLen int
}{
	MD5:    {name: "MD5", new: md5.New},
	SHA1:   {name: "SHA1", new: sha1.New},
	SHA256: {name: "SHA256", new: sha256.New},
	SHA384: {name: "SHA384", new: sha512.New384},
	SHA512: {name: "SHA512", new: sha512.New},
	AES128: {name: "AES128", keyLen: 16},
	AES256: {name: "AES256", keyLen: 32},
	AES192: {name: "AES192", keyLen: 24},
}

// String is the name in chrony's key files.
func (a Algorithm) String() string { return algorithms[a].name }

// TruncatedLen is how many octets of a longer digest ntpsec sends, and all that version 4 has room for (RFC 7822).
const TruncatedLen = 20

// Key is a symmetric key. Its texts never show the secret.
type Key struct {
	ID        uint32 // 1…2³²−1
	Algorithm Algorithm
	Secret    []byte
	// From are the addresses that may use the key, as the server sees them; none is all.
	From []netip.Prefix
}

// String names the key.
func (k Key) String() string { return fmt.Sprintf("key %d (%s)", k.ID, k.Algorithm) }

// GoString is String: a key printed by mistake stays secret.
func (k Key) GoString() string { return k.String() }

// Authenticator makes and checks the codes of one key. It keeps the hash or cipher state, so that neither allocates; it
// must not be used from two goroutines at once.
type Authenticator struct {
	key  Key
	hash hash.Hash
	cmac *CMAC
	sum  [sha512.Size]byte
}

// NewAuthenticator fails where the key's length does not fit AES-CMAC.
func NewAuthenticator(k Key) (*Authenticator, error) {
	a := &Authenticator{key: k}
	algorithm := algorithms[k.Algorithm]
	if algorithm.new != nil {
		a.hash = algorithm.new()
		return a, nil
	}
	if len(k.Secret) != algorithm.keyLen {
		return nil, fmt.Errorf("%v has %d octets; it needs %d", k, len(k.Secret), algorithm.keyLen)
	}
	var err error
	a.cmac, err = NewCMAC(k.Secret)
	return a, err
}

func (a *Authenticator) digest(signed []byte) []byte {
	if a.cmac != nil {
		return a.cmac.AppendSum(a.sum[:0], signed)
	}
	a.hash.Reset()
	a.hash.Write(a.key.Secret)
	a.hash.Write(signed)
	return a.hash.Sum(a.sum[:0])
}

// Check reports, in constant time, whether digest is the code over signed: whole, as chrony sends it, or where it is
// longer its first TruncatedLen octets, as ntpsec does.
func (a *Authenticator) Check(signed, digest []byte) bool {
	whole := a.digest(signed)
	if len(digest) == TruncatedLen && len(whole) > TruncatedLen {
		whole = whole[:TruncatedLen]
	}
	return subtle.ConstantTimeCompare(whole, digest) == 1
}

// Append signs b: it adds the key ID and the first n octets of the code over b, or all of it where it is shorter. The
// answer to a request carries as many octets as the request did.
func (a *Authenticator) Append(b []byte, n int) []byte {
	digest := a.digest(b)
	b = binary.BigEndian.AppendUint32(b, a.key.ID)
	return append(b, digest[:min(n, len(digest))]...)
}
