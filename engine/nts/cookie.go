package nts

import (
	cryptorand "crypto/rand"
	"encoding/binary"
	"errors"
	"math/rand/v2"
)

// A cookie is the number of its master key, a nonce, and both keys of a session, sealed; the number is vouched for too.
// Which algorithm the keys are for shows in their length.
const (
	cookieIDLen    = 4
	cookieNonceLen = 16
	cookieOverhead = cookieIDLen + cookieNonceLen + tagLen
)

// cookieLen is in octets, and a multiple of four.
func (a Algorithm) cookieLen() int { return cookieOverhead + 2*a.keyLen() }

var errCookie = errors.New("the cookie was not sealed with a master key that is known")

// baker seals and opens cookies, for one goroutine.
type baker struct {
	jar    *Jar
	loaded *[]masterKey // what master was made from
	master []*siv
	nonces *rand.ChaCha8
}

// newBaker takes the seed for its nonces from the system. They need not be secret; that they look random keeps the
// cookies of one client from being told as such.
func newBaker(jar *Jar) *baker { return &baker{jar: jar, nonces: newNonces()} }

// keys gives the master keys in force.
func (k *baker) keys() []masterKey {
	if now := k.jar.keys.Load(); now != k.loaded {
		k.loaded, k.master = now, nil
		for _, key := range *now {
			master, err := newSIV(key.secret)
			if err != nil {
				panic(err) // only the length could be wrong, and that was checked when the file was read
			}
			k.master = append(k.master, master)
		}
	}
	return *k.loaded
}

// bake adds a new cookie for a session's keys, C2S before S2C, to dst.
func (k *baker) bake(dst []byte, session []byte) []byte {
	keys := k.keys()
	newest := len(keys) - 1
	at := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, keys[newest].ID)
	dst = append(dst, make([]byte, cookieNonceLen)...)
	head := dst[at:]
	k.nonces.Read(head[cookieIDLen:])
	return k.master[newest].seal(dst, head[cookieIDLen:], session, head[:cookieIDLen])
}

// eat adds the keys in a cookie to dst.
func (k *baker) eat(dst, cookie []byte) ([]byte, error) {
	if len(cookie) < cookieOverhead {
		return dst, errCookie
	}
	id := binary.BigEndian.Uint32(cookie)
	for i, key := range k.keys() {
		if key.ID != id {
			continue
		}
		nonce, sealed := cookie[cookieIDLen:cookieIDLen+cookieNonceLen], cookie[cookieIDLen+cookieNonceLen:]
		session, err := k.master[i].open(dst, nonce, sealed, cookie[:cookieIDLen])
		if err != nil {
			return dst, errCookie
		}
		return session, nil
	}
	return dst, errCookie
}

// algorithmOf tells the algorithm by the length of a session's keys; 0 is none.
func algorithmOf(session []byte) Algorithm {
	for _, a := range []Algorithm{AESSIVCMAC256, AES128GCMSIV} {
		if len(session) == 2*a.keyLen() {
			return a
		}
	}
	return 0
}

func newNonces() *rand.ChaCha8 {
	var seed [32]byte
	cryptorand.Read(seed[:])
	return rand.NewChaCha8(seed)
}
