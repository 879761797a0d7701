package guard

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// watchman is a list of alerts in virtual time.
type watchman struct {
	*Alerts
	at time.Duration
}

func newWatchman() *watchman {
	w := &watchman{}
	w.Alerts = NewAlertsAt(w.utc, func() time.Duration { return w.at })
	return w
}

func (w *watchman) utc() refclock.UTC {
	now := refclock.Date(2026, 11, 22, 12, 0, 0, 0)
	now.Seconds += int64(w.at / time.Second)
	return now
}

var lost = status.Alert{Code: "source-lost", Source: "gps0", Severity: status.Warning, Text: "gps0 is lost."}

func TestAlertsStandUntilCleared(t *testing.T) {
	w := newWatchman()
	w.Raise(lost)
	began := w.utc()
	w.at += time.Minute
	w.Raise(status.Alert{Code: "unsynchronised", Severity: status.Critical})
	second := lost
	second.Text = "second"
	w.Raise(second)
	second.Source = "gps1"
	w.Raise(second)

	list := w.List()
	if len(list) != 3 || list[0].Code != "unsynchronised" || list[1].Source != "gps0" || list[2].Source != "gps1" {
		t.Fatalf("the most severe comes first, then the oldest: %+v", list)
	}
	if list[1].Text != "second" || list[1].Since != began {
		t.Errorf("a renewed alert keeps its beginning and takes the new text: %+v", list[1])
	}
	w.at += time.Minute
	w.Clear("source-lost", "gps0")
	w.Clear("source-lost", "never-raised")
	if left := w.List(); len(left) != 2 || left[1].Source != "gps1" {
		t.Errorf("after clearing: %+v", left)
	}
	if list[1].Source != "gps0" {
		t.Error("clearing changed a list that was handed out")
	}
	if over := w.Cleared(); len(over) != 1 || over[0].Since != began || over[0].Cleared != w.utc() {
		t.Errorf("history: %+v", over)
	}
}

func TestAcknowledge(t *testing.T) {
	w := newWatchman()
	w.Raise(lost)
	for _, wrong := range [][3]string{{"source-lost", "gps1", "anna"}, {"no-such", "", "anna"}, {"source-lost", "gps0", ""}} {
		if err := w.Acknowledge(wrong[0], wrong[1], wrong[2]); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: %v", wrong, err)
		}
	}
	w.at += time.Minute
	revision := w.Revision()
	if err := w.Acknowledge("source-lost", "gps0", "anna"); err != nil || w.Revision() == revision {
		t.Fatalf("%v, revision %d", err, w.Revision())
	}
	w.Raise(lost)
	if a := w.List()[0]; a.AcknowledgedBy != "anna" || a.AcknowledgedAt != w.utc() {
		t.Errorf("acknowledged and seen again: %+v", a)
	}
	worse := lost
	worse.Severity = status.Critical
	w.Raise(worse)
	if a := w.List()[0]; a.AcknowledgedBy != "" {
		t.Errorf("grown worse, and still said to be seen: %+v", a)
	}
	if err := w.Acknowledge("source-lost", "gps0", "ben"); err != nil {
		t.Fatal(err)
	}
	w.Clear("source-lost", "gps0")
	w.at += time.Hour
	w.Raise(lost)
	if a := w.List()[0]; a.AcknowledgedBy != "" || a.Since != w.utc() {
		t.Errorf("raised anew: %+v", a)
	}
	if over := w.Cleared(); over[0].AcknowledgedBy != "ben" {
		t.Errorf("history: %+v", over)
	}
	w.Raise(status.Alert{Code: "logbook-damaged", Source: "logbook", Severity: status.Warning})
	if err := w.Acknowledge("logbook-damaged", "logbook", "anna"); err != nil || len(w.List()) != 1 {
		t.Errorf("what only tells of something past ends when seen: %v, %+v", err, w.List())
	}
}

// A loose plug: one alert that says so, one end, and the acknowledgement holds in between.
func TestFlapping(t *testing.T) {
	w := newWatchman()
	for i := range 100 {
		w.Raise(lost)
		if i == 50 {
			if err := w.Acknowledge("source-lost", "gps0", "anna"); err != nil {
				t.Fatal(err)
			}
		}
		w.at += 5 * time.Second
		w.Clear("source-lost", "gps0")
		w.at += 5 * time.Second
	}
	list := w.List()
	if len(list) != 1 || !list[0].Flapping || !strings.HasPrefix(list[0].Text, "Comes and goes, gone at the moment: gps0") ||
		list[0].AcknowledgedBy != "anna" {
		t.Fatalf("it does not say that it comes and goes: %+v", list)
	}
	if n := len(w.Cleared()); n != flapAfter-1 {
		t.Errorf("it ended %d times", n)
	}
	w.at += calmAfter
	if left := w.List(); len(left) != 0 {
		t.Errorf("it has been away for long: %+v", left)
	}
	if over := w.Cleared(); len(over) != flapAfter || !over[0].Flapping {
		t.Errorf("history: %+v", over)
	}
	// One that comes to stay is an ordinary alert again.
	for range flapAfter {
		w.Clear("source-lost", "gps0")
		w.Raise(lost)
	}
	if !w.List()[0].Flapping {
		t.Error("not flapping")
	}
	for range 60 {
		w.at += calmAfter / 50
		w.Raise(lost)
	}
	if a := w.List()[0]; a.Flapping || a.Text != lost.Text {
		t.Errorf("it has stood for long: %+v", a)
	}
	w.Clear("source-lost", "gps0")
	if left := w.List(); len(left) != 0 {
		t.Errorf("cleared: %+v", left)
	}
}

