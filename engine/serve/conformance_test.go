package serve

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"timestation/engine/ntp"
)

// extension is a well-formed field of n octets that nobody knows.
func extension(n int) []byte { return field(0xf00f, n) }

func field(kind uint16, n int) []byte {
	b := make([]byte, n)
	binary.BigEndian.PutUint16(b, kind)
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	return b
}

// w32time is a request as Windows 10 sends it: a poll of 2^10 s, a precision of 2^-23 s, a root dispersion of some seconds.
func w32time(first, stratum byte) []byte {
	b := join([]byte{first, stratum, 10, 0xe9, 0, 0, 0, 0, 0, 1, 3, 0x9c, 0, 0, 0, 0}, make([]byte, 32))
	if stratum > 0 {
		copy(b[12:], []byte{192, 168, 1, 1})
		copy(b[16:], []byte{0xee, 0xad, 0x60, 0x0c, 0x12, 0x34, 0x56, 0x78})
	}
	copy(b[40:], []byte{0xee, 0xad, 0x63, 0x0c, 0xee, 0xd5, 0x47, 0xc5})
	return b
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// TestConformance holds what chronyd 4.3 and ntpsec answer, and do not, against this server.
func TestConformance(t *testing.T) {
	zeros := make([]byte, ntp.HeaderLen-1)
	v3, v4 := request(3, ntp.Client), request(4, ntp.Client)
	corrupt := signed(t, v4, 2, 0)
	corrupt[len(corrupt)-1] ^= 1
	type row struct {
		name   string
		in     []byte
		reason Reason
		mode   ntp.Mode
		length int
	}
	rows := []row{
		{"v1 mode 0", request(1, ntp.Undefined), Answered, ntp.Server, 48},
		{"0x1b and zeros", join([]byte{0x1b}, zeros), Answered, ntp.Server, 48},
		{"0xdb and zeros", join([]byte{0xdb}, zeros), Answered, ntp.Server, 48},
		// W32Time asks as a client with flag 0x8 of NtpServer, else as a peer, in version 3: before it ever knew the time
		// with leap indicator 3, then with its own stratum and its server as reference ID.
		{"W32Time, client, new", w32time(0xdb, 0), Answered, ntp.Server, 48},
		{"W32Time, client", w32time(0x1b, 3), Answered, ntp.Server, 48},
		{"W32Time, peer, new", w32time(0xd9, 0), Answered, ntp.SymmetricPassive, 48},
		{"W32Time, peer", w32time(0x19, 3), Answered, ntp.SymmetricPassive, 48},
		// In a domain it wants to be signed for by a domain controller ([MS-SNTP], sections 2.2.1 and 2.2.3).
		{"W32Time, in a domain", join(w32time(0xdb, 0), []byte{0x51, 4, 0, 0}, make([]byte, 16)), MSSNTP, 0, 0},
		{"W32Time, in a domain, as a peer", join(w32time(0xd9, 0), []byte{0x51, 4, 0, 0}, make([]byte, 16)), MSSNTP, 0, 0},
		{"W32Time, in a domain, extended", join(w32time(0xdb, 0), []byte{0x51, 4, 0, 0}, make([]byte, 68)), UnknownKey, 0, 0},
		{"v2 mode 0", request(2, ntp.Undefined), Mode, 0, 0},
		{"v4 mode 0", request(4, ntp.Undefined), Mode, 0, 0},
		{"v0", request(0, ntp.Client), Version, 0, 0},
		{"v5", request(5, ntp.Client), Version, 0, 0},
		{"v7", request(7, ntp.Client), Version, 0, 0},
		{"mode 2, an answer", request(4, ntp.SymmetricPassive), Mode, 0, 0},
		{"mode 4, an answer", request(4, ntp.Server), Mode, 0, 0},
		{"mode 5, a broadcast", request(4, ntp.Broadcast), Mode, 0, 0},
		{"mode 6, ntpq readvar", []byte{0x16, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, Mode, 0, 0},
		{"mode 7, monlist", join([]byte{0x17, 0, 3, 0x2a, 0, 0, 0, 0}), Mode, 0, 0},
		{"nothing", nil, Malformed, 0, 0},
		{"4 octets of junk", []byte("\x23unk"), Malformed, 0, 0},
		{"not a multiple of four", append(request(4, ntp.Client), 0), Malformed, 0, 0},
		{"a MAC that is wrong", corrupt, BadMAC, 0, 0},
		{"an unknown key", join(v4, []byte{0, 0, 0, 99}, make([]byte, 20)), UnknownKey, 0, 0},
		{"key 0", join(v4, make([]byte, 4), make([]byte, 20)), UnknownKey, 0, 0},
		{"a MAC of another length", join(v4, []byte{0, 0, 0, 1}, make([]byte, 20)), BadMAC, 0, 0},
		{"crypto-NAK, v4", join(v4, make([]byte, 4)), BadMAC, 0, 0},
		{"crypto-NAK, v3", join(v3, make([]byte, 4)), BadMAC, 0, 0},
		{"MS-SNTP", join(v3, []byte{0xe8, 3, 0, 0}, make([]byte, 16)), MSSNTP, 0, 0},
		{"an unknown extension field", join(v4, extension(28)), Answered, ntp.Server, 48},
		{"two of them", join(v4, extension(16), extension(512)), Answered, ntp.Server, 48},
		{"a malformed one", join(v4, make([]byte, 28)), Extension, 0, 0},
		{"a last one too short", join(v4, extension(28), extension(16)), Extension, 0, 0},
		{"SHA256 whole in v4, which has no room", signed(t, v4, 3, 0), Extension, 0, 0},
		// RFC 7821: a checksum complement is for those who change timestamps on the way, not for us; the last of a packet
		// without a MAC is 28 octets long.
		{"a checksum complement", join(v4, field(0x2005, 28)), Answered, ntp.Server, 48},
		{"a checksum complement after another field", join(v4, extension(20), field(0x2005, 28)), Answered, ntp.Server, 48},
		{"a checksum complement too short", join(v4, field(0x2005, 8)), Extension, 0, 0},
		{"NTS fields, where there is no NTS", join(v4, field(0x0104, 36), field(0x0204, 104), field(0x0404, 40)), Answered,
			ntp.Server, 48},
		{"signed with extension fields", signed(t, join(v4, extension(16), extension(32)), 2, 0), Answered, ntp.Server, 72},
		{"mode 1, signed", signed(t, request(4, ntp.SymmetricActive), 6, 0), Answered, ntp.SymmetricPassive, 68},
	}
	for version := uint8(1); version <= 4; version++ {
		rows = append(rows,
			row{fmt.Sprintf("v%d mode 3", version), request(version, ntp.Client), Answered, ntp.Server, 48},
			row{fmt.Sprintf("v%d mode 1", version), request(version, ntp.SymmetricActive), Answered, ntp.SymmetricPassive, 48})
	}
	// Whole digests go with versions 1 to 3; in version 4 long ones are cut to 20 octets.
	for id, length := range map[uint32]int{1: 68, 2: 72, 3: 84, 4: 100, 5: 116, 6: 68, 7: 68} {
		rows = append(rows,
			row{fmt.Sprintf("key %d, v3", id), signed(t, v3, id, 0), Answered, ntp.Server, length},
			row{fmt.Sprintf("key %d, v4", id), signed(t, v4, id, 20), Answered, ntp.Server, min(length, 72)},
			row{fmt.Sprintf("key %d, v3 cut", id), signed(t, v3, id, 20), Answered, ntp.Server, min(length, 72)})
	}

	r := newResponder(t, good())
	for _, c := range rows {
		answer, reason := ask(t, r, c.in)
		if reason != c.reason {
			t.Errorf("%s: %v, want %v", c.name, reason, c.reason)
			continue
		}
		if reason != Answered {
			continue
		}
		asked, err := ntp.Parse(c.in)
		if err != nil {
			t.Fatal(err)
		}
		length := ntp.HeaderLen
		if answer.Digest != nil {
			length += 4 + len(answer.Digest)
			if answer.KeyID != asked.KeyID || !authenticator(t, asked.KeyID).Check(answer.Signed, answer.Digest) {
				t.Errorf("%s: the answer's code is wrong", c.name)
			}
		}
		if length != c.length || answer.Mode != c.mode || answer.Version != asked.Version ||
			answer.Origin != asked.Transmit || answer.Poll != asked.Poll {
			t.Errorf("%s: %d octets: %+v", c.name, length, answer.Header)
		}
	}
}

func TestDeniedAddressesGetSilence(t *testing.T) {
	config := DefaultConfig()
	config.Deny = []string{"192.168.5.0/24", "fd00::5"}
	r := newResponder(t, good())
	var err error
	if r.access, err = config.access(); err != nil {
		t.Fatal(err)
	}
	out := make([]byte, ntp.HeaderLen)
	for from, want := range map[string]Reason{
		"127.0.0.1:1": Answered, "[::1]:1": Answered, "10.255.0.1:1": Answered, "172.31.0.1:1": Answered,
		"192.168.4.1:1": Answered, "169.254.7.7:1": Answered, "[fd12::1]:1": Answered, "[fe80::1%eth0]:1": Answered,
		"[::ffff:10.0.0.1]:1": Answered, // as a socket for both families gives IPv4
		"192.168.5.1:1":       Denied, "[::ffff:192.168.5.1]:1": Denied, "[fd00::5]:1": Denied,
		"8.8.8.8:1": Denied, "172.32.0.1:1": Denied, "[2001:db8::1]:1": Denied, "[::ffff:8.8.8.8]:1": Denied,
	} {
		if _, got := r.respond(request(4, ntp.Client), mustAddrPort(from), now(), out); got != want {
			t.Errorf("%s: %v, want %v", from, got, want)
		}
	}
}
