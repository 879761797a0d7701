// Package guard keeps what a person should know: the alerts that stand.
package guard

import (
	"sort"
	"sync"

	"timestation/engine/status"
	"timestation/refclock"
)

// Alerts is the list of alerts that stand. It is safe for concurrent use.
type Alerts struct {
	now func() refclock.UTC

	mu       sync.Mutex
	standing []status.Alert
}

// NewAlerts makes an empty list; now is the station's time, zero while it is unknown.
func NewAlerts(now func() refclock.UTC) *Alerts { return &Alerts{now: now} }

// Raise adds an alert, or renews the text of the one with the same code and source, whose Since stays.
func (a *Alerts) Raise(alert status.Alert) {
	now := a.now() // before the lock: it may ask the engine
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := a.find(alert.Code, alert.Source); i >= 0 {
		alert.Since = a.standing[i].Since
		a.standing[i] = alert
		return
	}
	alert.Since = now
	a.standing = append(a.standing, alert)
	sort.SliceStable(a.standing, func(i, j int) bool { return rank(a.standing[i]) > rank(a.standing[j]) })
}

// Clear removes an alert; one that does not stand is no mistake.
func (a *Alerts) Clear(code, source string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := a.find(code, source); i >= 0 {
		a.standing = append(a.standing[:i:i], a.standing[i+1:]...)
	}
}

// List gives the standing alerts, most severe first, older before newer.
func (a *Alerts) List() []status.Alert {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]status.Alert(nil), a.standing...)
}

func (a *Alerts) find(code, source string) int {
	for i, s := range a.standing {
		if s.Code == code && s.Source == source {
			return i
		}
	}
	return -1
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
