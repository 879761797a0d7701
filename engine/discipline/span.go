package discipline

import "math"

// span is a trend anchored at a moment at which the phase is known: it foretells what comes after.
type span struct {
	from    moment
	members []trendMember
	// shape is what tails found, measured after so many seconds.
	shape, measured float64
}

// anchor makes the trend ready to foretell from a moment on, at which phase and frequency are known as c says: what the
// trend itself thinks of these two gives way to that, and carries what it thinks of the rest along. Members of hardly any
// weight are left out: they would widen the 95 % bound by what has no part in it. So are, where there is no thermometer, those
// that follow the temperature: they say what the others do.
func (t *trend) anchor(from moment, c moments, thermometer bool) span {
	const least = 5e-4
	s := span{from: from}
	g, h := between(t.last, from), rates(from)
	z := seconds((from.tai - t.last.tai) - (from.raw - t.last.raw))
	total := 0.0
	for i := range t.members {
		m := t.members[i]
		if m.weight < least || m.warm && !thermometer {
			continue
		}
		if g.phase[1] > 0 {
			m.advance(&g)
		}
		m.mean[0] -= z
		m.replace(&h, c)
		total += m.weight
		s.members = append(s.members, m)
	}
	for i := range s.members {
		s.members[i].weight /= total
	}
	return s
}

// rate is the frequency that the trend itself thinks of at its last moment.
func (t *trend) rate(at moment) moments {
	s := span{from: at}
	for i := range t.members {
		s.members = append(s.members, t.members[i])
	}
	return s.bridge(at)
}

// replace makes phase and frequency, h times the state, what c says, and the rest of the state what follows from that.
func (m *trendMember) replace(h *[trendWide]float64, c moments) {
	var y float64
	var cross [trendWide][2]float64 // of the state with phase and frequency
	for i := range m.size {
		y += h[i] * m.mean[i]
		cross[i][0] = m.cov[i][0]
		for j := range m.size {
			cross[i][1] += m.cov[i][j] * h[j]
		}
	}
	xx, xy, yy := m.cov[0][0], cross[0][1], 0.0
	for i := range m.size {
		yy += h[i] * cross[i][1]
	}
	det := xx*yy - xy*xy
	if !(det > 1e-12*xx*yy) {
		return
	}
	dx, dy := c.x-m.mean[0], c.y-y
	var gain [trendWide][2]float64
	for i := range m.size {
		gain[i][0] = (cross[i][0]*yy - cross[i][1]*xy) / det
		gain[i][1] = (cross[i][1]*xx - cross[i][0]*xy) / det
		m.mean[i] += gain[i][0]*dx + gain[i][1]*dy
	}
	exx, exy, eyy := c.pxx-xx, c.pxy-xy, c.pyy-yy
	for i := range m.size {
		for j := range m.size {
			m.cov[i][j] += gain[i][0]*(exx*gain[j][0]+exy*gain[j][1]) + gain[i][1]*(exy*gain[j][0]+eyy*gain[j][1])
		}
	}
}

// tails is by how much the square of the true 95 % limit of the phase differs from that of a Gaussian of the same variance,
// as a factor. The members may differ so much in how wide they are that a few that hardly anybody believes in make most of
// the variance.
func (s *span) tails(to moment) float64 {
	const again = 0.1 // of the time since the span began
	dt := seconds(to.raw - s.from.raw)
	if s.shape > 0 && math.Abs(dt-s.measured) < again*s.measured {
		return s.shape
	}
	course := between(s.from, to)
	x, deviation := make([]float64, len(s.members)), make([]float64, len(s.members))
	mean, square := 0.0, 0.0
	for i := range s.members {
		m := s.members[i]
		m.advance(&course)
		x[i] = m.mean[0]
		deviation[i] = math.Sqrt(m.cov[0][0] + m.walk*dt*dt*dt/3)
		mean += m.weight * x[i]
	}
	for i := range s.members {
		square += s.members[i].weight * (deviation[i]*deviation[i] + (x[i]-mean)*(x[i]-mean))
	}
	limit := math.Sqrt(square) * 1.96
	low, high := 0.0, 3*limit
	for range 12 {
		middle, outside := (low+high)/2, 0.0
		for i := range s.members {
			d := x[i] - mean
			outside += s.members[i].weight * (math.Erfc((middle-d)/(math.Sqrt2*deviation[i])) + math.Erfc((middle+d)/(math.Sqrt2*deviation[i]))) / 2
		}
		if outside > 0.05 {
			low = middle
		} else {
			high = middle
		}
	}
	s.shape, s.measured = high*high/(limit*limit), dt
	return s.shape
}

// bridge foretells phase and frequency at a later moment. The phase is counted from TAI going on as the oscillator does.
func (s *span) bridge(to moment) (c moments) {
	course, h := between(s.from, to), rates(to)
	g := &course.phase
	dt := g[1]
	for i, keep := range course.keep {
		h[trendNarrow+i] = keep
	}
	for i := range s.members {
		m := &s.members[i]
		var x, y float64
		for j := range m.size {
			x += g[j] * m.mean[j]
			y += h[j] * m.mean[j]
		}
		c.x += m.weight * x
		c.y += m.weight * y
		c.q += m.weight * m.q
	}
	for i := range s.members {
		m := &s.members[i]
		dx, dy := -c.x, -c.y
		var xx, xy, yy float64
		for j := range m.size {
			dx += g[j] * m.mean[j]
			dy += h[j] * m.mean[j]
			var row float64
			for k := range m.size {
				row += m.cov[j][k] * g[k]
				yy += h[j] * h[k] * m.cov[j][k]
			}
			xx += g[j] * row
			xy += h[j] * row
		}
		if m.size > trendNarrow {
			for _, n := range course.noise {
				xx, xy, yy = xx+m.flicker*n[0], xy+m.flicker*n[1], yy+m.flicker*n[2]
			}
		}
		// The day's swing goes on changing: as if its rate walked.
		swing := m.walk * dt * dt * dt / 3
		c.pxx += m.weight * (xx + m.q*dt*dt*dt/3 + swing + dx*dx)
		c.pxy += m.weight * (xy + m.q*dt*dt/2 + dx*dy)
		c.pyy += m.weight * (yy + (m.q+m.walk)*dt + dy*dy)
	}
	return c
}
