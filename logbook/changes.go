package logbook

import (
	"fmt"
	"slices"

	"timestation/engine/status"
	"timestation/refclock"
)

// seen is what the logbook last saw of the station, so that it can tell what changed.
type seen struct {
	state    status.State
	selected string
	stratum  uint8
	leap     string
	sources  map[string]status.SourceState
	alerts   []status.Alert
}

// changes compares a status with what was last seen, and remembers it.
func (s *seen) changes(st *status.Status, stamp refclock.Stamp) []record {
	r := st.At(stamp)
	m := momentOf(r, stamp)
	var found []record
	add := func(kind, source, text string) {
		found = append(found, Event{Moment: m, Kind: kind, Source: source, Text: text})
	}

	if r.State != s.state {
		text := was(string(r.State), string(s.state))
		if reason := st.Reason; reason != "" {
			text += ": " + reason
		} else if r.Reason != "" {
			text += ": " + r.Reason
		}
		add(EventState, "", text)
		s.state = r.State
	}
	if selected := followed(st, r); selected != s.selected {
		add(EventSelected, selected, was(orNone(selected), orNone(s.selected)))
		s.selected = selected
	}
	if r.Stratum != s.stratum {
		add(EventStratum, "", was(fmt.Sprint(r.Stratum), stratumText(s.stratum)))
		s.stratum = r.Stratum
	}
	if leap := leapText(st, r); leap != s.leap {
		add(EventLeap, "", was(leap, s.leap))
		s.leap = leap
	}
	s.sourceChanges(st, add)
	s.alertChanges(st, add)
	return found
}

func (s *seen) sourceChanges(st *status.Status, add func(kind, source, text string)) {
	now := make(map[string]status.SourceState, len(st.Sources))
	for _, source := range st.Sources {
		if now[source.Name] = source.State; source.State == s.sources[source.Name] {
			continue
		}
		text := was(string(source.State), string(s.sources[source.Name]))
		if source.Explanation != "" {
			text += ": " + source.Explanation
		}
		add(EventSourceState, source.Name, text)
	}
	s.sources = now
}

func (s *seen) alertChanges(st *status.Status, add func(kind, source, text string)) {
	for _, a := range st.Alerts {
		// The text may carry a figure that moves; only the severity makes it news.
		if slices.ContainsFunc(s.alerts, func(b status.Alert) bool { return same(a, b) && a.Severity == b.Severity }) {
			continue
		}
		text := fmt.Sprintf("%s, %s: %s", a.Code, a.Severity, a.Text)
		if a.Mend != "" {
			text += "; " + a.Mend
		}
		add(EventAlertRaised, a.Source, text)
	}
	for _, b := range s.alerts {
		if !slices.ContainsFunc(st.Alerts, func(a status.Alert) bool { return same(a, b) }) {
			add(EventAlertCleared, b.Source, b.Code)
		}
	}
	s.alerts = st.Alerts
}

func same(a, b status.Alert) bool { return a.Code == b.Code && a.Source == b.Source }

func leapText(st *status.Status, r status.Reading) string {
	text := status.LeapText(r.Leap)
	if r.Leap == refclock.LeapInsert || r.Leap == refclock.LeapDelete {
		text += " at " + st.LeapAt.UTC().String()
	}
	return text
}

func was(now, before string) string {
	if before == "" {
		return now
	}
	return now + " (was " + before + ")"
}

func orNone(name string) string {
	if name == "" {
		return "none"
	}
	return name
}

func stratumText(stratum uint8) string {
	if stratum == 0 {
		return ""
	}
	return fmt.Sprint(stratum)
}
