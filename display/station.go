// Package display is the wall's side of the station: what a display sees of it, its configuration, and when each second
// must be drawn. Package face draws it, page shows that through Fyne, window puts it on a screen; nothing here needs Fyne,
// so that a station without a display does without it.
package display

import (
	"context"
	"time"

	"timestation/display/studio"
	"timestation/engine/status"
	"timestation/refclock"
)

// Clock is the station's time.
type Clock interface {
	// Status is the newest model of the station's time, never nil.
	Status() *status.Status
	// Now reads the local clock that the model refers to.
	Now() refclock.Stamp
}

// Station is all that a display sees of the station: in the same process, or over HTTP (package remote). Its methods may
// be called from any goroutine; those that take a context may wait for a disk or a network.
type Station interface {
	Clock
	// Studio is what stands on the wall beside the time.
	Studio() studio.State
	// History reads the log.
	History(ctx context.Context, span Span) (History, error)
	// Clients lists who asks the NTP server.
	Clients(ctx context.Context) (Clients, error)
	// Act does what a person at the screen asks for, and says what was done.
	Act(ctx context.Context, a Action) (string, error)
}

// Span is a stretch of the log.
type Span struct {
	From, To time.Time
	// Points is how many points are enough, 2 to 4000.
	Points int
}

// History is a stretch of the log, as plots show it: the station's own rows.
type History struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// StepSeconds is how far apart the points are.
	StepSeconds float64 `json:"step_seconds"`
	// Points are in the order of time; where nothing was logged there is none.
	Points []Point `json:"points"`
	// Deviations is the Allan deviation of the same span (NIST SP 1065), of each source that was logged throughout.
	Deviations []Deviation `json:"deviations,omitempty"`
}

// Point is what was logged of one step. What was not known is absent.
type Point struct {
	Time time.Time `json:"time"`
	// OffsetSeconds is the selected source's last sample minus the station's time, the mean of the step; Low and High are
	// the extremes.
	OffsetSeconds     *float64 `json:"offset_seconds,omitempty"`
	OffsetLowSeconds  *float64 `json:"offset_low_seconds,omitempty"`
	OffsetHighSeconds *float64 `json:"offset_high_seconds,omitempty"`
	FrequencyPPM      *float64 `json:"frequency_ppm,omitempty"`
	// MaxErrorSeconds is the largest bound of the step.
	MaxErrorSeconds    *float64     `json:"max_error_seconds,omitempty"`
	TemperatureCelsius *float64     `json:"temperature_celsius,omitempty"`
	State              status.State `json:"state,omitempty"`
}

// Deviation is the Allan deviation of one source against the oscillator.
type Deviation struct {
	Source string  `json:"source"`
	Tau    float64 `json:"tau_seconds"`
	// Value lies between Low and High with 68 %.
	Value float64 `json:"adev"`
	Low   float64 `json:"adev_low"`
	High  float64 `json:"adev_high"`
}

// Clients is who asks the NTP server.
type Clients struct {
	// RequestsPerSecond is over the last minute.
	RequestsPerSecond float64 `json:"requests_per_second"`
	// Refused counts the requests that met with silence since the start, by reason.
	Refused map[string]uint64 `json:"refused,omitempty"`
	// Clients are the busiest first, at most a few hundred; Known is how many there are.
	Clients []status.Client `json:"clients"`
	Known   int             `json:"known"`
}

// Action is something a person does at a screen.
type Action struct {
	// Kind is one of the Action constants.
	Kind string `json:"kind"`
	// Source and Code name what it is about: the source that jumped, the alert.
	Source string `json:"source,omitempty"`
	Code   string `json:"code,omitempty"`
}

// The kinds of actions.
const (
	ActionAcceptJump  = "accept-jump"
	ActionAcknowledge = "acknowledge"
)
