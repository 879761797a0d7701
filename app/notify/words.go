package notify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// words is what the station says to people, in one language.
type words struct {
	language                                                   string
	severity                                                   map[status.Severity]string
	escalated, seen, over, test, demonstration                 string
	summary, summaryStanding, summaryMore, summaryDropped      string
	mend, detail, since, until, at, late, turns, unknown, plot string
}

var english = words{
	language:  "en",
	severity:  map[status.Severity]string{status.Critical: "CRITICAL", status.Warning: "warning", status.Info: "note"},
	escalated: "STILL UNANSWERED", seen: "seen by %s", over: "over", test: "TEST, nothing is wrong", demonstration: "DEMONSTRATION",
	summary: "%d messages in one", summaryStanding: "%d of them of alerts that stand", summaryMore: "and %d more; the status page lists what stands",
	summaryDropped: "%d older ones were dropped: this place was away for too long",
	mend:           "Mend", detail: "In figures", since: "Since", until: "Over at", at: "Happened at",
	late:    "This message is late: it could not be delivered before.",
	turns:   "It came or went %d times since the last message about it; while it goes on, one message an hour tells.",
	unknown: "before the station knew the time",
	plot:    "The last hour: the followed source against the station (line), and the station's error bound (band), at most %s.",
}

var german = words{
	language:  "de",
	severity:  map[status.Severity]string{status.Critical: "KRITISCH", status.Warning: "Warnung", status.Info: "Hinweis"},
	escalated: "NOCH IMMER UNBEANTWORTET", seen: "gesehen von %s", over: "vorbei", test: "PROBE, alles in Ordnung", demonstration: "VORFÜHRUNG",
	summary: "%d Meldungen in einer", summaryStanding: "davon %d zu dem, was noch ansteht", summaryMore: "und %d weitere; die Statusseite zeigt, was ansteht",
	summaryDropped: "%d ältere wurden verworfen: diese Stelle war zu lange nicht erreichbar",
	mend:           "Abhilfe", detail: "In Zahlen", since: "Seit", until: "Vorbei um", at: "Geschehen um",
	late:    "Diese Meldung kommt spät: sie konnte nicht eher zugestellt werden.",
	turns:   "Es kam oder ging %d-mal seit der letzten Meldung dazu; solange das so geht, berichtet eine Meldung in der Stunde.",
	unknown: "bevor die Station die Zeit kannte",
	plot:    "Die letzte Stunde: die verfolgte Quelle gegen die Station (Linie) und die Fehlerschranke der Station (Band), höchstens %s.",
}

// wordsIn gives a language's words; what is not German is English.
func wordsIn(language string) words {
	if language == german.language {
		return german
	}
	return english
}

// headline is a notice in one line, such as a mail's subject: the station, what happened, the alert.
func (w words) headline(n Notice) string {
	what := n.Alert.Code
	if n.Alert.Source != "" {
		what += " " + n.Alert.Source
	}
	severity := w.severity[n.Alert.Severity]
	var text string
	switch n.Kind {
	case Cleared:
		text = w.over + ": " + what
	case Escalated:
		text = severity + ", " + w.escalated + ": " + what
	case Acknowledged:
		text = fmt.Sprintf(w.seen, n.Alert.AcknowledgedBy) + ": " + what
	case Test:
		text = w.test
	case Summary:
		text = w.severity[n.Worst()] + ": " + fmt.Sprintf(w.summary, len(n.Parts)+n.Dropped)
	default:
		text = severity + ": " + what
	}
	if n.Demonstration {
		text = w.demonstration + ": " + text
	}
	return n.Station + ": " + text
}

// item is one labelled line of a notice; a label may be missing.
type item struct{ label, text string }

// items is a notice in full, line by line. now is the station's time, to tell what comes late; zero where unknown.
func (w words) items(n Notice, now refclock.UTC, loc *time.Location) []item {
	if n.Kind == Summary {
		return w.summaryItems(n, loc)
	}
	text, mend := n.Alert.In(w.language)
	items := []item{{"", text}}
	if text != n.Alert.Text {
		items = append(items, item{w.detail, n.Alert.Text})
	}
	if mend != "" && n.Kind != Cleared {
		items = append(items, item{w.mend, mend})
	}
	items = append(items, item{w.since, w.moment(n.Alert.Since, loc)})
	switch n.Kind {
	case Cleared:
		items = append(items, item{w.until, w.moment(n.At, loc)})
	case Test, Raised:
	default:
		items = append(items, item{w.at, w.moment(n.At, loc)})
	}
	if n.Turns > 0 {
		items = append(items, item{"", fmt.Sprintf(w.turns, n.Turns)})
	}
	const lateBy = 2 * 60
	if n.At.Seconds != 0 && now.Seconds-n.At.Seconds > lateBy {
		items = append(items, item{"", w.late})
	}
	return items
}

// summaryItems lists the notices in a summary, the worst first, up to mostParts.
func (w words) summaryItems(n Notice, loc *time.Location) []item {
	parts := slices.Clone(n.Parts)
	slices.SortStableFunc(parts, func(a, b Notice) int { return cmp.Compare(rank(b.Alert.Severity), rank(a.Alert.Severity)) })
	standing := 0
	for _, p := range parts {
		if p.Standing() {
			standing++
		}
	}
	items := []item{{"", fmt.Sprintf(w.summaryStanding, standing)}}
	for _, p := range parts[:min(len(parts), mostParts)] {
		p.Station, p.Demonstration = "", false
		text, _ := p.Alert.In(w.language)
		items = append(items, item{w.moment(p.At, loc), strings.TrimPrefix(w.headline(p), ": ") + ". " + text})
	}
	if more := len(parts) - mostParts; more > 0 {
		items = append(items, item{"", fmt.Sprintf(w.summaryMore, more)})
	}
	if n.Dropped > 0 {
		items = append(items, item{"", fmt.Sprintf(w.summaryDropped, n.Dropped)})
	}
	return items
}

// plain is the notice as lines of text.
func (w words) plain(n Notice, now refclock.UTC, loc *time.Location) string {
	var b strings.Builder
	for _, i := range w.items(n, now, loc) {
		if i.label != "" {
			b.WriteString(i.label + ": ")
		}
		b.WriteString(i.text + "\n")
	}
	return b.String()
}

// moment is a time as UTC and, where that differs, as the wall shows it.
func (w words) moment(u refclock.UTC, loc *time.Location) string {
	if u.Seconds == 0 {
		return w.unknown
	}
	utc, _, _ := strings.Cut(u.String(), ".")
	utc = strings.Replace(utc, "T", " ", 1) + " UTC"
	local := u.Time().In(loc)
	if _, offset := local.Zone(); offset == 0 {
		return utc
	}
	hour, minute, second := u.Clock(loc)
	return fmt.Sprintf("%s (%02d:%02d:%02d %s)", utc, hour, minute, second, local.Format("MST"))
}
