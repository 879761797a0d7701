package upstream

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	"timestation/engine/ntp"
	"timestation/refclock"
)

const (
	// highestStratum is RFC 5905's MAXSTRAT less one.
	highestStratum = 15
	// stampNoise and programNoise are what the kernel's and the program's own stamps are expected to scatter by, 1σ.
	stampNoise   = 10 * time.Microsecond
	programNoise = 100 * time.Microsecond
	// aroundLeap is how far from a leap second timestamps are not used: NTP repeats one.
	aroundLeap = 2
	// smearing is the first octet of the reference ID of a server that smears a leap second (draft-stenn-ntp-leap-smear-refid).
	smearing = 254
)

// usable tells why an answer's header gives no time at all.
func usable(h *ntp.Header) reason {
	switch {
	case h.Stratum == 0 && isKiss(h.ReferenceID):
		return kissed
	case h.Leap == ntp.LeapUnsynchronised || h.Stratum == 0 || h.Stratum > highestStratum:
		return unsynchronised
	case h.Receive == 0 || h.Transmit == 0:
		return transmitMissing
	case h.Stratum > 1 && h.ReferenceID[0] == smearing:
		return smeared
	}
	return used
}

// isKiss tells the codes of RFC 5905, section 7.4, from a reference ID of nothing.
func isKiss(id [4]byte) bool {
	for _, c := range id {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

// judge makes a sample of a reply, or says why not. The error a reply may have at most comes from the sample's exchange data
// and is the engine's business; here is only what cannot be, or is not worth it.
func (d *driver) judge(r *reply, authenticated bool) (s refclock.Sample, why reason) {
	pivot := d.pivot()
	t2, t3 := civil(r.Receive, pivot), civil(r.Transmit, pivot)
	inside, round := t3.Time().Sub(t2.Time()), r.T4.Sub(r.T1)
	delay := round - inside
	precision := time.Duration(math.Ldexp(float64(time.Second), max(-30, min(0, int(r.Precision)))))
	switch {
	case inside < 0:
		return s, backwards
	case delay < -precision-stampNoise:
		return s, negativeDelay
	case delay > refclock.Seconds(d.config.MaxDelaySeconds):
		return s, longDelay
	case r.RootDelay.Duration()/2+r.RootDispersion.Duration()+delay/2 > refclock.Seconds(d.config.MaxDistanceSeconds):
		return s, farAway
	case t2.Time().Before(d.env.NotBefore.Add(-24 * time.Hour)):
		return s, beforeBuild
	case d.nearLeap(t2, r.Leap) || d.nearLeap(t3, r.Leap):
		return s, duringLeap
	}
	noise := programNoise
	if r.Kernel {
		noise = stampNoise
	}
	return refclock.Sample{
		Kind: refclock.Exchange, Stamp: r.T4, Noise: noise + precision + delay/20, Leap: notice(r.Leap),
		Exchange: &refclock.ExchangeData{
			T1: r.T1, T4: r.T4, T2: t2.Instant(d.env.TAIMinusUTC(t2)), T3: t3.Instant(d.env.TAIMinusUTC(t3)),
			RootDelay: r.RootDelay.Duration(), RootDispersion: r.RootDispersion.Duration(),
			ReferenceID: number(r.ReferenceID), Stratum: r.Stratum, Authenticated: authenticated,
		},
	}, used
}

// pivot tells the era of NTP's timestamps: the one around the station's time, or while that is unknown the one that begins
// a year before the program was built.
func (d *driver) pivot() int64 {
	if utc, known := d.env.UTC(); known {
		return utc.Seconds
	}
	return d.env.NotBefore.Unix() + math.MaxInt32 - 366*86400
}

func civil(t ntp.Timestamp, pivot int64) refclock.UTC {
	s, ns := t.Unix(pivot)
	return refclock.UTC{Seconds: s, Nanoseconds: ns}
}

// nearLeap tells whether a leap second is near, by the station's table or by the server's announcement, which holds for the
// end of the day.
func (d *driver) nearLeap(u refclock.UTC, leap ntp.Leap) bool {
	before, after := u, u
	before.Seconds -= aroundLeap
	after.Seconds += aroundLeap
	if d.env.TAIMinusUTC(before) != d.env.TAIMinusUTC(after) {
		return true
	}
	const day = 86400
	return leap != ntp.LeapNone && ((u.Seconds+aroundLeap)%day+day)%day <= 2*aroundLeap
}

func notice(l ntp.Leap) refclock.LeapNotice {
	switch l {
	case ntp.LeapInsert:
		return refclock.LeapInsert
	case ntp.LeapDelete:
		return refclock.LeapDelete
	}
	return refclock.LeapNone
}

func number(id [4]byte) uint32 {
	return uint32(id[0])<<24 | uint32(id[1])<<16 | uint32(id[2])<<8 | uint32(id[3])
}

// referenceText is a reference ID as a person reads it: letters at stratum 1 and in kiss codes, an address above.
func referenceText(id [4]byte, stratum uint8) string {
	if stratum > 1 {
		return netip.AddrFrom4(id).String()
	}
	text := ""
	for _, c := range id {
		if c == 0 {
			break
		}
		if c < ' ' || c > '~' {
			return fmt.Sprintf("%02X%02X%02X%02X", id[0], id[1], id[2], id[3])
		}
		text += string(rune(c))
	}
	return text
}
