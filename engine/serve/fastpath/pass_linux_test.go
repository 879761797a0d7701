package fastpath

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"timestation/engine/ntp"
)

// mend makes the checksums of a packet with an IPv4 header right again.
func mend(b []byte) []byte {
	ip := b[etherLen:]
	binary.BigEndian.PutUint16(ip[ipv4Checksum:], 0)
	binary.BigEndian.PutUint16(ip[ipv4Checksum:], checksum(0, ip[:ipv4Len]))
	return b
}

// with is a request with other octets at a place.
func with(b []byte, at int, octets ...byte) []byte {
	copy(b[at:], octets)
	return b
}

// TestPassesOn: whatever is not the plainest of requests to this listener goes on as it came.
func TestPassesOn(t *testing.T) {
	k := load(t, Options{
		Allow: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8:7::/48")},
		Deny:  []netip.Prefix{netip.MustParsePrefix("198.51.100.8/32"), netip.MustParsePrefix("2001:db8:7:1::/64")},
	})
	if err := k.Publish(model()); err != nil {
		t.Fatal(err)
	}
	changed := func(change func(*ntp.Header)) ntp.Header {
		h := request()
		change(&h)
		return h
	}
	from := func(from, to string) []byte {
		h := request()
		return frame(netip.MustParseAddrPort(from), netip.MustParseAddrPort(to), h.Append(nil))
	}
	payload := func(n int) []byte {
		h := request()
		return frame(netip.AddrPortFrom(client4, 1), netip.AddrPortFrom(server4, 123), append(h.Append(nil), make([]byte, n)...))
	}
	plain := plain4(request())
	tagged := append(append(append([]byte{}, plain[:12]...), 0x81, 0, 0, 7), plain[12:]...)
	const ip, udp4, udp6 = etherLen, etherLen + ipv4Len, etherLen + ipv6Len
	for name, in := range map[string][]byte{
		"another port":             from("198.51.100.7:5", "192.0.2.1:124"),
		"an answer to a client":    from("192.0.2.1:123", "198.51.100.7:5"),
		"somebody else's address":  from("198.51.100.7:5", "192.0.2.2:123"),
		"somebody else's, IPv6":    from("[2001:db8:7::7]:5", "[2001:db8::2]:123"),
		"not allowed":              from("198.51.101.7:5", "192.0.2.1:123"),
		"denied":                   from("198.51.100.8:5", "192.0.2.1:123"),
		"not allowed, IPv6":        from("[2001:db8:8::7]:5", "[2001:db8::1]:123"),
		"denied, IPv6":             from("[2001:db8:7:1::7]:5", "[2001:db8::1]:123"),
		"from port 0":              from("198.51.100.7:0", "192.0.2.1:123"),
		"from multicast":           from("224.0.1.1:5", "192.0.2.1:123"),
		"from nobody":              from("0.0.0.0:5", "192.0.2.1:123"),
		"from loopback":            from("127.0.0.1:5", "192.0.2.1:123"),
		"from multicast, IPv6":     from("[ff02::101]:5", "[2001:db8::1]:123"),
		"from nobody, IPv6":        from("[::]:5", "[2001:db8::1]:123"),
		"from loopback, IPv6":      from("[::1]:5", "[2001:db8::1]:123"),
		"a key":                    payload(20),
		"an extension field":       payload(28),
		"four octets more":         payload(4),
		"one octet more":           payload(1),
		"an octet behind":          append(plain4(request()), 0),
		"short":                    plain4(request())[:packet4Len-1],
		"a VLAN":                   tagged,
		"to another station":       with(plain4(request()), 0, 2, 0, 0, 0, 0, 9),
		"to all stations":          with(plain4(request()), 0, 255, 255, 255, 255, 255, 255),
		"a fragment, first":        mend(with(plain4(request()), ip+ipv4Fragment, 0x20)),
		"a fragment, second":       mend(with(plain4(request()), ip+ipv4Fragment+1, 7)),
		"the evil bit":             mend(with(plain4(request()), ip+ipv4Fragment, 0x80)),
		"TCP":                      mend(with(plain4(request()), ip+ipv4Protocol, 6)),
		"TCP, IPv6":                with(plain6(request()), ip+ipv6NextHeader, 6),
		"IPv6 hop-by-hop":          with(plain6(request()), ip+ipv6NextHeader, 0),
		"IPv4 options":             mend(with(plain4(request()), ip, 0x46)),
		"IPv4 version 5":           mend(with(plain4(request()), ip, 0x55)),
		"IPv4 length":              mend(with(plain4(request()), ip+ipv4TotalLen+1, 75)),
		"IPv6 version":             with(plain6(request()), ip, 0x50),
		"IPv6 length":              with(plain6(request()), ip+ipv6PayloadLen+1, 55),
		"bad IPv4 checksum":        with(plain4(request()), ip+ipv4Checksum, 0xde, 0xad),
		"UDP length":               with(plain4(request()), udp4+udpLength+1, 55),
		"UDP length, IPv6":         with(plain6(request()), udp6+udpLength+1, 57),
		"no UDP checksum":          with(plain4(request()), udp4+udpChecksum, 0, 0),
		"no UDP checksum, IPv6":    with(plain6(request()), udp6+udpChecksum, 0, 0),
		"version 0":                plain4(changed(func(h *ntp.Header) { h.Version = 0 })),
		"version 5":                plain4(changed(func(h *ntp.Header) { h.Version = 5 })),
		"version 7":                plain6(changed(func(h *ntp.Header) { h.Version = 7 })),
		"version 1 without mode":   plain4(changed(func(h *ntp.Header) { h.Version, h.Mode = 1, ntp.Undefined })),
		"symmetric active":         plain4(changed(func(h *ntp.Header) { h.Mode = ntp.SymmetricActive })),
		"a server's answer":        plain4(changed(func(h *ntp.Header) { h.Mode = ntp.Server })),
		"a broadcast":              plain4(changed(func(h *ntp.Header) { h.Mode = ntp.Broadcast })),
		"a control message":        plain6(changed(func(h *ntp.Header) { h.Mode = ntp.Control })),
		"a private message":        plain4(changed(func(h *ntp.Header) { h.Mode = ntp.Private })),
		"it may be interleaved":    plain4(changed(func(h *ntp.Header) { h.Origin |= 1 })),
		"negotiation of version 5": plain6(changed(func(h *ntp.Header) { h.Reference = negotiation })),
	} {
		if verdict, out := k.run(t, in); verdict != tcxNext || !bytes.Equal(in, out) {
			t.Errorf("%s: verdict %d\n from %x\n   to %x", name, verdict, in, out)
		}
	}
	if c := k.Counters(); c != (Counters{}) {
		t.Errorf("counted %+v", c)
	}
	if verdict, _ := k.run(t, plain); verdict != tcxRedirect {
		t.Errorf("the plain request itself: verdict %d", verdict)
	}
}

