package leap

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"timestation/refclock"
)

func TestKnownOffsets(t *testing.T) {
	table := Embedded()
	for date, want := range map[refclock.UTC]int32{
		refclock.Date(1972, 1, 1, 0, 0, 0, 0):      10,
		refclock.Date(2016, 12, 31, 23, 59, 59, 0): 36,
		refclock.Date(2016, 12, 31, 23, 59, 60, 0): 36,
		refclock.Date(2017, 1, 1, 0, 0, 0, 0):      37,
		refclock.Date(2036, 2, 7, 6, 28, 16, 0):    37,
	} {
		if got := table.TAIMinusUTC(date); got != want {
			t.Errorf("%s: TAI−UTC %d, want %d", date, got, want)
		}
	}
}

// Every second around the leap second of 2016 must read as a clock should, and come back to the same instant.
func TestThroughALeapSecond(t *testing.T) {
	table := Embedded()
	start := table.Instant(refclock.Date(2016, 12, 31, 23, 59, 58, 500e6))
	want := []string{"23:59:58.5", "23:59:59.5", "23:59:60.5", "00:00:00.5", "00:00:01.5"}
	for i, text := range want {
		instant := table.FromTAI(start.TAI + int64(i)*1e9)
		if got := instant.UTC().String(); !strings.Contains(got, "T"+text) {
			t.Errorf("second %d reads %s, want %s", i, got, text)
		}
		if back := table.Instant(instant.UTC()); back != instant {
			t.Errorf("second %d: %+v came back as %+v", i, instant, back)
		}
	}
	if notice, at := table.Next(start.Add(-12 * time.Hour)); notice != refclock.LeapInsert || at.Sub(start) != 1500*time.Millisecond {
		t.Errorf("half a day before: notice %d at %s", notice, at.UTC())
	}
	if notice, _ := table.Next(start.Add(-48 * time.Hour)); notice != refclock.LeapNone {
		t.Errorf("two days before: notice %d", notice)
	}
}

func TestDeletion(t *testing.T) {
	table := &Table{entries: []entry{{taiMinusUTC: 37}, {from: 1893456000, taiMinusUTC: 36}}, Expires: 1 << 40} // 2030-01-01
	before := table.Instant(refclock.Date(2029, 12, 31, 23, 59, 58, 0))
	if got := table.FromTAI(before.TAI + 1e9).UTC().String(); !strings.HasPrefix(got, "2030-01-01T00:00:00") {
		t.Logf("FromTAI one second after 23:59:58: %s", got)
		t.Error("23:59:59 was not left out")
	}
	if notice, at := table.Next(before); notice != refclock.LeapDelete || at.Sub(before) != time.Second {
		t.Errorf("notice %d, %s after 23:59:58", notice, at.Sub(before))
	}
}

func TestAlteredListIsRefused(t *testing.T) {
	altered := bytes.Replace(embedded, []byte("3692217600      37"), []byte("3692217600      38"), 1)
	if bytes.Equal(altered, embedded) {
		t.Fatal("the list's layout changed; mend the test")
	}
	if _, err := Parse(bytes.NewReader(altered)); err == nil || !strings.Contains(err.Error(), "#h") {
		t.Errorf("got %v", err)
	}
	if notice, _ := Embedded().Next(Embedded().Instant(refclock.Date(2040, 1, 1, 0, 0, 0, 0))); notice != refclock.LeapUnknown {
		t.Error("an expired list must abstain")
	}
}

func TestLast(t *testing.T) {
	table := Embedded()
	for _, c := range []struct {
		now    refclock.UTC
		notice refclock.LeapNotice
		at     refclock.UTC
	}{
		{refclock.Date(1972, 3, 1, 0, 0, 0, 0), refclock.LeapUnknown, refclock.UTC{}},
		{refclock.Date(2016, 12, 31, 23, 59, 60, 0), refclock.LeapInsert, refclock.Date(2015, 7, 1, 0, 0, 0, 0)},
		{refclock.Date(2017, 1, 1, 0, 0, 0, 0), refclock.LeapInsert, refclock.Date(2017, 1, 1, 0, 0, 0, 0)},
		{refclock.Date(2040, 1, 1, 0, 0, 0, 0), refclock.LeapInsert, refclock.Date(2017, 1, 1, 0, 0, 0, 0)},
	} {
		notice, at := table.Last(table.Instant(c.now))
		if notice != c.notice || !at.IsZero() && at.UTC() != c.at || at.IsZero() != (c.notice == refclock.LeapUnknown) {
			t.Errorf("%s: %v at %s", c.now, notice, at.UTC())
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(embedded)
	f.Add([]byte("#$ 1\n#@ 2\n#h 0 0 0 0 0\n3 4\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if table, err := Parse(bytes.NewReader(data)); err == nil {
			table.FromTAI(1e18)
			table.Next(refclock.Instant{TAI: 1e18})
		}
	})
}

// Days on which other programs' time ends or begins anew are ordinary ones, and 1970 does no harm.
func TestErasAreOrdinaryDays(t *testing.T) {
	table := Embedded()
	for _, u := range []refclock.UTC{
		refclock.Date(2019, 4, 6, 23, 59, 41, 0), refclock.Date(2038, 11, 20, 23, 59, 41, 0), // GPS weeks begin anew
		refclock.Date(2036, 2, 7, 6, 28, 15, 0), refclock.Date(2038, 1, 19, 3, 14, 7, 0), refclock.Date(2100, 2, 28, 23, 59, 57, 0),
		refclock.Date(2106, 2, 7, 6, 28, 15, 0), refclock.Date(1970, 1, 1, 0, 0, 0, 0), refclock.Date(1980, 1, 5, 23, 59, 57, 0),
	} {
		offset := table.TAIMinusUTC(u)
		for range 5 {
			i := table.Instant(u)
			if back := table.FromTAI(i.TAI).UTC(); back != u || i.TAIMinusUTC != offset {
				t.Errorf("%s came back as %s, TAI−UTC %d", u, back, i.TAIMinusUTC)
			}
			end := MonthEnd(i)
			if day := end.UTC().Time().Day(); day != 1 || end.Sub(i) <= 0 || end.Sub(i) > 31*24*time.Hour {
				t.Errorf("%s: the month is said to end at %s", u, end.UTC())
			}
			if d := Vote([]Notice{table.Notice(i)}, i); d.Leap == refclock.LeapInsert || d.Leap == refclock.LeapDelete {
				t.Errorf("%s: %s", u, d.Explanation)
			}
			u.Seconds++
		}
	}
}
