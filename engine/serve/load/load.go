// Package load asks an NTP server as fast as it answers, or at a steady pace, from many source ports, and checks every
// answer: it is a measuring instrument for benchmarks and tests, not a client.
package load

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"timestation/engine/ntp"
)

// Config is one run.
type Config struct {
	Target netip.AddrPort
	// Ports is how many sockets ask, each from a port of its own; Window how many requests each has under way at most.
	Ports, Window int
	// Sources are the local addresses of the sockets, in turn; none leaves the choice to the system.
	Sources []netip.Addr
	// PerSecond is the pace of all requests together; 0 is as fast as the answers come.
	PerSecond float64
	Duration  time.Duration
	// Key signs the requests, with DigestLen octets at most (0: all). No key is plain.
	Key       *ntp.Key
	DigestLen int
	// Protect makes a plain request one under NTS; DigestLen and Key are then not for it.
	Protect func(header []byte) ([]byte, error)
	// Echo expects the request itself instead of an answer.
	Echo bool
}

// Result is what came of a run.
type Result struct {
	Sent, Answered uint64
	// Wrong answered nothing that was under way, or otherwise than a synchronised server; Lost had no answer in time.
	Wrong, Lost uint64
	Elapsed     time.Duration
}

// PerSecond is how many answers came in a second.
func (r Result) PerSecond() float64 { return float64(r.Answered) / r.Elapsed.Seconds() }

// String is one line.
func (r Result) String() string {
	return fmt.Sprintf("%d sent, %d answered (%.0f/s), %d wrong, %d lost", r.Sent, r.Answered, r.PerSecond(), r.Wrong, r.Lost)
}

func (c Config) validate() error {
	switch {
	case !c.Target.IsValid():
		return errors.New("load: no target")
	case c.Ports < 1 || c.Window < 1 || c.Window > 1<<12:
		return errors.New("load: ports and window must be at least 1, and the window at most 4096")
	case c.Duration <= 0:
		return errors.New("load: no duration")
	}
	return nil
}

// slots are the requests of one port. They are made, and signed, beforehand; each has a transmit timestamp of its own that
// says which it is.
type slots struct {
	requests [][]byte
	underWay []bool
	first    uint64
	from, to uint64 // under way, counted from the beginning
}

func newSlots(c Config, port int, auth *ntp.Authenticator) (*slots, error) {
	n := 64 // a power of two with room for more than the window
	for n < 2*c.Window {
		n *= 2
	}
	s := &slots{requests: make([][]byte, n), underWay: make([]bool, n), first: 0xeb000000<<32 | uint64(port)<<16}
	for i := range s.requests {
		h := ntp.Header{Version: 4, Mode: ntp.Client, Poll: 6, Transmit: ntp.Timestamp(s.first + uint64(i))}
		if s.requests[i] = h.Append(nil); c.Protect != nil {
			var err error
			if s.requests[i], err = c.Protect(s.requests[i]); err != nil {
				return nil, err
			}
		}
		if auth == nil {
			continue
		}
		digest := c.DigestLen
		if digest == 0 {
			digest = 64
		}
		if digest > ntp.TruncatedLen && c.Key.Algorithm != ntp.MD5 && c.Key.Algorithm != ntp.SHA1 &&
			c.Key.Algorithm < ntp.AES128 {
			h.Version = 3 // version 4 has no room for more than 20 octets
			s.requests[i] = h.Append(s.requests[i][:0])
		}
		s.requests[i] = auth.Append(s.requests[i], digest)
	}
	return s, nil
}

// take checks an answer and reports whether it answers a request that is under way.
func (s *slots) take(c *Config, b []byte) bool {
	const origin, transmit = 24, 40
	at := origin
	if c.Echo {
		at = transmit
	}
	if len(b) < ntp.HeaderLen {
		return false
	}
	i := binary.BigEndian.Uint64(b[at:]) - s.first
	if i >= uint64(len(s.requests)) || !s.underWay[i] || len(b) > len(s.requests[i]) ||
		len(b) < len(s.requests[i]) && c.Protect == nil {
		return false
	}
	s.underWay[i] = false
	for s.from < s.to && !s.underWay[s.from%uint64(len(s.underWay))] {
		s.from++
	}
	const synchronisedServer = byte(ntp.Server)
	return c.Echo || b[0]&7 == synchronisedServer && b[0]>>6 != byte(ntp.LeapUnsynchronised) && b[1] != 0
}

// giveUp drops what is under way.
func (s *slots) giveUp() (lost uint64) {
	for ; s.from < s.to; s.from++ {
		if i := s.from % uint64(len(s.underWay)); s.underWay[i] {
			s.underWay[i] = false
			lost++
		}
	}
	return lost
}
