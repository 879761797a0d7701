package nts

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"
	"testing/quick"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// RFC 5297, appendix A.1 (deterministic: one string of associated data, no nonce) and A.2 (two and a nonce).
func TestSIVVectors(t *testing.T) {
	for _, c := range []struct {
		key, plaintext, want string
		data                 []string
	}{
		{
			"fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0 f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
			"112233445566778899aabbccddee",
			"85632d07c6e8f37f950acd320a2ecc93 40c02b9690c4dc04daef7f6afe5c",
			[]string{"101112131415161718191a1b1c1d1e1f2021222324252627"},
		},
		{
			"7f7e7d7c7b7a79787776757473727170 404142434445464748494a4b4c4d4e4f",
			"7468697320697320736f6d6520706c61 696e7465787420746f20656e63727970 74207573696e67205349562d414553",
			"7bdb6e3b432667eb06f4d14bff2fbd0f cb900f2fddbe404326601965c889bf17 dba77ceb094fa663b7a3f748ba8af829 ea64ad544a272e9c485b62a3fd5c0d",
			[]string{
				"00112233445566778899aabbccddeeff deaddadadeaddadaffeeddccbbaa9988 7766554433221100",
				"102030405060708090a0", "09f911029d74e35bd84156c5635688c0",
			},
		},
	} {
		s, err := newSIV(unhex(t, c.key))
		if err != nil {
			t.Fatal(err)
		}
		plaintext := unhex(t, c.plaintext)
		s.begin()
		for _, d := range c.data {
			s.absorb(unhex(t, d))
		}
		s.finish(plaintext)
		s.counter = s.sum
		got := s.crypt(bytes.Clone(s.sum[:]), plaintext)
		if want := unhex(t, c.want); !bytes.Equal(got, want) {
			t.Errorf("%x, want %x", got, want)
		}
	}
}

// All of RFC 8452's vectors, those of 256-bit keys and of the wrapping counter included.
func TestGCMSIVVectors(t *testing.T) {
	file, err := os.ReadFile("testdata/rfc8452.txt")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for line := range strings.Lines(strings.ReplaceAll(string(file), "-", "")) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), " ")
		if len(f) != 5 {
			continue // the comment
		}
		count++
		key, nonce, data, plaintext, want := unhex(t, f[0]), unhex(t, f[1]), unhex(t, f[2]), unhex(t, f[3]), unhex(t, f[4])
		g, err := newGCMSIV(key)
		if err != nil {
			t.Fatal(err)
		}
		if got := g.seal(nil, nonce, plaintext, data); !bytes.Equal(got, want) {
			t.Errorf("vector %d: %x, want %x", count, got, want)
		}
		if got, err := g.open(nil, nonce, want, data); err != nil || !bytes.Equal(got, plaintext) {
			t.Errorf("vector %d: opened as %x, %v", count, got, err)
		}
	}
	if count != 50 {
		t.Errorf("%d vectors were tried, not 50", count)
	}
}

// The product is that of the schoolbook, also where every gap between the bits is full.
func TestCarrylessProduct(t *testing.T) {
	check := func(x, y uint64) bool {
		var low, high uint64
		for k := range 64 {
			if y>>k&1 == 1 {
				low ^= x << k
				high ^= x >> 1 >> (63 - k)
			}
		}
		l, h := clmul(x, y)
		return l == low && h == high
	}
	for _, x := range []uint64{0, 1, 1 << 63, ^uint64(0), 0x1111111111111111, 0x8888888888888888} {
		for _, y := range []uint64{0, 1, 1 << 63, ^uint64(0), 0x1111111111111111, 0x8888888888888888} {
			if !check(x, y) {
				t.Errorf("%#x times %#x", x, y)
			}
		}
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 20000}); err != nil {
		t.Error(err)
	}
}

// Whatever bit is changed, of the nonce, the ciphertext, or what it vouches for: it does not open, and nothing is given.
func TestForgeriesDoNotOpen(t *testing.T) {
	for _, a := range []Algorithm{AESSIVCMAC256, AES128GCMSIV} {
		box, err := newAEAD(a, bytes.Repeat([]byte{7}, a.keyLen()))
		if err != nil {
			t.Fatal(err)
		}
		nonce, data, plaintext := make([]byte, a.nonceLen()), []byte("a header"), []byte("forty octets of cookies or keys, or more")
		sealed := box.seal([]byte("before"), nonce, plaintext, data)
		if !bytes.HasPrefix(sealed, []byte("before")) || len(sealed) != 6+len(plaintext)+tagLen {
			t.Fatalf("%v: sealed as %q", a, sealed)
		}
		sealed = sealed[6:]
		if got, err := box.open([]byte("x"), nonce, sealed, data); err != nil || string(got) != "x"+string(plaintext) {
			t.Fatalf("%v: opened as %q, %v", a, got, err)
		}
		for _, part := range [][]byte{nonce, data, sealed} {
			for i := range len(part) * 8 {
				part[i/8] ^= 1 << (i % 8)
				if got, err := box.open(nil, nonce, sealed, data); err == nil || len(got) != 0 {
					t.Fatalf("%v: a forgery opened", a)
				}
				part[i/8] ^= 1 << (i % 8)
			}
		}
		for n := range sealed {
			if _, err := box.open(nil, nonce, sealed[:n], data); err == nil {
				t.Fatalf("%v: %d octets of %d opened", a, n, len(sealed))
			}
		}
	}
}

// BenchmarkAEAD seals what a request of NTS has: nothing, vouching for 188 octets.
func BenchmarkAEAD(b *testing.B) {
	for _, a := range []Algorithm{AESSIVCMAC256, AES128GCMSIV} {
		box, err := newAEAD(a, make([]byte, a.keyLen()))
		if err != nil {
			b.Fatal(err)
		}
		nonce, data, out := make([]byte, a.nonceLen()), make([]byte, 188), make([]byte, 0, 64)
		b.Run(a.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				out = box.seal(out[:0], nonce, nil, data)
			}
		})
	}
}
