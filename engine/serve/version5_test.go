package serve

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	beevik "github.com/beevik/ntp"

	"timestation/engine/ntp"
	"timestation/engine/status"
	"timestation/refclock"
)

// judge asks a server by another's implementation of the draft.
func judge(t *testing.T, s *Server, o beevik.QueryOptions) *beevik.Response {
	t.Helper()
	o.Timeout = patience
	r, err := beevik.QueryWithOptions(net.JoinHostPort("127.0.0.1", port5(s)), o)
	if err != nil {
		t.Fatalf("%v; %+v", err, s.Counters())
	}
	return r
}

func port5(s *Server) string {
	_, port, _ := net.SplitHostPort(s.Address().String())
	return port
}

func experimental(t *testing.T) Config {
	config := listener(t, "127.0.0.1:0")
	config.Experimental = true
	return config
}

func TestVersion5ByAnotherImplementation(t *testing.T) {
	s := start(t, experimental(t))
	near := func(what string, got time.Time, want refclock.Instant, scale time.Duration) {
		t.Helper()
		if d := got.Sub(want.UTC().Time().Add(scale)); d < -time.Second || d > 2*time.Second {
			t.Errorf("%s: %v, %v off", what, got, d)
		}
	}
	// (Its AES-CMAC writes over what follows the octets it is made over, so it cannot check answers of every length.)
	for name, o := range map[string]beevik.QueryOptions{
		"plain": {},
		"everything": {
			RequestSupportedVersions: true, RequestReferenceTime: true, RequestMonotonic: true, AdditionalTimescales: []beevik.Timescale{beevik.TimescaleTAI},
			RequestReferenceID: beevik.ReferenceIDRequest{ChunkOffset: 256, ChunkSize: 64},
		},
		"SHA1": {Auth: beevik.AuthOptions{Type: beevik.AuthSHA1, KeyID: 2, Key: "HEX:933F62BE1D604E68A81B557F18CFA200483F5B70"},
			RequestSupportedVersions: true},
		"SHA512":    {Auth: beevik.AuthOptions{Type: beevik.AuthSHA512, KeyID: 5, Key: "HEX:" + hex32}},
		"corrected": {RequestCorrection: true},
		"SHA1, corrected": {RequestCorrection: true,
			Auth: beevik.AuthOptions{Type: beevik.AuthSHA1, KeyID: 2, Key: "HEX:933F62BE1D604E68A81B557F18CFA200483F5B70"}},
		"AES128": {Auth: beevik.AuthOptions{Type: beevik.AuthAES128, KeyID: 6, Key: "HEX:7EA62AE64D190114D46D5A082F948EC1"}},
		"AES256": {Auth: beevik.AuthOptions{Type: beevik.AuthAES256, KeyID: 7, Key: "HEX:" + hex32}},
	} {
		o.Version = 5
		r := judge(t, s, o)
		if r.Version != 5 || r.Stratum != 1 || r.Leap != beevik.LeapNoWarning || r.Flags&beevik.FlagSynchronized == 0 || r.Era != 0 ||
			r.Timescale != beevik.TimescaleUTC {
			t.Errorf("%s: %+v", name, r)
		}
		near(name, r.Time, noon2026, 0)
		if d := r.RootDispersion + r.RootDelay/2; d < 180*time.Millisecond || d > 200*time.Millisecond {
			t.Errorf("%s: root distance %v", name, d)
		}
		if o.RequestSupportedVersions && !slices.Equal(r.SupportedVersions, []int{1, 2, 3, 4, 5}) {
			t.Errorf("%s: versions %v", name, r.SupportedVersions)
		}
		if o.RequestReferenceTime {
			near("reference", r.ReferenceTime, noon2026, 0)
		}
		if o.RequestMonotonic && (r.MonotonicOffset.Round(time.Microsecond) != 37*time.Second || r.MonotonicEpochID == 0) {
			t.Errorf("%s: monotonic %v later, epoch %d", name, r.MonotonicOffset, r.MonotonicEpochID)
		}
		if n := o.RequestReferenceID.ChunkSize; n > 0 && !slices.Equal(r.ReferenceIDFilterValues, filter5[256:256+n]) {
			t.Errorf("%s: filter %x", name, r.ReferenceIDFilterValues)
		}
	}
	r := judge(t, s, beevik.QueryOptions{Version: 5, Timescale: beevik.TimescaleTAI})
	if near("TAI", r.Time, noon2026, 37*time.Second); r.Timescale != beevik.TimescaleTAI {
		t.Errorf("%+v", r)
	}
	// Version 4 tells, if asked, that there is a version 5.
	if r := judge(t, s, beevik.QueryOptions{RequestSupportedVersions: true}); !slices.Contains(r.SupportedVersions, 5) {
		t.Errorf("%+v", r)
	}
	if c := counted(t, s, 10); c.Authenticated != 5 || c.Dropped[Version] != 0 {
		t.Errorf("%+v", c)
	}
}

