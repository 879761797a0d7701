package leap

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"timestation/refclock"
)

// Kind says what stands behind a notice.
type Kind uint8

const (
	// Satellites: a GNSS receiver, whose navigation message announces leap seconds weeks ahead.
	Satellites Kind = iota
	// LongWave is DCF77: it announces in the last hour only, and has no way to announce a deletion.
	LongWave
	// List is the leap-seconds.list in use.
	List
	// Operator is the person who wrote the configuration.
	Operator
)

// Notice is what a source says of the end of the present month.
type Notice struct {
	Source string
	// Receiver is the hardware behind it: notices that share one are one voice.
	Receiver string
	Kind     Kind
	Leap     refclock.LeapNotice
}

// Decision is what the sources say together.
type Decision struct {
	// Leap is LeapUnknown where nobody knows. LeapInsert and LeapDelete are only ever said on the month's last day, LeapNone
	// on all others.
	Leap refclock.LeapNotice
	// At is the first instant that differs: the start of 23:59:60, or of the 00:00:00 that comes in place of 23:59:59. Without
	// a leap second it is the end of the month.
	At refclock.Instant
	// Disputed: voices with information contradict each other, and a person should look at it.
	Disputed bool
	// Explanation says who voted for what, in one sentence.
	Explanation string
}

// longWaveReady is how far into the last hour DCF77's announcement bit has been heard and decoded: it is first sent in
// the hour's first minute (PTB, "Zeitcode DCF77": bit A2, during one hour before the leap).
const longWaveReady = 3 * time.Minute

// Vote decides by majority. now must carry the TAI−UTC in force. Sources without information abstain. A tie goes to the
// list, if it speaks, else to the operator, else to no leap second: an announcement that half of the voices do not know
// of has always been a fault of a receiver. A long-wave receiver that is alone in announcing is disputed. NTP servers have no vote: too many of them pass on what they were once told.
func Vote(notices []Notice, now refclock.Instant) Decision {
	end := MonthEnd(now)
	left := end.Sub(now)
	decision := Decision{At: end}
	var insert, remove, none, abstain []string
	word := map[Kind]refclock.LeapNotice{}
	heavy := false // somebody but a radio has information
	for _, n := range voices(notices) {
		word[n.Kind] = n.Leap
		heavy = heavy || n.Kind != LongWave && n.Leap != refclock.LeapUnknown
		switch {
		case n.Kind == LongWave && (left > time.Hour-longWaveReady || n.Leap == refclock.LeapDelete):
			abstain = append(abstain, n.Source)
		case n.Leap == refclock.LeapInsert:
			insert = append(insert, n.Source)
		case n.Leap == refclock.LeapDelete:
			remove = append(remove, n.Source)
		case n.Leap == refclock.LeapNone && n.Kind == LongWave && len(insertions(notices)) == 0:
			abstain = append(abstain, n.Source) // it could not have announced a deletion
		case n.Leap == refclock.LeapNone:
			none = append(none, n.Source)
		default:
			abstain = append(abstain, n.Source)
		}
	}
	informed := len(insert) + len(remove) + len(none)
	decision.Disputed = len(insert) != informed && len(remove) != informed && len(none) != informed
	switch {
	case informed == 0:
		decision.Leap = refclock.LeapUnknown
	case !heavy && informed == 1 && len(none) == 0:
		// One bit of one radio telegram is not enough to move every clock in the house by a second.
		decision.Leap, decision.Disputed = refclock.LeapNone, true
	case 2*len(insert) > informed:
		decision.Leap = refclock.LeapInsert
	case 2*len(remove) > informed:
		decision.Leap = refclock.LeapDelete
	case 2*len(none) > informed:
		decision.Leap = refclock.LeapNone
	case word[List] != refclock.LeapUnknown:
		decision.Leap = word[List]
	case word[Operator] != refclock.LeapUnknown:
		decision.Leap = word[Operator]
	default:
		decision.Leap = refclock.LeapNone
	}
	decision.Explanation = explain(decision, end, insert, remove, none, abstain)
	if decision.Leap == refclock.LeapDelete {
		decision.At = end.Add(-time.Second)
	}
	if left > AnnouncedFor && decision.Leap != refclock.LeapUnknown {
		decision.Leap = refclock.LeapNone
	}
	return decision
}

// voices gives one notice a voice, in a steady order: sources of one receiver that contradict each other abstain.
func voices(notices []Notice) []Notice {
	var all []Notice
	for _, n := range notices {
		i := slices.IndexFunc(all, func(o Notice) bool { return n.Receiver != "" && o.Receiver == n.Receiver && o.Kind == n.Kind })
		switch {
		case i < 0:
			all = append(all, n)
		case n.Leap == refclock.LeapUnknown || n.Leap == all[i].Leap:
		case all[i].Leap == refclock.LeapUnknown:
			all[i].Source, all[i].Leap = n.Source, n.Leap
		default:
			all[i].Leap = contradicts
		}
	}
	slices.SortStableFunc(all, func(a, b Notice) int { return strings.Compare(a.Source, b.Source) })
	return all
}

// contradicts is the word of a receiver whose sources contradict each other: none, and it stays so.
const contradicts refclock.LeapNotice = 255

func insertions(notices []Notice) []Notice {
	return slices.DeleteFunc(slices.Clone(notices), func(n Notice) bool { return n.Leap != refclock.LeapInsert })
}

func explain(d Decision, end refclock.Instant, insert, remove, none, abstain []string) string {
	var parts []string
	say := func(names []string, what string) {
		if len(names) > 0 {
			parts = append(parts, strings.Join(names, ", ")+": "+what)
		}
	}
	say(insert, "an inserted second")
	say(remove, "a deleted second")
	say(none, "none")
	say(abstain, "no word")
	what := map[refclock.LeapNotice]string{
		refclock.LeapInsert: "a leap second is inserted", refclock.LeapDelete: "a second is left out",
		refclock.LeapNone: "no leap second", refclock.LeapUnknown: "it is not known whether there is a leap second",
	}[d.Leap]
	text := fmt.Sprintf("%s at the end of %s", what, end.Add(-time.Second).UTC().Time().Format("2006-01-02"))
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, "; ") + ")"
	}
	return text
}

// MonthEnd is where a leap second at the end of now's month begins or would begin: 24:00 under the offset now in force.
// Inside a leap second it is that of the month that ends with it.
func MonthEnd(now refclock.Instant) refclock.Instant {
	t := now.UTC().Time()
	next := refclock.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0)
	return next.Instant(now.TAIMinusUTC)
}
