package engine

import (
	"errors"
	"io/fs"
	"slices"
	"time"

	"timestation/engine/discipline"
	"timestation/engine/guard"
	"timestation/engine/leap"
	"timestation/engine/selection"
	"timestation/engine/state"
	"timestation/engine/status"
	"timestation/refclock"
)

// saved is what the state file keeps over a restart or a power cut.
type saved struct {
	// At is the station's time when it was written, the zero UTC if it had none.
	At refclock.UTC `json:"at"`
	// Clock is the oscillator and the sources' noise as learned; nil before the first lock.
	Clock *discipline.State `json:"clock,omitempty"`
	// Biases are by source, against Anchor.
	Biases map[string]selection.Bias `json:"biases,omitempty"`
	Anchor string                    `json:"anchor,omitempty"`
	Latch  []guard.Held              `json:"latch,omitempty"`
	// Strayed are the sources whose rate broke away.
	Strayed []string `json:"strayed,omitempty"`
	// Usual is how far from the station's time each source was before it jumped.
	Usual  map[string]time.Duration `json:"usual_ns,omitempty"`
	Drift  []guard.DriftAlarm       `json:"drift,omitempty"`
	Alerts guard.SavedAlerts        `json:"alerts"`
	// Leaps are leap seconds that the sources announced and no list knows of yet.
	Leaps []leap.Learned `json:"leaps,omitempty"`
}

// save writes the state file. A disk that fails costs the next start its memory, and nothing now: it is said once.
func (e *Engine) save() {
	e.saved = e.last.Raw
	if e.options.StateDir == "" {
		return
	}
	s := saved{
		At: e.utc(), Latch: e.latch.Held(), Drift: e.drift.Alarms(), Alerts: e.alerts.Save(),
		Leaps: e.leaps.Learned(e.utc()), Biases: map[string]selection.Bias{}, Usual: map[string]time.Duration{},
	}
	if e.estimate != nil {
		c := e.estimate.Save()
		s.Clock = &c
	} else {
		s.Clock = e.remembered
	}
	for _, src := range e.sources {
		if src.strayed != nil {
			s.Strayed = append(s.Strayed, src.Name)
		}
		if src.usual != 0 {
			s.Usual[src.Name] = src.usual
		}
		if src.bias.Known() {
			s.Biases[src.Name] = src.bias
		}
	}
	if e.anchor != nil {
		s.Anchor = e.anchor.Name
	}
	err := state.Save(e.options.StateDir, s)
	e.alert(err != nil, status.Alert{
		Code: "state-failing", Severity: status.Warning, Text: "What was learned cannot be kept over a restart: " + text(err) + ".",
		Mend: "make room on the disk, or correct the data folder's owner",
	})
	e.revision = e.alerts.Revision()
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// restore takes back what was saved before a restart. The time itself is not among it: for how long the machine was off
// only another clock can say.
func (e *Engine) restore() {
	if e.options.StateDir == "" {
		return
	}
	s, err := state.Load[saved](e.options.StateDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return
	case err != nil:
		e.options.Log.Warn("the state of the last run", "reason", err)
		e.alerts.Raise(status.Alert{
			Code: "state-damaged", Severity: status.Warning, Text: "The state of the last run is lost: " + err.Error() + ".",
			Mend: "look at the jump latch and the alerts in the file that was set aside; suspect the SD card or disk",
		})
		return
	}
	e.alerts.Restore(s.Alerts)
	e.latch.Restore(slices.DeleteFunc(s.Latch, func(h guard.Held) bool { return h.Source != guard.TheVote && e.source(h.Source) == nil }))
	e.drift.Restore(slices.DeleteFunc(s.Drift, func(d guard.DriftAlarm) bool {
		return e.source(d.A) == nil || d.B != "" && e.source(d.B) == nil // no longer configured
	}))
	e.useLeaps(e.leaps.With(s.Leaps))
	e.anchor = e.source(s.Anchor)
	e.remembered = s.Clock
	for _, src := range e.sources {
		if e.anchor != nil {
			src.bias = s.Biases[src.Name].Aged()
		}
		e.forget(src)
		src.usual = s.Usual[src.Name]
		if slices.Contains(s.Strayed, src.Name) {
			src.strayed, src.fresh = &stray{}, discipline.NewFilter(e.assumptions())
		}
	}
}

// keepState writes the state when it is due, and soon after an alert began or ended.
func (e *Engine) keepState() {
	due := time.Duration(e.last.Raw-e.saved) >= saveEvery
	if due || e.saveSoon || e.alerts.Revision() != e.revision {
		e.saveSoon = false
		e.save()
	}
}
