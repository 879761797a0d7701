package serve

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

const (
	// clientSets and clientsInSet make the table: 4096 addresses in 256 KiB. An address belongs to one set by its hash
	// and competes with those of that set alone, so that a request looks at no more than clientsInSet entries.
	clientSets   = 256
	clientsInSet = 16
	// clientStale is how long after its last request a client gives way to any newcomer. NTP's longest usual poll is
	// 1024 s (RFC 5905, section 7.2: MAXPOLL is 36 h, but clients stop at 2^10 s), and the log counts by the hour.
	clientStale = 2 * time.Hour
)

// clientTable counts requests by source address in memory that is taken once. One goroutine counts; any may look.
//
// When a set is full, a newcomer takes the place of the entry that is worth least: one that is stale, else one that never
// sent a valid code, else the one with the fewest requests, else the one that was heard longest ago. Addresses that are
// made up for a flood come once or a few times each and so drive out one another, not the clients that were there before.
type clientTable struct {
	seed maphash.Seed // so that nobody outside can choose addresses of one set
	mu   sync.Mutex   // for the moment of one entry or one set
	sets [clientSets][clientsInSet]status.Client
}

func newClientTable() *clientTable { return &clientTable{seed: maphash.MakeSeed()} }

// count takes in one request from an address, as a socket gives it, which arrived at rx.
func (t *clientTable) count(from netip.Addr, rx refclock.Stamp, answered, authenticated bool) {
	from = from.Unmap()
	octets := from.As16()
	set := &t.sets[maphash.Bytes(t.seed, octets[:])%clientSets]
	t.mu.Lock()
	c := find(set, from, rx)
	c.Requests++
	switch {
	case authenticated:
		c.Answered++
		c.Authenticated++
	case answered:
		c.Answered++
	default:
		c.Refused++
	}
	c.LastSeen = rx
	t.mu.Unlock()
}

// find gives the entry of an address, which may be a new one in the place of another's.
func find(set *[clientsInSet]status.Client, from netip.Addr, rx refclock.Stamp) *status.Client {
	for i := range set {
		c := &set[i]
		if c.Address == from {
			return c
		}
		if c.Requests == 0 { // entries are never freed, so none lies behind a free one
			c.Address = from
			return c
		}
	}
	least := &set[0]
	for i := range set[1:] {
		if c := &set[i+1]; worthLess(c, least, rx) {
			least = c
		}
	}
	*least = status.Client{Address: from}
	return least
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
		t.mu.Lock()
		set := t.sets[i]
		t.mu.Unlock()
		for _, c := range set {
			if c.Requests == 0 {
				break
			}
			all = append(all, c)
		}
	}
	return all
}

// Clients gives what is remembered of the addresses that asked, in no order: at most 4096, the threat model says which. It
// may be called from any goroutine.
func (s *Server) Clients() []status.Client { return s.clients.list() }
