package engine

import (
	"fmt"
	"strings"
	"time"

	"timestation/engine/guard"
	"timestation/engine/leap"
	"timestation/engine/selection"
	"timestation/engine/status"
	"timestation/refclock"
)

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
		text, severity := fmt.Sprintf("The leap second list expires in %d days.", left), status.Warning
		if left < 0 {
			text = fmt.Sprintf("The leap second list expired %d days ago.", -left)
			severity = status.Critical
		}
		e.alert(left < int(leap.WarnBefore.Hours()/24), status.Alert{
			Code: "leap-list", Severity: severity, Text: text, Mend: "update the package tzdata, or Timestation",
		})
	}
	e.alert(e.disputed != "", status.Alert{
		Code: "leap-disputed", Severity: status.Critical, Text: "The leap second is disputed: " + e.disputed + ".",
		Mend: "look it up in IERS Bulletin C, and set leap_second in the [clock] section",
	})
	for _, src := range e.sources {
		e.watchSource(src, waited)
	}
	e.watchDrift()
	held := map[string]guard.Held{}
	for _, h := range e.latch.Held() {
		held[h.Source] = h
	}
	for _, name := range append([]string{guard.TheVote}, e.names()...) {
		h, stands := held[name]
		a := status.Alert{Code: "jump-latched", Source: name, Severity: status.Critical}
		if stands {
			a.Text = h.Explain() + "."
			a.Mend = "compare it with another clock: a receiver that is spoofed does this. If its new time is right: timestation accept-jump " + name
		}
		e.alert(stands, a)
	}
}

// watchSource raises what is wrong with one source.
func (e *Engine) watchSource(src *source, waited bool) {
	e.alert(src.signal.State == refclock.Lost, status.Alert{
		Code: "source-lost", Source: src.Name, Severity: status.Warning,
		Text: src.Name + " is lost: " + src.signal.Text,
		Mend: "plug it in again, or correct its section of the configuration; it is tried again by itself",
	})
	if src.signal.Radio != nil {
		waited = time.Duration(e.last.Raw-e.began) > radioPatience
	}
	e.alert((src.heard || waited) && src.signal.State == refclock.Receiving, status.Alert{
		Code: "source-no-time", Source: src.Name, Severity: status.Warning,
		Text: src.Name + " gives no time: " + src.signal.Text,
		Mend: "check the antenna and its view of the sky",
	})
	e.alert(src.strayed != nil || src.refusing && src.broken || e.rateBroke(src.Name), e.rateBreak(src))
	e.alert(src.refusing && !src.broken && src.strayed == nil && !e.latch.Holds(src.Name), status.Alert{
		Code: "source-jump", Source: src.Name, Severity: status.Critical,
		Text: src.Name + ": " + src.whyRefused() + ".",
		Mend: "compare it with another clock: a receiver that is spoofed does this",
	})
	e.alert(src.verdict == status.Falseticker && !src.refusing && !e.doubted(src), status.Alert{
		Code: "falseticker", Source: src.Name, Severity: status.Warning,
		Text: src.Name + " disagrees: " + src.why,
		Mend: "find out which source is right before you trust either",
	})
	standing := map[string]bool{}
	for _, a := range src.signal.Alarms {
		standing[a.Code] = true
		severity := status.Warning
		if a.Critical {
			severity = status.Critical
		}
		e.alerts.Raise(status.Alert{Code: a.Code, Source: src.Name, Severity: severity, Text: src.Name + ": " + a.Text, Mend: a.Mend})
	}
	for code := range src.alarms {
		if !standing[code] {
			e.alerts.Clear(code, src.Name)
		}
	}
	src.alarms = standing
}

// rateBreak says that a source's rate and the oscillator's have parted. Where another source goes on agreeing with the
// station, it is plain which of the two it was.
func (e *Engine) rateBreak(src *source) status.Alert {
	a := status.Alert{
		Code: "rate-break", Source: src.Name, Severity: status.Warning,
		Text: src.Name + "'s rate and the oscillator's have parted; alone, it cannot be told which of the two it was.",
		Mend: "compare the station with another clock; a second, independent source would tell",
	}
	if src.strayed == nil || src.fresh == nil || e.estimate == nil {
		return a
	}
	var witnesses []string
	for _, other := range e.sources {
		if other.member && other.voice() != src.voice() {
			witnesses = append(witnesses, other.Name)
		}
	}
	off := time.Duration(src.fresh.At(e.last.Raw).TAI - e.own(e.last.Raw).TAI)
	when := ""
	if src.strayed.since.Seconds != 0 {
		when = " at " + src.strayed.since.Time().Format(time.DateTime)
	}
	a.Text = fmt.Sprintf("%s's rate and the oscillator's parted%s; they are %s apart by now, and alone it cannot be told which of the two it was.",
		src.Name, when, selection.Span(off))
	if len(witnesses) > 0 {
		a.Severity = status.Critical
		a.Text = fmt.Sprintf("%s left its course%s and is %s off by now; %s and the oscillator agree. A receiver that is led astray does this.",
			src.Name, when, selection.Span(off), strings.Join(witnesses, ", "))
		a.Mend = "do not trust " + src.Name + "; look for a repeater or a spoofer nearby, and compare it with a third clock"
	}
	return a
}

// watchDrift raises the drifts that the guard has seen. One that is out of its limits for certain outweighs a suspicion.
func (e *Engine) watchDrift() {
	standing := map[[2]string]bool{}
	for _, d := range e.drift.Alarms() {
		a := status.Alert{Severity: status.Warning, Code: "drift-suspected", Source: d.A + "/" + d.B, Text: d.Explain() + "."}
		switch d.Kind {
		case guard.RateBreak:
			continue // said of the source
		case guard.Beyond:
			a.Code, a.Severity = "drift-beyond-limits", status.Critical
		}
		if d.Suspect != "" {
			a.Source = d.Suspect
		}
		if entry, known := status.LookupAlert(a.Code); known {
			a.Mend = entry.Mend.English
		}
		standing[[2]string{a.Code, a.Source}] = true
		e.alerts.Raise(a)
	}
	for key := range e.drifting {
		if !standing[key] {
			e.alerts.Clear(key[0], key[1])
		}
	}
	e.drifting = standing
}

func (e *Engine) rateBroke(source string) bool {
	for _, d := range e.drift.Alarms() {
		if d.Kind == guard.RateBreak && d.A == source {
			return true
		}
	}
	return false
}

func (e *Engine) names() (names []string) {
	for _, s := range e.sources {
		names = append(names, s.Name)
	}
	return names
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