// Now and then is not flapping.
func TestRareAlertsAreNotDamped(t *testing.T) {
	w := newWatchman()
	for range 50 {
		w.Raise(lost)
		if w.List()[0].Flapping {
			t.Fatal("flapping")
		}
		w.at += 2 * time.Minute
		w.Clear("source-lost", "gps0")
		if len(w.List()) != 0 {
			t.Fatal("held")
		}
		w.at += 2 * time.Minute
	}
}

// A power cut clears nothing: what was acknowledged, since when, and the history come back from the state file's JSON.
func TestPowerCut(t *testing.T) {
	w := newWatchman()
	w.Raise(lost)
	w.Raise(status.Alert{Code: "holdover", Severity: status.Warning, Text: "Holdover."})
	w.Raise(status.Alert{Code: "logbook-damaged", Source: "logbook", Severity: status.Warning, Text: "Damaged."})
	if err := w.Acknowledge("source-lost", "gps0", "anna"); err != nil {
		t.Fatal(err)
	}
	w.Raise(status.Alert{Code: "falseticker", Source: "dcf77", Severity: status.Warning})
	w.Clear("falseticker", "dcf77")
	text, err := json.Marshal(w.Save())
	if err != nil {
		t.Fatal(err)
	}
	before, over := w.List(), w.Cleared()

	var saved SavedAlerts
	if err := json.Unmarshal(text, &saved); err != nil {
		t.Fatal(err)
	}
	w = newWatchman()
	w.at = time.Hour // another clock altogether
	w.Restore(saved)
	after := w.List()
	if len(after) != 3 || !reflect.DeepEqual(over, w.Cleared()) {
		t.Fatalf("after: %+v, history %+v", after, w.Cleared())
	}
	for i := range after {
		if want := "Before the restart: " + before[i].Text; after[i].Text != want {
			t.Errorf("%q, want %q", after[i].Text, want)
		}
		after[i].Text = before[i].Text
	}
	if !reflect.DeepEqual(before, after) {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	// The engine looks at all sources five times a second, before any of them can have been heard.
	w.Clear("source-lost", "gps0")
	w.Clear("holdover", "")
	if len(w.List()) != 3 {
		t.Error("an alert ended only because the station had just started")
	}
	w.at += 30 * time.Second
	w.Raise(lost) // it is still lost
	if a := find(w.List(), "source-lost"); a.Since != before[0].Since || a.AcknowledgedBy != "anna" || a.Text != lost.Text {
		t.Errorf("seen again: %+v", a)
	}
	w.at += restoreGrace
	if left := w.List(); len(left) != 2 || find(left, "holdover").Code != "" {
		t.Errorf("what was not seen again: %+v", left)
	}
	w.Clear("source-lost", "gps0")
	w.at += 24 * time.Hour
	if left := w.List(); len(left) != 1 || left[0].Code != "logbook-damaged" {
		t.Errorf("what waits for a person: %+v", left)
	}
	if err := w.Acknowledge("logbook-damaged", "logbook", "anna"); err != nil || len(w.List()) != 0 {
		t.Errorf("acknowledged: %v, %+v", err, w.List())
	}
}

func find(list []status.Alert, code string) status.Alert {
	for _, a := range list {
		if a.Code == code {
			return a
		}
	}
	return status.Alert{}
}

// A room that makes up codes fills neither the memory nor the screen, and a critical alert is still heard.
func TestFloodOfAlerts(t *testing.T) {
	w := newWatchman()
	for i := range 10_000 {
		w.Raise(status.Alert{Code: fmt.Sprint("made-up-", i), Severity: status.Info})
		w.at += time.Millisecond
	}
	w.Raise(status.Alert{Code: "unsynchronised", Severity: status.Critical})
	list := w.List()
	if len(list) != maxStanding+2 || list[0].Code != "unsynchronised" || list[1].Code != tooMany {
		t.Fatalf("%d alerts, first %+v, %+v", len(list), list[0], list[1])
	}
	for i := range 10_000 {
		w.Clear(fmt.Sprint("made-up-", i), "")
	}
	w.at += flapWindow + time.Minute
	if left := w.List(); len(left) != 1 || len(w.Cleared()) != maxCleared {
		t.Errorf("left: %+v, history of %d", left, len(w.Cleared()))
	}
}

func TestAlertsFromManyRooms(t *testing.T) {
	a := NewAlerts(func() refclock.UTC { return refclock.UTC{} })
	var wait sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		wait.Go(func() {
			for i := range 200 {
				a.Raise(status.Alert{Code: "x", Source: fmt.Sprint(name, i)})
				a.List()
				a.Clear("x", fmt.Sprint(name, i))
				_ = a.Acknowledge("x", name, "anna")
				a.Save()
			}
		})
	}
	wait.Wait()
	if left := a.List(); len(find(left, "x").Code) != 0 {
		t.Errorf("left: %+v", left)
	}
}

