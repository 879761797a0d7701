package control

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"timestation/engine/status"
)

var (
	loopback = netip.MustParseAddrPort("127.0.0.1:40123")
	stranger = netip.MustParseAddrPort("192.0.2.9:40123")
)

func testResponder(t testing.TB, station Station) *Responder {
	t.Helper()
	r, err := NewResponder(DefaultConfig(), station, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// mode6 writes a request as ntpq does.
func mode6(operation uint8, association uint16, data string) []byte {
	b := []byte{2<<3 | 6, operation, 0xab, 0xcd, 0, 0}
	b = binary.BigEndian.AppendUint16(b, association)
	b = binary.BigEndian.AppendUint16(b, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
	b = append(b, data...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// answered is what the datagrams of an answer say together.
type answered struct {
	fault     fault
	word      uint16
	data      []byte
	datagrams int
}

// respond asks, checks the form of each datagram, and puts them together; ok is false for silence.
func respond(t testing.TB, r *Responder, request []byte, from netip.AddrPort) (a answered, ok bool) {
	t.Helper()
	more := true
	ok = r.Control(request, from, func(b []byte) {
		a.datagrams++
		if len(b) < mode6HeaderLen || len(b) > mode6HeaderLen+mode6DataLen || len(b)%4 != 0 {
			t.Fatalf("a datagram of %d octets", len(b))
		}
		if _, request := parseMode6(b); request {
			t.Fatal("the answer would be taken for a request")
		}
		if b[1]&bitResponse == 0 || b[1]&opcodeMask != request[1]&opcodeMask || !bytes.Equal(b[2:4], request[2:4]) ||
			b[0]>>3 != request[0]>>3&7 {
			t.Fatalf("the head % x does not answer % x", b[:12], request[:12])
		}
		offset, count := binary.BigEndian.Uint16(b[8:]), int(binary.BigEndian.Uint16(b[10:]))
		if !more || int(offset) != len(a.data) || count > len(b)-mode6HeaderLen {
			t.Fatalf("datagram %d: offset %d, count %d, after %d octets", a.datagrams, offset, count, len(a.data))
		}
		more = b[1]&bitMore != 0
		a.data = append(a.data, b[mode6HeaderLen:mode6HeaderLen+count]...)
		a.word = binary.BigEndian.Uint16(b[4:])
		if b[1]&bitError != 0 {
			a.fault = fault(a.word >> 8)
		}
	})
	if ok == more || ok != (a.datagrams > 0) || a.datagrams > mode6Fragments {
		t.Fatalf("answered %t with %d datagrams, more %t", ok, a.datagrams, more)
	}
	return a, ok
}

func ask(t testing.TB, r *Responder, request []byte) answered {
	t.Helper()
	a, ok := respond(t, r, request, loopback)
	if !ok {
		t.Fatalf("% x got no answer", request)
	}
	return a
}

func TestMode6Silence(t *testing.T) {
	r := testResponder(t, testStation())
	good := mode6(opReadVariable, 0, "")
	changed := func(at int, value byte) []byte {
		b := bytes.Clone(good)
		b[at] = value
		return b
	}
	for name, c := range map[string]struct {
		request []byte
		from    netip.AddrPort
	}{
		"a stranger":       {good, stranger},
		"a stranger's MRU": {mode6(opRequestNonce, 0, ""), stranger},
		"nothing":          {nil, loopback},
		"half a head":      {good[:11], loopback},
		"mode 3":           {changed(0, 4<<3|3), loopback},
		"mode 7":           {changed(0, 2<<3|7), loopback},
		"version 5":        {changed(0, 5<<3|6), loopback},
		"an answer":        {changed(1, bitResponse|opReadVariable), loopback},
		"an error":         {changed(1, bitError|opReadVariable), loopback},
		"a fragment":       {changed(1, bitMore|opReadVariable), loopback},
		"an offset":        {changed(9, 4), loopback},
		"less than stated": {changed(11, 1), loopback},
	} {
		if _, ok := respond(t, r, c.request, c.from); ok {
			t.Errorf("%s was answered", name)
		}
	}
	if _, ok := respond(t, r, good, netip.MustParseAddrPort("[::ffff:127.0.0.1]:9")); !ok {
		t.Error("loopback in IPv6 form got no answer")
	}
	none, err := NewResponder(Config{}, testStation(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := respond(t, none, good, loopback); ok {
		t.Error("without mode6_allow loopback was answered")
	}
}

func TestMode6Errors(t *testing.T) {
	r := testResponder(t, testStation())
	for _, c := range []struct {
		request []byte
		want    fault
	}{
		{mode6(opWriteVariable, 0, "leap=0"), faultPermission},
		{mode6(opConfigure, 0, "server 192.0.2.1"), faultPermission},
		{mode6(opReadOrdered, 0, "ifstats"), faultPermission},
		{mode6(opSetTrap, 0, ""), faultPermission},
		{mode6(0, 0, ""), faultOperation},
		{mode6(7, 0, ""), faultOperation},
		{mode6(opReadVariable, 6, ""), faultAssociation},
		{mode6(opReadStatus, 65535, ""), faultAssociation},
		{mode6(opReadClock, 3, ""), faultAssociation}, // a server has no clock
		{mode6(opReadVariable, 0, "leap,nonsense"), faultUnknownVariable},
		{mode6(opReadVariable, 1, "version"), faultUnknownVariable},
		{mode6(opReadVariable, 0, strings.Repeat("ss_processed_r,", 31)), 0},
	} {
		if a := ask(t, r, c.request); a.fault != c.want || c.want != 0 && len(a.data) != 0 {
			t.Errorf("% x: error %d with %q, want %d", c.request[:12], a.fault, a.data, c.want)
		}
	}
}

// A name from the configuration cannot pass for something else.
func TestMode6NamesAreQuoted(t *testing.T) {
	station := testStation()
	station.status.Sources[0].Name = "gps\", stratum=0, x=\"µ\r\n"
	r := testResponder(t, station)
	if a := ask(t, r, mode6(opReadVariable, 1, "srchost,refid")); string(a.data) != `srchost="gps?, stratum=0, x=????(gps)", refid=gps?`+"\r\n" {
		t.Errorf("%q", a.data)
	}
}

func TestMode6Nonce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := testResponder(t, testStation())
		nonce := strings.TrimSpace(string(ask(t, r, mode6(opRequestNonce, 0, "")).data))
		if !strings.HasPrefix(nonce, "nonce=") {
			t.Fatalf("%q", nonce)
		}
		list := func(nonce string, from string) bool {
			_, ok := respond(t, r, mode6(opReadMRU, 0, nonce+", frags=32"), netip.MustParseAddrPort(from))
			return ok
		}
		if !list(nonce, "127.0.0.1:1") || !list(nonce, "127.0.0.1:2") {
			t.Error("a good nonce was refused")
		}
		if list(nonce, "127.0.0.2:1") {
			t.Error("another address used the nonce")
		}
		last := nonce[len(nonce)-1]
		if list(nonce[:len(nonce)-1]+string(last^1), "127.0.0.1:1") || list("nonce=", "127.0.0.1:1") {
			t.Error("a wrong nonce was taken")
		}
		if other := testResponder(t, testStation()); other.goodNonce(strings.TrimPrefix(nonce, "nonce="), loopback.Addr()) {
			t.Error("another station took the nonce")
		}
		time.Sleep(nonceValid)
		if !list(nonce, "127.0.0.1:1") {
			t.Errorf("after %v the nonce was refused", nonceValid)
		}
		time.Sleep(time.Second)
		if list(nonce, "127.0.0.1:1") {
			t.Error("an old nonce was taken")
		}
	})
}

func TestMode6Rate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := testResponder(t, testStation())
		flood := func() (answers int) {
			for range 10 * mode6Burst {
				if _, ok := respond(t, r, mode6(opReadStatus, 0, ""), loopback); ok {
					answers++
				}
			}
			return answers
		}
		if n := flood(); n != mode6Burst {
			t.Errorf("%d answers at once", n)
		}
		time.Sleep(500 * time.Millisecond)
		if n := flood(); n != mode6Rate/2 {
			t.Errorf("%d answers half a second later", n)
		}
	})
}

// TestMode6Clients reads the list as ntpq does, while clients go on asking: whoever is there throughout is seen.
func TestMode6Clients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		station := testStation()
		station.clients = manyClients(500)
		r := testResponder(t, station)
		seen := map[string]int{}
		nonce := strings.TrimSpace(string(ask(t, r, mode6(opRequestNonce, 0, "")).data))
		request := nonce + ", frags=4"
		for round := 0; ; round++ {
			if round > 100 {
				t.Fatal("the list does not end")
			}
			a := ask(t, r, mode6(opReadMRU, 0, request))
			if a.fault != 0 || a.datagrams > 4 {
				t.Fatalf("round %d: error %d, %d datagrams", round, a.fault, a.datagrams)
			}
			var address, last, ended string
			for _, item := range strings.Split(string(a.data), ",") {
				name, value, _ := strings.Cut(strings.TrimSpace(item), "=")
				switch kind, _, _ := strings.Cut(name, "."); kind {
				case "addr":
					address = value
					seen[address]++
				case "last":
					if name != "last.newest" {
						last = value
					}
				case "now":
					ended = value
				}
			}
			if ended != "" {
				break
			}
			request = nonce + ", frags=4, addr.0=[2001:db8:ffff::]:0, last.0=0x1.0, addr.1=" + address + ", last.1=" + last
			// One that was listed asks again, and so moves to the end.
			time.Sleep(clientsFresh / 3)
			station.clients[round].LastSeen = station.now.Add(time.Duration(round))
		}
		for _, c := range station.clients {
			if n := seen[netip.AddrPortFrom(c.Address, 0).String()]; n == 0 {
				t.Errorf("%v was not listed", c.Address)
			}
		}
		if a := ask(t, r, mode6(opReadMRU, 0, nonce+", frags=4, addr.0=192.0.2.7:0, last.0=0x1.0")); a.fault != faultUnknownVariable {
			t.Errorf("going on after a client that is not there: error %d", a.fault)
		}
		if a := ask(t, r, mode6(opReadMRU, 0, nonce)); a.fault != faultValue {
			t.Errorf("without frags and limit: error %d", a.fault)
		}
		if a := ask(t, r, mode6(opReadMRU, 0, nonce+", limit=5")); bytes.Count(a.data, []byte("addr.")) != 5 || bytes.Contains(a.data, []byte("now=")) {
			t.Errorf("limit=5: %q", a.data)
		}
	})
}

