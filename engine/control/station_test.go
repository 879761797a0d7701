package control

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/status"
	"timestation/refclock"
)

// told is what both tools are told of leap indicator, stratum and reference.
func told(t *testing.T, station *fixed) (ntpq string, leap, stratum uint16, reference string) {
	t.Helper()
	a := ask(t, testResponder(t, station), mode6(opReadVariable, 0, "leap,stratum,refid,peer,peeradr"))
	tracking := testDesk(station).answer(chronyCommand(cmdTracking, 104))[chronyReplyLen:]
	return strings.TrimSpace(string(a.data)), binary.BigEndian.Uint16(tracking[26:]), binary.BigEndian.Uint16(tracking[24:]),
		strings.TrimRight(string(tracking[:4]), "\x00")
}

// A model that has expired, one that never knew the time and one whose bound is too large are all told as what they are.
func TestUnsynchronisedIsTold(t *testing.T) {
	for name, spoil := range map[string]func(*fixed){
		"hung":     func(s *fixed) { s.now = s.now.Add(status.Validity) },
		"starting": func(s *fixed) { s.status = &status.Status{State: status.Unsynchronised, Stratum: status.Stratum16} },
		"unsure":   func(s *fixed) { s.status.MaxErrorLimit = time.Millisecond },
	} {
		station := testStation()
		spoil(station)
		ntpq, leap, stratum, reference := told(t, station)
		if ntpq != "leap=3, stratum=16, refid=INIT, peer=0, peeradr=0.0.0.0:0" || leap != 3 || stratum != 0 || reference != "" {
			t.Errorf("%s: ntpq %s; chronyc leap %d, stratum %d, reference %q", name, ntpq, leap, stratum, reference)
		}
	}
}

// A leap second is announced on its own day only, as NTP clients are told.
func TestLeapIsTold(t *testing.T) {
	for _, c := range []struct {
		at     refclock.UTC
		notice refclock.LeapNotice
		want   ntp.Leap
	}{
		{refclock.Date(2026, 12, 31, 12, 0, 0, 0), refclock.LeapInsert, ntp.LeapInsert},
		{refclock.Date(2026, 12, 31, 12, 0, 0, 0), refclock.LeapDelete, ntp.LeapDelete},
		{refclock.Date(2026, 12, 30, 23, 59, 0, 0), refclock.LeapInsert, ntp.LeapNone},
		{refclock.Date(2026, 12, 31, 12, 0, 0, 0), refclock.LeapNone, ntp.LeapNone},
	} {
		station := testStation()
		station.status.EpochInstant = c.at.Instant(37)
		station.status.Leap = c.notice
		station.status.LeapAt = refclock.Date(2026, 12, 31, 23, 59, 60, 0).Instant(37)
		if c.notice == refclock.LeapDelete {
			station.status.LeapAt = refclock.Date(2026, 12, 31, 23, 59, 59, 0).Instant(37)
		}
		if ntpq, leap, _, _ := told(t, station); leap != uint16(c.want) || !strings.HasPrefix(ntpq, "leap="+number(c.want)+",") {
			t.Errorf("%v, notice %d: chronyc is told %d, ntpq %s; want %d", c.at, c.notice, leap, ntpq, c.want)
		}
	}
}
