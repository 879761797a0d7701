package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"timestation/engine/leap"
	"timestation/engine/status"
	"timestation/refclock"
)

// The days on which counters of the trade overflow are ordinary days for the whole station.
func TestEras(t *testing.T) {
	for name, begin := range map[string]refclock.UTC{
		"NTP era 1":            refclock.Date(2036, 2, 7, 6, 27, 0, 0),
		"32-bit time_t":        refclock.Date(2038, 1, 19, 3, 13, 0, 0),
		"GPS week 4096":        refclock.Date(2058, 7, 6, 23, 58, 30, 0),
		"no leap day":          refclock.Date(2100, 2, 28, 23, 59, 0, 0),
		"the day it was built": refclock.Date(2026, 11, 22, 0, 0, 0, 0),
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newStation(t)
			defer s.stop()
			s.turn(func() { s.truth = leap.Embedded().Instant(begin) })
			for range 5 {
				s.hear(30*time.Second, truthful)
				r := s.reading()
				if r.State != status.Synchronised || s.off().Abs() > time.Millisecond || r.Stratum != 1 {
					t.Fatalf("%s: at %s: %s, off by %v", name, s.now().UTC(), r.State, s.off())
				}
				if got, want := r.Instant.UTC().Time().Format(time.DateTime), s.now().UTC().Time().Format(time.DateTime); got != want {
					t.Errorf("%s: it is %s, the station says %s", name, want, got)
				}
			}
		})
	}
}

// Leap seconds of both kinds, as the operator and a receiver announce them: 23:59:60 is said, and 23:59:59 left out.
func TestLeapSeconds(t *testing.T) {
	for word, want := range map[string][]string{
		"insert": {"23:59:59", "23:59:60", "00:00:00"},
		"delete": {"23:59:57", "23:59:58", "00:00:00"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newStation(t, SourceConfig{Name: "gps", Driver: "gps"})
			defer s.stop()
			notice := refclock.LeapInsert
			if word == "delete" {
				notice = refclock.LeapDelete
			}
			s.within(func() { s.announced, _ = parseLeapSecond(word + " 2027-12-31") })
			truth := leap.Embedded()
			s.turn(func() { s.truth = truth.Instant(refclock.Date(2027, 12, 31, 23, 57, 59, 0)) })
			var said []string
			s.speak(3*time.Minute, func(stamp refclock.Stamp, now refclock.Instant) {
				sample := sentence("gps", stamp, now)
				sample.Leap = notice
				s.Sample(sample)
				synctest.Wait()
				utc := s.Board().Load().At(stamp.Add(100 * time.Millisecond)).Instant.UTC()
				h, m, sec := utc.Clock(time.UTC)
				said = append(said, time.Date(0, 1, 1, h, m, 0, 0, time.UTC).Format("15:04:")+pad(sec))
			})
			at := -1
			for i, text := range said {
				if text == "00:00:00" {
					at = i
				}
			}
			if at < 2 || said[at-1] != want[1] || said[at-2] != want[0] {
				t.Errorf("%s: around midnight it said %q", word, said[max(0, at-3):at+1])
			}
			if st := s.Board().Load(); st.State != status.Synchronised || s.off().Abs() > time.Millisecond {
				t.Errorf("%s: afterwards %s, off by %v", word, st.State, s.off())
			}
		})
	}
}

func pad(n int) string { return string([]byte{byte('0' + n/10), byte('0' + n%10)}) }
