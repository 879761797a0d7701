package longwave_test

import (
	"testing"
	"time"

	"timestation/refclock/dcf77"
	"timestation/refclock/jjy"
	"timestation/refclock/longwave"
	"timestation/refclock/longwave/radiotest"
	"timestation/refclock/msf60"
	"timestation/refclock/wwvb"
)

// minutes decodes a simulation and gives what was published, by UTC.
func minutes(t *testing.T, code *longwave.Code, s *radiotest.Signal) map[time.Time]longwave.Minute {
	t.Helper()
	found := map[time.Time]longwave.Minute{}
	d := longwave.New(code, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2060, 12, 31, 0, 0, 0, 0, time.UTC), func(m longwave.Minute) {
		if off := s.At(m.Bin * radiotest.Rate / 100).Sub(m.UTC); off.Abs() > 100*time.Millisecond {
			t.Errorf("%v is off by %v (%s)", m.UTC, off, m.State)
		}
		found[m.UTC] = m
	})
	s.Feed(d)
	return found
}

func TestLeapSecond(t *testing.T) {
	leap := time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, code := range []*longwave.Code{dcf77.Code, wwvb.Code, jjy.Code} {
		for _, flip := range []float64{0, 0.3, 0.42} {
			if few := code != dcf77.Code || underRace; few && flip != 0.3 || underRace && code != dcf77.Code {
				continue
			}
			s := radiotest.Simulate(code, leap.Add(-35*time.Minute), time.Hour, radiotest.Noise{LeapAt: leap, Flip: flip}, 7)
			found := minutes(t, code, s)
			for at := leap.Add(-20 * time.Minute); at.Before(leap.Add(20 * time.Minute)); at = at.Add(time.Minute) {
				m, ok := found[at]
				if !ok {
					t.Errorf("%s, flip %v: %v is missing", code.Name, flip, at)
					continue
				}
				if at.Before(leap) && !m.Leap || code == dcf77.Code && m.Leap != at.Before(leap) {
					t.Errorf("%s, flip %v: at %v a leap second is announced: %v", code.Name, flip, at, m.Leap)
				}
			}
		}
	}
}

// TestUnannouncedLeapSecond: MSF inserts a second without a word. No minute is published wrongly, and the right ones follow.
func TestUnannouncedLeapSecond(t *testing.T) {
	leap := time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, flip := range []float64{0, 0.35, 0.42} {
		if underRace && flip > 0 {
			continue
		}
		s := radiotest.Simulate(msf60.Code, leap.Add(-15*time.Minute), 40*time.Minute, radiotest.Noise{LeapAt: leap, Flip: flip}, uint64(i))
		found := minutes(t, msf60.Code, s)
		for at := leap.Add(20 * time.Minute); at.Before(leap.Add(23 * time.Minute)); at = at.Add(time.Minute) {
			if _, ok := found[at]; !ok {
				t.Errorf("flip %v: %v is missing", flip, at)
			}
		}
	}
}

func TestSummerTimeChanges(t *testing.T) {
	for _, code := range []*longwave.Code{dcf77.Code, msf60.Code} {
		for _, change := range []time.Time{time.Date(2024, 3, 31, 1, 0, 0, 0, time.UTC), time.Date(2024, 10, 27, 1, 0, 0, 0, time.UTC)} {
			for _, before := range []time.Duration{30 * time.Minute, 90 * time.Second} {
				if underRace && (before > 10*time.Minute || change.Month() == time.March) {
					continue
				}
				s := radiotest.Simulate(code, change.Add(-before), 40*time.Minute, radiotest.Noise{Flip: 0.2}, 3)
				found := minutes(t, code, s)
				for at := change.Add(-before + 5*time.Minute).Truncate(time.Minute); at.Before(change.Add(-before + 38*time.Minute)); at = at.Add(time.Minute) {
					m, ok := found[at]
					if !ok {
						t.Errorf("%s: %v is missing", code.Name, at)
					} else if m.Summer != code.SummerTime(at) || m.Change != at.Before(change) {
						t.Errorf("%s: at %v summer time is %v, its change announced: %v", code.Name, at, m.Summer, m.Change)
					}
				}
			}
		}
	}
}

