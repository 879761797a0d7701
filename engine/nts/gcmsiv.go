package nts

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
)

const gcmSIVNonceLen = 12

// gcmSIV is AES-GCM-SIV (RFC 8452) with a key of 16 or 32 octets. Every message has a key of its own, derived from the
// nonce, whose schedule is the one thing that is allocated.
type gcmSIV struct {
	keyLen int
	cipher cipher.Block
	block  [aes.BlockSize]byte
	stream [aes.BlockSize]byte
	auth   [16]byte
	key    [32]byte
}

func newGCMSIV(key []byte) (*gcmSIV, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return &gcmSIV{keyLen: len(key), cipher: block}, nil
}

// derive makes the two keys of a message (RFC 8452, section 4): the first into g.auth, the second as a cipher.
func (g *gcmSIV) derive(nonce []byte) cipher.Block {
	copy(g.block[4:], nonce)
	for i := range 2 + g.keyLen/8 {
		binary.LittleEndian.PutUint32(g.block[:], uint32(i))
		g.cipher.Encrypt(g.stream[:], g.block[:])
		if i < 2 {
			copy(g.auth[8*i:], g.stream[:8])
		} else {
			copy(g.key[8*(i-2):], g.stream[:8])
		}
	}
	block, _ := aes.NewCipher(g.key[:g.keyLen]) // the length has been accepted once
	return block
}

// tag leaves the tag in g.block.
func (g *gcmSIV) tag(message cipher.Block, nonce, plaintext, data []byte) {
	p := newPolyval(&g.auth)
	p.update(data)
	p.update(plaintext)
	p.block(uint64(len(data))*8, uint64(len(plaintext))*8)
	p.sum(&g.stream)
	subtle.XORBytes(g.stream[:], g.stream[:], nonce)
	g.stream[15] &= 0x7f
	message.Encrypt(g.block[:], g.stream[:])
}

// crypt adds text, encrypted or decrypted under the tag in g.block, to dst. The counter is the first 32 bits alone.
func (g *gcmSIV) crypt(message cipher.Block, dst, text []byte) []byte {
	g.block[15] |= 0x80
	count := binary.LittleEndian.Uint32(g.block[:])
	for len(text) > 0 {
		message.Encrypt(g.stream[:], g.block[:])
		n := min(len(text), aes.BlockSize)
		at := len(dst)
		dst = append(dst, text[:n]...)
		subtle.XORBytes(dst[at:], dst[at:], g.stream[:n])
		text = text[n:]
		count++
		binary.LittleEndian.PutUint32(g.block[:], count)
	}
	return dst
}

func (g *gcmSIV) seal(dst, nonce, plaintext, data []byte) []byte {
	message := g.derive(nonce)
	g.tag(message, nonce, plaintext, data)
	tag := g.block
	return append(g.crypt(message, dst, plaintext), tag[:]...)
}

func (g *gcmSIV) open(dst, nonce, ciphertext, data []byte) ([]byte, error) {
	if len(nonce) != gcmSIVNonceLen || len(ciphertext) < tagLen {
		return dst, errAuth
	}
	message := g.derive(nonce)
	text, tag := ciphertext[:len(ciphertext)-tagLen], ciphertext[len(ciphertext)-tagLen:]
	g.block = [16]byte(tag)
	at := len(dst)
	plain := g.crypt(message, dst, text)
	g.tag(message, nonce, plain[at:], data)
	if !equal(g.block[:], tag) {
		clear(plain[at:])
		return dst, errAuth
	}
	return plain, nil
}
