package serve

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/status"
	"timestation/refclock"
)

// keyFile has one key of every type, in both syntaxes.
const keyFile = `1 MD5 ASCII:crocus
2 SHA1 HEX:933F62BE1D604E68A81B557F18CFA200483F5B70
3 SHA256 HEX:37DDCBC67BB902BCB8E995977FAB4D2B5642F5B32EBCEEE421921D97E5CBFE39
4 SHA384 HEX:37DDCBC67BB902BCB8E995977FAB4D2B5642F5B32EBCEEE421921D97E5CBFE39
5 SHA512 HEX:37DDCBC67BB902BCB8E995977FAB4D2B5642F5B32EBCEEE421921D97E5CBFE39
6 AES 7EA62AE64D190114D46D5A082F948EC1
7 AES-256 37DDCBC67BB902BCB8E995977FAB4D2B5642F5B32EBCEEE421921D97E5CBFE39
`

func writeKeys(t testing.TB, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func now() refclock.Stamp { return refclock.Stamp(time.Now().UnixNano()) }

// noon2026 is 2026-11-22T12:00:00Z, some years from what the machine's clock says: answers are station time.
var noon2026 = refclock.Date(2026, 11, 22, 12, 0, 0, 0).Instant(37)

// good is a synchronised model, made now.
func good() *status.Status {
	return &status.Status{
		Epoch:          now(),
		EpochInstant:   noon2026,
		MaxError:       180 * time.Millisecond,
		MaxErrorGrowth: 15e-6,
		MaxErrorLimit:  time.Second,
		State:          status.Synchronised,
		ReferenceTime:  noon2026.Add(-300 * time.Millisecond),
		Stratum:        1,
		ReferenceID:    [4]byte{'G', 'P', 'S', 0},
		RootDelay:      2 * time.Millisecond,
		Selected:       "gps",
		Leap:           refclock.LeapNone,
	}
}

// newResponder answers from a board that carries s; nil leaves it empty.
func newResponder(t testing.TB, s *status.Status) *responder {
	t.Helper()
	access, err := DefaultConfig().access()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := readKeys(writeKeys(t, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	r := &responder{
		face: face{
			board: new(status.Board), precision: -24,
			stepped: func(s *status.Status, now time.Time) bool { return s.Stepped(now, stepTolerance) },
		},
		access: access, keyring: new(atomic.Pointer[keyring]), clients: newClientTable(), exchanges: new(exchangeTable),
		monotonic: new(monotonic),
	}
	r.broke = r.exchanges.forget
	r.keyring.Store(keys)
	if s != nil {
		r.board.Publish(s)
	}
	return r
}

var client = netip.MustParseAddrPort("192.168.1.7:40123")

// ask gives the parsed answer to a request that arrives now.
func ask(t testing.TB, r *responder, in []byte) (ntp.Packet, Reason) {
	t.Helper()
	out := make([]byte, longestRequest)
	n, reason := r.respond(in, client, now(), out)
	if reason != Answered {
		if n != 0 {
			t.Errorf("%v, but %d octets", reason, n)
		}
		return ntp.Packet{}, reason
	}
	if n > len(in) {
		t.Errorf("a request of %d octets made an answer of %d", len(in), n)
	}
	answer, err := ntp.Parse(out[:n])
	if err != nil {
		t.Fatalf("answer of %d octets: %v", n, err)
	}
	return answer, reason
}

// request is a plain request of that version and mode.
func request(version uint8, mode ntp.Mode) []byte {
	h := ntp.Header{Leap: ntp.LeapUnsynchronised, Version: version, Mode: mode, Poll: 6, Transmit: 0x0123456789abcdef}
	return h.Append(nil)
}

// signed appends a code of n octets by a key of keyFile; 0 is the whole of it.
func signed(t testing.TB, in []byte, id uint32, n int) []byte {
	t.Helper()
	if n == 0 {
		n = 64
	}
	return authenticator(t, id).Append(append([]byte{}, in...), n)
}

func authenticator(t testing.TB, id uint32) *ntp.Authenticator {
	t.Helper()
	keys, err := ntp.ParseKeys(strings.NewReader(keyFile))
	if err != nil {
		t.Fatal(err)
	}
	return (&keyring{keys}).signers()[id].Authenticator
}
