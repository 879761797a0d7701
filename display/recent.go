package display

import (
	"slices"
	"time"
)

const (
	// recentCount is how many durations Recent remembers.
	recentCount = 120
	// recentFew is how many must be known before they mean something: at the start, caches are cold.
	recentFew = 8
)

// Recent remembers the last durations of something that is done every second. The zero value is ready.
type Recent struct{ last []time.Duration }

// Add remembers one more.
func (r *Recent) Add(d time.Duration) {
	if len(r.last) == recentCount {
		r.last = slices.Delete(r.last, 0, 1)
	}
	r.last = append(r.last, d)
}

// Range gives the shortest and the longest of the last 120; ok is false before the eighth, and both are then 0.
func (r *Recent) Range() (shortest, longest time.Duration, ok bool) {
	if len(r.last) < recentFew {
		return 0, 0, false
	}
	return slices.Min(r.last), slices.Max(r.last), true
}

// Median is the middle one of the last 120; ok is false before the eighth, and it is then 0.
func (r *Recent) Median() (median time.Duration, ok bool) {
	if len(r.last) < recentFew {
		return 0, false
	}
	return slices.Sorted(slices.Values(r.last))[len(r.last)/2], true
}
