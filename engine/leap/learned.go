package leap

import (
	"slices"
	"time"

	"timestation/refclock"
)

// ListSource is the name under which the list votes.
const ListSource = "leap-seconds.list"

// Notice is the list's own vote on the end of now's month; it abstains where it expires before.
func (t *Table) Notice(now refclock.Instant) Notice {
	end := MonthEnd(now).UTC().Seconds
	n := Notice{Source: ListSource, Kind: List}
	if end < t.Expires {
		n.Leap = refclock.LeapNone
	}
	for i, e := range t.entries {
		switch {
		case i == 0 || e.from != end || e.learned:
		case e.taiMinusUTC > t.entries[i-1].taiMinusUTC:
			n.Leap = refclock.LeapInsert
		default:
			n.Leap = refclock.LeapDelete
		}
	}
	return n
}

// settledFor is how long before the month's end, and in a leap second itself, the decision stands: receivers change their
// announcement as the second comes, and one that falls silent then must not take it back.
const settledFor = 10 * time.Second

// Decided gives the table as the decision on the end of now's month has it; t itself where that changes nothing. t stays
// as it is.
func (t *Table) Decided(d Decision, now refclock.Instant) *Table {
	end := MonthEnd(now)
	from := end.UTC().Seconds
	if left := end.Sub(now); d.Leap == refclock.LeapUnknown || left > AnnouncedFor || left < settledFor {
		return t
	}
	offset := now.TAIMinusUTC
	switch d.Leap {
	case refclock.LeapInsert:
		offset++
	case refclock.LeapDelete:
		offset--
	}
	i := slices.IndexFunc(t.entries, func(e entry) bool { return e.from >= from })
	if i < 0 {
		i = len(t.entries)
	}
	listed := i < len(t.entries) && t.entries[i].from == from
	if listed && t.entries[i].taiMinusUTC == offset || !listed && offset == now.TAIMinusUTC {
		return t
	}
	// What is listed beyond a leap second that is not as listed counts from a wrong offset.
	decided := *t
	decided.entries = slices.Clone(t.entries[:i])
	if offset != now.TAIMinusUTC {
		decided.entries = append(decided.entries, entry{from: from, taiMinusUTC: offset, learned: true})
	}
	return &decided
}

// Learned is a leap second that the sources announced and no list knew of yet. It goes into the state file, so that a
// restart does not lose a second.
type Learned struct {
	// FromPOSIX is the first second with the new offset.
	FromPOSIX int64 `json:"from_posix_seconds"`
	// TAIMinusUTC is that offset.
	TAIMinusUTC int32 `json:"tai_minus_utc_seconds"`
}

// Learned gives what has been decided by vote and is past at now.
func (t *Table) Learned(now refclock.UTC) []Learned {
	var all []Learned
	for _, e := range t.entries {
		if e.learned && e.from <= now.Seconds {
			all = append(all, Learned{e.from, e.taiMinusUTC})
		}
	}
	return all
}

// With gives the table with what was learned before a restart; a list that was written after a leap second knows better.
func (t *Table) With(learned []Learned) *Table {
	with := *t
	with.entries = slices.Clone(t.entries)
	for _, l := range learned {
		last := with.entries[len(with.entries)-1]
		step := l.TAIMinusUTC - last.taiMinusUTC
		if l.FromPOSIX > t.Updated && l.FromPOSIX > last.from && (step == 1 || step == -1) {
			with.entries = append(with.entries, entry{from: l.FromPOSIX, taiMinusUTC: l.TAIMinusUTC, learned: true})
		}
	}
	return &with
}
