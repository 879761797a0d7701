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

// Tick is one second that is to be on the screen.
type Tick struct {
	Status *status.Status
	// Second is the whole second to draw; it means nothing while the station never knew the time.
	Second refclock.Instant
	// At is the local stamp at which it is to appear.
	At refclock.Stamp
	// Jump tells that the second runs already and is to appear at once: it is the first, or the station's time has jumped.
	Jump bool
}

// Frame is the tick as faces take it.
func (t Tick) Frame(cfg Config, loc *time.Location, name string) face.Frame {
	return face.At(t.Status, t.Second, loc, name, cfg.Style())
}

// Seconds calls show for each second of the station, lead() before the screen is to show it: at once for the second that
// runs, and then for each that follows, until ctx ends. The wait is counted on the station's clock, not on the
// machine's. A station that never knew the time is shown once a second of the local clock. show should return soon; a
// second that passes meanwhile is left out.
func Seconds(ctx context.Context, st Station, lead func() time.Duration, show func(Tick)) {
	for shown := (moment{nanoseconds: -1 << 62}); ctx.Err() == nil; {
		ahead := lead()
		s, now := st.Status(), st.Now()
		m := at(s, now.Add(ahead))
		if m.known == shown.known && m.since(shown) >= -back && m.since(shown) < time.Second {
			next := moment{m.known, shown.second() + 1e9}.tick(s)
			select {
			case <-ctx.Done():
			case <-time.After(min(max(next.At.Sub(now)-ahead, 0), look)):
			}
			continue
		}
		ticked := m.known == shown.known && m.second() == shown.second()+1e9
		shown = moment{m.known, m.second()}
		t := shown.tick(s)
		t.Jump = !ticked
		show(t)
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

// second is the start of the second the moment lies in, in nanoseconds.
func (m moment) second() int64 { return m.nanoseconds / 1e9 * 1e9 }

func (m moment) since(n moment) time.Duration { return time.Duration(m.nanoseconds - n.nanoseconds) }

func (m moment) tick(s *status.Status) Tick {
	if !m.known {
		return Tick{Status: s, At: refclock.Stamp(m.nanoseconds)}
	}
	second := refclock.Instant{TAI: m.nanoseconds}
	return Tick{Status: s, Second: second, At: s.StampAt(second)}
}
