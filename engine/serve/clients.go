package serve

import (
	"hash/maphash"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

const (
	// clientSets and clientsInSet make the table: 4096 addresses in 470 KiB. An address belongs to one set by its hash and
	// competes with those of that set alone, so that a request looks at no more than clientsInSet entries.
	clientSets   = 256
	clientsInSet = 16
	// clientStale is how long after its last request a client gives way to any newcomer. NTP's longest usual poll is
	// 1024 s (RFC 5905, section 7.2: MAXPOLL is 36 h, but clients stop at 2^10 s), and the log counts by the hour.
	clientStale = 2 * time.Hour
	// kissEvery is how often one address is told why it gets no answers.
	kissEvery = time.Second
	// leakOneIn is how many requests beyond the limit make one answer: who floods in a client's name cannot silence that
	// client altogether.
	leakOneIn = 8
)

// clientTable counts requests by source address, and keeps their pace, in memory that is taken once. Any goroutine may
// count and look.
//
// When a set is full, a newcomer takes the place of the entry that is worth least: one that is stale, else one that never
// sent a valid code, else the one with the fewest requests, else the one that was heard longest ago. Addresses that are
// made up for a flood come once or a few times each and so drive out one another, not the clients that were there before.
type clientTable struct {
	seed maphash.Seed // so that nobody outside can choose addresses of one set
	sets [clientSets]clientSet
}

type clientSet struct {
	mu sync.Mutex // for the moment of one entry or one set
	// tags are other bits of the hashes than those that chose the set; they spare most comparisons.
	tags    [clientsInSet]uint32
	entries [clientsInSet]clientEntry
}

type clientEntry struct {
	status.Client
	plain, keyed bucket
	kissed       refclock.Stamp // when the last kiss was sent
}

// clientHash tells addresses apart within one listener; it means nothing outside.
type clientHash uint64

func newClientTable() *clientTable { return &clientTable{seed: maphash.MakeSeed()} }

func (t *clientTable) hash(from netip.Addr) clientHash {
	octets := from.As16()
	return clientHash(maphash.Bytes(t.seed, octets[:]))
}

// standing is what is known of a request when its address is looked up.
type standing uint8

const (
	unworthy      standing = iota // to be dropped, whatever the pace
	plainRequest                  // to be answered
	signedRequest                 // to be answered, and its sender has a key
	unopenable                    // to be answered by a kiss that says so
)

// pace is what the table says of a request.
type pace uint8

const (
	inTime      pace = iota // answer it, if it is worthy
	tooFast                 // do not
	mayBeKissed             // do not answer it, but its sender may be told so
)

// count takes in one request that arrived at rx from an address, without IPv4 in IPv6 form; why is the reason where it is
// not to be answered. An answer is due for inTime.
func (t *clientTable) count(from netip.Addr, hash clientHash, rx refclock.Stamp, s standing, why Reason, l limit) pace {
	set := &t.sets[hash%clientSets]
	set.mu.Lock()
	defer set.mu.Unlock()
	c := set.find(from, hash, rx)
	c.Requests++
	c.LastSeen = rx
	b := &c.plain
	if s == signedRequest {
		b = &c.keyed
	}
	switch {
	case s != unworthy && (b.take(l, rx) || rand.Uint32()%leakOneIn == 0):
		switch s {
		case signedRequest:
			c.Answered++
			c.Authenticated++
		case plainRequest:
			c.Answered++
		default:
			c.refuse(why)
		}
		return inTime
	case s != unworthy:
		why = RateLimited
	}
	c.refuse(why)
	if c.mayKiss(rx) {
		return mayBeKissed
	}
	return tooFast
}

func (c *clientEntry) refuse(why Reason) {
	c.Refused++
	c.LastRefused = why.String()
}

func (c *clientEntry) mayKiss(rx refclock.Stamp) bool {
	if since := rx.Sub(c.kissed); since >= 0 && since < kissEvery {
		return false
	}
	c.kissed = rx
	return true
}

// find gives the entry of an address, which may be a new one in the place of another's.
func (s *clientSet) find(from netip.Addr, hash clientHash, rx refclock.Stamp) *clientEntry {
	tag := uint32(hash >> 32)
	for i := range s.tags {
		if s.tags[i] != tag {
			continue
		}
		if c := &s.entries[i]; c.Address == from {
			return c
		}
	}
	least := 0
	for i := range s.entries {
		if s.entries[i].Requests == 0 { // entries are never freed, so none lies behind a free one
			least = i
			break
		}
		if worthLess(&s.entries[i].Client, &s.entries[least].Client, rx) {
			least = i
		}
	}
	s.tags[least], s.entries[least] = tag, clientEntry{Client: status.Client{Address: from, FirstSeen: rx}}
	return &s.entries[least]
}

// worthLess tells whether a is to be forgotten before b.
func worthLess(a, b *status.Client, now refclock.Stamp) bool {
	aStale, bStale := now.Sub(a.LastSeen) > clientStale, now.Sub(b.LastSeen) > clientStale
	switch {
	case aStale || bStale:
		return aStale && (!bStale || a.LastSeen < b.LastSeen)
	case (a.Authenticated == 0) != (b.Authenticated == 0):
		return a.Authenticated == 0
	case a.Requests != b.Requests:
		return a.Requests < b.Requests
	}
	return a.LastSeen < b.LastSeen
}

// list copies the table, a set at a time, so that whoever counts never waits for longer than that takes.
func (t *clientTable) list() []status.Client {
	all := make([]status.Client, 0, clientsInSet)
	for i := range t.sets {
		set := &t.sets[i]
		set.mu.Lock()
		for j := range set.entries {
			if set.entries[j].Requests == 0 {
				break
			}
			all = append(all, set.entries[j].Client)
		}
		set.mu.Unlock()
	}
	return all
}
