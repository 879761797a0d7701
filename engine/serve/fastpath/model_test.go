package fastpath

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"timestation/engine/ntp"
)

// TestVerdicts: the longest match of the trie says of any address what the two lists say.
func TestVerdicts(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	address := func() netip.Addr {
		// Few different bits, so that prefixes lie in one another.
		if random.IntN(2) == 0 {
			return netip.AddrFrom4([4]byte{10, byte(random.IntN(2)), byte(random.IntN(4) << 6), byte(random.IntN(4))})
		}
		return netip.AddrFrom16([16]byte{0xfd, byte(random.IntN(2)), 2: byte(random.IntN(4) << 6), 15: byte(random.IntN(4))})
	}
	list := func() (all []netip.Prefix) {
		for range random.IntN(5) {
			a := address()
			all = append(all, netip.PrefixFrom(a, random.IntN(a.BitLen()+1)).Masked())
		}
		return all
	}
	contains := func(list []netip.Prefix, a netip.Addr) bool {
		for _, p := range list {
			if p.Contains(a) {
				return true
			}
		}
		return false
	}
	for range 3000 {
		allow, deny := list(), list()
		trie := verdicts(allow, deny)
		for range 20 {
			a := address()
			want := contains(allow, a) && !contains(deny, a)
			// Longest match, as the kernel finds it.
			got := false
			for bits := a.BitLen(); bits >= 0; bits-- {
				if v, ok := trie[keyOf(netip.PrefixFrom(a, bits))]; ok {
					got = v == 1
					break
				}
			}
			if got != want {
				t.Fatalf("%v of allow %v, deny %v: %v, want %v", a, allow, deny, got, want)
			}
		}
	}
}

// TestEncode: what the kernel makes of a model by its integer arithmetic is what the model says, at any age.
func TestEncode(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 8))
	for range 10000 {
		m := Model{
			Header:           ntp.Header{Receive: 1 << 63, Transmit: 1 << 63},
			Rate:             (random.Float64() - 0.5) / 1000,
			Dispersion:       time.Duration(random.Int64N(int64(16 * time.Second))),
			DispersionGrowth: random.Float64() / 1000 * float64(random.IntN(2)),
			Valid:            Longest,
		}
		s := m.encode(1, 0)
		get := func(at int) uint64 { return binary.NativeEndian.Uint64(s[at:]) }
		age := time.Duration(random.Int64N(int64(Longest)))
		stamp := get(slotBase) + uint64(age)*get(slotScale)>>scaleBits
		want := float64(age) * (1 + m.Rate)
		if got := float64(stamp-1<<63) * 1e9 / (1 << 32); got < want-1.5 || got > want+1.5 {
			t.Fatalf("%+v: %.1f ns after %v, want %.1f", m, got, age, want)
		}
		got := ntp.Short((get(slotDispersion) + uint64(age)*get(slotGrowth)) >> dispersionBits)
		exact := ntp.ShortFromDuration(m.Dispersion + time.Duration(float64(age)*m.DispersionGrowth))
		if got < exact || got > exact+1 || m.DispersionGrowth == 0 && got != exact {
			t.Fatalf("%+v: dispersion %v after %v, want %v", m, got.Duration(), age, exact.Duration())
		}
	}
}
