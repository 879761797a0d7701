package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"timestation/engine/leap"
	"timestation/engine/status"
	"timestation/refclock"
)

// announced is a leap second that the operator wrote into the configuration.
type announced struct {
	notice      refclock.LeapNotice
	year, month int
}

// parseLeapSecond reads "insert 2027-06-30" or "delete 2027-06-30"; empty is none.
func parseLeapSecond(text string) (a announced, err error) {
	if text == "" {
		return a, nil
	}
	word, date, _ := strings.Cut(text, " ")
	switch word {
	case "insert":
		a.notice = refclock.LeapInsert
	case "delete":
		a.notice = refclock.LeapDelete
	}
	day, err := time.Parse("2006-01-02", strings.TrimSpace(date))
	if err != nil || a.notice == refclock.LeapUnknown {
		return a, fmt.Errorf(`%q is not "insert" or "delete" and a date; write for instance "insert 2027-06-30"`, text)
	}
	if day.AddDate(0, 0, 1).Day() != 1 {
		return a, fmt.Errorf("%s is not the last day of a month, where leap seconds are", date)
	}
	a.year, a.month = day.Year(), int(day.Month())
	return a, nil
}

// tellLeap lets the sources vote on the end of the month, and puts the outcome into the model. What they decide is part of
// the station's table from then on.
func (e *Engine) tellLeap(s *status.Status) {
	now := s.EpochInstant
	notices := []leap.Notice{e.options.Leap.Notice(now)}
	end := leap.MonthEnd(now).Add(-time.Second).UTC().Time()
	if a := e.announced; a.notice != refclock.LeapUnknown && a.year == end.Year() && a.month == int(end.Month()) {
		notices = append(notices, leap.Notice{Source: "configuration", Kind: leap.Operator, Leap: a.notice})
	}
	for _, src := range e.sources {
		// One that fell silent on the last evening has said its word; one that is not believed has none.
		fresh := time.Duration(e.last.Raw-src.leapRaw) < leap.AnnouncedFor && src.verdict != status.Falseticker
		if kind, votes := src.leapKind(); votes && src.leap != refclock.LeapUnknown && fresh {
			notices = append(notices, leap.Notice{Source: src.Name, Receiver: src.Receiver, Kind: kind, Leap: src.leap})
		}
	}
	decision := leap.Vote(notices, now)
	e.disputed = ""
	if decision.Disputed {
		e.disputed = decision.Explanation
	}
	if e.locked != 0 {
		if decided := e.leaps.Decided(decision, now); decided != e.leaps {
			e.useLeaps(decided)
			e.saveSoon = true
		}
	}
	s.EpochInstant = e.leaps.FromTAI(now.TAI)
	s.Leap, s.LeapAt = e.leaps.Next(s.EpochInstant)
	s.LastLeap, s.LastLeapAt = e.leaps.Last(s.EpochInstant)
	if s.Leap == refclock.LeapUnknown {
		s.Leap = decision.Leap
	}
}

// useLeaps makes a table the one that everything goes by.
func (e *Engine) useLeaps(t *leap.Table) {
	e.leaps = t
	e.published.Store(t)
}

// TAIMinusUTC is the offset in seconds in force at u, by the list and what the sources have decided since. It may be asked
// from any goroutine.
func (e *Engine) TAIMinusUTC(u refclock.UTC) int32 { return e.published.Load().TAIMinusUTC(u) }

// UseLeapList takes a newer list; what the sources decided and it does not know yet stays.
func (e *Engine) UseLeapList(ctx context.Context, list *leap.Table) error {
	var err error
	e.ask(ctx, &err, func() error {
		learned := e.leaps.Learned(e.utc())
		e.options.Leap = list
		e.useLeaps(list.With(learned))
		return nil
	})
	return err
}

// leapKind is what stands behind the source's leap notices, and whether it has a vote: servers only pass on what they
// were told, and pulses say nothing.
func (s *source) leapKind() (leap.Kind, bool) {
	switch s.Driver {
	case "dcf77", "msf60", "wwvb", "jjy", "radio":
		return leap.LongWave, true
	case "ntp", "server", "pps", "pulse":
		return 0, false
	}
	return leap.Satellites, true
}
