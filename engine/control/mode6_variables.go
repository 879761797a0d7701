package control

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"time"

	"timestation/engine/ntp"
	"timestation/refclock"
)

// subject is what the variables are about.
type subject struct {
	*view
	*source
	responder *Responder
}

// variable is one that ntpq can read. One that is more is only told to who names it.
type variable struct {
	name  string
	more  bool
	value func(s *subject) string
}

// list writes the variables that a request names, or all that are not more.
func list(table []variable, names string, s *subject) ([]byte, fault) {
	var chosen []variable
	for _, name := range strings.Split(names, ",") {
		name, _, _ = strings.Cut(name, "=")
		name = strings.Trim(name, " \t\r\n\x00")
		if name == "" {
			continue
		}
		found := false
		for _, v := range table {
			if v.name == name {
				chosen, found = append(chosen, v), true
			}
		}
		if !found {
			return nil, faultUnknownVariable
		}
	}
	if chosen == nil {
		for _, v := range table {
			if !v.more {
				chosen = append(chosen, v)
			}
		}
	}
	var out []byte
	for i, v := range chosen {
		if i > 0 {
			out = append(out, ", "...)
		}
		out = append(append(append(out, v.name...), '='), v.value(s)...)
	}
	return append(out, "\r\n"...), 0
}

// systemVariables are ntpd's, in its units: times in milliseconds, frequencies in parts per million. The offset is that
// of the time which is served, not of the system clock: the source that is followed minus the station.
var systemVariables = append(countedVariables(), []variable{
	{name: "leap", value: func(s *subject) string { return number(s.leap()) }},
	{name: "stratum", value: func(s *subject) string { return number(s.now.Stratum) }},
	{name: "precision", value: func(s *subject) string { return number(s.served.Precision) }},
	{name: "rootdelay", value: func(s *subject) string { return ms(s.RootDelay.Seconds()) }},
	{name: "rootdisp", value: func(s *subject) string { return ms(s.rootDispersion().Seconds()) }},
	{name: "refid", value: systemReference},
	{name: "reftime", value: func(s *subject) string { return stamp(timestamp(s.ReferenceTime)) }},
	{name: "clock", value: func(s *subject) string { return stamp(s.clock()) }},
	{name: "peer", value: func(s *subject) string { return number(selectedOr(s, 0, func(p *source) int { return p.number })) }},
	{name: "offset", value: func(s *subject) string {
		return ms(selectedOr(s, 0, func(p *source) float64 { return p.OffsetSeconds }))
	}},
	// How much the frequency is raised: an oscillator that runs fast has a negative one.
	{name: "frequency", value: func(s *subject) string { return decimal(-s.view.FrequencyPPM) }},
	{name: "sys_jitter", value: func(s *subject) string {
		return ms(selectedOr(s, 0, func(p *source) float64 { return p.JitterSeconds }))
	}},
	{name: "clk_jitter", value: func(s *subject) string { return ms(s.now.Uncertainty95.Seconds() / 2) }},
	{name: "clk_wander", value: func(s *subject) string { return decimal(s.Uncertainty95Growth * 1e6 / 2) }},
	{name: "tai", value: func(s *subject) string { return number(s.now.Instant.TAIMinusUTC) }},
	{name: "processor", value: func(*subject) string { return quote(runtime.GOARCH) }},
	{name: "system", value: func(*subject) string { return quote(runtime.GOOS) }},
	{name: "version", value: func(s *subject) string { return quote("timestation " + s.responder.version) }},

	{name: "rootdist", more: true, value: func(s *subject) string {
		return ms((s.rootDispersion() + s.RootDelay/2).Seconds())
	}},
	{name: "peeradr", more: true, value: func(s *subject) string {
		return selectedOr(s, "0.0.0.0:0", func(p *source) string { return p.ntpqAddress().String() })
	}},
	{name: "peermode", more: true, value: func(s *subject) string {
		return number(selectedOr(s, ntp.Undefined, func(*source) ntp.Mode { return ntp.Client }))
	}},
	{name: "authdelay", more: true, value: func(*subject) string { return "0" }},
	{name: "ss_numctlreq", more: true, value: func(s *subject) string { return number(s.responder.requests) }},
	{name: "ss_uptime", more: true, value: uptime},
}...)

