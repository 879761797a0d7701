package guard

import (
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// What says what happened to an alert.
type What string

// What may happen to an alert.
const (
	Raised       What = "raised"
	Worsened     What = "worsened"
	Escalated    What = "escalated"
	Acknowledged What = "acknowledged"
	Cleared      What = "cleared"
)

// Change is something that happened to an alert. A new text alone is none, and neither is a restart.
type Change struct {
	// Number rises by one with each.
	Number uint64
	What   What
	// Alert is as it was then.
	Alert status.Alert
	// At is the station's time then; zero while it was unknown.
	At refclock.UTC
}

// maxJournal bounds the changes that are kept for whoever reads them next.
const maxJournal = 1024

// journal is the last changes, oldest first.
type journal struct {
	last    uint64
	changes []Change
}

func (j *journal) note(what What, alert status.Alert, at refclock.UTC) {
	j.last++
	j.changes = append(j.changes, Change{j.last, what, alert, at})
	if n := len(j.changes); n >= 2*maxJournal {
		j.changes = append(j.changes[:0], j.changes[n-maxJournal:]...)
	}
}

// Changes gives what happened after the change with that number, oldest first, as far as it is kept: at least the last
// 1024. Zero is before the first. A gap in the numbers tells that some were lost.
func (a *Alerts) Changes(after uint64) []Change {
	now, at := a.now(), a.elapsed()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settle(now, at)
	if after >= a.journal.last {
		return nil
	}
	n := min(a.journal.last-after, uint64(len(a.journal.changes)))
	return append([]Change(nil), a.journal.changes[uint64(len(a.journal.changes))-n:]...)
}

// EscalateAfter has alerts that are worse than Info escalated when they have stood for that long and nobody has
// acknowledged them; 0, the default, is never.
func (a *Alerts) EscalateAfter(patience time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.patience = patience
}