// answerable says of a packet to server4 or server6 what the program should, by the letter of the documentation.
func answerable(b []byte) bool {
	toThisHost := bytes.Equal(b[:6], make([]byte, 6))
	var from, to netip.Addr
	var udp []byte
	switch ip := b[etherLen:]; {
	case !toThisHost:
		return false
	case len(b) == packet4Len && bytes.Equal(b[12:14], []byte{8, 0}):
		if ip[0] != 0x45 || binary.BigEndian.Uint16(ip[ipv4TotalLen:]) != 76 || ip[ipv4Fragment]&0xbf != 0 ||
			ip[ipv4Fragment+1] != 0 || ip[ipv4Protocol] != protocolUDP || checksum(0, ip[:ipv4Len]) != 0 {
			return false
		}
		from, to = netip.AddrFrom4([4]byte(ip[ipv4Source:])), netip.AddrFrom4([4]byte(ip[ipv4To:]))
		if from.As4()[0] == 0 || from.As4()[0] >= 224 || from.IsLoopback() {
			return false
		}
		udp = ip[ipv4Len:]
	case len(b) == packet6Len && bytes.Equal(b[12:14], []byte{0x86, 0xdd}):
		if ip[0]>>4 != 6 || binary.BigEndian.Uint16(ip[ipv6PayloadLen:]) != 56 || ip[ipv6NextHeader] != protocolUDP {
			return false
		}
		from, to = netip.AddrFrom16([16]byte(ip[ipv6Source:])), netip.AddrFrom16([16]byte(ip[ipv6To:]))
		if from.IsMulticast() || binary.BigEndian.Uint64(ip[ipv6Source:]) == 0 {
			return false
		}
		udp = ip[ipv6Len:]
	default:
		return false
	}
	packet := udp[udpLen:]
	version := packet[0] >> 3 & 7
	return (to == server4 || to == server6) && binary.BigEndian.Uint16(udp) != 0 && binary.BigEndian.Uint16(udp[2:]) == 123 &&
		binary.BigEndian.Uint16(udp[udpLength:]) == 56 && binary.BigEndian.Uint16(udp[udpChecksum:]) != 0 &&
		packet[0]&7 == 3 && version >= 1 && version <= 4 && packet[31]&1 == 0 &&
		binary.BigEndian.Uint64(packet[ntpReference:]) != negotiation
}