// What the listeners call reasons that ntpd counts as one.
var (
	badFormat = []string{"malformed", "version", "extension", "nts-malformed"}
	badAuth   = []string{"unknown-key", "key-address", "bad-mac", "nts-nak"}
)

// counted are ntpd's counts of packets, in which the listeners' reasons for silence are told. Each is there twice, as
// ntpd also counts from when its counts were last reset, which ours never are.
var counted = []struct {
	name string
	of   func(Served) uint64
}{
	{"ss_received", func(s Served) uint64 { return s.Requests }},
	{"ss_processed", func(s Served) uint64 { return s.Answered }},
	{"ss_badformat", droppedFor(badFormat...)},
	{"ss_badauth", droppedFor(badAuth...)},
	{"ss_restricted", droppedFor("denied")},
	{"ss_limited", droppedFor("rate-limited")},
	{"ss_kodsent", func(s Served) uint64 { return s.Kisses }},
	{"ss_declined", func(s Served) uint64 {
		return s.dropped() - droppedFor(slices.Concat(badFormat, badAuth, []string{"denied", "rate-limited"})...)(s)
	}},
}

func droppedFor(reasons ...string) func(Served) uint64 {
	return func(s Served) (sum uint64) {
		for _, reason := range reasons {
			sum += s.Dropped[reason]
		}
		return sum
	}
}

func countedVariables() []variable {
	all := []variable{{name: "ss_reset", more: true, value: uptime}, {name: "ss_reset_r", more: true, value: uptime}}
	for _, c := range counted {
		value := func(s *subject) string { return number(c.of(s.served)) }
		all = append(all, variable{name: c.name, more: true, value: value},
			variable{name: c.name + "_r", more: true, value: value})
	}
	return all
}

// peerVariables are about one source. A reference clock has an address of 127.127.0.0/16, as ntpd gives it one.
var peerVariables = []variable{
	{name: "srcadr", value: func(s *subject) string { return s.ntpqAddress().Addr().String() }},
	{name: "srcport", value: func(s *subject) string { return number(s.ntpqAddress().Port()) }},
	{name: "srchost", value: func(s *subject) string { return quote(s.host()) }},
	{name: "dstadr", value: func(*subject) string { return "0.0.0.0" }},
	{name: "dstport", value: func(*subject) string { return "0" }},
	{name: "leap", value: func(*subject) string { return number(ntp.LeapNone) }},
	{name: "stratum", value: func(s *subject) string { return number(s.stratum()) }},
	{name: "precision", value: func(s *subject) string { return number(s.served.Precision) }},
	{name: "rootdelay", value: func(s *subject) string { return ms(s.server().RootDelay) }},
	{name: "rootdisp", value: func(s *subject) string { return ms(s.server().RootDispersion) }},
	{name: "refid", value: peerReference},
	{name: "reftime", value: func(s *subject) string { return stamp(s.heard()) }},
	{name: "rec", value: func(s *subject) string { return stamp(s.heard()) }},
	{name: "reach", value: func(s *subject) string { return fmt.Sprintf("%#x", s.reach()) }},
	{name: "unreach", value: func(*subject) string { return "0" }},
	{name: "hmode", value: func(*subject) string { return number(ntp.Client) }},
	{name: "pmode", value: func(*subject) string { return number(ntp.Server) }},
	{name: "hpoll", value: func(s *subject) string { return number(s.poll()) }},
	{name: "ppoll", value: func(s *subject) string { return number(s.poll()) }},
	{name: "flash", value: func(s *subject) string {
		const unreachable = 0x1000
		if s.reach() == 0 {
			return fmt.Sprintf("%#x", unreachable)
		}
		return "0x0"
	}},
	{name: "keyid", value: func(*subject) string { return "0" }},
	{name: "offset", value: func(s *subject) string { return ms(s.OffsetSeconds) }},
	{name: "delay", value: func(s *subject) string { return ms(s.server().DelaySeconds) }},
	{name: "dispersion", value: func(s *subject) string { return ms(s.MaxErrorSeconds) }},
	{name: "jitter", value: func(s *subject) string { return ms(s.JitterSeconds) }},
}

