package engine

import (
	"fmt"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// leapWarning is how long before the leap second list expires a person is told.
const leapWarning = 60 * 24 * time.Hour

// watch raises and clears the alerts that follow from the state of the station and its sources.
func (e *Engine) watch(s *status.Status) {
	known := !s.EpochInstant.IsZero()
	waited := time.Duration(e.last.Raw-e.began) > patience
	e.alert((known || waited) && s.State == status.Unsynchronised, status.Alert{
		Code: "unsynchronised", Severity: status.Critical,
		Text: "The station does not know the time: " + s.Reason + ". It serves none.",
		Mend: "look at the sources below; the first that is silent or outvoted is the cause",
	})
	e.alert(s.State == status.Holdover, status.Alert{
		Code: "holdover", Severity: status.Warning,
		Text: "Holdover: " + s.Reason + e.servedUntil(s) + ".",
		Mend: "check the antenna, its cable and the receiver",
	})
	if known {
		left := e.options.Leap.DaysLeft(s.EpochInstant.UTC())
		text := fmt.Sprintf("The leap second list expires in %d days.", left)
		if left < 0 {
			text = fmt.Sprintf("The leap second list expired %d days ago.", -left)
		}
		e.alert(left < int(leapWarning.Hours()/24), status.Alert{
			Code: "leap-list", Severity: status.Warning, Text: text, Mend: "update Timestation",
		})
	}
	for _, src := range e.sources {
		e.alert(src.signal.State == refclock.Lost, status.Alert{
			Code: "source-lost", Source: src.Name, Severity: status.Warning,
			Text: src.Name + " is lost: " + src.signal.Text,
			Mend: "plug it in again, or correct its section of the configuration; it is tried again by itself",
		})
		e.alert((src.heard || waited) && src.signal.State == refclock.Receiving, status.Alert{
			Code: "source-no-time", Source: src.Name, Severity: status.Warning,
			Text: src.Name + " gives no time: " + src.signal.Text,
			Mend: "check the antenna and its view of the sky",
		})
		e.alert(src.refusing, status.Alert{
			Code: "source-jump", Source: src.Name, Severity: status.Critical,
			Text: fmt.Sprintf("%s has jumped by %v against its own past and is not followed.", src.Name, src.offset.Round(time.Millisecond)),
			Mend: "compare it with another clock: a receiver that is spoofed does this. If its new time is right, restart the station",
		})
		e.alert(src.verdict == status.Falseticker && !src.refusing, status.Alert{
			Code: "falseticker", Source: src.Name, Severity: status.Warning,
			Text: src.Name + " disagrees: " + src.why,
			Mend: "find out which source is right before you trust either",
		})
	}
}

// servedUntil says how long a holdover lasts at most.
func (e *Engine) servedUntil(s *status.Status) string {
	room := s.MaxErrorLimit - s.MaxError
	if room <= 0 || s.MaxErrorGrowth <= 0 {
		return ""
	}
	left := time.Duration(float64(room) / s.MaxErrorGrowth)
	return fmt.Sprintf(" and served until the bound passes %v, at most %s", s.MaxErrorLimit, roughly(left))
}

// roughly says a duration as a person would.
func roughly(d time.Duration) string {
	switch {
	case d >= 3*time.Hour:
		return fmt.Sprintf("%.0f hours", d.Hours())
	case d >= 3*time.Minute:
		return fmt.Sprintf("%.0f minutes", d.Minutes())
	}
	return fmt.Sprintf("%.0f seconds", d.Seconds())
}

func (e *Engine) alert(stands bool, a status.Alert) {
	if stands {
		e.alerts.Raise(a)
	} else {
		e.alerts.Clear(a.Code, a.Source)
	}
}
