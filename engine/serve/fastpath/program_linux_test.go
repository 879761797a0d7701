package fastpath

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"timestation/engine/ntp"
)

var (
	server4, server6 = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	client4, client6 = netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("2001:db8:7::7")
	privileged       = os.Geteuid() == 0
)

// needRoot skips a test that loads programs into the kernel.
func needRoot(t testing.TB) {
	t.Helper()
	if !privileged {
		t.Skip("loading eBPF programs needs root")
	}
}

// kernel loads the program of an interface that has server4 and server6, without an interface: the kernel runs it on a
// packet that it is given (BPF_PROG_TEST_RUN).
type kernel struct {
	*Path
	program *ebpf.Program
}

func everyone() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
}

func load(t testing.TB, o Options) kernel {
	t.Helper()
	needRoot(t)
	o.Address = netip.MustParseAddrPort("[::]:123")
	k := kernel{Path: &Path{options: o, on: map[int]attached{}, looked: time.Now().Add(time.Hour)}}
	t.Cleanup(func() { k.Close() })
	err := k.makeMaps()
	for _, a := range []netip.Addr{server4, server6} {
		if err == nil {
			err = k.local.Put(a.As16(), uint32(0))
		}
	}
	if err == nil {
		k.program, err = ebpf.NewProgram(k.spec(otherInterface, false))
	}
	var verdict *ebpf.VerifierError
	if errors.As(err, &verdict) {
		t.Fatalf("%+v", verdict)
	}
	if errors.Is(err, os.ErrPermission) {
		t.Skipf("this kernel lets root load no eBPF: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.program.Close() })
	return k
}

const otherInterface = 4711

// header is of a station that knows the time.
func header() ntp.Header {
	return ntp.Header{
		Leap: ntp.LeapInsert, Stratum: 1, Precision: -24, RootDelay: 0x83, ReferenceID: [4]byte{'G', 'P', 'S', 0},
		Reference: 0xec1b_0000_4000_0002, Receive: 0xec1b_0000_8000_0000, Transmit: 0xec1b_0000_8000_0000,
	}
}

func model() Model {
	return Model{At: time.Now(), Header: header(), Dispersion: 1234 * time.Microsecond, Valid: Longest}
}

func request() ntp.Header {
	return ntp.Header{
		Leap: ntp.LeapUnsynchronised, Version: 4, Mode: ntp.Client, Poll: 6, Precision: 32,
		Origin: 0xec1b_0000_0000_0002, Transmit: 0x0123_4567_89ab_cdef,
	}
}

// checksum is that of RFC 1071; 0 over what carries a right one.
func checksum(sum uint32, b []byte) uint16 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// udpSum is the checksum of a UDP datagram with the pseudo-header.
func udpSum(from, to netip.Addr, datagram []byte) uint16 {
	sum := uint32(protocolUDP) + uint32(len(datagram))
	return checksum(sum+uint32(^checksum(0, append(from.AsSlice(), to.AsSlice()...))), datagram)
}

// frame is a packet with Ethernet's header, to the loopback interface's address, which the kernel's test run has.
func frame(from, to netip.AddrPort, payload []byte) []byte {
	const ttl = 57
	udp := binary.BigEndian.AppendUint16(nil, from.Port())
	udp = binary.BigEndian.AppendUint16(udp, to.Port())
	udp = binary.BigEndian.AppendUint16(udp, uint16(udpLen+len(payload)))
	udp = append(append(udp, 0, 0), payload...)
	sum := udpSum(from.Addr(), to.Addr(), udp)
	if sum == 0 {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(udp[udpChecksum:], sum)
	b := []byte{0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 7}
	if from.Addr().Is4() {
		ip := []byte{0x45, 0xb8, 0, byte(ipv4Len + len(udp)), 0x12, 0x34, 0x40, 0, ttl, protocolUDP, 0, 0}
		ip = append(append(ip, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
		binary.BigEndian.PutUint16(ip[ipv4Checksum:], checksum(0, ip))
		return append(append(append(b, 8, 0), ip...), udp...)
	}
	ip := []byte{0x6b, 0x81, 0x23, 0x45, 0, byte(len(udp)), protocolUDP, ttl}
	ip = append(append(ip, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
	return append(append(append(b, 0x86, 0xdd), ip...), udp...)
}

// run gives what the program says of a packet, and the packet after it.
func (k kernel) run(t testing.TB, in []byte) (verdict int32, out []byte) {
	t.Helper()
	code, out, err := k.program.Test(in)
	if err != nil {
		t.Fatal(err)
	}
	return int32(code), out
}

const tcxRedirect = 7

// check takes the answer to a request apart; every header must be right.
func check(t *testing.T, request, out []byte) ntp.Header {
	t.Helper()
	if len(out) != len(request) {
		t.Fatalf("a request of %d octets made an answer of %d", len(request), len(out))
	}
	if !bytes.Equal(out[:6], request[6:12]) || !bytes.Equal(out[6:12], request[:6]) || !bytes.Equal(out[12:14], request[12:14]) {
		t.Errorf("Ethernet header %x to %x", out[:14], request[:14])
	}
	ip, udp := out[etherLen:], out[etherLen+ipv4Len:]
	was := request[etherLen:]
	from, to := ip[ipv4Source:ipv4To], ip[ipv4To:ipv4Len]
	if ip[0]>>4 == 6 {
		udp = out[etherLen+ipv6Len:]
		from, to = ip[ipv6Source:ipv6To], ip[ipv6To:ipv6Len]
		if !bytes.Equal(from, was[ipv6To:ipv6Len]) || !bytes.Equal(to, was[ipv6Source:ipv6To]) ||
			!bytes.Equal(ip[:8], []byte{0x60, 0, 0, 0, 0, 56, protocolUDP, 64}) {
			t.Errorf("IPv6 header %x to %x", ip[:ipv6Len], was[:ipv6Len])
		}
	} else {
		if !bytes.Equal(from, was[ipv4To:ipv4Len]) || !bytes.Equal(to, was[ipv4Source:ipv4To]) ||
			!bytes.Equal(ip[:ipv4Checksum], []byte{0x45, 0, 0, 76, 0, 0, 0x40, 0, 64, protocolUDP}) ||
			checksum(0, ip[:ipv4Len]) != 0 {
			t.Errorf("IPv4 header %x to %x", ip[:ipv4Len], was[:ipv4Len])
		}
	}
	fromAddr, _ := netip.AddrFromSlice(from)
	toAddr, _ := netip.AddrFromSlice(to)
	if sum := udpSum(fromAddr, toAddr, udp); sum != 0 || udp[udpChecksum] == 0 && udp[udpChecksum+1] == 0 {
		t.Errorf("UDP checksum is wrong: %x in %x", sum, udp)
	}
	before := request[len(request)-len(udp):]
	if !bytes.Equal(udp[:2], before[2:4]) || !bytes.Equal(udp[2:4], before[:2]) || udp[4] != 0 || udp[5] != 56 {
		t.Errorf("UDP header %x to %x", udp[:udpLen], before[:udpLen])
	}
	answer, err := ntp.Parse(udp[udpLen:])
	if err != nil {
		t.Fatal(err)
	}
	return answer.Header
}

func plain4(h ntp.Header) []byte {
	return frame(netip.AddrPortFrom(client4, 40123), netip.AddrPortFrom(server4, 123), h.Append(nil))
}

func plain6(h ntp.Header) []byte {
	return frame(netip.AddrPortFrom(client6, 40123), netip.AddrPortFrom(server6, 123), h.Append(nil))
}

func TestAnswers(t *testing.T) {
	k := load(t, Options{Allow: everyone()})
	m := model()
	if err := k.Publish(m); err != nil {
		t.Fatal(err)
	}
	answered := uint64(0)
	for _, make := range []func(ntp.Header) []byte{plain4, plain6} {
		for version := uint8(1); version <= 4; version++ {
			asked := request()
			asked.Version, asked.Poll = version, int8(3+version)
			in := make(asked)
			verdict, out := k.run(t, in)
			if verdict != tcxRedirect {
				t.Fatalf("version %d: verdict %d", version, verdict)
			}
			answered++
			got := check(t, in, out)
			since := time.Since(m.At)
			for name, stamp := range map[string]ntp.Timestamp{"receive": got.Receive, "transmit": got.Transmit} {
				if d := time.Duration((stamp-m.Header.Receive)*1e6>>32) * time.Microsecond; d < 0 || d > since {
					t.Errorf("%s is %v after the model, now is %v", name, d, since)
				}
			}
			if got.Receive&1 != 1 || got.Transmit&1 != 0 {
				t.Errorf("timestamps %x and %x are not marked", got.Receive, got.Transmit)
			}
			if got.Transmit-got.Receive+1 > 1<<32/100 {
				t.Errorf("the answer took %d × 2⁻³² s", int64(got.Transmit-got.Receive))
			}
			want := m.Header
			want.Version, want.Mode, want.Poll, want.Origin = version, ntp.Server, asked.Poll, asked.Transmit
			want.RootDispersion = ntp.ShortFromDuration(m.Dispersion)
			want.Receive, want.Transmit = got.Receive, got.Transmit
			if got != want {
				t.Errorf("version %d:\n got %+v\nwant %+v", version, got, want)
			}
		}
	}
	if c := k.Counters(); c != (Counters{Answered: answered}) {
		t.Errorf("%+v, want %d answered", c, answered)
	}
	clients := k.Clients()
	for _, c := range clients {
		if c.Answered != answered/2 || c.Requests != c.Answered || time.Since(time.Unix(0, int64(c.LastSeen))).Abs() > time.Minute {
			t.Errorf("%+v", c)
		}
	}
	if len(clients) != 2 {
		t.Errorf("clients %+v", clients)
	}
}
