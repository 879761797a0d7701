package control

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"timestation/engine/ntp"
)

// A monitor reads the packet as LeoNTP's own sample program does.
func TestLeoNTP(t *testing.T) {
	station := testStation()
	station.status.Sources[0].Signal.GNSS.SatellitesUsed = 11
	station.status.Since = station.status.EpochInstant.Add(-3600e9)
	station.served.Answered = 1<<32 + 5
	r, err := NewResponder(DefaultConfig(), station, "1")
	if err != nil {
		t.Fatal(err)
	}
	request := []byte{0x27, 0, 0x10, 1, 0, 0, 0, 0}
	var answer []byte
	ask := func(request []byte, from string) bool {
		answer = nil
		return r.Control(request, netip.MustParseAddrPort(from), func(b []byte) { answer = append(answer, b...) })
	}
	if !ask(request, "127.0.0.1:5000") || len(answer) != 48 || answer[0]&7 != 7 {
		t.Fatalf("% x", answer)
	}
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(answer[at:]) }
	now := station.status.At(station.now).Instant.UTC()
	if stamp := ntp.Timestamp(u32(20))<<32 | ntp.Timestamp(u32(16)); stamp != ntp.FromUnix(now.Seconds, now.Nanoseconds) {
		t.Errorf("time %x, want %x", uint64(stamp), uint64(ntp.FromUnix(now.Seconds, now.Nanoseconds)))
	}
	if u32(24) > 60 || u32(28) != 5 || u32(32) != 1 || u32(36) != 3600 || answer[41] != 11 {
		t.Errorf("up %d s, served %d and %d, locked for %d s, %d satellites", u32(24), u32(28), u32(32), u32(36), answer[41])
	}
	for what, wrong := range map[string]struct {
		request []byte
		from    string
	}{
		"a stranger":         {request, "192.0.2.1:5000"},
		"too short":          {request[:7], "127.0.0.1:5000"},
		"an answer":          {answer, "127.0.0.1:5000"},
		"ntpdc":              {[]byte{0x27, 0, 3, 42, 0, 0, 0, 0}, "127.0.0.1:5000"},
		"another request":    {[]byte{0x27, 0, 0x10, 2, 0, 0, 0, 0}, "127.0.0.1:5000"},
		"longer than answer": {append(request, make([]byte, 60)...), "127.0.0.1:5000"},
	} {
		if ask(wrong.request, wrong.from) {
			t.Errorf("%s was answered", what)
		}
	}
	station.status.State = "unsynchronised"
	if !ask(request, "[::1]:5000") || u32(36) != 0 {
		t.Errorf("while it does not know the time: % x", answer)
	}
}
