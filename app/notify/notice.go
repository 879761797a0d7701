package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"timestation/engine/guard"
	"timestation/engine/status"
	"timestation/refclock"
)

// Kind says what a notice tells: one of guard's five happenings, or one of those below.
type Kind string

// The kinds of notices.
const (
	Raised       = Kind(guard.Raised)
	Worsened     = Kind(guard.Worsened)
	Escalated    = Kind(guard.Escalated)
	Acknowledged = Kind(guard.Acknowledged)
	Cleared      = Kind(guard.Cleared)
	// Summary stands for the notices in it.
	Summary Kind = "summary"
	// Test was asked for by a person; nothing is wrong.
	Test Kind = "test"
)

// Notice is one thing to be told.
type Notice struct {
	// ID is the same each time the notice is sent, and no other's.
	ID      string `json:"id"`
	Kind    Kind   `json:"kind"`
	Station string `json:"station"`
	// Demonstration: the station plays a recording.
	Demonstration bool `json:"demonstration,omitempty"`
	// Alert is what it is about, as it was then.
	Alert status.Alert `json:"alert,omitzero"`
	// At is the station's time when it happened; zero while it was not known.
	At refclock.UTC `json:"at,omitzero"`
	// Turns is how often the alert came or went since the last notice about it, when that is more than this once.
	Turns int `json:"turns,omitempty"`
	// Parts are the notices of a Summary, oldest first; Dropped is how many did not even fit the queue.
	Parts   []Notice `json:"parts,omitempty"`
	Dropped int      `json:"dropped,omitempty"`
	// Omitted is how many of the oldest parts were left out of what was sent, because it would have been too long.
	Omitted int `json:"omitted,omitempty"`

	// happened is At by the monotonic clock; zero in a notice from before a restart.
	happened time.Time
}

// Standing tells whether the alert stands after what the notice tells.
func (n Notice) Standing() bool { return n.Kind != Cleared && n.Kind != Test }

// fitting is a notice as JSON of at most so many octets: of a Summary the oldest parts are left out. The error is ErrRefused
// where that is not enough.
func (n Notice) fitting(most int) ([]byte, error) {
	for {
		body, err := json.Marshal(n)
		if err != nil || len(body) <= most {
			return body, err
		}
		if len(n.Parts) == 0 {
			return nil, fmt.Errorf("it has %d octets, and no more than %d may be sent: %w", len(body), most, ErrRefused)
		}
		cut := (len(n.Parts) + 3) / 4
		n.Parts, n.Omitted = n.Parts[cut:], n.Omitted+cut
	}
}

// Worst is the greatest severity that the notice tells of.
func (n Notice) Worst() status.Severity {
	worst := n.Alert.Severity
	for _, p := range n.Parts {
		if rank(p.Alert.Severity) > rank(worst) {
			worst = p.Alert.Severity
		}
	}
	return worst
}

// date fills in the times of what happened before the station knew the time, once it does.
func (n *Notice) date(now refclock.UTC) {
	if n.At.Seconds != 0 || now.Seconds == 0 || n.happened.IsZero() {
		return
	}
	ago := time.Since(n.happened)
	then := now.Time().Add(-ago)
	n.At = refclock.UTC{Seconds: then.Unix(), Nanoseconds: int32(then.Nanosecond())}
	if n.Kind == Raised && n.Alert.Since.Seconds == 0 {
		n.Alert.Since = n.At
	}
	if n.Kind == Cleared && n.Alert.Cleared.Seconds == 0 {
		n.Alert.Cleared = n.At
	}
}

// rank orders severities, 0 is the mildest.
func rank(s status.Severity) int {
	switch s {
	case status.Critical:
		return 2
	case status.Warning:
		return 1
	}
	return 0
}

// Sink is one place that hears of alerts.
type Sink interface {
	// Send delivers one notice before ctx ends, and gives what the far side answered, in one line. It is called by one
	// goroutine at a time. An error is one line; one that is ErrRefused says that it is no use to try the same again.
	Send(ctx context.Context, n Notice) (answer string, err error)
}

// Follower is a place that shows the station's state for as long as the station runs. One that is no Sink as well hears
// of no alerts.
type Follower interface {
	// Follow returns when ctx ends.
	Follow(ctx context.Context)
}

// Tester is a Follower that can say what it shows at the moment, and so that it works.
type Tester interface {
	Test(ctx context.Context) (answer string, err error)
}