// TestMode6Property: whatever is sent, a stranger gets nothing, and nobody more than 32 datagrams of 480 octets.
func TestMode6Property(t *testing.T) {
	station := testStation()
	station.clients = manyClients(500)
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		request := mode6(uint8(random.IntN(32)), uint16(random.IntN(7)), randomText(random))
		for range random.IntN(3) {
			request[random.IntN(len(request))] = byte(random.Uint32())
		}
		request = request[:len(request)-random.IntN(2)*random.IntN(len(request))]
		checkMode6(t, station, request)
	}
}

func randomText(random *rand.Rand) string {
	parts := []string{"leap", "srchost", "frags=32", "limit=", "nonce=00", "addr.0=", "last.0=0x", "127.0.0.1:0", ",", ", ", "=", "ss_received"}
	var text strings.Builder
	for range random.IntN(8) {
		text.WriteString(parts[random.IntN(len(parts))])
	}
	return text.String()
}

// checkMode6 holds for every request.
func checkMode6(t testing.TB, station Station, request []byte) {
	t.Helper()
	r := testResponder(t, station)
	if r.Control(request, stranger, func([]byte) { t.Error("a datagram went to a stranger") }) {
		t.Error("a stranger was answered")
	}
	if isLeoNTP(request) {
		answer := 0
		r.Control(request, loopback, func(b []byte) { answer = len(b) })
		if answer != leoAnswerLen {
			t.Errorf("a statistics packet was answered with %d octets", answer)
		}
		return
	}
	a, ok := respond(t, r, request, loopback) // checks the form
	if _, isRequest := parseMode6(request); ok && !isRequest {
		t.Errorf("what is no request was answered with %q", a.data)
	}
}

func FuzzMode6(f *testing.F) {
	station := testStation()
	f.Add(mode6(opReadVariable, 0, "leap,stratum"))
	f.Add([]byte{2<<3 | 7, 0, leoImplementation, leoRequest, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, request []byte) {
		checkMode6(t, station, request)
		if q, ok := parseMRU(string(request)); ok {
			q.begin([]status.Client(station.Clients()))
		}
	})
}
