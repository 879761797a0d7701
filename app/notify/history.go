package notify

import (
	"slices"
	"sync"
	"time"

	"timestation/engine/status"
)

const (
	// historyEvery is the distance of the points of the last hour, and mostPoints how many it has.
	historyEvery = 10 * time.Second
	mostPoints   = int(time.Hour / historyEvery)
)

// history is the last hour, for the plot in a mail.
type history struct {
	mu   sync.Mutex
	kept []Point
	last time.Time
}

// add takes a point if it is time for one and the station knows the time.
func (h *history) add(look func() status.Snapshot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.last.IsZero() && time.Since(h.last) < historyEvery {
		return
	}
	h.last = time.Now()
	s := look()
	if s.UTC == nil || s.MaxErrorSeconds == nil {
		return
	}
	p := Point{At: *s.UTC, MaxErrorSeconds: *s.MaxErrorSeconds}
	for _, source := range s.Sources {
		if source.Name == s.Selected && s.State == status.Synchronised {
			p.OffsetSeconds, p.Followed = source.OffsetSeconds, true
		}
	}
	h.kept = append(h.kept, p)
	if n := len(h.kept); n >= 2*mostPoints {
		h.kept = append(h.kept[:0], h.kept[n-mostPoints:]...)
	}
}

// points gives the last hour, oldest first.
func (h *history) points() []Point {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.kept[max(0, len(h.kept)-mostPoints):])
}
