package fastpath

import (
	"encoding/binary"
	"net/netip"
)

// trieKey is the key of a longest-prefix-match trie (struct bpf_lpm_trie_key): how many bits count, in the machine's byte
// order, and an IPv6 address; IPv4 in IPv6 form.
type trieKey [4 + 16]byte

func keyOf(p netip.Prefix) (k trieKey) {
	n := p.Bits()
	if p.Addr().Is4() {
		n += 96
	}
	binary.NativeEndian.PutUint32(k[:], uint32(n))
	a := p.Masked().Addr().As16()
	copy(k[4:], a[:])
	return k
}

// verdicts makes of two lists one trie, whose longest match decides alone: each prefix of either carries what both lists
// say of all of it, 1 for allowed. Whatever else they say is of a longer one.
func verdicts(allow, deny []netip.Prefix) map[trieKey]uint32 {
	within := func(list []netip.Prefix, p netip.Prefix) bool {
		for _, q := range list {
			if q.Bits() <= p.Bits() && q.Contains(p.Addr()) {
				return true
			}
		}
		return false
	}
	trie := make(map[trieKey]uint32, len(allow)+len(deny))
	for _, list := range [][]netip.Prefix{allow, deny} {
		for _, p := range list {
			var verdict uint32
			if within(allow, p) && !within(deny, p) {
				verdict = 1
			}
			trie[keyOf(p)] = verdict
		}
	}
	return trie
}
