package control

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/status"
	"timestation/refclock"
)

// Station is what is looked into. Its methods may be called from any goroutine.
type Station interface {
	// Status is the newest model, and Now the local clock.
	Status() *status.Status
	Now() refclock.Stamp
	// Clients is what the NTP listeners remember of who asked, each address once.
	Clients() []status.Client
	Served() Served
}

// Served is what the NTP listeners have counted since they began.
type Served struct {
	// Requests = Answered + all of Dropped, whose keys are the names of the listeners' reasons.
	Requests uint64
	Answered uint64
	Dropped  map[string]uint64
	// Kisses is how many of the dropped were told why.
	Kisses uint64
	// Authenticated were answered with a code, Interleaved in interleaved mode; both are part of Answered.
	Authenticated uint64
	Interleaved   uint64
	// KeyExchanges are NTS key establishments that succeeded, KeyExchangesFailed those that did not.
	KeyExchanges       uint64
	KeyExchangesFailed uint64
	// Precision is what the listeners' answers state: the smallest step of the clock, log2 s.
	Precision int8
}

// dropped is all that got no answer.
func (s Served) dropped() (sum uint64) {
	for _, n := range s.Dropped {
		sum += n
	}
	return sum
}

// view is one moment of the station.
type view struct {
	*status.Status
	at      refclock.Stamp
	now     status.Reading
	sources []source
	served  Served
}

// source is one source, numbered from 1 in the order of the configuration.
type source struct {
	status.Source
	number int
	// tag is the source's name in the four octets that the tools have for a reference clock's; no two are the same.
	tag [4]byte
	// address is that of an NTP server, and invalid for a reference clock.
	address netip.AddrPort
}

func look(s Station) *view {
	v := &view{Status: s.Status(), at: s.Now(), served: s.Served()}
	v.now = v.At(v.at)
	taken := map[[4]byte]bool{}
	for i, described := range v.Sources {
		src := source{Source: described, number: i + 1, tag: fourOctets(described.Name)}
		for n := i + 1; taken[src.tag] && n <= i+100; n++ { // two digits tell so many apart
			src.tag = fourOctets(fmt.Sprintf("%.2s%02d", src.tag, n%100))
		}
		taken[src.tag] = true
		if described.Signal.Server != nil {
			src.address = parseAddress(described.Signal.Server.Address)
		}
		v.sources = append(v.sources, src)
	}
	return v
}

// fourOctets is the beginning of a name as far as it can be printed in ASCII, or a question mark.
func fourOctets(name string) (tag [4]byte) {
	n := 0
	tag[0] = '?'
	for _, c := range []byte(name) {
		if c > ' ' && c < 0x7f && n < len(tag) {
			tag[n] = c
			n++
		}
	}
	return tag
}

// parseAddress reads an IP address with or without a port.
func parseAddress(text string) netip.AddrPort {
	if a, err := netip.ParseAddrPort(text); err == nil {
		return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	}
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.AddrPortFrom(a.Unmap(), 123)
	}
	return netip.AddrPort{}
}

// selected is the source that is followed, nil where there is none.
func (v *view) selected() *source {
	for i := range v.sources {
		if v.Selected != "" && v.sources[i].Name == v.Selected && v.now.Synchronised() {
			return &v.sources[i]
		}
	}
	return nil
}

// leap is the leap indicator that NTP clients are told: an announcement on its own day only (RFC 8633, section 3.7).
func (v *view) leap() ntp.Leap {
	until := v.LeapAt.Sub(v.now.Instant)
	switch {
	case !v.now.Synchronised():
		return ntp.LeapUnsynchronised
	case v.now.Leap == refclock.LeapInsert && until <= 86400*time.Second:
		return ntp.LeapInsert
	case v.now.Leap == refclock.LeapDelete && until <= 86399*time.Second:
		return ntp.LeapDelete
	}
	return ntp.LeapNone
}

// rootDispersion makes half the root delay up to the bound; the 16 s of RFC 5905's MAXDISP where no time was ever known.
func (v *view) rootDispersion() time.Duration {
	if !v.now.Known {
		return 16 * time.Second
	}
	return max(0, v.now.MaxError-v.RootDelay/2)
}

// reach is the last eight polls; of a reference clock, which is not polled, all of them or none.
func (s *source) reach() uint8 {
	switch {
	case s.Signal.Server != nil:
		return s.Signal.Server.Reach
	case s.AgeSeconds < 0 || s.State == status.Silent || s.State == status.Unusable:
		return 0
	}
	return math.MaxUint8
}

// poll is log2 s; 0, a second, for a reference clock.
func (s *source) poll() int {
	if server := s.Signal.Server; server != nil && server.PollSeconds > 0 {
		return int(math.Round(math.Log2(server.PollSeconds)))
	}
	return 0
}

// stratum of the source: a reference clock's is 0.
func (s *source) stratum() uint8 {
	if s.Signal.Server != nil {
		return s.Signal.Server.Stratum
	}
	return 0
}

// timestamp says an instant as UTC, and zero where it was never set.
func timestamp(i refclock.Instant) ntp.Timestamp {
	if i.IsZero() {
		return 0
	}
	u := i.UTC()
	return ntp.FromUnix(u.Seconds, u.Nanoseconds)
}