// clockVariables are about the device behind a source.
var clockVariables = []variable{
	{name: "name", value: func(s *subject) string { return quote(s.Driver) }},
	{name: "timecode", value: func(*subject) string { return quote("") }},
	{name: "poll", value: func(s *subject) string { return number(s.Samples) }},
	{name: "noreply", value: func(*subject) string { return "0" }},
	{name: "badformat", value: func(s *subject) string {
		if s.Signal.GNSS != nil {
			return number(s.Signal.GNSS.ChecksumErrors)
		}
		return "0"
	}},
	{name: "baddata", value: func(*subject) string { return "0" }},
	{name: "stratum", value: func(s *subject) string { return number(s.stratum()) }},
	{name: "refid", value: peerReference},
	{name: "flags", value: func(*subject) string { return "0" }},
	{name: "device", value: func(s *subject) string { return quote(s.Receiver) }},
}

// selectedOr gives a figure of the source that is followed.
func selectedOr[T any](s *subject, none T, of func(*source) T) T {
	if p := s.selected(); p != nil {
		return of(p)
	}
	return none
}

func systemReference(s *subject) string {
	if !s.now.Synchronised() && !s.Demonstration {
		return "INIT" // the code of a server that does not know the time (RFC 5905, figure 13)
	}
	return word(s.ReferenceIDText())
}

func peerReference(s *subject) string {
	if server := s.Signal.Server; server != nil {
		return word(server.ReferenceID)
	}
	return word(strings.TrimRight(string(s.tag[:]), "\x00"))
}

// ntpqAddress is a server's, or for a reference clock one of the kind that ntpq replaces by the name.
func (s *source) ntpqAddress() netip.AddrPort {
	if s.address.IsValid() {
		return s.address
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 127, byte(s.number >> 8), byte(s.number)}), 123)
}

// server is what is known of an NTP server; all zero for a reference clock.
func (s *source) server() refclock.Server {
	if s.Signal.Server == nil {
		return refclock.Server{}
	}
	return *s.Signal.Server
}

// host is the source's name. By the bracket ntpq knows a reference clock.
func (s *source) host() string {
	if s.Signal.Server != nil {
		return s.Name
	}
	return s.Name + "(" + s.Driver + ")"
}

// heard is when the source's last sample came, 0 before the first.
func (s *subject) heard() ntp.Timestamp {
	if s.AgeSeconds < 0 || !s.now.Known {
		return 0
	}
	return timestamp(s.now.Instant.Add(-time.Duration(s.AgeSeconds * 1e9)))
}

// clock is the station's time.
func (s *subject) clock() ntp.Timestamp {
	if !s.now.Known {
		return 0
	}
	return timestamp(s.now.Instant)
}

// uptime is the Responder's, in seconds: the listeners count since then, too.
func uptime(s *subject) string { return number(int64(s.responder.watch.elapsed().Seconds())) }

// stamp writes a timestamp as ntpd does.
func stamp(t ntp.Timestamp) string { return fmt.Sprintf("0x%08x.%08x", uint64(t)>>32, uint32(t)) }

// ms writes seconds as milliseconds, to the nanosecond.
func ms(seconds float64) string { return decimal(seconds * 1e3) }

func decimal(x float64) string { return fmt.Sprintf("%.6f", x) }

func number[T ~int | ~int8 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint64](n T) string {
	return fmt.Sprintf("%d", n)
}

// word is what can stand without quotation marks: what else there is becomes a question mark, nothing at all a dash.
func word(text string) string {
	if text == "" {
		return "-"
	}
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune(`",=`, r) {
			return '?'
		}
		return r
	}, text)
}

// quote is text within quotation marks; ntpq knows no way to write one, nor anything but ASCII.
func quote(text string) string {
	return `"` + strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f || r == '"' {
			return '?'
		}
		return r
	}, text) + `"`
}