// Whatever happens, in whatever order, the list keeps its promises.
func FuzzAlerts(f *testing.F) {
	f.Fuzz(func(t *testing.T, moves []byte) {
		if len(moves) > 400 {
			return
		}
		w := newWatchman()
		raised := map[string]bool{}
		clearedAt := map[string]time.Duration{}
		for _, m := range moves {
			code := string(rune('a' + m>>4&3))
			switch m & 7 {
			case 0, 1:
				w.Raise(status.Alert{Code: code, Severity: []status.Severity{status.Info, status.Critical}[m>>6&1], Text: "x"})
				raised[code] = true
			case 2, 3:
				if raised[code] {
					clearedAt[code] = w.at
				}
				w.Clear(code, "")
				raised[code] = false
			case 4:
				_ = w.Acknowledge(code, "", "anna")
			case 5:
				w.at += time.Duration(m>>4) * 20 * time.Second
			case 6:
				w.at += 20 * time.Minute
			case 7:
				saved := w.Save()
				w.Alerts = NewAlertsAt(w.utc, func() time.Duration { return w.at })
				w.Restore(saved)
				for c := range raised {
					if raised[c] {
						w.Raise(status.Alert{Code: c, Text: "x"})
					} else {
						clearedAt[c] = w.at
					}
				}
			}
			seen := map[string]bool{}
			for i, a := range w.List() {
				if seen[a.Code] {
					t.Fatalf("%s stands twice", a.Code)
				}
				seen[a.Code] = true
				if i > 0 && rank(w.List()[i-1]) < rank(a) {
					t.Fatal("a less severe one before a more severe one")
				}
				if a.Text == "x" && !raised[a.Code] {
					t.Fatalf("%s is said as if it were so", a.Code)
				}
				if !raised[a.Code] && w.at-clearedAt[a.Code] > calmAfter {
					t.Fatalf("%s was cleared %v ago and stands", a.Code, w.at-clearedAt[a.Code])
				}
			}
			for c := range raised {
				if raised[c] && !seen[c] {
					t.Fatalf("%s was raised and does not stand", c)
				}
			}
			if len(w.Cleared()) > maxCleared {
				t.Fatal("the history grows")
			}
		}
	})
}

// Whoever tells people reads what happened, once each and in order, whatever a restart or a new text does.
func TestChanges(t *testing.T) {
	w := newWatchman()
	w.EscalateAfter(15 * time.Minute)
	read := uint64(0)
	news := func() (words string) {
		for _, c := range w.Changes(read) {
			read = c.Number
			words += fmt.Sprintf("%s %s %s; ", c.What, c.Alert.Code, c.Alert.Severity)
			if c.At.Seconds == 0 {
				t.Errorf("%+v does not say when", c)
			}
		}
		return words
	}
	expect := func(want string) {
		t.Helper()
		if got := news(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	w.Raise(lost)
	w.Raise(lost)
	renewed := lost
	renewed.Text = "another figure"
	w.Raise(renewed)
	expect("raised source-lost warning; ")
	w.at += 15*time.Minute - time.Second
	expect("")
	w.at += time.Second
	expect("escalated source-lost warning; ")
	w.at += time.Hour
	expect("")
	if err := w.Acknowledge("source-lost", "gps0", "anna"); err != nil {
		t.Fatal(err)
	}
	worse := lost
	worse.Severity = status.Critical
	w.Raise(worse)
	expect("acknowledged source-lost warning; worsened source-lost critical; ")
	w.at += 15 * time.Minute
	expect("escalated source-lost critical; ")
	saved := w.Save()

	again := newWatchman()
	again.Restore(saved)
	again.EscalateAfter(15 * time.Minute)
	again.Raise(worse)
	again.at += 20 * time.Minute
	if c := again.Changes(0); len(c) != 0 {
		t.Errorf("a restart is news: %+v", c)
	}
	w.Clear("source-lost", "gps0")
	expect("cleared source-lost critical; ")
	w.Raise(status.Alert{Code: "just-so", Severity: status.Info})
	w.at += time.Hour
	expect("raised just-so info; ")

	for range 3 * maxJournal {
		w.Raise(lost)
		w.Clear("source-lost", "gps0")
		w.at += 20 * time.Minute
	}
	changes := w.Changes(read)
	if len(changes) < maxJournal || len(changes) > 2*maxJournal || changes[0].Number == read+1 {
		t.Errorf("%d changes are kept, the first is number %d after %d", len(changes), changes[0].Number, read)
	}
}
