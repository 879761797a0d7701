package engine

import (
	"crypto/md5"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"timestation/engine/discipline"
	"timestation/engine/selection"
	"timestation/engine/status"
	"timestation/refclock"
)

// source is one configured source and what the engine has learned of it.
type source struct {
	SourceConfig
	// witness follows this source alone: what it says is the source's claim in the vote. After a jump, fresh follows its
	// new time, in case somebody accepts it.
	witness, fresh *discipline.Filter
	trips          discipline.RoundTrips
	// bias is against the source the station's time was last taken from.
	bias   selection.Bias
	signal refclock.Signal
	// lastRaw is the oscillator's count at the last accepted sample; interval the usual distance of samples; consistent
	// since when all have been accepted, and in a row how many.
	lastRaw    int64
	spokeRaw   int64 // and at the last sample, good or not
	interval   time.Duration
	gaps       [4]time.Duration // between the last samples
	consistent int64
	row        int
	heard      bool
	samples    uint64
	// offset is the last sample minus the station's time.
	offset time.Duration
	// systematic is the limit the last sample came with.
	systematic time.Duration
	// phase is the last sample's TAI minus the oscillator's count.
	phase int64
	// refused counts the samples in a row that lay outside what the source's own past allows; refusing is set when they are
	// no outliers any more, broken when it is its rate rather than its time that parted; gone from when the device was lost until the next good sample.
	refused                int
	refusing, broken, gone bool
	// jump is how far it was last seen to jump, and usual how far from the station's time it was before; followed is the sum
	// of the jumps of the last day that were followed, the last of them at followedRaw.
	jump, usual, followed time.Duration
	followedRaw           int64
	// strayed is set from when its rate broke until it is believed again.
	strayed *stray
	// unsure: its samples may be wrong by whole leap seconds, and nothing has confirmed them yet.
	unsure bool
	// unproven: an NTP server that anybody on the way could speak for.
	unproven bool
	// stratum is the NTP server's own; 0 of a reference clock.
	stratum uint8
	// unusable says why samples come and none can be used.
	unusable string
	// leap is its last word on the end of the month, heard at leapRaw.
	leap    refclock.LeapNotice
	leapRaw int64
	// alarms are the codes of its own alarms that stand.
	alarms map[string]bool
	// member tells that it agreed in the last vote.
	member  bool
	verdict status.SourceState
	why     string

	nowIs  discipline.Estimate
	nowRaw int64
	nowOf  *discipline.Filter
}

// voice names the hardware behind the source.
func (s *source) voice() string {
	if s.Receiver != "" {
		return s.Receiver
	}
	return s.Name
}

// silent reports whether the source has been quiet for too long.
func (s *source) silent(raw int64) bool {
	return !s.heard || time.Duration(raw-s.lastRaw) > max(silentAfter, silentIntervals*s.interval)
}

// whyRefused says that it jumped, and by how much once that is known.
func (s *source) whyRefused() string {
	if s.jump == 0 {
		return "its last samples lie outside of what its own past allows"
	}
	return "it jumped by " + selection.Span(s.jump) + " against its own past, and is not followed"
}

// silentFor is silent for what it says now, heard or refused.
func (s *source) silentFor(raw int64) bool {
	return time.Duration(raw-s.spokeRaw) > max(silentAfter, silentIntervals*s.interval)
}

// take gives an observation to the witness.
func (s *source) take(o discipline.Observation) discipline.Verdict {
	s.nowRaw, s.spokeRaw = 0, o.Raw
	verdict := s.witness.Update(o)
	if verdict != discipline.Accepted {
		s.row = 0
		s.refused++
		s.refusing = s.refused >= refusedAfter || verdict != discipline.Refused
		s.broken = verdict == discipline.Broke
		return verdict
	}
	wasRefusing := s.refusing
	s.refused, s.refusing = 0, false
	if s.silent(o.Raw) || wasRefusing {
		s.consistent = o.Raw
	}
	if s.heard {
		s.space(time.Duration(o.Raw - s.lastRaw))
	}
	s.row++
	s.lastRaw, s.heard, s.gone, s.broken = o.Raw, true, false, false
	s.phase, s.systematic = o.TAI-o.Raw, o.Systematic
	s.samples++
	return verdict
}

