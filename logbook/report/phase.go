package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"timestation/engine/status"
	"timestation/logbook"
	"timestation/logbook/stability"
)

// phases are the free-running phase of a source as the log has it: when each row was, when its sample was, and the phase
// in seconds.
type phases struct {
	row, ns []int64
	value   []float64
}

func (p *phases) add(row time.Time, age time.Duration, value float64) {
	ns := row.UnixNano()
	p.row, p.ns, p.value = append(p.row, ns), append(p.ns, ns-int64(age)), append(p.value, value)
}

// interval is the usual distance of samples, to the second if it is about one.
func (p phases) interval() time.Duration {
	var distances []int64
	for i := 1; i < len(p.ns); i++ {
		distances = append(distances, p.ns[i]-p.ns[i-1])
	}
	slices.Sort(distances)
	d := time.Duration(distances[len(distances)/2])
	if whole := d.Round(time.Second); (d - whole).Abs() < d/500 {
		return whole
	}
	return max(d, time.Millisecond)
}

// readPhase analyses the source's phase against the free-running oscillator, which no steering touches.
func (f *findings) readPhase(ctx context.Context, log Log) error {
	f.phase.source = f.options.Source
	if f.phase.source == "" && len(f.sources) > 0 {
		f.phase.source = slices.MaxFunc(f.sources, func(a, b *source) int { return cmp.Compare(a.selected, b.selected) }).name
	} else if !slices.ContainsFunc(f.sources, func(s *source) bool { return s.name == f.phase.source }) {
		return fmt.Errorf("source: the log has no row of %q in this span", f.phase.source)
	}
	p, err := f.readPhases(ctx, log)
	if err != nil || len(p.ns) < 3 {
		return err
	}
	// Rows come at the station's pace and not quite at the interval; each is moved to a regular grid. With the mean
	// frequency taken out this costs next to nothing, and no deviation depends on it.
	segments := f.segments(p.row)
	f.phase.ppm = 1e6 * flatten(p, segments)
	tau0 := f.spacing
	if f.resolution == logbook.Raw {
		tau0 = p.interval()
	}
	s, grid, err := stability.Regular(p.ns, p.value, tau0)
	if err != nil {
		return errors.New("the phase of " + f.phase.source + " cannot be analysed: " + err.Error())
	}
	for _, begin := range segments[1:] {
		s.Break(p.ns[begin])
	}
	f.phase.grid = grid
	f.phase.Analysis = stability.Analyse(s, stability.Octave.Factors(len(s.Phase)))
	return nil
}

func (f *findings) readPhases(ctx context.Context, log Log) (p phases, err error) {
	o := f.options
	if f.resolution != logbook.Raw {
		for a, err := range log.Aggregates(ctx, o.From, o.To, f.phase.source, f.resolution) {
			if err != nil {
				return p, err
			}
			if a.PhaseSeconds.Valid {
				p.add(a.PhaseTime, 0, a.PhaseSeconds.V)
			}
		}
		return p, nil
	}
	for row, err := range log.Rows(ctx, o.From, o.To, f.phase.source) {
		if err != nil {
			return p, err
		}
		age := time.Duration(row.AgeSeconds.V * 1e9)
		// A sample that was there at the row before already is not another measurement.
		if row.Known && row.PhaseSeconds.Valid && age <= f.interval {
			p.add(row.UTC.Time(), age, row.PhaseSeconds.V)
		}
	}
	return p, nil
}

// segments are the indices of the rows at which the phase may count from another origin than before; the first is 0. The
// origin is new whenever the station starts. Then it does not know the time yet, so that the start itself has none in the
// log; what follows it has: that the station came to know the time.
func (f *findings) segments(rows []int64) []int {
	const noticed = 2 * time.Second // after the fact, at most: the log looks at the state each second
	begins := []int{0}
	for _, e := range f.events {
		if e.Kind != logbook.EventStart && (e.Kind != logbook.EventState || !strings.Contains(e.Text, wasUnsynchronised)) {
			continue
		}
		i, _ := slices.BinarySearch(rows, e.UTC.Time().Add(-noticed).UnixNano())
		if i > begins[len(begins)-1] && i < len(rows) {
			begins = append(begins, i)
		}
	}
	return begins
}

const wasUnsynchronised = "(was " + string(status.Unsynchronised) + ")"

// flatten takes the mean frequency out of the phase, segment by segment, and gives it (dimensionless).
func flatten(p phases, segments []int) (mean float64) {
	var rise, seconds float64
	for k, begin := range segments {
		end := len(p.ns)
		if k+1 < len(segments) {
			end = segments[k+1]
		}
		if t := float64(p.ns[end-1]-p.ns[begin]) / 1e9; t > 0 {
			rise, seconds = rise+p.value[end-1]-p.value[begin], seconds+t
		}
	}
	if seconds > 0 {
		mean = rise / seconds
	}
	for k, begin := range segments {
		end := len(p.ns)
		if k+1 < len(segments) {
			end = segments[k+1]
		}
		zero, start := p.value[begin], p.ns[begin]
		for i := begin; i < end; i++ {
			p.value[i] -= zero + mean*float64(p.ns[i]-start)/1e9
			if math.IsInf(p.value[i], 0) {
				p.value[i] = math.NaN()
			}
		}
	}
	return mean
}
