package serve

import "sync/atomic"

// Reason is why a request got no answer.
type Reason uint8

// The reasons. Answered is none: the request was answered.
const (
	Answered Reason = iota
	// Denied: not in allow, or in deny.
	Denied
	// Malformed: no NTP packet by its length.
	Malformed
	// Version: not 1 to 4.
	Version
	// Mode: not a request (modes 1 and 3, and 0 in version 1), such as another server's answer or a control message.
	Mode
	// Extension: an extension field against RFC 7822.
	Extension
	// MSSNTP: a Windows domain member asks to be signed for by a domain controller, which this is not.
	MSSNTP
	// UnknownKey: signed with a key that the key file does not have.
	UnknownKey
	// KeyAddress: signed with a key that this address may not use.
	KeyAddress
	// BadMAC: the authentication code is wrong.
	BadMAC
	// NTSMalformed: the fields of NTS are missing, double or too short.
	NTSMalformed
	// NTSNAK: the NTS cookie or authenticator does not fit; the answer was the kiss code NTSN.
	NTSNAK
	// RateLimited: the address asks more often than it may.
	RateLimited
	// ClockStepped: the system clock was set, and the engine has not yet taken it in.
	ClockStepped
	// Late: the request waited for longer than a second.
	Late
	// NoRoom: the answer would not fit the buffer.
	NoRoom
	// SendFailed: the kernel did not take the answer, for instance for want of a route.
	SendFailed

	reasons
)

var reasonNames = [reasons]string{
	"answered", "denied", "malformed", "version", "mode", "extension", "ms-sntp", "unknown-key", "key-address",
	"bad-mac", "nts-malformed", "nts-nak", "rate-limited", "clock-stepped", "late", "no-room", "send-failed",
}

// String is the name in logs and metrics.
func (r Reason) String() string { return reasonNames[r] }

// MarshalText is String, for JSON.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Counters counts requests since the server was made: Requests = Plain + Authenticated + Control + everything in Dropped.
type Counters struct {
	Requests uint64 `json:"requests"`
	// Plain and Authenticated were answered without and with a symmetric key or NTS, and NTS is those of Authenticated that
	// came under NTS.
	Plain         uint64 `json:"answered_plain"`
	Authenticated uint64 `json:"answered_authenticated"`
	NTS           uint64 `json:"answered_nts"`
	// Control messages (mode 6) that were answered.
	Control uint64 `json:"answered_control"`
	// InKernel is those of Plain that the fast path answered.
	InKernel uint64 `json:"answered_in_kernel"`
	// Interleaved is those of Plain and Authenticated that carried the true transmit time of the answer before (RFC 9769).
	Interleaved uint64 `json:"answered_interleaved"`
	// Kisses is how many of the dropped requests were told why, by a kiss code.
	Kisses uint64 `json:"kisses"`
	// Broadcasts were sent unasked.
	Broadcasts uint64 `json:"broadcasts"`
	// ReceiveStamps and TransmitStamps say where such time stamps come from; FromCard once the first did.
	ReceiveStamps  StampSource `json:"receive_stamps"`
	TransmitStamps StampSource `json:"transmit_stamps"`
	// Dropped has every reason but Answered, those that never happened with 0.
	Dropped map[Reason]uint64 `json:"dropped"`
}

// StampSource is who took a time stamp.
type StampSource string

// The sources.
const (
	// FromKernel: taken by the kernel's network stack, in software.
	FromKernel StampSource = "kernel"
	// FromProgram: taken when the program reads, or just before it sends.
	FromProgram StampSource = "program"
	// FromCard: taken by the network card, by its own clock, and converted (package phc).
	FromCard StampSource = "hardware"
)

// tally is Counters while they are counted.
type tally struct {
	plain, authenticated, nts, control, interleaved, kisses, broadcasts atomic.Uint64
	arrivedByCard, leftByCard                                           atomic.Uint64
	dropped                                                             [reasons]atomic.Uint64
}

func (t *tally) counters() Counters {
	c := Counters{
		Plain:         t.plain.Load(),
		Authenticated: t.authenticated.Load(),
		NTS:           t.nts.Load(),
		Control:       t.control.Load(),
		Interleaved:   t.interleaved.Load(),
		Kisses:        t.kisses.Load(),
		Broadcasts:    t.broadcasts.Load(),
		Dropped:       make(map[Reason]uint64, reasons-1),
	}
	c.Requests = c.Plain + c.Authenticated + c.Control
	for r := Answered + 1; r < reasons; r++ {
		c.Dropped[r] = t.dropped[r].Load()
		c.Requests += c.Dropped[r]
	}
	return c
}
