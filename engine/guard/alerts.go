// Package guard keeps what a person should know and stands between a lying source and the station's time: the alerts,
// the jump latch, and the comparison of the sources' rates.
package guard

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

const (
	// flapAfter risings within flapWindow make an alert flapping: it is then held until it has been away for calmAfter,
	// so that a loose plug sends one message and not a hundred.
	flapAfter  = 4
	flapWindow = 10 * time.Minute
	calmAfter  = 10 * time.Minute
	// restoreGrace is for how long an alert from before a restart stands without being seen again: whoever raises it
	// needs that long to look. The slowest waits a minute for its sources.
	restoreGrace = 3 * time.Minute
	// maxStanding bounds the list against a room that makes up codes; maxCleared the history.
	maxStanding = 256
	maxCleared  = 200
	// tooMany is the code of the one that says so.
	tooMany = "too-many-alerts"
)

// Alerts is the list of alerts that stand, and the last ones that ended. It is safe for concurrent use.
type Alerts struct {
	now     func() refclock.UTC
	elapsed func() time.Duration

	mu       sync.Mutex
	items    []*item
	cleared  []status.Alert // oldest first
	revision uint64
	journal  journal
	// patience is after how long an alert that nobody has acknowledged is escalated; 0 is never.
	patience time.Duration
}

// item is one alert by code and source. It is kept for a while after it ended, to notice when it flaps.
type item struct {
	alert    status.Alert
	standing bool
	// present: its cause was there when somebody last looked. An absent one stands until the time until, or, when
	// forAPerson, until it is acknowledged.
	present    bool
	until      time.Duration
	forAPerson bool
	restored   bool
	began      time.Duration   // since when it stands
	rose       time.Duration   // when last
	risings    []time.Duration // the last flapAfter
}

// NewAlerts makes an empty list; now is the station's time, zero while it is unknown. How long things last is measured
// by Go's monotonic clock.
func NewAlerts(now func() refclock.UTC) *Alerts {
	began := time.Now()
	return NewAlertsAt(now, func() time.Duration { return time.Since(began) })
}

// NewAlertsAt is NewAlerts for a station in virtual time: elapsed is any clock that never goes back.
func NewAlertsAt(now func() refclock.UTC, elapsed func() time.Duration) *Alerts {
	return &Alerts{now: now, elapsed: elapsed}
}

// Raise adds an alert, or renews the text of the one with the same code and source, whose Since and acknowledgement
// stay. One that becomes more severe must be acknowledged anew.
func (a *Alerts) Raise(alert status.Alert) {
	now, at := a.now(), a.elapsed() // before the lock: they may ask the engine
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settle(now, at)
	it := a.find(alert.Code, alert.Source)
	if it == nil && a.full(alert) {
		alert = overflow()
		it = a.find(alert.Code, alert.Source)
	}
	if it == nil {
		it = &item{}
		a.items = append(a.items, it)
	}
	before, stood := it.alert, it.standing
	it.raise(alert, now, at, &a.revision)
	switch {
	case !stood:
		a.journal.note(Raised, it.worded(), now)
	case rank(it.alert) > rank(before):
		a.journal.note(Worsened, it.worded(), now)
	}
}

func (it *item) raise(alert status.Alert, now refclock.UTC, at time.Duration, revision *uint64) {
	was := it.alert
	alert.Since, alert.Flapping, alert.Escalated, alert.Cleared = was.Since, was.Flapping, was.Escalated, refclock.UTC{}
	alert.AcknowledgedBy, alert.AcknowledgedAt = was.AcknowledgedBy, was.AcknowledgedAt
	if !it.standing {
		alert.Since, alert.Flapping, alert.Escalated = now, false, false
		it.began = at
		alert.AcknowledgedBy, alert.AcknowledgedAt = "", refclock.UTC{}
	} else if rank(alert) > rank(was) {
		if was.AcknowledgedBy != "" {
			alert.Escalated, it.began = false, at
		}
		alert.AcknowledgedBy, alert.AcknowledgedAt = "", refclock.UTC{}
		*revision++
	}
	if !it.present && !it.restored {
		it.rose = at
		it.risings = append(it.risings, at)
		if n := len(it.risings); n > flapAfter {
			it.risings = it.risings[n-flapAfter:]
		}
		if len(it.risings) == flapAfter && at-it.risings[0] <= flapWindow {
			alert.Flapping = true
		}
		*revision++
	}
	it.alert, it.standing, it.present, it.restored = alert, true, true, false
}

// Clear says that an alert's cause is gone; one that does not stand is no mistake. One that flaps, or stands from before
// a restart, stays for a while.
func (a *Alerts) Clear(code, source string) {
	now, at := a.now(), a.elapsed()
	a.mu.Lock()
	defer a.mu.Unlock()
	if it := a.find(code, source); it != nil && it.present {
		it.present, it.until = false, at
		if it.alert.Flapping {
			it.until = at + calmAfter
		}
	}
	a.settle(now, at)
}

// Acknowledge notes that a person, named by, has seen an alert. The alert stands until its cause is gone; one that only
// tells of something past is thereby over. It is an error when no such alert stands.
func (a *Alerts) Acknowledge(code, source, by string) error {
	now, at := a.now(), a.elapsed()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settle(now, at)
	it := a.find(code, source)
	if it == nil || !it.standing {
		about := ""
		if source != "" {
			about = " about " + source
		}
		return fmt.Errorf("no alert %q%s stands; `timestation alerts list` names those that do", code, about)
	}
	if by == "" {
		return fmt.Errorf("alert %q: say who acknowledges it", code)
	}
	it.alert.AcknowledgedBy, it.alert.AcknowledgedAt = by, now
	it.forAPerson = false
	a.revision++
	a.journal.note(Acknowledged, it.worded(), now)
	if entry, known := status.LookupAlert(code); known && entry.Once {
		a.end(it, now)
	}
	a.settle(now, at)
	return nil
}

