package stability

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// MaxPoints bounds the grid that [Regular] lays: two years of one point a second, in half a gigabyte. One row with a
// wrong date must not ask for more memory than the machine has.
const MaxPoints = 1 << 26

// Grid is what became of irregular rows on a regular grid.
type Grid struct {
	// Rows is how many rows there were; Unusable had no finite phase.
	Rows, Unusable int
	// Merged is how many rows shared a point with an earlier one, and were averaged with it.
	Merged int
	// Holes is how many points of the grid got no row.
	Holes int
	// WorstShift is how far the furthest row was moved in time; up to half the interval. Its phase was not altered: a
	// clock that is off in frequency by y is off by y times this.
	WorstShift time.Duration
}

// Regular makes a series of rows that came at about every tau0, in any order: each row goes to the nearest point of a
// grid that is laid where most rows are nearest. timesNS are nanoseconds on any scale, phase is in seconds. A point that
// no row came near is missing; rows that share a point are averaged.
//
// It fails if tau0 is not above 0, if the lengths differ, or if the rows span more than [MaxPoints].
func Regular(timesNS []int64, phase []float64, tau0 time.Duration) (Series, Grid, error) {
	if tau0 <= 0 {
		return Series{}, Grid{}, fmt.Errorf("stability: the interval %v is not above 0; give that of the rows", tau0)
	}
	if len(timesNS) != len(phase) {
		return Series{}, Grid{}, fmt.Errorf("stability: %d times for %d phases; give one for each", len(timesNS), len(phase))
	}
	grid := Grid{Rows: len(timesNS)}
	s := Series{Tau0Seconds: tau0.Seconds()}
	if len(timesNS) == 0 {
		return s, grid, nil
	}
	first, last := slices.Min(timesNS), slices.Max(timesNS)
	// As unsigned numbers the difference of any two times is right.
	span := uint64(last) - uint64(first)
	if span/uint64(tau0) >= MaxPoints-1 || span > uint64(math.MaxInt64-int64(tau0)) {
		return Series{}, Grid{}, fmt.Errorf("stability: the rows span more than %d points of %v; "+
			"look for a row with a wrong date, or give a longer interval", MaxPoints, tau0)
	}
	place := phaseOfRows(timesNS, first, tau0)
	half := int64(tau0) / 2
	// place is at most half an interval either way, so that no row is before point 0.
	index := func(t int64) int { return int((t - first - place + half) / int64(tau0)) }
	s.StartNS = first + place
	s.Phase = make([]float64, index(last)+1)
	rows := make([]int32, len(s.Phase))
	for i, t := range timesNS {
		if !finite(phase[i]) {
			grid.Unusable++
			continue
		}
		k := index(t)
		if rows[k]++; rows[k] > 1 {
			grid.Merged++
		}
		s.Phase[k] += (phase[i] - s.Phase[k]) / float64(rows[k])
		shift := time.Duration(t - first - place - int64(k)*int64(tau0)).Abs()
		grid.WorstShift = max(grid.WorstShift, shift)
	}
	for k, n := range rows {
		if n == 0 {
			s.Phase[k] = math.NaN()
			grid.Holes++
		}
	}
	return s, grid, nil
}

// phaseOfRows is where in the interval most rows lie, relative to first: the direction of their circular mean, within
// half an interval either way.
func phaseOfRows(timesNS []int64, first int64, tau0 time.Duration) int64 {
	var sin, cos float64
	for _, t := range timesNS {
		s, c := math.Sincos(2 * math.Pi * float64((t-first)%int64(tau0)) / float64(tau0))
		sin, cos = sin+s, cos+c
	}
	limit := (int64(tau0) - 1) / 2
	place := int64(math.Round(math.Atan2(sin, cos) / (2 * math.Pi) * float64(tau0)))
	return min(max(place, -limit), limit)
}
