package display

import (
	"context"
	"slices"
	"sync"
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
		shown = moment{m.known, m.second()}
		show(shown.tick(s))
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

// Paint learns how long painting a frame takes, so that it can begin that much earlier. The zero value is ready; its
// methods may be called from any goroutine.
type Paint struct {
	mu   sync.Mutex
	last []time.Duration
}

const (
	// paintFrames is how many paintings the lead is taken from.
	paintFrames = 32
	// paintFew is how many must have been seen before they are believed: at the start the graphics driver still compiles
	// its shaders, and a lead that is too long shows a second before it begins.
	paintFew = 8
	// paintLimit is the longest lead; a machine that needs more to paint is overloaded, and its figures mean nothing.
	paintLimit = 200 * time.Millisecond
)

// Took records how long one painting took.
func (p *Paint) Took(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.last) == paintFrames {
		p.last = append(p.last[:0], p.last[1:]...)
	}
	p.last = append(p.last, d)
}

// Lead is how long before its second a painting should begin: as long as the fastest of the last ones took, so that no
// frame is early and most are hardly late.
func (p *Paint) Lead() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.last) < paintFew {
		return 0
	}
	return min(max(slices.Min(p.last), 0), paintLimit)
}