// List gives the standing alerts, most severe first, older before newer.
func (a *Alerts) List() []status.Alert {
	now, at := a.now(), a.elapsed()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settle(now, at)
	var list []status.Alert
	for _, it := range a.items {
		if it.standing {
			list = append(list, it.worded())
		}
	}
	slices.SortStableFunc(list, func(x, y status.Alert) int { return rank(y) - rank(x) })
	return list
}

// worded gives the alert with what must be said of a text that may not be true at the moment.
func (it *item) worded() status.Alert {
	alert := it.alert
	switch {
	case it.restored:
		alert.Text = "Before the restart: " + alert.Text
	case alert.Flapping && it.present:
		alert.Text = "Comes and goes: " + alert.Text
	case alert.Flapping:
		alert.Text = "Comes and goes, gone at the moment: " + alert.Text
	}
	return alert
}

// Cleared gives the last alerts that ended, newest first.
func (a *Alerts) Cleared() []status.Alert {
	now, at := a.now(), a.elapsed()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settle(now, at)
	list := slices.Clone(a.cleared)
	slices.Reverse(list)
	return list
}

// Revision changes whenever something happened that a restart should remember; a new text alone does not count.
func (a *Alerts) Revision() uint64 {
	now, at := a.now(), a.elapsed()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settle(now, at)
	return a.revision
}

// SavedAlerts is what the state file keeps of the alerts.
type SavedAlerts struct {
	Standing []status.Alert `json:"standing"`
	Cleared  []status.Alert `json:"cleared"`
}

// Save gives what the state file should keep.
func (a *Alerts) Save() SavedAlerts {
	a.mu.Lock()
	defer a.mu.Unlock()
	saved := SavedAlerts{Cleared: slices.Clone(a.cleared)}
	for _, it := range a.items {
		if it.standing {
			saved.Standing = append(saved.Standing, it.alert)
		}
	}
	return saved
}

// Restore takes back what Save gave before a restart; it is called once, before anything is raised. The alerts stand
// again, and end a while later unless their causes are seen again; those of past events stand until acknowledged.
func (a *Alerts) Restore(saved SavedAlerts) {
	at := a.elapsed()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cleared = slices.Clone(saved.Cleared[max(0, len(saved.Cleared)-maxCleared):])
	for _, alert := range saved.Standing {
		if alert.Code == "" || len(a.items) >= maxStanding || a.find(alert.Code, alert.Source) != nil {
			continue // not written by Save
		}
		entry, known := status.LookupAlert(alert.Code)
		it := &item{alert: alert, standing: true, restored: true, until: at + restoreGrace, began: at, rose: at}
		it.forAPerson = known && entry.Once
		if alert.Flapping {
			it.until = at + calmAfter
		}
		a.items = append(a.items, it)
	}
}

// settle ends the alerts whose time has come, and forgets what no longer matters.
func (a *Alerts) settle(now refclock.UTC, at time.Duration) {
	a.items = slices.DeleteFunc(a.items, func(it *item) bool { return !it.standing && at-it.rose > flapWindow })
	for _, it := range a.items {
		if a.patience > 0 && it.standing && !it.alert.Escalated && it.alert.AcknowledgedBy == "" &&
			it.alert.Severity != status.Info && at-it.began >= a.patience {
			it.alert.Escalated = true
			a.revision++
			a.journal.note(Escalated, it.worded(), now)
		}
		switch {
		case it.standing && !it.present && !it.forAPerson && at >= it.until:
			a.end(it, now)
		case it.present && it.alert.Code == tooMany && len(a.items) <= maxStanding/2:
			a.end(it, now)
		case it.present && it.alert.Flapping && at-it.rose >= calmAfter:
			it.alert.Flapping = false // it has come to stay
			it.risings = nil
			a.revision++
		}
	}
}

func (a *Alerts) end(it *item, now refclock.UTC) {
	if it.alert.Flapping {
		it.risings = nil
	}
	it.alert.Cleared = now
	a.journal.note(Cleared, it.alert, now)
	a.cleared = append(a.cleared, it.alert)
	if len(a.cleared) > maxCleared {
		a.cleared = a.cleared[len(a.cleared)-maxCleared:]
	}
	it.standing, it.present, it.restored, it.forAPerson = false, false, false, false
	a.revision++
}

func (a *Alerts) find(code, source string) *item {
	for _, it := range a.items {
		if it.alert.Code == code && it.alert.Source == source {
			return it
		}
	}
	return nil
}

// full tells whether there is no room for a further alert; a critical one always finds room up to twice the bound.
func (a *Alerts) full(alert status.Alert) bool {
	return len(a.items) >= maxStanding && (alert.Severity != status.Critical || len(a.items) >= 2*maxStanding)
}

// overflow is what stands in for the alerts there is no room for.
func overflow() status.Alert {
	return status.Alert{
		Code: tooMany, Severity: status.Warning,
		Text: fmt.Sprintf("More than %d alerts stand or stood a moment ago; further ones are not listed.", maxStanding),
		Mend: "clear up the ones that are listed first",
	}
}

func rank(a status.Alert) int {
	switch a.Severity {
	case status.Critical:
		return 2
	case status.Warning:
		return 1
	}
	return 0
}