// TestChangesAgainstTheRule: what is announced goes, whatever the rule says: summer time that begins a month early, and one
// that does not end.
func TestChangesAgainstTheRule(t *testing.T) {
	march, october := time.Date(2031, 2, 23, 1, 0, 0, 0, time.UTC), time.Date(2030, 10, 27, 1, 0, 0, 0, time.UTC)
	for _, change := range []time.Time{march, october} {
		sent := *dcf77.Code
		sent.SummerTime = func(at time.Time) bool { return change == october || !at.Before(change) }
		s := radiotest.Simulate(&sent, change.Add(-30*time.Minute), 45*time.Minute, radiotest.Noise{Flip: 0.2}, 3)
		found := minutes(t, dcf77.Code, s)
		for at := change.Add(-25 * time.Minute); at.Before(change.Add(14 * time.Minute)); at = at.Add(time.Minute) {
			m, ok := found[at]
			if !ok {
				t.Errorf("%v is missing", at)
			} else if m.Summer != sent.SummerTime(at) || m.Change != (change == march && at.Before(change)) {
				t.Errorf("at %v summer time is %v, its change announced: %v", at, m.Summer, m.Change)
			}
		}
	}
}

// TestMidnightAndYear: a lock across the turn of the year, found while it happens.
func TestMidnightAndYear(t *testing.T) {
	for _, code := range []*longwave.Code{dcf77.Code, msf60.Code, wwvb.Code, jjy.Code} {
		midnight := time.Date(2023, 12, 31, 24, 0, 0, 0, time.UTC).Add(-time.Duration(code.OffsetMinutes) * time.Minute)
		for _, flip := range []float64{0, 0.38} {
			if underRace && flip > 0 {
				continue
			}
			s := radiotest.Simulate(code, midnight.Add(-100*time.Second), 25*time.Minute, radiotest.Noise{Flip: flip}, 5)
			if found := minutes(t, code, s); len(found) < 14 {
				t.Errorf("%s, flip %v: %d minutes were published of 25", code.Name, flip, len(found))
			}
		}
	}
}

// TestBlankMinutes: JJY sends its call sign at minutes 15 and 45.
func TestBlankMinutes(t *testing.T) {
	s := radiotest.Simulate(jjy.Code, time.Date(2022, 5, 4, 3, 14, 10, 0, time.UTC), 12*time.Minute, radiotest.Noise{}, 5)
	if found := minutes(t, jjy.Code, s); len(found) < 9 {
		t.Errorf("%d minutes were published of 12", len(found))
	}
}

// TestHourOfNothing: after an hour without any signal the time is still right, and says that it coasts.
func TestHourOfNothing(t *testing.T) {
	if underRace {
		t.Log("left to the run without the race detector")
		return
	}
	begin := time.Date(2025, 2, 3, 4, 5, 6, 0, time.UTC)
	s := radiotest.Simulate(dcf77.Code, begin, 80*time.Minute, radiotest.Noise{DriftPPM: 80, SilentFrom: 10 * time.Minute, SilentTo: 70 * time.Minute, SilentFlip: 0.5}, 5)
	found := minutes(t, dcf77.Code, s)
	coasting := 0
	for _, m := range found {
		if m.State == longwave.Coasting {
			coasting++
			if m.Confidence < 1.5 {
				t.Errorf("coasting with a confidence of %.1f", m.Confidence)
			}
		}
	}
	if len(found) < 75 || coasting < 57 || coasting > 63 {
		t.Errorf("%d minutes were published, %d of them coasting", len(found), coasting)
	}
}

func TestCallBit(t *testing.T) {
	begin := time.Date(2025, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, call := range []bool{false, true} {
		s := radiotest.Simulate(dcf77.Code, begin, 10*time.Minute, radiotest.Noise{CallForRepair: call}, 5)
		for at, m := range minutes(t, dcf77.Code, s) {
			if m.Call != call {
				t.Errorf("at %v the call bit is %v", at, m.Call)
			}
		}
	}
}

// TestOtherCodes lock on clean, noisy, inverted and drifting signals.
func TestOtherCodes(t *testing.T) {
	for _, code := range []*longwave.Code{msf60.Code, wwvb.Code, jjy.Code} {
		for i, noise := range []radiotest.Noise{{}, {Flip: 0.35}, {Inverted: true, Flip: 0.1}, {DriftPPM: -450}, {LongerMS: 40}, {JitterMS: 20}} {
			if underRace && i > 0 {
				continue
			}
			begin := radiotest.Random(uint64(i + 100))
			o := radiotest.Simulate(code, begin, 15*time.Minute, noise, uint64(i)).Decode(code)
			if o.Wrong > 0 || o.LockMinutes < 0 || o.LockMinutes > 6 {
				t.Errorf("%s from %v, %+v: %+v", code.Name, begin, noise, o)
			}
		}
	}
}
