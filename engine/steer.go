package engine

import (
	"errors"
	"time"

	"timestation/engine/clock"
	"timestation/engine/status"
)

// Steerer is the system clock; clock.Steer is it.
type Steerer interface {
	Apply(clock.Aim, clock.Reading) ([]clock.Event, error)
	Release() error
}

// steer lets the system clock follow the model, where the configuration wants it.
func (e *Engine) steer(s *status.Status) {
	if e.options.Steer == nil {
		return
	}
	aim := clock.Aim{
		Synchronised: s.State != status.Unsynchronised, Now: s.EpochInstant, Frequency: -s.FrequencyPPM * 1e-6,
		Uncertainty95: s.Uncertainty95, MaxError: s.MaxError, Limit: s.MaxErrorLimit,
		Leap: s.Leap, LeapAt: s.LeapAt, Jumps: e.accepted,
	}
	if e.estimate != nil {
		aim.FrequencyUncertainty = e.own(e.last.Raw).FrequencyUncertainty
	}
	events, err := e.options.Steer.Apply(aim, e.last)
	e.alert(errors.Is(err, clock.ErrNotPermitted), status.Alert{
		Code: "clock-not-permitted", Severity: status.Warning, Text: "The system clock is not steered: " + text(err) + ".",
		Mend: `give the service CAP_SYS_TIME by a systemd drop-in, or write discipline = "none"`,
	})
	if said := text(err); said != e.steerError {
		e.options.Log.Error("the system clock", "reason", said)
		e.steerError = said
	}
	for _, event := range events {
		e.shared = e.last.Raw
		if event.Kind == clock.Set {
			e.shared = 0
			e.ours = true // the reading that follows shows the step
			e.options.Log.Warn("the system clock was set", "by", event.By)
			continue
		}
		e.alerts.Raise(status.Alert{
			Code: "clock-shared", Severity: status.Warning, Text: event.Text + ".",
			Mend: "stop and disable it: systemd-timesyncd, chrony, ntpsec or openntpd",
		})
	}
	const quiet = time.Minute // the events come once a second at most
	if time.Duration(e.last.Raw-e.shared) > quiet {
		e.alerts.Clear("clock-shared", "")
	}
}

// stepIsOurs tells whether a step of CLOCK_REALTIME that was just seen is what steer did.
func (e *Engine) stepIsOurs() bool {
	ours := e.ours
	e.ours = false
	return ours
}
