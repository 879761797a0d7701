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
	// BadMAC: the authentication code is wrong.
	BadMAC
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
	"answered", "denied", "malformed", "version", "mode", "extension", "ms-sntp", "unknown-key", "bad-mac",
	"clock-stepped", "late", "no-room", "send-failed",
}

// String is the name in logs and metrics.
func (r Reason) String() string { return reasonNames[r] }

// MarshalText is String, for JSON.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Counters counts requests since the server was made: Requests = Plain + Authenticated + everything in Dropped.
type Counters struct {
	Requests uint64 `json:"requests"`
	// Plain and Authenticated were answered without and with a symmetric key.
	Plain         uint64 `json:"answered_plain"`
	Authenticated uint64 `json:"answered_authenticated"`
	// Dropped has every reason but Answered, those that never happened with 0.
	Dropped map[Reason]uint64 `json:"dropped"`
}

// tally is Counters while they are counted.
type tally struct {
	plain, authenticated atomic.Uint64
	dropped              [reasons]atomic.Uint64
}

func (t *tally) counters() Counters {
	c := Counters{
		Plain:         t.plain.Load(),
		Authenticated: t.authenticated.Load(),
		Dropped:       make(map[Reason]uint64, reasons-1),
	}
	c.Requests = c.Plain + c.Authenticated
	for r := Answered + 1; r < reasons; r++ {
		c.Dropped[r] = t.dropped[r].Load()
		c.Requests += c.Dropped[r]
	}
	return c
}
