package studio

import (
	"fmt"
	"time"

	"timestation/refclock"
)

// The things that may be done to a timer. Reset takes it off the wall; Restart has it run from its beginning.
const (
	Start   = "start"
	Stop    = "stop"
	Toggle  = "toggle"
	Reset   = "reset"
	Restart = "restart"
)

// TimerOrder sets, starts and stops a timer.
type TimerOrder struct {
	// Timer is its number, from 1 on.
	Timer int     `json:"timer"`
	Name  *string `json:"name,omitempty"`
	// Seconds makes it count down from there, and from 0 up if it is 0; it then stands at its beginning.
	Seconds *float64 `json:"seconds,omitempty"`
	// At makes it count down to the next such time of day in the station's zone, as 15:04 or 15:04:05; "hour" is the next
	// full hour. It runs at once.
	At string `json:"at,omitempty"`
	// Do is one of start, stop, toggle, reset and restart, done after the setting; empty for none.
	Do string `json:"do,omitempty"`
}

// Timer carries out an order, whole or not at all, and says what was done.
func (b *Board) Timer(o TimerOrder) (string, error) {
	return b.change(func(now refclock.Instant, known bool) (string, error) {
		if o.Timer < 1 || o.Timer > Timers {
			return "", fmt.Errorf("timer: %d is not a timer; they are numbered 1 to %d", o.Timer, Timers)
		}
		if !known {
			return "", errNoTime
		}
		t := b.timers[o.Timer-1]
		if o.Name != nil {
			if err := validName(*o.Name); err != nil {
				return "", err
			}
			t.Name = *o.Name
		}
		switch {
		case o.Seconds != nil && o.At != "":
			return "", fmt.Errorf("timer %d: seconds and at exclude each other", o.Timer)
		case o.Seconds != nil:
			length, err := duration(*o.Seconds)
			if err != nil {
				return "", err
			}
			t = Timer{Name: t.Name, Kind: Down, Length: length}
			if length == 0 {
				t.Kind = Up
			}
		case o.At != "":
			target, err := b.next(o.At, now)
			if err != nil {
				return "", err
			}
			t = Timer{Name: t.Name, Kind: Until, Running: true, Began: now, Target: target}
		}
		if err := t.do(o.Do, now); err != nil {
			return "", err
		}
		b.timers[o.Timer-1] = t
		b.list()
		return fmt.Sprintf("timer %d %s: %s, %s at %v", o.Timer, t.Name, t.Kind, map[bool]string{true: "running", false: "standing"}[t.Running],
			t.Shows(now).Round(time.Second)), nil
	})
}

func (t *Timer) do(what string, now refclock.Instant) error {
	switch what {
	case "":
	case Toggle:
		if t.Running {
			return t.do(Stop, now)
		}
		return t.do(Start, now)
	case Start:
		if !t.Running {
			t.Running, t.Began = true, now
		}
	case Stop:
		if t.Kind == Until { // there is nothing to hold: its moment comes all the same
			return t.do(Reset, now)
		}
		if t.Running {
			t.Gone += now.Sub(t.Began)
			t.Running, t.Began = false, refclock.Instant{}
		}
	case Reset:
		*t = Timer{Name: t.Name, Kind: Up}
	case Restart:
		if t.Kind != Until {
			*t = Timer{Name: t.Name, Kind: t.Kind, Length: t.Length, Running: true, Began: now}
		}
	default:
		return fmt.Errorf("do: %q is none of start, stop, toggle, reset, restart", what)
	}
	return nil
}

// next is the next time it is so late in the board's zone. Leap seconds on the way are not known here and not counted.
func (b *Board) next(at string, now refclock.Instant) (refclock.Instant, error) {
	local := now.UTC().Time().In(b.loc)
	if at == "hour" {
		// By the minutes of the zone: some are off by half an hour.
		past := time.Duration(local.Minute())*time.Minute + time.Duration(local.Second())*time.Second + time.Duration(local.Nanosecond())
		return now.Add(time.Hour - past), nil
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		clock, err := time.Parse(layout, at)
		if err != nil {
			continue
		}
		// The day after, too: what is asked for may be over today, and a clock change may lie between.
		for day := range 3 {
			t := time.Date(local.Year(), local.Month(), local.Day()+day, clock.Hour(), clock.Minute(), clock.Second(), 0, b.loc)
			if t.After(local) {
				return now.Add(t.Sub(local)), nil
			}
		}
	}
	return refclock.Instant{}, fmt.Errorf("at: %q is not a time of day; write 15:04, 15:04:05 or hour", at)
}
