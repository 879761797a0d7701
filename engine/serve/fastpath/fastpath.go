// Package fastpath answers plain NTP requests in the kernel: a small eBPF program, attached where packets come in (TCX,
// Linux 6.6), turns a request around before it ever reaches a socket. It knows the time by a [Model] that the engine
// refreshes, and is silent without one. Whatever is not the plainest of requests goes on to the sockets as if there were
// no program.
//
// # What is answered here
//
// UDP over IPv4 without options or over IPv6 without extension headers, unfragmented, untagged, with a checksum, to an
// address of this machine and the listener's port; 48 octets of NTP, version 1 to 4, mode 3; from an address that is
// allowed. A request whose origin timestamp has its last bit set goes to the sockets: receive timestamps have it set,
// transmit timestamps clear, here as there, so that only a client of the basic mode can be meant (RFC 9769). So does one
// with the mark by which NTPv5 is negotiated. Requests of those who are not allowed go to the sockets too, which count
// and drop them.
//
// # What is not as with the sockets
//
//   - The packet filter does not see these packets (nftables' ingress, prerouting, input and output hooks lie behind):
//     Allow and Deny decide alone.
//   - The answer leaves through the interface that the request came in by, to the station that sent the frame, whatever
//     the routes say.
//   - A client has one rate limit here and one at the sockets.
//   - The first answer to a client that begins to interleave is in the basic mode once more: receive timestamps from here
//     do not carry the mark that only the sockets can check.
//
// # Safety
//
// A model is void after at most two seconds by the clock that also counts while the machine sleeps (CLOCK_BOOTTIME), and
// nothing is pinned, so a station that hangs, sleeps or dies is silent. The answer has the length of its request, which
// it overwrites, so that there is nothing to amplify. The program writes only to packets that it answers. Memory is taken
// when it is loaded: a flood from made-up addresses drives the oldest out of the table of clients, which then begin
// with a full burst.
package fastpath

import (
	"net/netip"
	"time"
)

// Options are those of one listener.
type Options struct {
	// Address is what the sockets are bound to: 0.0.0.0 is all IPv4 addresses, [::] all of both families.
	Address netip.AddrPort
	// OnlyIPv6: [::] is all IPv6 addresses alone.
	OnlyIPv6 bool
	// Allow and Deny are who is answered here; Deny beats Allow, who is in neither is denied.
	Allow, Deny []netip.Prefix
	// RateInterval is how far apart the requests of one address may be in the long run, and RateBurst how long before its
	// turn one may come, both up to 24 h. No interval is no limit. Beyond the limit one request in eight is answered all
	// the same.
	RateInterval, RateBurst time.Duration
	// Kisses tells who asks too often so, at most once a second (RATE, RFC 5905, section 7.4).
	Kisses bool
}

// Counters counts requests since Attach.
type Counters struct {
	// Answered in the kernel.
	Answered uint64
	// RateLimited were beyond the limit of their address; Kisses of them were told so, the rest met with silence.
	RateLimited, Kisses uint64
}
