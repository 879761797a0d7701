package serve

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"timestation/engine/ntp"
	"timestation/refclock"
)

// limited is a responder with the limit and kisses of a configuration.
func limited(t testing.TB, c Config) *responder {
	t.Helper()
	r := newResponder(t, good())
	var err error
	if r.limit, err = c.limit(); err != nil {
		t.Fatal(err)
	}
	if r.access, err = c.access(); err != nil {
		t.Fatal(err)
	}
	r.kisses = c.Kisses
	return r
}

// asks sends n requests, one each pause, and gives how many were answered and kissed.
func asks(t *testing.T, r *responder, from string, in []byte, n int, pause time.Duration) (answered, kissed int) {
	t.Helper()
	out := make([]byte, longestRequest)
	for range n {
		time.Sleep(pause)
		r.board.Publish(good())
		length, reason := r.respond(in, mustAddrPort(from), now(), out)
		switch {
		case reason == Answered:
			answered++
		case reason != RateLimited:
			t.Fatal(reason)
		case length > 0:
			kissed++
			kiss, err := ntp.Parse(out[:length])
			if err != nil || kiss.ReferenceID != kissRate || kiss.Stratum != 0 || kiss.Leap != ntp.LeapUnsynchronised ||
				kiss.Origin == 0 || length > len(in) {
				t.Fatalf("%d octets: %+v %v", length, kiss.Header, err)
			}
		}
	}
	return answered, kissed
}

// Those who ask as clients and monitors do never meet the limit, not even the strictest.
func TestUsualClientsAreNotLimited(t *testing.T) {
	strictest := DefaultConfig()
	strictest.RateLimitPerSecond, strictest.RateLimitBurst = 1, 16
	for _, c := range []Config{DefaultConfig(), strictest} {
		for name, pattern := range map[string]struct {
			n     int
			pause time.Duration
		}{
			"1/s":                      {600, time.Second},
			"ntpd's iburst, 2 s apart": {8, 2 * time.Second},
			"ntpdate, all at once":     {8, 0},
			"minpoll 0, and late":      {100, 1001 * time.Millisecond},
		} {
			synctest.Test(t, func(t *testing.T) {
				r := limited(t, c)
				if answered, _ := asks(t, r, "10.0.0.1:123", request(4, ntp.Client), pattern.n, pattern.pause); answered != pattern.n {
					t.Errorf("%s: %d of %d answered", name, answered, pattern.n)
				}
			})
		}
	}
}

func TestWhoAsksTooFastIsLimitedAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := DefaultConfig()
		c.RateLimitPerSecond, c.RateLimitBurst = 10, 20
		r := limited(t, c)
		const seconds, perSecond = 20, 1000
		answered, kissed := asks(t, r, "10.0.0.1:123", request(4, ntp.Client), seconds*perSecond, time.Second/perSecond)
		// The limit's share, and one in eight of the rest.
		if low, high := 200+19800/8*8/10, 220+19800/8*12/10; answered < low || answered > high {
			t.Errorf("%d of %d answered, want %d to %d", answered, seconds*perSecond, low, high)
		}
		if kissed < seconds-2 || kissed > seconds+1 {
			t.Errorf("%d kisses in %d s", kissed, seconds)
		}
		// Others, and this address's own requests under a key, are not concerned.
		if n, _ := asks(t, r, "10.0.0.2:123", request(4, ntp.Client), 20, 0); n != 20 {
			t.Errorf("%d of 20 of another were answered", n)
		}
		if n, _ := asks(t, r, "10.0.0.1:123", signed(t, request(4, ntp.Client), 2, 0), 20, 0); n != 20 {
			t.Errorf("%d of 20 under a key were answered", n)
		}
		// And a pause makes all good.
		time.Sleep(time.Minute)
		if n, _ := asks(t, r, "10.0.0.1:123", request(4, ntp.Client), 20, 0); n != 20 {
			t.Errorf("%d of 20 after a pause were answered", n)
		}
	})
}

func TestKissUnderAKeyIsSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := DefaultConfig()
		c.RateLimitPerSecond, c.RateLimitBurst = 1, 16
		r := limited(t, c)
		out := make([]byte, longestRequest)
		in := signed(t, request(4, ntp.Client), 6, 0)
		for range 1000 {
			n, reason := r.respond(in, client, now(), out)
			if reason == Answered || n == 0 {
				continue
			}
			kiss, err := ntp.Parse(out[:n])
			if err != nil || kiss.Digest == nil || !authenticator(t, 6).Check(kiss.Signed, kiss.Digest) {
				t.Errorf("%x %v", out[:n], err)
			}
			return
		}
		t.Error("no kiss")
	})
}

