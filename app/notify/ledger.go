package notify

import (
	"slices"
	"time"

	"timestation/engine/guard"
	"timestation/engine/status"
	"timestation/refclock"
)

// maxRecords bounds the ledger: more than guard ever lets stand, and those that ended lately.
const maxRecords = 2048

// record is what is known, and what was said, of one alert.
type record struct {
	Alert    status.Alert `json:"alert"`
	Standing bool         `json:"standing"`
	// At is when it last changed.
	At refclock.UTC `json:"at,omitzero"`
	// Worst is the greatest severity while it stood.
	Worst status.Severity `json:"worst"`
	// Turns is how often it came or went unsaid; News that there is anything unsaid.
	Turns int  `json:"turns,omitempty"`
	News  bool `json:"news,omitempty"`

	Told  told  `json:"told"`
	Purse purse `json:"purse"`

	happened time.Time
}

// told is what was last said of an alert.
type told struct {
	Standing     bool            `json:"standing,omitempty"`
	Severity     status.Severity `json:"severity,omitempty"`
	Escalated    bool            `json:"escalated,omitempty"`
	Acknowledged string          `json:"acknowledged,omitempty"`
	// Worst is the greatest severity that was said since there was last nothing new for long.
	Worst status.Severity `json:"worst,omitempty"`
}

// ledger is all records, in the order in which they were begun.
type ledger struct{ records []*record }

func (l *ledger) find(code, source string) *record {
	for _, r := range l.records {
		if r.Alert.Code == code && r.Alert.Source == source {
			return r
		}
	}
	return nil
}

// happen enters a change.
func (l *ledger) happen(c guard.Change, now time.Time) {
	r := l.find(c.Alert.Code, c.Alert.Source)
	if r == nil {
		r = &record{Purse: purse{Left: perAlert.most}}
		l.records = append(l.records, r)
		l.bound()
	}
	standing := c.What != guard.Cleared
	if standing != r.Standing {
		r.Turns++
	}
	if standing && !r.Standing || rank(c.Alert.Severity) > rank(r.Worst) {
		r.Worst = c.Alert.Severity
	}
	r.Alert, r.Standing, r.At, r.News, r.happened = c.Alert, standing, c.At, true, now
}

// bound forgets the oldest that ended.
func (l *ledger) bound() {
	for i := 0; len(l.records) > maxRecords && i < len(l.records)-1; i++ {
		if !l.records[i].Standing {
			l.records = slices.Delete(l.records, i, i+1)
			return
		}
	}
}

// match enters what a look at the list of alerts shows that no change told: those from before the places were told of
// any, and with gone those that have vanished, as after a state file was lost.
func (l *ledger) match(standing []status.Alert, gone bool, at refclock.UTC, now time.Time) {
	for _, a := range standing {
		r := l.find(a.Code, a.Source)
		if r == nil || !r.Standing {
			l.happen(guard.Change{What: guard.Raised, Alert: a, At: a.Since}, now)
		}
	}
	for _, r := range l.records {
		if gone && r.Standing && !slices.ContainsFunc(standing, func(a status.Alert) bool {
			return a.Code == r.Alert.Code && a.Source == r.Alert.Source
		}) {
			over := r.Alert
			over.Cleared = at
			l.happen(guard.Change{What: guard.Cleared, Alert: over, At: at}, now)
		}
	}
}

// say gives the notices that are due, without ID and Station, each with the record it is about.
func (l *ledger) say(now time.Time, each func(Notice, *record)) {
	for _, r := range l.records {
		r.Purse.refill(perAlert, now)
		if r.Purse.Left >= perAlert.most && !r.News {
			r.Told.Worst = r.Told.Severity
		}
		if !r.News {
			continue
		}
		kind := r.kind()
		if kind == "" {
			r.News, r.Turns = false, 0
			continue
		}
		worse := r.Standing && rank(r.Alert.Severity) > rank(r.Told.Worst)
		if r.Purse.whole() < 1 && !worse {
			continue // it is said when there is room, as it then is
		}
		n := Notice{Kind: kind, Alert: r.Alert, At: r.At, happened: r.happened}
		if r.Turns > 1 {
			n.Turns = r.Turns
		}
		r.Purse.spend()
		r.Told = told{r.Standing, r.Alert.Severity, r.Alert.Escalated, r.Alert.AcknowledgedBy, r.Told.Worst}
		if rank(r.Alert.Severity) > rank(r.Told.Worst) {
			r.Told.Worst = r.Alert.Severity
		}
		r.News, r.Turns = false, 0
		each(n, r)
	}
	l.records = slices.DeleteFunc(l.records, func(r *record) bool {
		return !r.Standing && !r.News && r.Purse.Left >= perAlert.most
	})
}

// kind says what there is to say of an alert, after what was said; empty if nothing.
func (r *record) kind() Kind {
	switch {
	case !r.Standing && (r.Told.Standing || r.Turns > 1):
		return Cleared
	case !r.Standing:
		return ""
	case !r.Told.Standing || r.Turns > 1:
		return Raised
	case rank(r.Alert.Severity) > rank(r.Told.Severity):
		return Worsened
	case r.Alert.Escalated && !r.Told.Escalated:
		return Escalated
	case r.Alert.AcknowledgedBy != "" && r.Alert.AcknowledgedBy != r.Told.Acknowledged:
		return Acknowledged
	}
	return ""
}
