package fastpath

import (
	"encoding/binary"
	"time"

	"timestation/engine/ntp"
)

// maps are the descriptors of what the program shares with us.
type maps struct {
	slots   int // array of keptSlots models
	current int // array of one: the number of the newest publication, which is in slot number%keptSlots
	local   int // hash: our addresses, and the index of the interface that each is good on, 0 for all
	access  int // trie: 1 for allowed
	clients int // LRU hash: client
	counts  int // per-CPU array of one: counts
}

// keptSlots is how many publications a reader may be late by; a power of two.
const keptSlots = 4

// client is what is kept of an address. Times are of CLOCK_BOOTTIME in nanoseconds, 0 for never.
type client struct{ Due, Kissed, First, Seen, Answered, Refused uint64 }

// counts are those of one processor, as in Counters.
type counts struct{ Answered, RateLimited, Kisses uint64 }

// Offsets in both, in octets.
const (
	clientDue = 8 * iota
	clientKissed
	clientFirst
	clientSeen
	clientAnswered
	clientRefused
	clientLen
)
const (
	countAnswered = 8 * iota
	countRateLimited
	countKisses
	countsLen
)

const (
	kissEvery = time.Second
	// leakOneIn is how many requests beyond the limit make one answer, so that nobody can silence another altogether by
	// asking in his name; a power of two.
	leakOneIn = 8
)

// What a TCX program returns (enum tcx_action_base).
const (
	tcxNext = -1
	tcxDrop = 2
)

// Offsets in struct __sk_buff.
const (
	skbLen         = 0
	skbPacketType  = 4
	skbProtocol    = 16
	skbVLANPresent = 20
)

// Lengths in octets, and fields of the answer.
const (
	etherLen   = 14
	ipv4Len    = 20
	ipv6Len    = 40
	udpLen     = 8
	packet4Len = etherLen + ipv4Len + udpLen + ntp.HeaderLen
	packet6Len = etherLen + ipv6Len + udpLen + ntp.HeaderLen

	protocolUDP  = 17
	hopLimit     = 64
	dontFragment = 0x4000
)

// Offsets of fields in their headers.
const (
	ipv4TotalLen, ipv4Fragment, ipv4Protocol, ipv4Checksum = 2, 6, 9, 10
	ipv4Source, ipv4To                                     = 12, 16
	ipv6PayloadLen, ipv6NextHeader                         = 4, 6
	ipv6Source, ipv6To                                     = 8, 24
	udpTo, udpLength, udpChecksum                          = 2, 4, 6

	ntpPoll, ntpDispersion, ntpReferenceID = 2, 8, 12
	ntpReference, ntpOrigin                = 16, 24
	ntpReceive, ntpTransmit                = 32, 40
)

// The program's stack, as offsets from the frame pointer. The packet is put so that the payload is aligned to eight
// octets, which aligns every header but Ethernet's: the kernel insists on that.
const (
	stackIndex   = -4  // into an array
	stackIPv6    = -16 // 1 for IPv6
	stackDiff    = -24 // checksum of what changed in the IPv6 header
	stackBefore  = -32 // the first eight octets of the IPv6 header as they came
	stackPayload = -40 - ntp.HeaderLen
	stackUDP     = stackPayload - udpLen
	stackIPv4    = stackUDP - ipv4Len
	stackIPv6At  = stackUDP - ipv6Len
	stackPacket4 = stackIPv4 - etherLen
	stackPacket6 = stackIPv6At - etherLen
	stackTrieKey = -180 // the prefix length, and then
	stackSource  = stackTrieKey + 4
	stackTo      = -200
	stackAnswer  = stackTo - ntp.HeaderLen
	stackClient  = stackAnswer - clientLen
)

// big16 is a number of the packet's byte order as the machine reads it; so are the others.
func big16(v uint16) int32 {
	return int32(binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v)))
}

func big32(v uint32) int64 {
	return int64(binary.NativeEndian.Uint32(binary.BigEndian.AppendUint32(nil, v)))
}

func big64(v uint64) int64 {
	return int64(binary.NativeEndian.Uint64(binary.BigEndian.AppendUint64(nil, v)))
}
