package display

import (
	"context"
	"time"

	"timestation/display/face"
	"timestation/engine/status"
	"timestation/refclock"
)

const (
	// look is how often the wait for the next second looks at the station again: after a step of the clock, or when the
	// station learns the time, the wall is right within it.
	look = 100 * time.Millisecond
	// back is how far the model or the lead may move a second that is on the wall already without it being drawn again.
	back = 300 * time.Millisecond
)

// Tick is one moment that is to be on the screen.
type Tick struct {
	Status *status.Status
	// Second is the whole second to draw; it means nothing while the station never knew the time.
	Second refclock.Instant
	// Part is how far into it the moment lies.
	Part time.Duration
	// At is the local stamp at which it is to appear.
	At refclock.Stamp
	// Jump tells that the moment is past already and is to appear at once: it is the first, or the station's time has jumped.
	Jump bool
}

// Frame is the tick as pages take it.
func (t Tick) Frame(style face.Style, loc *time.Location, name string) face.Frame {
	f := face.At(t.Status, t.Second, loc, name, style)
	f.Part = t.Part
	return f
}

// Seconds calls show for each second of the station, lead() before the screen is to show it: at once for the second that
// runs, and then for each that follows, until ctx ends; rate() is how often in a second, 1 to 60. The wait is counted on
// the station's clock, not on the machine's. A station that never knew the time is shown by the local clock. show should
// return soon; what passes meanwhile is left out.
func Seconds(ctx context.Context, st Clock, rate func() int, lead func() time.Duration, show func(Tick)) {
	for shown := (moment{nanoseconds: -1 << 62}); ctx.Err() == nil; {
		ahead, step := lead(), int64(time.Second)/int64(min(max(rate(), 1), 60))
		s, now := st.Status(), st.Now()
		m := at(s, now.Add(ahead))
		next := moment{m.known, shown.following(step)}
		if m.known == shown.known && m.since(shown) >= -back && m.nanoseconds < next.nanoseconds {
			select {
			case <-ctx.Done():
			case <-time.After(min(max(next.tick(s).At.Sub(now)-ahead, 0), look)):
			}
			continue
		}
		t := moment{m.known, m.start(step)}
		tick := t.tick(s)
		tick.Jump = m.known != shown.known || t.nanoseconds != next.nanoseconds
		shown = t
		show(tick)
	}
}

// moment is a place on the scale whose seconds are counted: TAI once the station knew the time, else the local clock.
type moment struct {
	known       bool
	nanoseconds int64
}

func at(s *status.Status, stamp refclock.Stamp) moment {
	if r := s.At(stamp); r.Known {
		return moment{true, r.Instant.TAI}
	}
	return moment{false, int64(stamp)}
}

// start is that of the step the moment lies in, in nanoseconds. Steps begin with each second.
func (m moment) start(step int64) int64 {
	second := m.nanoseconds / 1e9 * 1e9
	return second + min((m.nanoseconds-second)/step, 1e9/step-1)*step
}

// following is the start of the next step.
func (m moment) following(step int64) int64 {
	second, next := m.nanoseconds/1e9*1e9, m.start(step)+step
	if next > second+1e9-step {
		return second + 1e9
	}
	return next
}

func (m moment) since(n moment) time.Duration { return time.Duration(m.nanoseconds - n.nanoseconds) }

func (m moment) tick(s *status.Status) Tick {
	part := time.Duration(m.nanoseconds % 1e9)
	if !m.known {
		return Tick{Status: s, Part: part, At: refclock.Stamp(m.nanoseconds)}
	}
	moment := refclock.Instant{TAI: m.nanoseconds}
	return Tick{Status: s, Second: moment.Add(-part), Part: part, At: s.StampAt(moment)}
}
