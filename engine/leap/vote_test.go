package leap

import (
	"strings"
	"testing"
	"time"

	"timestation/refclock"
)

const (
	unknown = refclock.LeapUnknown
	none    = refclock.LeapNone
	insert  = refclock.LeapInsert
	remove  = refclock.LeapDelete
)

func gps(leap refclock.LeapNotice) Notice {
	return Notice{Source: "gps0", Receiver: "u-blox", Kind: Satellites, Leap: leap}
}
func gps1(leap refclock.LeapNotice) Notice {
	return Notice{Source: "gps1", Receiver: "another", Kind: Satellites, Leap: leap}
}
func dcf77(leap refclock.LeapNotice) Notice {
	return Notice{Source: "dcf77", Kind: LongWave, Leap: leap}
}
func list(leap refclock.LeapNotice) Notice {
	return Notice{Source: ListSource, Kind: List, Leap: leap}
}
func operator(leap refclock.LeapNotice) Notice {
	return Notice{Source: "operator", Kind: Operator, Leap: leap}
}

func TestVote(t *testing.T) {
	at := func(day, hour, minute int) refclock.Instant {
		return refclock.Date(2027, 6, day, hour, minute, 0, 0).Instant(37)
	}
	lastDay, lastHour := at(30, 12, 0), at(30, 23, 30)
	for name, test := range map[string]struct {
		now      refclock.Instant
		notices  []Notice
		want     refclock.LeapNotice
		disputed bool
	}{
		"all agree":                        {lastDay, []Notice{gps(insert), list(insert)}, insert, false},
		"a deletion":                       {lastDay, []Notice{gps(remove), list(remove), dcf77(none)}, remove, false},
		"the day before nothing is said":   {at(29, 23, 59), []Notice{gps(insert), list(insert)}, none, false},
		"from the first second of the day": {at(30, 0, 0), []Notice{gps(insert), list(insert)}, insert, false},
		"nobody knows":                     {lastDay, []Notice{gps(unknown), list(unknown), dcf77(none)}, unknown, false},
		"nobody is there":                  {lastDay, nil, unknown, false},
		"one that ignores it is outvoted":  {lastDay, []Notice{gps(none), gps1(insert), list(insert)}, insert, true},
		"one that invents it is outvoted":  {lastDay, []Notice{gps(insert), gps1(none), list(none)}, none, true},
		"an expired list abstains":         {lastDay, []Notice{gps(insert), list(unknown)}, insert, false},
		"a receiver before its almanac":    {lastDay, []Notice{gps(unknown), list(insert)}, insert, false},
		"tie: the list":                    {lastDay, []Notice{gps(insert), list(none)}, none, true},
		"tie: the operator":                {lastDay, []Notice{gps(insert), gps1(none), list(unknown), operator(unknown)}, none, true},
		"tie without a list":               {lastDay, []Notice{gps(insert), operator(none)}, none, true},
		"the operator breaks it":           {lastDay, []Notice{gps(insert), gps1(none), operator(insert)}, insert, true},
		"three words, no majority":         {lastDay, []Notice{gps(insert), gps1(remove), list(none)}, none, true},
		"DCF77 by day has no word":         {lastDay, []Notice{dcf77(insert), list(none)}, none, false},
		"DCF77 makes the majority":         {lastHour, []Notice{dcf77(insert), gps(insert), list(none)}, insert, true},
		"DCF77 says no in the hour":        {lastHour, []Notice{dcf77(none), gps(insert), list(none)}, none, true},
		"DCF77 alone is not enough":        {lastHour, []Notice{dcf77(insert)}, none, true},
		"DCF77 alone without announcement": {lastHour, []Notice{dcf77(none)}, unknown, false},
		"DCF77's first telegrams":          {at(30, 23, 1), []Notice{dcf77(none), gps(insert), list(unknown)}, insert, false},
		"DCF77 cannot announce a deletion": {lastHour, []Notice{dcf77(remove), list(none)}, none, false},
		"DCF77 does not speak against one": {lastHour, []Notice{dcf77(none), gps(remove), list(unknown)}, remove, false},
		"two sources of a receiver: a voice": {lastDay, []Notice{gps(insert),
			{Source: "nmea", Receiver: "u-blox", Kind: Satellites, Leap: insert}, gps1(none), list(none)}, none, true},
		"a receiver that contradicts itself": {lastDay, []Notice{gps(insert), gps(none), gps(insert), list(insert)}, insert, false},
	} {
		d := Vote(test.notices, test.now)
		if d.Leap != test.want || d.Disputed != test.disputed {
			t.Errorf("%s: %d, disputed %t; want %d, %t (%s)", name, d.Leap, d.Disputed, test.want, test.disputed, d.Explanation)
		}
		if !strings.Contains(d.Explanation, "2027-06-30") && !strings.Contains(d.Explanation, "2027-07-01") {
			t.Errorf("%s: %q does not say when", name, d.Explanation)
		}
	}
}

