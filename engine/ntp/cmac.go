package ntp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
)

// CMAC is AES-CMAC (RFC 4493 for 128-bit keys, NIST SP 800-38B for 192 and 256). It keeps its working blocks, so that a sum
// allocates nothing; for the same reason one must not be used from two goroutines at once.
type CMAC struct {
	block  cipher.Block
	k1, k2 [aes.BlockSize]byte
	state  [aes.BlockSize]byte
}

// NewCMAC takes a key of 16, 24 or 32 octets.
func NewCMAC(key []byte) (*CMAC, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	c := &CMAC{block: block}
	block.Encrypt(c.k1[:], c.k1[:])
	Double(&c.k1)
	c.k2 = c.k1
	Double(&c.k2)
	return c, nil
}

// Double multiplies by x in GF(2¹²⁸), in constant time: the subkeys of RFC 4493, section 2.3, and dbl of RFC 5297,
// section 2.3.
func Double(b *[aes.BlockSize]byte) {
	carry := byte(0)
	for i := len(b) - 1; i >= 0; i-- {
		b[i], carry = b[i]<<1|carry, b[i]>>7
	}
	b[len(b)-1] ^= 0x87 & -carry
}

// AppendSum adds the 16 octets of the code over message to b.
func (c *CMAC) AppendSum(b, message []byte) []byte {
	c.state = [aes.BlockSize]byte{}
	for len(message) > aes.BlockSize {
		c.mix(message[:aes.BlockSize])
		c.block.Encrypt(c.state[:], c.state[:])
		message = message[aes.BlockSize:]
	}
	c.mix(message)
	if len(message) == aes.BlockSize {
		c.mix(c.k1[:])
	} else {
		c.state[len(message)] ^= 0x80
		c.mix(c.k2[:])
	}
	c.block.Encrypt(c.state[:], c.state[:])
	return append(b, c.state[:]...)
}

func (c *CMAC) mix(b []byte) { subtle.XORBytes(c.state[:], c.state[:], b) }