// judge runs one packet and holds the verdict and the packet against answerable.
func judge(t *testing.T, k kernel, in []byte) (answered bool) {
	t.Helper()
	verdict, out := k.run(t, in)
	switch want := answerable(in); {
	case want != (verdict == tcxRedirect):
		t.Fatalf("verdict %d, answerable %v: %x", verdict, want, in)
	case !want && (verdict != tcxNext || !bytes.Equal(in, out)):
		t.Fatalf("verdict %d, and the packet changed\n from %x\n   to %x", verdict, in, out)
	case want && len(in) != len(out):
		t.Fatalf("a request of %d octets made an answer of %d", len(in), len(out))
	}
	return verdict == tcxRedirect
}

// TestEveryBit turns around every bit of a request in turn: the answer's checksums are right, or the packet goes on as it
// came. Where only the UDP checksum becomes wrong the answer's is wrong by the same, for the client to see.
func TestEveryBit(t *testing.T) {
	k := load(t, Options{Allow: everyone()})
	if err := k.Publish(model()); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(5, 9))
	for _, make := range []func(ntp.Header) []byte{plain4, plain6} {
		answered := 0
		for bit := range 8 * len(make(request())) {
			h := request()
			h.Transmit = ntp.Timestamp(random.Uint64())
			in := make(h)
			in[bit/8] ^= 1 << (bit % 8)
			// Another answer renews the model before two seconds are over.
			if bit%100 == 0 {
				if err := k.Publish(model()); err != nil {
					t.Fatal(err)
				}
			}
			if judge(t, k, in) {
				answered++
			}
		}
		// All of the payload but its first octet and one bit of the origin, at least.
		if answered < 47*8-1 {
			t.Errorf("%d answered", answered)
		}
	}
}

// TestChecksum: whatever is asked, the checksum is right, and never the zero that means none.
func TestChecksum(t *testing.T) {
	k := load(t, Options{Allow: everyone()})
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 4000 {
		if n%200 == 0 {
			if err := k.Publish(model()); err != nil {
				t.Fatal(err)
			}
		}
		h := ntp.Header{
			Version: 4, Mode: ntp.Client, Poll: int8(random.Uint32()), RootDelay: ntp.Short(random.Uint32()),
			Origin: ntp.Timestamp(random.Uint64() &^ 1), Receive: ntp.Timestamp(random.Uint64()),
			Transmit: ntp.Timestamp(random.Uint64()),
		}
		make := plain4
		if n%2 == 1 {
			make = plain6
		}
		in := make(h)
		verdict, out := k.run(t, in)
		if verdict != tcxRedirect {
			t.Fatalf("verdict %d to %+v", verdict, h)
		}
		if got := check(t, in, out); got.Origin != h.Transmit {
			t.Fatalf("%+v answers %+v", got, h)
		}
	}
}

// FuzzPacket: any packet is answered rightly or goes on as it came.
func FuzzPacket(f *testing.F) {
	f.Add(plain4(request()))
	f.Add(plain6(request()))
	k := load(f, Options{Allow: everyone()})
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) < packet4Len || len(in) > 1500 { // the kernel runs nothing shorter than a header
			return
		}
		if err := k.Publish(model()); err != nil {
			t.Fatal(err)
		}
		judge(t, k, in)
	})
}
