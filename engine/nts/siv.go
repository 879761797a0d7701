package nts

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"

	"timestation/engine/ntp"
)

// siv is AES-SIV (RFC 5297): AEAD_AES_SIV_CMAC_256 with a key of 32 octets, of which the first half makes the synthetic
// initialisation vector and the second encrypts.
type siv struct {
	mac     *ntp.CMAC
	cipher  cipher.Block
	zero    [aes.BlockSize]byte // the code over a block of zeros, which S2V begins with
	d, sum  [aes.BlockSize]byte
	counter [aes.BlockSize]byte
	scratch []byte
}

func newSIV(key []byte) (*siv, error) {
	mac, err := ntp.NewCMAC(key[:len(key)/2])
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key[len(key)/2:])
	if err != nil {
		return nil, err
	}
	s := &siv{mac: mac, cipher: block}
	mac.AppendSum(s.sum[:0], s.zero[:])
	s.zero = s.sum
	return s, nil
}

// begin, absorb and finish are S2V (RFC 5297, section 2.4): one absorb for each string of associated data, the nonce
// last; finish takes the plaintext and leaves the vector in s.sum.
func (s *siv) begin() { s.d = s.zero }

func (s *siv) absorb(data []byte) {
	s.mac.AppendSum(s.sum[:0], data)
	ntp.Double(&s.d)
	subtle.XORBytes(s.d[:], s.d[:], s.sum[:])
}

func (s *siv) finish(plaintext []byte) {
	if len(plaintext) < aes.BlockSize {
		ntp.Double(&s.d)
		subtle.XORBytes(s.d[:], s.d[:], plaintext)
		s.d[len(plaintext)] ^= 0x80
		s.mac.AppendSum(s.sum[:0], s.d[:])
		return
	}
	s.scratch = append(s.scratch[:0], plaintext...)
	end := s.scratch[len(plaintext)-aes.BlockSize:]
	subtle.XORBytes(end, end, s.d[:])
	s.mac.AppendSum(s.sum[:0], s.scratch)
}

func (s *siv) vector(nonce, plaintext, data []byte) {
	s.begin()
	s.absorb(data)
	s.absorb(nonce)
	s.finish(plaintext)
}

// crypt adds text, encrypted or decrypted under the vector in counter, to dst (RFC 5297, section 2.5).
func (s *siv) crypt(dst, text []byte) []byte {
	s.counter[8] &= 0x7f
	s.counter[12] &= 0x7f
	// The highest bit of the lower half is zero, so that counting cannot carry out of it.
	count := binary.BigEndian.Uint64(s.counter[8:])
	for len(text) > 0 {
		s.cipher.Encrypt(s.d[:], s.counter[:])
		n := min(len(text), aes.BlockSize)
		at := len(dst)
		dst = append(dst, text[:n]...)
		subtle.XORBytes(dst[at:], dst[at:], s.d[:n])
		text = text[n:]
		count++
		binary.BigEndian.PutUint64(s.counter[8:], count)
	}
	return dst
}

func (s *siv) seal(dst, nonce, plaintext, data []byte) []byte {
	s.vector(nonce, plaintext, data)
	s.counter = s.sum
	dst = append(dst, s.sum[:]...)
	return s.crypt(dst, plaintext)
}

func (s *siv) open(dst, nonce, ciphertext, data []byte) ([]byte, error) {
	if len(ciphertext) < tagLen {
		return dst, errAuth
	}
	s.counter = [aes.BlockSize]byte(ciphertext[:tagLen])
	at := len(dst)
	plain := s.crypt(dst, ciphertext[tagLen:])
	s.vector(nonce, plain[at:], data)
	if !equal(s.sum[:], ciphertext[:tagLen]) {
		clear(plain[at:])
		return dst, errAuth
	}
	return plain, nil
}
