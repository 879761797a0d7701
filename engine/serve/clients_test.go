package serve

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/status"
	"timestation/refclock"
)

// randomAddress is any IPv4 or IPv6 address.
func randomAddress(random *rand.Rand) netip.Addr {
	var b [16]byte
	binary.NativeEndian.PutUint64(b[:], random.Uint64())
	binary.NativeEndian.PutUint64(b[8:], random.Uint64())
	if b[0]&1 == 0 {
		return netip.AddrFrom4([4]byte(b[4:8]))
	}
	return netip.AddrFrom16(b)
}

func byAddress(all []status.Client) map[netip.Addr]status.Client {
	m := make(map[netip.Addr]status.Client, len(all))
	for _, c := range all {
		m[c.Address] = c
	}
	return m
}

// counter counts without a limit.
type counter struct{ *clientTable }

func (t counter) count(from netip.Addr, rx refclock.Stamp, answered, authenticated bool) {
	from = from.Unmap()
	s, why := unworthy, Mode
	switch {
	case authenticated:
		s, why = signedRequest, Answered
	case answered:
		s, why = plainRequest, Answered
	}
	t.clientTable.count(from, t.hash(from), rx, s, why, limit{})
}

// A million made-up addresses, ten times the pace of a thousand known clients together.
func TestFloodOfAddressesLeavesKnownClientsAndMemoryAlone(t *testing.T) {
	const flood, regulars, pause = 1_000_000, 1000, 10
	table, random := counter{newClientTable()}, rand.New(rand.NewPCG(1, 2))
	busy := netip.MustParseAddr("192.168.1.7")
	regular := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
	signer := netip.MustParseAddr("2001:db8::5")
	rx := refclock.Stamp(1e18)
	for i := range regulars {
		table.count(regular(i), rx, true, false)
		table.count(regular(i), rx, true, false)
	}
	table.count(signer, rx, true, true)

	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	want := status.Client{Address: busy}
	asked := 0
	for i := range flood {
		rx = rx.Add(10 * time.Microsecond)
		table.count(randomAddress(random), rx, false, false)
		if i%pause != 0 {
			continue
		}
		table.count(regular(asked%regulars), rx, true, false)
		asked++
		table.count(netip.AddrFrom16(busy.As16()), rx, asked%4 != 0, asked%4 == 1) // as a socket of both families says it
		want.Requests, want.LastSeen = want.Requests+1, rx
		if want.FirstSeen == 0 {
			want.FirstSeen = rx
		}
		switch asked % 4 {
		case 0:
			want.Refused++
			want.LastRefused = Mode.String()
		case 1:
			want.Authenticated++
			fallthrough
		default:
			want.Answered++
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)

	all := table.list()
	clients := byAddress(all)
	if got := clients[busy]; got != want {
		t.Errorf("the busy client: %+v, want %+v", got, want)
	}
	kept := 0
	for i := range regulars {
		if clients[regular(i)].Requests == uint64(2+asked/regulars) {
			kept++
		}
	}
	if kept < regulars {
		t.Errorf("%d of %d known clients kept their counts", kept, regulars)
	}
	if clients[signer].Authenticated != 1 {
		t.Error("the client that signs was forgotten")
	}
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	allocations := after.Mallocs - before.Mallocs
	t.Logf("%d made-up addresses: %d entries, the heap grew by %d octets in %d allocations; %d of %d known clients exact",
		flood, len(all), grown, allocations, kept, regulars)
	if len(all) != len(clients) || len(all) > clientSets*clientsInSet {
		t.Errorf("%d entries, %d addresses", len(all), len(clients))
	}
	if grown > 64<<10 || allocations > 1000 { // what the test's own runtime does meanwhile
		t.Errorf("the heap grew by %d octets in %d allocations", grown, allocations)
	}
}

// Who no longer asks gives way, however often he did before.
func TestStaleClientsGiveWay(t *testing.T) {
	table := counter{newClientTable()}
	rx := refclock.Stamp(1e18)
	old := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
	for i := range 3 * clientSets * clientsInSet {
		for range 5 {
			table.count(old(i), rx, true, true)
		}
	}
	if n := len(table.list()); n != clientSets*clientsInSet {
		t.Fatalf("%d entries: the table is not full", n)
	}
	rx = rx.Add(clientStale + 1)
	const young = 1000
	for i := range young {
		table.count(netip.AddrFrom4([4]byte{172, 16, byte(i >> 8), byte(i)}), rx, true, false)
	}
	seen := 0
	for _, c := range table.list() {
		if c.LastSeen == rx {
			seen++
		}
	}
	if seen < young*999/1000 {
		t.Errorf("%d of %d newcomers found a place", seen, young)
	}
}

func TestWhoIsForgottenFirst(t *testing.T) {
	const now = refclock.Stamp(1e18)
	stale := now.Add(-clientStale - 1)
	order := []status.Client{
		{Requests: 9000, Authenticated: 9000, LastSeen: stale - 1},
		{Requests: 1, LastSeen: stale},
		{Requests: 1, LastSeen: now - 2},
		{Requests: 1, LastSeen: now - 1},
		{Requests: 2, LastSeen: now - 2},
		{Requests: 1, Authenticated: 1, LastSeen: now - 1},
		{Requests: 2, Authenticated: 1, LastSeen: now - 1},
	}
	for i := range order {
		for j := range order {
			if got := worthLess(&order[i], &order[j], now); got != (i < j) {
				t.Errorf("%+v before %+v: %v", order[i], order[j], got)
			}
		}
	}
}

func TestServerCountsItsClients(t *testing.T) {
	s := start(t, listener(t, "127.0.0.1:0"))
	to := s.Address().String()
	began := now()
	forged := signed(t, request(4, ntp.Client), 2, 0)
	forged[60] ^= 1
	for _, in := range [][]byte{request(4, ntp.Client), signed(t, request(4, ntp.Client), 2, 0)} {
		if exchange(t, to, in, patience) == nil {
			t.Fatal("no answer")
		}
	}
	exchange(t, to, forged, silence)
	all := s.Clients()
	want := status.Client{Address: netip.MustParseAddr("127.0.0.1"), Requests: 3, Answered: 2, Authenticated: 1, Refused: 1,
		LastRefused: BadMAC.String()}
	if len(all) != 1 {
		t.Fatalf("%+v", all)
	}
	if first, last := all[0].FirstSeen.Sub(began), all[0].LastSeen.Sub(began); first < 0 || last <= first || last > time.Minute {
		t.Errorf("seen first %v and last %v after the start", first, last)
	}
	all[0].FirstSeen, all[0].LastSeen = 0, 0
	if all[0] != want {
		t.Errorf("%+v, want %+v", all[0], want)
	}
}

// Looking while requests are counted sees each entry whole.
func TestLookingWhileCounting(t *testing.T) {
	table := counter{newClientTable()}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	done := make(chan uint64)
	go func() {
		var n uint64
		for random := rand.New(rand.NewPCG(3, 4)); ctx.Err() == nil; n++ {
			table.count(client.Addr(), refclock.Stamp(n), n%2 == 0, false)
			table.count(randomAddress(random), refclock.Stamp(n), false, false)
		}
		done <- n
	}()
	looks := 0
	for ; ctx.Err() == nil; looks++ {
		for _, c := range table.list() {
			if c.Requests != c.Answered+c.Refused {
				t.Fatalf("%+v", c)
			}
		}
	}
	counted := <-done
	if got := byAddress(table.list())[client.Addr()].Requests; got != counted {
		t.Errorf("%d of %d requests were counted", got, counted)
	}
	t.Logf("%d looks at the whole table during %d requests", looks, 2*counted)
}

func BenchmarkCountClient(b *testing.B) {
	random := rand.New(rand.NewPCG(5, 6))
	addresses := make([]netip.Addr, 1<<16)
	for i := range addresses {
		addresses[i] = randomAddress(random)
	}
	for name, n := range map[string]int{"known": 1000, "flood": len(addresses)} {
		b.Run(name, func(b *testing.B) {
			table := counter{newClientTable()}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				table.count(addresses[i%n], refclock.Stamp(i), true, false)
			}
		})
	}
}
