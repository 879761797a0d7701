package display

import (
	"slices"
	"sync"
	"time"
)

// latenessFrames is how many frames the figures of Lateness are about: ten minutes of seconds.
const latenessFrames = 600

// Lateness remembers how late the last frames were handed to the window, against the station's own second. The zero
// value is ready; its methods may be called from any goroutine.
type Lateness struct {
	mu     sync.Mutex
	frames []time.Duration
	next   int
}

// Add records one frame; early ones are negative.
func (l *Lateness) Add(late time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.frames) < latenessFrames {
		l.frames = append(l.frames, late)
		return
	}
	l.frames[l.next] = late
	l.next = (l.next + 1) % latenessFrames
}

// Figures gives the median and the 99th percentile of the last frames, and how many those were (0 to 600).
func (l *Lateness) Figures() (median, p99 time.Duration, frames int) {
	l.mu.Lock()
	sorted := slices.Sorted(slices.Values(l.frames))
	l.mu.Unlock()
	n := len(sorted)
	if n == 0 {
		return 0, 0, 0
	}
	return sorted[n/2], sorted[n*99/100], n
}