// A station whose list has expired goes through a leap second that its sources announced, and keeps it over a restart.
func TestLivesThroughAVotedLeapSecond(t *testing.T) {
	for name, test := range map[string]struct {
		leap refclock.LeapNotice
		want []string
		now  int32
	}{
		"insertion": {insert, []string{"23:59:58.5", "23:59:59.5", "23:59:60.5", "00:00:00.5", "00:00:01.5"}, 38},
		"deletion":  {remove, []string{"23:59:58.5", "00:00:00.5", "00:00:01.5", "00:00:02.5"}, 36},
	} {
		for _, date := range []refclock.UTC{
			refclock.Date(2027, 6, 30, 23, 59, 58, 500e6), refclock.Date(2035, 12, 31, 23, 59, 58, 500e6),
			refclock.Date(2038, 3, 31, 23, 59, 58, 500e6), refclock.Date(2100, 2, 28, 23, 59, 58, 500e6), // not the 29th
		} {
			base, err := Load("testdata/tzdata-2025b.list")
			if err != nil {
				t.Fatal(err)
			}
			table := base
			start := date.Instant(37)
			for second := -90_000; second < 200; second++ {
				if second < -10 && second%600 != 0 {
					continue
				}
				now := table.FromTAI(start.TAI + int64(second)*1e9)
				word := test.leap
				if second >= -5 && second%2 == 0 {
					word = none // it takes it back as the second comes
				}
				if now.UTC().Time().Month() != date.Time().Month() {
					word = none
				}
				d := Vote([]Notice{gps(word), table.Notice(now)}, now)
				table = table.Decided(d, now)
				now = table.FromTAI(now.TAI)
				if second >= 0 && second < len(test.want) && !strings.Contains(now.UTC().String(), "T"+test.want[second]) {
					t.Errorf("%s %s, second %d: %s, want %s", name, date, second, now.UTC(), test.want[second])
				}
				notice, at := table.Next(now)
				wantNotice := test.leap
				if second < -86398 || second >= 3 {
					wantNotice = unknown // the list's own word: it has expired
				}
				if second < 1 || second > 4 {
					if notice != wantNotice {
						t.Errorf("%s %s, second %d: notice %d, want %d", name, date, second, notice, wantNotice)
					}
				}
				if d.Leap == test.leap && second < -5 && at != d.At {
					t.Errorf("%s %s, second %d: at %v, voted %v", name, date, second, at.UTC(), d.At.UTC())
				}
			}
			after := date
			after.Seconds += 1000
			if got := table.TAIMinusUTC(after); got != test.now {
				t.Errorf("%s %s: TAI−UTC is %d, want %d", name, date, got, test.now)
			}
			learned := table.Learned(after)
			if got := base.With(learned).TAIMinusUTC(after); got != test.now || len(base.Learned(after)) != 0 {
				t.Errorf("%s %s: after a restart TAI−UTC is %d", name, date, got)
			}
			newer := *base
			newer.Updated = after.Seconds + 86400
			if got := newer.With(learned).TAIMinusUTC(after); got != 37 {
				t.Errorf("%s %s: a list written later does not prevail: %d", name, date, got)
			}
		}
	}
}

