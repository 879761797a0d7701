package serve

import (
	"testing"
	"testing/synctest"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/status"
)

// interleaved is a request that echoes the receive timestamp of the answer before (RFC 9769, section 2).
func interleaved(before ntp.Header, received, transmit ntp.Timestamp) []byte {
	h := ntp.Header{
		Version: 4, Mode: ntp.Client, Poll: 6, Origin: before.Receive, Receive: received, Transmit: transmit,
	}
	return h.Append(nil)
}

// leave tells the responder that its last answer left now.
func leave(r *responder) {
	if r.last.stamp {
		r.exchanges.sent(r.last.key, r.sent(now()))
	}
}

func TestInterleavedMode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newResponder(t, good())
		var left []ntp.Timestamp
		poll := func(in []byte) ntp.Packet {
			time.Sleep(time.Second)
			s := good()
			s.EpochInstant = r.board.Load().At(s.Epoch).Instant
			r.board.Publish(s)
			answer, reason := ask(t, r, in)
			if reason != Answered {
				t.Fatal(reason)
			}
			time.Sleep(20 * time.Microsecond)
			left = append(left, r.sent(now()))
			leave(r)
			return answer
		}
		first := poll(request(4, ntp.Client))
		if r.last.stamp {
			t.Error("a transmit stamp was asked for a client of the basic mode")
		}
		second := poll(interleaved(first.Header, 77, 78))
		if !r.last.stamp || r.last.interleaved || second.Origin != 78 || second.Receive == first.Receive {
			t.Errorf("second answer: %+v %+v", r.last, second.Header)
		}
		third := poll(interleaved(second.Header, 79, 80))
		if !r.last.interleaved || third.Origin != 79 || third.Transmit != left[1] {
			t.Errorf("third answer: transmit %v, want %v of the second: %+v", third.Transmit, left[1], third.Header)
		}
		fourth := poll(interleaved(third.Header, 81, 82))
		if fourth.Origin != 81 || fourth.Transmit != left[2] {
			t.Errorf("fourth answer: %+v", fourth.Header)
		}
		// A request that was lost on the way back may come again.
		if again := poll(interleaved(third.Header, 81, 83)); again.Transmit != left[2] || again.Origin != 81 {
			t.Errorf("asked again: %+v", again.Header)
		}
		// Equal receive and transmit timestamps: the client could not tell the modes apart.
		if basic := poll(interleaved(fourth.Header, 84, 84)); basic.Origin != 84 || r.last.interleaved {
			t.Errorf("%+v", basic.Header)
		}
		// Who echoes our transmit time, as RFC 5905's clients do, does not interleave; nor does another address.
		echo := ntp.Header{Version: 4, Mode: ntp.Client, Origin: fourth.Transmit, Receive: 85, Transmit: 86}
		if poll(echo.Append(nil)); r.last.stamp {
			t.Error("an echo of the transmit timestamp was taken for interleaving")
		}
		out := make([]byte, longestRequest)
		if _, reason := r.respond(interleaved(fourth.Header, 87, 88), mustAddrPort("10.1.1.1:123"), now(), out); reason != Answered ||
			r.last.interleaved {
			t.Error("another address got this one's transmit time", reason)
		}
	})
}

func TestInterleavingEndsWhereTheTimeScaleBreaks(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*status.Status)
		keep   bool
	}{
		"the next model":     {func(s *status.Status) {}, true},
		"a small correction": {func(s *status.Status) { s.EpochInstant = s.EpochInstant.Add(200 * time.Microsecond) }, true},
		"a jump":             {func(s *status.Status) { s.EpochInstant = s.EpochInstant.Add(2 * time.Millisecond) }, false},
		"another TAI−UTC":    {func(s *status.Status) { s.EpochInstant.TAIMinusUTC++ }, false},
		"the clock was set, and the model re-mapped": {func(s *status.Status) { s.Epoch = s.Epoch.Add(-time.Hour) }, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newResponder(t, good())
			first, _ := ask(t, r, request(4, ntp.Client))
			second, _ := ask(t, r, interleaved(first.Header, 1, 2))
			leave(r)
			time.Sleep(time.Second)
			s := good()
			s.EpochInstant = r.status.At(s.Epoch).Instant
			c.change(s)
			r.board.Publish(s)
			out := make([]byte, longestRequest)
			// The clock of a test cannot be set: what concerns us is the state, not the answer.
			_, _ = r.respond(interleaved(second.Header, 3, 4), client, now(), out)
			if kept := r.exchanges.transmit(exchangeKey{r.clients.hash(client.Addr()), second.Receive}) != 0; kept != c.keep {
				t.Errorf("%s: kept %v", name, kept)
			}
		})
	}
}

// Two answers to one address never carry the same receive timestamp, whatever the clock resolves.
func TestReceiveTimestampsAreUnique(t *testing.T) {
	table, seen := new(exchangeTable), map[ntp.Timestamp]bool{}
	const who = clientHash(0x1234567890abcdef)
	for range 5 {
		k := table.expect(who, markReceive(0xe0000000_12345678, who))
		if seen[k.receive] || !mayBeReceive(k.receive, who) || mayBeReceive(markOther(k.receive), who) {
			t.Errorf("%x", k.receive)
		}
		seen[k.receive] = true
	}
}

// The table holds the newest; what it forgot is answered in the basic mode.
func TestTheNewestAnswersAreKept(t *testing.T) {
	table := new(exchangeTable)
	const n = 4 * exchangeSets * exchangesInSet
	var keys []exchangeKey
	for i := range n {
		k := table.expect(clientHash(mix(uint64(i))), markReceive(ntp.Timestamp(i)<<20, clientHash(mix(uint64(i)))))
		table.sent(k, ntp.Timestamp(i+1))
		keys = append(keys, k)
	}
	kept := 0
	for i, k := range keys {
		switch got := table.transmit(k); {
		case got == ntp.Timestamp(i+1):
			kept++
		case got != 0:
			t.Fatalf("answer %d left at %d", i, got)
		case i >= n-exchangeSets/4 && got == 0:
			t.Errorf("answer %d of %d is forgotten", i, n)
		}
	}
	if kept != exchangeSets*exchangesInSet {
		t.Errorf("%d kept", kept)
	}
}

func FuzzMarks(f *testing.F) {
	f.Add(uint64(0), uint64(0))
	f.Add(^uint64(0), ^uint64(0))
	f.Fuzz(func(t *testing.T, stamp, who uint64) {
		r, o := markReceive(ntp.Timestamp(stamp), clientHash(who)), markOther(ntp.Timestamp(stamp))
		if !mayBeReceive(r, clientHash(who)) || mayBeReceive(o, clientHash(who)) || r == 0 || o == 0 {
			t.Errorf("%x %x", r, o)
		}
		if d := int64(uint64(r) - stamp); d > markMask || d < -markMask {
			t.Errorf("moved by %d units", d)
		}
	})
}
