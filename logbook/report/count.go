package report

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// shares are parts of the span, in seconds; they add up to its length.
type shares struct {
	span float64
	// within is the part of the synchronised and the holdover time in which the stated bound was at most the wanted one.
	within                                       float64
	synchronised, holdover, unsynchronised, lost float64
	// worst is the greatest bound stated while the station claimed to know the time, in seconds.
	worst float64
	// offset95 is what 95 % of the followed source's offsets stayed within, in seconds, by nearest rank; NaN without any.
	offset95 float64
}

// count gives each point its length, finds the gaps, and adds up.
func (f *findings) count() {
	from, to := f.options.From.UnixNano(), f.options.To.UnixNano()
	reach := int64(f.spacing) * 3 / 2
	s := &f.shares
	s.span = float64(to-from) / 1e9
	miss := func(since, until int64) {
		if until-since > reach {
			f.gaps = append(f.gaps, gap{time.Unix(0, since).UTC(), time.Duration(until - since)})
		}
	}
	miss(from, f.points[0].ns)
	var offsets []float64
	for i := range f.points {
		p := &f.points[i]
		next := to
		if i+1 < len(f.points) {
			next = f.points[i+1].ns
		}
		length := next - p.ns
		if length > reach {
			length = int64(f.spacing)
			miss(p.ns+length, next)
		}
		p.seconds = float64(length) / 1e9
		if p.rows < f.full { // an aggregate that has lost rows
			p.seconds = min(p.seconds, float64(p.rows)*f.interval.Seconds())
		}
		part := func(rows int64) float64 { return p.seconds * float64(rows) / float64(max(p.rows, 1)) }
		s.within += part(p.within)
		s.synchronised += part(p.synchronised)
		s.holdover += part(p.holdover)
		s.unsynchronised += part(p.unsynchronised)
		if p.unsynchronised < p.rows && !math.IsNaN(p.bound) {
			s.worst = max(s.worst, p.bound)
		}
		if !math.IsNaN(p.offset) {
			offsets = append(offsets, max(math.Abs(p.offsetMin), math.Abs(p.offsetMax)))
		}
	}
	s.lost = max(0, s.span-s.synchronised-s.holdover-s.unsynchronised)
	s.offset95 = math.NaN()
	if n := len(offsets); n > 0 {
		slices.Sort(offsets)
		s.offset95 = offsets[(95*n+99)/100-1]
	}
}

// mostMoments is how many of the worst moments are told.
const mostMoments = 10

// moment is one of the worst: a stretch that was not inside the wanted bound, or a single point that was.
type moment struct {
	point       // the worst of the stretch
	from, until int64
}

// worse orders points by how badly the station knew the time: not at all, or with which bound.
func worse(a, b point) int {
	return cmp.Or(cmp.Compare(min(a.unsynchronised, 1), min(b.unsynchronised, 1)), cmp.Compare(a.bound, b.bound))
}

// worstMoments are the stretches that were not inside the wanted bound, worst first; outside says how many there are. If
// there is none, they are the points with the greatest bounds, no two of the same two-hundredth of the span.
func (f *findings) worstMoments() (moments []moment, outside int) {
	open := false
	for _, p := range f.points {
		end := p.ns + int64(p.seconds*1e9)
		switch {
		case p.within == p.rows:
			open = false
		case !open:
			moments, open = append(moments, moment{p, p.ns, end}), true
		default:
			m := &moments[len(moments)-1]
			if m.until = end; worse(p, m.point) > 0 {
				m.point = p
			}
		}
	}
	if outside = len(moments); outside == 0 {
		part := max(f.options.To.Sub(f.options.From)/200, f.spacing)
		worst := map[int64]point{}
		for _, p := range f.points {
			key := (p.ns - f.options.From.UnixNano()) / int64(part)
			if before, ok := worst[key]; !ok || worse(p, before) > 0 {
				worst[key] = p
			}
		}
		for _, p := range worst {
			moments = append(moments, moment{p, p.ns, p.ns + int64(p.seconds*1e9)})
		}
	}
	slices.SortFunc(moments, func(a, b moment) int { return cmp.Or(-worse(a.point, b.point), cmp.Compare(a.ns, b.ns)) })
	return moments[:min(len(moments), mostMoments)], outside
}