func TestAClockThatIsSetBackLocksNobodyOut(t *testing.T) {
	var b bucket
	l := limit{interval: time.Second, burst: 15 * time.Second}
	at := refclock.Stamp(1e18)
	for range 100 {
		b.take(l, at)
	}
	if b.take(l, at) || !b.take(l, at.Add(-time.Hour)) || !b.take(l, at.Add(time.Second)) {
		t.Error("locked out, or not limited")
	}
}

func TestDeniedAndRestrictedAreTold(t *testing.T) {
	for _, kisses := range []string{KissNone, KissRate, KissAll} {
		synctest.Test(t, func(t *testing.T) {
			c := DefaultConfig()
			c.Deny, c.Kisses = []string{"192.168.5.0/24"}, kisses
			r := limited(t, c)
			out := make([]byte, longestRequest)
			for from, want := range map[string][4]byte{"192.168.5.9:123": kissDenied, "8.8.8.8:123": kissRestricted} {
				told := 0
				for range 50 { // 5 s
					time.Sleep(100 * time.Millisecond)
					r.board.Publish(good())
					n, reason := r.respond(request(4, ntp.Client), mustAddrPort(from), now(), out)
					if reason != Denied {
						t.Fatal(reason)
					}
					if n > 0 {
						told++
						if kiss, err := ntp.Parse(out[:n]); err != nil || kiss.ReferenceID != want || kiss.Stratum != 0 {
							t.Fatalf("%+v %v", kiss.Header, err)
						}
					}
				}
				if kisses == KissAll && (told < 5 || told > 6) || kisses != KissAll && told != 0 {
					t.Errorf("kisses %s: %s was told %d times in 5 s", kisses, from, told)
				}
				// What is no request is never answered.
				for _, in := range [][]byte{request(4, ntp.Server), request(4, ntp.Control), {0x23}, nil, request(4, ntp.Client)[:47]} {
					time.Sleep(2 * time.Second)
					r.board.Publish(good())
					if n, _ := r.respond(in, mustAddrPort(from), now(), out); n != 0 {
						t.Errorf("%x was told", in)
					}
				}
			}
		})
	}
}

func TestKeysBoundToAddresses(t *testing.T) {
	r := newResponder(t, good())
	path := writeKeys(t, keyFile+"9 SHA1 ASCII:tulip 192.168.1.0/24,fd00::9\n")
	keys, err := readKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	r.keyring.Store(keys)
	auth := keys.signers()[9]
	in := auth.Append(request(4, ntp.Client), 20)
	out := make([]byte, longestRequest)
	for from, want := range map[string]Reason{
		"192.168.1.200:1": Answered, "[::ffff:192.168.1.200]:1": Answered, "[fd00::9]:1": Answered,
		"192.168.2.1:1": KeyAddress, "127.0.0.1:1": KeyAddress, "[fd00::8]:1": KeyAddress,
	} {
		if _, got := r.respond(in, mustAddrPort(from), now(), out); got != want {
			t.Errorf("%s: %v, want %v", from, got, want)
		}
	}
}

// A million sources that are made up, each asking once or twice, some as if they interleaved: the memory stays where it
// was, and a client with a key is served throughout.
func TestAMillionSpoofedSources(t *testing.T) {
	flood := 100_000
	if os.Getenv("TIMESTATION_MEASURE") != "" {
		flood = 1_000_000
	}
	r := limited(t, DefaultConfig())
	r.access.allow = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	out := make([]byte, longestRequest)
	plain, keyed := request(4, ntp.Client), signed(t, request(4, ntp.Client), 6, 0)
	interleaving := request(4, ntp.Client)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	served, answered := 0, 0
	state := uint64(1)
	for i := range flood {
		if i%1000 == 0 {
			r.board.Publish(good())
		}
		if i%5000 == 0 { // within its own limit
			if _, reason := r.respond(keyed, client, now(), out); reason == Answered {
				served++
			}
		}
		state = mix(state + 0x9e3779b97f4a7c15)
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(state), byte(state >> 8), byte(state >> 16), byte(state >> 24)}), 123)
		in := plain
		if i%2 == 0 {
			in = interleaving
			binary.BigEndian.PutUint64(in[24:], state|receiveBit)
		}
		if _, reason := r.respond(in, from, now(), out); reason == Answered {
			answered++
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d made-up sources: %d answered, the heap grew by %d octets in %d allocations; the client with a key: %d of %d",
		flood, answered, grown, after.Mallocs-before.Mallocs, served, flood/5000)
	if served != flood/5000 {
		t.Errorf("the client with a key was served %d of %d times", served, flood/5000)
	}
	if grown > 256<<10 {
		t.Errorf("the heap grew by %d octets", grown)
	}
}

func ExampleReason() {
	fmt.Println(RateLimited, KeyAddress, NTSNAK)
	// Output: rate-limited key-address nts-nak
}
