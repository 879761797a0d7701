package pps

import (
	"fmt"
	"time"

	"timestation/refclock"
)

const (
	// clearlyMissing and clearlyExtra are from which share of the last minute's pulses on a person is told.
	clearlyMissing = 0.1
	clearlyExtra   = 0.1
	// The other edge is the better one if its jitter is so many times smaller, and this one's is above what an interrupt
	// brings by itself.
	betterBy    = 4
	worthSaying = 20 * time.Microsecond
	// widthTolerance is how far a pulse may be from its expected width, as a share of it.
	widthTolerance = 0.2
)

// alarms are what a person should know of the pulses.
func (r *receiver) alarms() []refclock.Alarm {
	alarms := r.widthAlarms()
	there, missing, extra := r.beat.rates()
	if there+missing >= enough && float64(missing) > clearlyMissing*float64(there+missing) {
		alarms = append(alarms, refclock.Alarm{
			Code: "missing-pulses",
			Text: fmt.Sprintf("%d of %d pulses of the last minute are missing", missing, there+missing),
			Mend: "check the receiver's fix, its supply and the wire",
		})
	}
	if there >= enough && float64(extra) > clearlyExtra*float64(there) {
		alarms = append(alarms, refclock.Alarm{
			// As many of them as pulses: which of the beats is the second, nobody can tell.
			Code: "extra-pulses", Critical: extra >= there,
			Text: fmt.Sprintf("%d edges besides the %d pulses of the last minute", extra, there),
			Mend: "set the receiver's time pulse to 1 Hz; keep the wire short and away from others, or set bias",
		})
	}
	return alarms
}

// widthAlarms judge the width: a wrong edge is wrong by it.
func (r *receiver) widthAlarms() []refclock.Alarm {
	width := r.widths.median()
	if width == 0 {
		return nil
	}
	wrong := func(critical bool, text string) []refclock.Alarm {
		return []refclock.Alarm{{
			Code: "wrong-edge", Critical: critical, Text: text,
			Mend: fmt.Sprintf("set edge = %q; if the pulse really is so long, say so with width_seconds", r.otherEdge()),
		}}
	}
	expected := refclock.Seconds(r.config.Width)
	if expected > 0 && (width-expected).Abs() > (period-width-expected).Abs() || expected == 0 && width > period/2 {
		return wrong(true, fmt.Sprintf("from this edge to the next it takes %v: this is the end of a pulse of %v, and the time is wrong by that",
			width.Round(time.Microsecond), (period-width).Round(time.Microsecond)))
	}
	if ours, other := r.leading.jitter(), r.trailing.jitter(); other > 0 && ours > betterBy*other && ours > worthSaying {
		return wrong(false, fmt.Sprintf("this edge scatters by %v, the other by %v only: that one is likely to be the second",
			ours.Round(time.Microsecond), other.Round(time.Microsecond)))
	}
	if expected > 0 && (width-expected).Abs().Seconds() > widthTolerance*expected.Seconds() {
		return []refclock.Alarm{{
			Code: "pulse-width", Text: fmt.Sprintf("the pulse lasts %v, not the %v of width_seconds", width.Round(time.Microsecond), expected),
			Mend: "find out which pulse this is: receivers change its length when they lose the fix",
		}}
	}
	return nil
}

func (r *receiver) otherEdge() string {
	switch r.config.Edge {
	case "assert":
		return "clear"
	case "clear":
		return "assert"
	case "rising":
		return "falling"
	}
	return "rising"
}