// space learns how often the source speaks: the second smallest of the last gaps, so that an outage teaches no patience.
func (s *source) space(gap time.Duration) {
	copy(s.gaps[:], s.gaps[1:])
	s.gaps[len(s.gaps)-1] = gap
	sorted := s.gaps
	slices.Sort(sorted[:])
	for i, g := range sorted {
		if g > 0 {
			s.interval = sorted[min(i+1, len(sorted)-1)]
			return
		}
	}
}

// now is what the source says of the count raw; it is worked out once for each.
func (s *source) now(raw int64) discipline.Estimate {
	if s.nowRaw != raw || s.nowOf != s.witness {
		s.nowIs, s.nowRaw, s.nowOf = s.witness.At(raw), raw, s.witness
	}
	return s.nowIs
}

// describe gives the source as the surfaces show it; origin is what phases are counted from.
func (s *source) describe(raw, origin int64) status.Source {
	d := status.Source{
		Name: s.Name, Driver: s.Driver, Receiver: s.Receiver,
		State: s.verdict, Explanation: s.why,
		AgeSeconds: -1, Samples: s.samples, Signal: s.signal,
	}
	if s.heard {
		e := s.now(raw)
		d.OffsetSeconds = s.offset.Seconds()
		d.JitterSeconds = s.witness.Jitter(s.Name).Seconds()
		d.MaxErrorSeconds = e.MaxError.Seconds()
		d.FrequencyPPM = -e.Frequency * 1e6
		d.PhaseSeconds = float64(s.phase-origin) * 1e-9
		d.AgeSeconds = time.Duration(raw - s.lastRaw).Seconds()
	}
	if subtract, limit := s.bias.Correct(s.systematic); limit != s.systematic {
		d.BiasSeconds = subtract.Seconds()
	}
	return d
}

// withoutVote says why a source takes no part, or an empty state if it does.
func (s *source) withoutVote(raw int64) (status.SourceState, string) {
	switch {
	case s.signal.State == refclock.Lost:
		return status.Silent, s.signal.Text
	case s.signal.State == refclock.Receiving && (!s.heard || time.Duration(raw-s.lastRaw) > grace):
		return status.Unusable, s.signal.Text
	case s.unusable != "" && (!s.heard || time.Duration(raw-s.lastRaw) > grace):
		return status.Unusable, s.unusable
	case s.strayed != nil || s.refusing && s.broken:
		return status.Falseticker, "its rate broke away from the oscillator's, and it is not followed"
	case s.refusing:
		return status.Falseticker, s.whyRefused()
	case s.alarmed():
		return status.Unusable, s.alarm().Text
	case s.gone:
		return status.Silent, "back again, but nothing heard yet"
	case s.silent(raw) && s.heard:
		return status.Silent, fmt.Sprintf("no usable time for %v", time.Duration(raw-s.lastRaw).Round(time.Second))
	case s.silent(raw):
		return status.Silent, "nothing heard yet"
	case !s.witness.Settled():
		return status.Settling, fmt.Sprintf("settling: %d consistent samples so far", s.witness.Samples())
	case s.unsure:
		return status.Settling, "a receiver that starts cold may be whole seconds off until it has its almanac, at most 13 minutes; nothing else here knows the time to a second"
	}
	return "", ""
}

// alarm is the first of the source's own alarms that says its time should not be trusted; its code is empty without one.
func (s *source) alarm() refclock.Alarm {
	for _, a := range s.signal.Alarms {
		if a.Critical {
			return a
		}
	}
	return refclock.Alarm{}
}

func (s *source) alarmed() bool { return s.alarm().Code != "" }

// serverID is the reference ID that a client of ours is given while an NTP server is followed: its IPv4 address, or the
// first four octets of the MD5 of its IPv6 one (RFC 5905, section 7.3).
func (s *source) serverID() (id [4]byte) {
	if s.signal.Server == nil {
		return id
	}
	a, err := netip.ParseAddrPort(s.signal.Server.Address)
	if err != nil {
		return id
	}
	if ip := a.Addr().Unmap(); ip.Is4() {
		return ip.As4()
	}
	ip := a.Addr().As16()
	sum := md5.Sum(ip[:])
	copy(id[:], sum[:])
	return id
}
