// Package studio keeps what people put on the wall beside the time: on-air lights, messages, timers and the page that is
// shown. It is pure: the time is an argument, nothing waits, and every surface reads one immutable [State].
package studio

import (
	"time"

	"timestation/refclock"
)

// Lights is how many on-air lights there are.
const Lights = 4

// State is everything on the wall that is not the time. It is never changed once handed out.
type State struct {
	// Revision counts changes.
	Revision uint64        `json:"revision"`
	Lights   [Lights]Light `json:"lights"`
	// Messages are those that stand, the most important first, among equals the newest.
	Messages []Message `json:"messages,omitempty"`
	// Now and Next are what is on air and what follows, as an automation says it; empty where it says nothing.
	Now    string  `json:"now,omitempty"`
	Next   string  `json:"next,omitempty"`
	Timers []Timer `json:"timers,omitempty"`
	// Page is the page that somebody called up; empty while the display goes by its own rotation.
	Page string `json:"page,omitempty"`
}

// Light is an on-air light.
type Light struct {
	Name string `json:"name"`
	// Colour is that of the lit light, as #rrggbb.
	Colour string `json:"colour"`
	On     bool   `json:"on"`
	// Blink asks for attention: the lit light changes every half second between full and faint.
	Blink bool `json:"blink,omitempty"`
	// Since is when it was switched on; zero while it is off, or was switched on before the station knew the time.
	Since refclock.Instant `json:"since,omitzero"`
	// Timed shows how long it has been on.
	Timed bool `json:"timed,omitempty"`
}

// Priority orders messages.
type Priority string

// The priorities, mildest first.
const (
	Notice  Priority = "notice"
	Warning Priority = "warning"
	Urgent  Priority = "urgent"
)

// Message is a line of text for the people in the room.
type Message struct {
	// ID is what it can be replaced or taken away by; the station gives one where the sender did not.
	ID       string   `json:"id"`
	Text     string   `json:"text"`
	Priority Priority `json:"priority"`
	// Until is when it goes by itself; zero for never.
	Until refclock.Instant `json:"until,omitzero"`
}

// TimerKind says what a timer shows.
type TimerKind string

// The kinds of timers. Until is back-timing: it counts down to a time of day.
const (
	Up    TimerKind = "up"
	Down  TimerKind = "down"
	Until TimerKind = "until"
)

// Timer is a stopwatch, a countdown, or a back-timing.
type Timer struct {
	Name string    `json:"name"`
	Kind TimerKind `json:"kind"`
	// Running timers count from Began; Gone is what had passed before that, and all of it while the timer stands still.
	Running bool             `json:"running"`
	Began   refclock.Instant `json:"began,omitzero"`
	Gone    time.Duration    `json:"gone_ns,omitempty"`
	// Length is where a Down timer begins.
	Length time.Duration `json:"length_ns,omitempty"`
	// Target is what an Until timer counts down to.
	Target refclock.Instant `json:"target,omitzero"`
}

// Shows is the figure on the wall at an instant: what has passed of an Up timer, what is left of the others, negative once
// it is over.
func (t Timer) Shows(now refclock.Instant) time.Duration {
	gone := t.Gone
	if t.Running && t.Kind != Until {
		gone += now.Sub(t.Began)
	}
	switch t.Kind {
	case Down:
		return t.Length - gone
	case Until:
		return t.Target.Sub(now)
	}
	return gone
}