// Without the word in the configuration there is no version 5, and no mark of it.
func TestVersion5IsOffByDefault(t *testing.T) {
	s := start(t, listener(t, "127.0.0.1:0"))
	if out := exchange(t, s.Address().String(), request5(draft), silence); out != nil {
		t.Errorf("%x", out)
	}
	if r := judge(t, s, beevik.QueryOptions{RequestSupportedVersions: true}); slices.Contains(r.SupportedVersions, 5) {
		t.Errorf("%+v", r)
	}
}

// request5 is a request for a draft, with fields after it.
func request5(name string, fields ...[]byte) []byte {
	h := ntp.Header{Version: version5, Mode: ntp.Client, Poll: 6, Origin: 0x0123456789abcdef}
	b := append(begin5(h.Append(nil), field5Draft, uint16(4+len(name))), name...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return append(b, slices.Concat(fields...)...)
}

func newResponder5(t testing.TB) *responder {
	r := newResponder(t, good())
	r.experimental = true
	return r
}

func TestVersion5Requests(t *testing.T) {
	r := newResponder5(t)
	out := make([]byte, longestRequest)
	mac := make([]byte, 24)
	binary.BigEndian.PutUint16(mac, field5MAC)
	binary.BigEndian.PutUint16(mac[2:], 24)
	mac[7] = 1
	answer := request5(draft)
	answer[0] = answer[0]&^7 | byte(ntp.Server)
	for _, c := range []struct {
		name string
		in   []byte
		want Reason
	}{
		{"plain", request5(draft), Answered},
		{"an unknown field", request5(draft, field(0xf5aa, 20)), Answered},
		{"a field of its header alone", request5(draft, field(0xf5aa, 4)), Answered},
		{"another draft", request5("draft-ietf-ntp-ntpv5-05"), Version},
		{"no draft", request5(draft)[:48], Version},
		{"a field beyond the end", request5(draft, []byte{0xf5, 1, 0, 40}), Extension},
		{"a field shorter than its header", request5(draft, []byte{0xf5, 1, 0, 3}), Extension},
		{"not a multiple of four", append(request5(draft), 0), Malformed},
		{"a wrong code", request5(draft, mac), BadMAC},
		{"two codes", request5(draft, mac, mac), Extension},
		{"an answer", answer, Version},
	} {
		n, reason := r.respond(c.in, client, now(), out)
		if reason != c.want || n != 0 && n != len(c.in) || (n == 0) != (reason != Answered) {
			t.Errorf("%s: %d octets, %v; want %v", c.name, n, reason, c.want)
		}
	}
	// Every key, and answers of every length that a code can be over.
	for id := uint32(1); id <= 7; id++ {
		for n := 0; n < 24; n += 4 {
			in := request5(draft, field(field5Padding, 4+n))
			code := slices.Clone(authenticator(t, id).Append(in, 64)[len(in):])
			in = append(begin5(in, field5MAC, uint16(4+len(code))), code...)
			length, reason := r.respond(in, client, now(), out)
			at := length - len(code) - 4
			if reason != Answered || length != len(in) || binary.BigEndian.Uint16(out[at:]) != field5MAC ||
				binary.BigEndian.Uint32(out[at+4:]) != id || !authenticator(t, id).Check(out[:at], out[at+8:length]) {
				t.Errorf("key %d: %v %x", id, reason, out[:length])
			}
		}
	}
	// What was corrected on the way there comes back, behind the code.
	corrected := slices.Concat(begin5(nil, field5Correction, 28), make([]byte, 12), []byte{0, 0, 0, 9, 8, 7, 6, 5, 4, 3}, make([]byte, 2))
	unsigned := request5(draft)
	code := slices.Clone(authenticator(t, 2).Append(unsigned, 64)[len(unsigned):])
	signed5 := slices.Concat(begin5(unsigned, field5MAC, uint16(4+len(code))), code, corrected)
	n, _ := r.respond(signed5, client, now(), out)
	want := slices.Concat(corrected[:4], corrected[16:26], make([]byte, 14))
	if n != len(signed5) || string(out[n-28:n]) != string(want) ||
		!authenticator(t, 2).Check(out[:n-28-len(code)-4], out[n-28-len(code)+4:n-28]) {
		t.Errorf("corrected: %x", out[:n])
	}

	// Who may not ask gets nothing, and neither does who asks too often: there are no kisses.
	stranger := netip.MustParseAddrPort("203.0.113.9:40123")
	if n, reason := r.respond(request5(draft), stranger, now(), out); n != 0 || reason != Denied {
		t.Errorf("a stranger: %d octets, %v", n, reason)
	}
	hasty := newResponder5(t)
	hasty.kisses, hasty.limit = KissAll, limit{time.Hour, time.Hour}
	limited := 0
	for range 100 {
		switch n, reason := hasty.respond(request5(draft), client, now(), out); {
		case reason == RateLimited && n == 0:
			limited++
		case reason != Answered:
			t.Errorf("in haste: %d octets, %v", n, reason)
		}
	}
	if limited < 60 || limited > 98 {
		t.Errorf("%d of 100 were over the limit", limited)
	}
	if n, reason := r.respond(request5(draft), client, now(), out[:60]); n != 0 || reason != NoRoom {
		t.Errorf("no room: %d octets, %v", n, reason)
	}
	in := request5(draft)
	if allocs := testing.AllocsPerRun(200, func() { r.respond(in, client, now(), out) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
	// What is not known is not claimed.
	lost := good()
	lost.State = "unsynchronised"
	r.board.Publish(lost)
	if n, _ := r.respond(in, client, now(), out); n == 0 || out[0]>>6 != byte(ntp.LeapUnsynchronised) || out[1] != 0 || out[15] != 0 {
		t.Errorf("%x", out[:n])
	}
}

// In interleaved mode an answer says when the one that its cookie names left; who names none gets the basic mode. (The other
// implementation asks for it, but takes no answer whose transmit time is before its receive time.)
func TestVersion5Interleaved(t *testing.T) {
	s := start(t, experimental(t))
	ask := func(cookie uint64, flags, scale byte) (said uint16, next uint64, receive, transmit time.Time) {
		t.Helper()
		in := request5(draft)
		in[12], in[15] = scale, flags
		binary.BigEndian.PutUint64(in[16:], cookie)
		out := exchange(t, s.Address().String(), in, patience)
		if len(out) != len(in) {
			t.Fatalf("%x", out)
		}
		number := func(at int) uint64 { return binary.BigEndian.Uint64(out[at:]) }
		return binary.BigEndian.Uint16(out[14:]), number(16), moment(ntp.Timestamp(number(32))), moment(ntp.Timestamp(number(40)))
	}
	said, cookie, _, made := ask(0, flag5Interleaved, scaleUTC)
	if said != flag5Synchronised {
		t.Errorf("the first answer: flags %#x", said)
	}
	for i := range 3 {
		time.Sleep(5 * time.Millisecond) // until the kernel has said when it left
		said, next, receive, transmit := ask(cookie, flag5Interleaved, scaleUTC)
		late := transmit.Sub(made)
		if said != flag5Synchronised|flag5Interleaved || next == cookie || late < -time.Millisecond || !transmit.Before(receive.Add(-4*time.Millisecond)) {
			t.Errorf("answer %d: flags %#x, the one before left %v after it was made", i, said, late)
		}
		cookie, made = next, receive
	}
	for name, c := range map[string]struct {
		cookie       uint64
		flags, scale byte
	}{
		"a cookie that nobody has": {cookie ^ 2, flag5Interleaved, scaleUTC},
		"the basic mode":           {cookie, 0, scaleUTC},
		"another scale":            {cookie, flag5Interleaved, scaleTAI},
	} {
		if said, _, receive, transmit := ask(c.cookie, c.flags, c.scale); said != flag5Synchronised || transmit.Before(receive) {
			t.Errorf("%s: flags %#x, left %v after it came", name, said, transmit.Sub(receive))
		}
	}
}

// The monotonic clock runs at the model's rate and is never set: a model that says another time changes its rate alone, until
// the time scale breaks.
func TestMonotonicIsNeverSet(t *testing.T) {
	var m monotonic
	if shown, epoch := m.read(&status.Status{}, now()); shown != 0 || epoch != 0 {
		t.Errorf("of a station that never knew the time: %v, %d", shown, epoch)
	}
	model := good()
	last, first := m.read(model, model.Epoch)
	for i := range 100 {
		next := *model
		next.Generation, next.Epoch = model.Generation+1, model.Epoch.Add(time.Second)
		next.EpochInstant = model.At(next.Epoch).Instant.Add(time.Duration(i%3-1) * 400 * time.Microsecond)
		next.Rate = float64(i%7-3) * 1e-6
		passed := time.Second + time.Duration(model.Rate*1e9)
		m.read(&next, next.Epoch) // one goroutine of the listener's has seen it, another not yet
		shown, epoch := m.read(model, next.Epoch)
		if d := moment(shown).Sub(moment(last)) - passed; d.Abs() > 2*time.Nanosecond || epoch != first {
			t.Fatalf("model %d: a second is off by %v, epoch %d after %d", i, d, epoch, first)
		}
		model, last = &next, shown
	}
	broken := *model
	broken.Generation, broken.EpochInstant = model.Generation+1, model.EpochInstant.Add(time.Minute)
	shown, epoch := m.read(&broken, broken.Epoch)
	if d := moment(shown).Sub(moment(last)); epoch == first || d < 50*time.Second {
		t.Errorf("the time scale broke: %v later, epoch %d after %d", d, epoch, first)
	}
}

// FuzzVersion5: no packet of version 5 crashes the server or makes it answer with more or less than was asked; an answer
// has the client's cookie.
func FuzzVersion5(f *testing.F) {
	f.Add(request5(draft))
	f.Add(request5(draft, field(field5Server, 8), field(field5Reference, 12), field(field5Monotonic, 16), field(field5Secondary, 16)))
	f.Add(request5(draft, field(field5FilterRequest, 36), field(field5MAC, 28)))
	r := newResponder5(f)
	out := make([]byte, longestRequest)
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) == 0 || len(in) > longestRequest {
			return
		}
		in[0] = version5<<3 | byte(ntp.Client)
		r.board.Publish(good())
		n, reason := r.respond(in, client, now(), out)
		if (n != 0) != (reason == Answered) || n != 0 && (n != len(in) || string(out[24:32]) != string(in[24:32])) {
			t.Errorf("%d octets for %d, %v", n, len(in), reason)
		}
	})
}

const hex32 = "37DDCBC67BB902BCB8E995977FAB4D2B5642F5B32EBCEEE421921D97E5CBFE39"
