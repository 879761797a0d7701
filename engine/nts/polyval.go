package nts

import (
	"encoding/binary"
	"math/bits"
)

// polyval is the universal hash of RFC 8452, section 3, over GF(2¹²⁸) modulo x¹²⁸ + x¹²⁷ + x¹²⁶ + x¹²¹ + 1. It uses no
// tables and takes the same time whatever it hashes. A field element is two words, the lower powers first.
type polyval struct{ hLow, hHigh, sLow, sHigh uint64 }

func newPolyval(key *[16]byte) polyval {
	return polyval{hLow: binary.LittleEndian.Uint64(key[:]), hHigh: binary.LittleEndian.Uint64(key[8:])}
}

// update hashes b, filled up with zeros to a whole number of blocks.
func (p *polyval) update(b []byte) {
	for len(b) >= 16 {
		p.block(binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]))
		b = b[16:]
	}
	if len(b) > 0 {
		var last [16]byte
		copy(last[:], b)
		p.block(binary.LittleEndian.Uint64(last[:]), binary.LittleEndian.Uint64(last[8:]))
	}
}

// block is one step: S = (S + X) · H · x⁻¹²⁸.
func (p *polyval) block(low, high uint64) {
	a0, a1 := p.sLow^low, p.sHigh^high
	b0, b1 := p.hLow, p.hHigh
	// The 256-bit product by Karatsuba's method.
	l0, l1 := clmul(a0, b0)
	h0, h1 := clmul(a1, b1)
	m0, m1 := clmul(a0^a1, b0^b1)
	m0 ^= l0 ^ h0
	m1 ^= l1 ^ h1
	v0, v1, v2, v3 := l0, l1^m0, h0^m1, h1
	// Two words are divided off, one after the other: adding a multiple of the modulus clears the lowest.
	v1 ^= v0<<63 ^ v0<<62 ^ v0<<57
	v2 ^= v0 ^ v0>>1 ^ v0>>2 ^ v0>>7
	v2 ^= v1<<63 ^ v1<<62 ^ v1<<57
	v3 ^= v1 ^ v1>>1 ^ v1>>2 ^ v1>>7
	p.sLow, p.sHigh = v2, v3
}

func (p *polyval) sum(out *[16]byte) {
	binary.LittleEndian.PutUint64(out[:], p.sLow)
	binary.LittleEndian.PutUint64(out[8:], p.sHigh)
}

// clmul multiplies two polynomials over GF(2). Only every fourth bit of a factor is multiplied at a time, so that the
// carries of the processor's multiplication fall into the gaps. A gap holds the sum of 15 terms and there could be 16,
// so the four highest bits of x are multiplied by themselves.
func clmul(x, y uint64) (low, high uint64) {
	const m0, m1, m2, m3 = 0x1111111111111111, 0x2222222222222222, 0x4444444444444444, 0x8888888888888888
	for k := uint(60); k < 64; k++ {
		bit := -(x >> k & 1)
		low ^= y << k & bit
		high ^= y >> (64 - k) & bit
	}
	x &= 1<<60 - 1
	x0, x1, x2, x3 := x&m0, x&m1, x&m2, x&m3
	y0, y1, y2, y3 := y&m0, y&m1, y&m2, y&m3
	l, h := mul4(x0, y0, x1, y3, x2, y2, x3, y1)
	low, high = low^l&m0, high^h&m0
	l, h = mul4(x0, y1, x1, y0, x2, y3, x3, y2)
	low, high = low^l&m1, high^h&m1
	l, h = mul4(x0, y2, x1, y1, x2, y0, x3, y3)
	low, high = low^l&m2, high^h&m2
	l, h = mul4(x0, y3, x1, y2, x2, y1, x3, y0)
	return low ^ l&m3, high ^ h&m3
}

func mul4(a0, b0, a1, b1, a2, b2, a3, b3 uint64) (low, high uint64) {
	h0, l0 := bits.Mul64(a0, b0)
	h1, l1 := bits.Mul64(a1, b1)
	h2, l2 := bits.Mul64(a2, b2)
	h3, l3 := bits.Mul64(a3, b3)
	return l0 ^ l1 ^ l2 ^ l3, h0 ^ h1 ^ h2 ^ h3
}