// A list that announces a leap second is overruled by two that know better, and only for that month.
func TestListIsOverruled(t *testing.T) {
	listed := &Table{entries: []entry{{taiMinusUTC: 37}, {from: refclock.Date(2027, 7, 1, 0, 0, 0, 0).Seconds, taiMinusUTC: 38}},
		Expires: 1 << 40}
	now := refclock.Date(2027, 6, 30, 12, 0, 0, 0).Instant(37)
	d := Vote([]Notice{gps(none), gps1(none), listed.Notice(now)}, now)
	table := listed.Decided(d, now)
	if after := refclock.Date(2027, 7, 2, 0, 0, 0, 0); table.TAIMinusUTC(after) != 37 || listed.TAIMinusUTC(after) != 38 || !d.Disputed {
		t.Errorf("%+v: TAI−UTC %d; the list itself %d", d, table.TAIMinusUTC(after), listed.TAIMinusUTC(after))
	}
	if got := table.Decided(Vote([]Notice{table.Notice(now)}, now), now); got != table {
		t.Error("a decision that changes nothing made a new table")
	}
}

// The list's own vote: what it says of a month's end that lies after its expiry is nothing.
func TestListAbstainsBeyondItsExpiry(t *testing.T) {
	table := Embedded() // to 2027-06-28
	for date, want := range map[refclock.UTC]refclock.LeapNotice{
		refclock.Date(2016, 12, 2, 0, 0, 0, 0):  insert,
		refclock.Date(2026, 11, 22, 0, 0, 0, 0): none,
		refclock.Date(2027, 5, 31, 0, 0, 0, 0):  none,
		refclock.Date(2027, 6, 1, 0, 0, 0, 0):   unknown,
		refclock.Date(2040, 6, 1, 0, 0, 0, 0):   unknown,
	} {
		if n := table.Notice(table.Instant(date)); n.Leap != want {
			t.Errorf("%s: %d, want %d", date, n.Leap, want)
		}
	}
}

// Whatever is said, the vote is the same in any order, silent but on the last day, and never for less than half.
func FuzzVote(f *testing.F) {
	f.Add([]byte{0x02, 0x12, 0x21}, int64(1e18))
	f.Fuzz(func(t *testing.T, words []byte, tai int64) {
		if tai < 0 || tai > 8e18 || len(words) > 40 {
			return
		}
		now := Embedded().FromTAI(tai)
		var notices, reversed []Notice
		count := map[refclock.LeapNotice]int{}
		for i, w := range words {
			n := Notice{Source: string(rune('a' + i)), Kind: Kind(w >> 4 & 3), Leap: refclock.LeapNotice(w & 3)}
			notices = append(notices, n)
			reversed = append([]Notice{n}, reversed...)
			count[n.Leap]++
		}
		d := Vote(notices, now)
		if again := Vote(reversed, now); again != d {
			t.Errorf("in another order: %+v, not %+v", again, d)
		}
		left := MonthEnd(now).Sub(now)
		if (d.Leap == insert || d.Leap == remove) && left > 24*time.Hour {
			t.Errorf("%d announced %v ahead", d.Leap, left)
		}
		if d.Leap != unknown && count[insert]+count[remove]+count[none] == 0 {
			t.Errorf("%d out of nothing", d.Leap)
		}
		if d.Leap == remove && count[remove] == 0 || d.Leap == insert && count[insert] == 0 {
			t.Errorf("%d, which nobody said", d.Leap)
		}
		table := Embedded().Decided(d, now)
		for _, e := range table.entries[1:] {
			if e.from%86400 != 0 {
				t.Errorf("a leap second at %d, not the end of a day", e.from)
			}
		}
	})
}
