package serve

import (
	"sync"

	"timestation/engine/ntp"
)

// Interleaved mode (RFC 9769): an answer carries, in the place of its own transmit time, the true one of the answer
// before, which by then the kernel has said. A client asks for it by echoing, as origin, the receive timestamp of that
// answer. The timestamps of all answers are marked so that such an echo is known without having kept anything: only then
// is a transmit stamp asked for and kept, so that clients of the basic mode cost nothing.
const (
	// markMask are the last bits of a timestamp, below 7.5 ns, that carry the mark of a receive timestamp: one that this
	// address alone gets, which a flood from made-up addresses cannot know.
	markMask = 1<<5 - 1
	// Others have the lowest bit clear, a receive timestamp has it set.
	receiveBit = 1

	// exchangeSets and exchangesInSet make the table of answers whose transmit time is kept: 4096 in 128 KiB.
	exchangeSets   = 512
	exchangesInSet = 8
)

// markReceive makes t a receive timestamp for this address.
func markReceive(t ntp.Timestamp, client clientHash) ntp.Timestamp {
	t &^= markMask
	return t | ntp.Timestamp(mix(uint64(t)^uint64(client))&markMask) | receiveBit
}

// markOther makes t one that no receive timestamp looks like.
func markOther(t ntp.Timestamp) ntp.Timestamp {
	if t &^= receiveBit; t == 0 { // that would read as unknown
		t = 2
	}
	return t
}

// mayBeReceive tells whether t may be a receive timestamp that this address once got.
func mayBeReceive(t ntp.Timestamp, client clientHash) bool {
	return t&receiveBit != 0 && markReceive(t, client) == t
}

// mix spreads every bit over all (the finaliser of MurmurHash3).
func mix(x uint64) uint64 {
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// exchangeKey names an answer: who got it, and its receive timestamp, which that address got with no other.
type exchangeKey struct {
	client  clientHash
	receive ntp.Timestamp
}

type sentAnswer struct {
	key      exchangeKey
	transmit ntp.Timestamp // 0 until the kernel has said it
	lineage  uint32
	age      uint32 // count of the table when it was made
}

// exchangeTable keeps the transmit times of the last answers to clients that interleave, in memory that is taken once. A
// newcomer takes the place of the oldest in its set. Any goroutine may use it.
type exchangeTable struct {
	mu   sync.Mutex
	made uint32
	// lineage counts the breaks of the time scale. What was said before one says nothing after it.
	lineage uint32
	sets    [exchangeSets][exchangesInSet]sentAnswer
}

func (t *exchangeTable) set(k exchangeKey) *[exchangesInSet]sentAnswer {
	return &t.sets[mix(uint64(k.client)^uint64(k.receive))%exchangeSets]
}

func (t *exchangeTable) find(k exchangeKey) *sentAnswer {
	set := t.set(k)
	for i := range set {
		if e := &set[i]; e.key == k && e.lineage == t.lineage && e.age != 0 {
			return e
		}
	}
	return nil
}

// expect makes a place for the transmit time of an answer that is about to be sent, with a receive timestamp at or just
// after the given one that this address never had in this table.
func (t *exchangeTable) expect(client clientHash, receive ntp.Timestamp) exchangeKey {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := exchangeKey{client, receive}
	for t.find(k) != nil {
		k.receive = markReceive(k.receive+markMask+1, client)
	}
	set := t.set(k)
	oldest := &set[0]
	for i := range set {
		if e := &set[i]; e.age == 0 || t.made-e.age > t.made-oldest.age && oldest.age != 0 {
			oldest = e
		}
	}
	if t.made++; t.made == 0 {
		t.made = 1
	}
	*oldest = sentAnswer{key: k, lineage: t.lineage, age: t.made}
	return k
}

// sent notes when an answer left.
func (t *exchangeTable) sent(k exchangeKey, transmit ntp.Timestamp) {
	t.mu.Lock()
	if e := t.find(k); e != nil {
		e.transmit = transmit
	}
	t.mu.Unlock()
}

// transmit gives when the answer with this receive timestamp left; 0 where that is not known.
func (t *exchangeTable) transmit(k exchangeKey) ntp.Timestamp {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.find(k); e != nil {
		return e.transmit
	}
	return 0
}

// forget drops everything: the time scale broke.
func (t *exchangeTable) forget() {
	t.mu.Lock()
	t.lineage++
	t.mu.Unlock()
}
