package station

import (
	"math"
	"slices"
	"time"

	"timestation/logbook/stability"
)

// phase is the free-running phase of a source in seconds: when its rows were, and when its samples.
type phase struct {
	rows, samples []time.Time
	seconds       []float64
}

func (p *phase) add(row, sample time.Time, seconds float64) {
	p.rows, p.samples, p.seconds = append(p.rows, row), append(p.samples, sample), append(p.seconds, seconds)
}

// allan is the Allan deviation at averaging times of 1, 2, 4, … intervals; least is the interval of the log. Whatever was
// not known stays missing; no difference is taken across a break.
func (p *phase) allan(breaks []time.Time, least time.Duration) []stability.Point {
	ns := make([]int64, len(p.samples))
	for i, t := range p.samples {
		ns[i] = t.UnixNano()
	}
	var begins []int // of the stretches with one origin
	for _, b := range append([]time.Time{{}}, breaks...) {
		i, _ := slices.BinarySearchFunc(p.rows, b, time.Time.Compare)
		if i < len(ns) && (len(begins) == 0 || i > begins[len(begins)-1]) {
			begins = append(begins, i)
		}
	}
	// Rows come at the station's pace and not quite at the interval, and each is moved to a regular grid. With the mean
	// frequency taken out this costs next to nothing, and no deviation depends on it.
	level(ns, p.seconds, begins)
	series, _, err := stability.Regular(ns, p.seconds, interval(ns, least))
	if err != nil {
		return nil
	}
	for _, begin := range begins[1:] {
		series.Break(ns[begin])
	}
	var points []stability.Point
	for _, q := range stability.ADEV(series, stability.Octave.Factors(len(series.Phase))) {
		if q.Terms > 0 && q.Deviation > 0 && q.Low > 0 && !math.IsInf(q.High, 0) && !math.IsNaN(q.High) {
			points = append(points, q)
		}
	}
	return points
}

// interval is the usual distance of samples: that of the log, unless the source is heard less often.
func interval(ns []int64, least time.Duration) time.Duration {
	var distances []int64
	for i := 1; i < len(ns); i++ {
		distances = append(distances, ns[i]-ns[i-1])
	}
	slices.Sort(distances)
	if usual := time.Duration(distances[len(distances)/2]).Round(time.Second); usual > least*3/2 {
		return usual
	}
	return least
}

// level takes the mean frequency out of a phase, and lets each stretch begin at 0.
func level(ns []int64, seconds []float64, begins []int) {
	end := func(k int) int {
		if k+1 < len(begins) {
			return begins[k+1]
		}
		return len(ns)
	}
	var rise, time float64
	for k, begin := range begins {
		last := end(k) - 1
		rise += seconds[last] - seconds[begin]
		time += float64(ns[last]-ns[begin]) / 1e9
	}
	rate := 0.0
	if time > 0 {
		rate = rise / time
	}
	for k, begin := range begins {
		zero, start := seconds[begin], ns[begin]
		for i := begin; i < end(k); i++ {
			seconds[i] -= zero + rate*float64(ns[i]-start)/1e9
		}
	}
}
