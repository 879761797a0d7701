package discipline

import "math"

// The bank is a set of Kalman filters that see the same samples and differ in how they think the oscillator wanders: by
// how much its frequency walks at random, and whether it drifts for a while in one direction, as a crystal does whose
// temperature changes. Each is weighted by how well it foretold the samples so far.

// climate is a way in which an oscillator's frequency drifts: the drift, in 1/s, comes and goes with standard deviation
// sigma and memory tau, in s (an Ornstein-Uhlenbeck process).
type climate struct {
	sigma, tau float64
	// prior is the weight of the climate before anything is known.
	prior float64
}

// climates: none; a room's day; a fan or a window; a draught.
var climates = [...]climate{{0, 1, 0.5}, {2e-10, 7200, 0.3}, {1e-9, 600, 0.15}, {5e-9, 300, 0.05}}

// groups are the parts of the bank: a climate, its wander levels from first to last by step, and whether the frequency
// is fed with what the trend knows of the day and the temperature.
var groups = [...]struct {
	climate, first, last, step int
	fed                        bool
}{{0, 0, 12, 1, false}, {1, 1, 10, 1, false}, {2, 3, 11, 2, false}, {3, 6, 12, 2, false}, {0, 1, 11, 1, true}, {1, 2, 10, 2, true}}

const (
	// The wander levels, in 1/√s, from the best oven-less crystals to a bad one in a draught.
	wanderLeast, wanderMost = 3e-11, 3e-8
	wanderLevels            = 13
	// wanderSpread is over how many decades around the middle level the wander is expected, 1σ, before anything is known.
	wanderSpread = 0.7
	bankSize     = 13 + 10 + 5 + 4 + 11 + 5
	// switching is how readily, per second, the oscillator is taken to change its ways: it keeps weights from vanishing.
	switching = 3e-6
)

// member is one filter of the bank. Its state is the phase x in s (TAI beyond the filter's epoch), the frequency y
// (seconds TAI gains on the oscillator in one of its seconds) and the drift d of y per second, with their covariance.
type member struct {
	q       float64 // the square of the random walk FM, in 1/s
	climate int
	fed     bool

	x, y, d                      float64
	pxx, pxy, pyy, pxd, pyd, pdd float64
	weight, prior                float64
}

// step is what a time of dt seconds does under each climate.
type step struct {
	dt  float64
	dtq [3]float64 // dt³/3, dt²/2, dt
	of  [len(climates)]climateStep
	// worked is the dt for which of was worked out.
	worked float64
}

// climateStep: d decays by phi, adds a·d to y and b·d to x, and the noise covariance n (xx, xy, yy, xd, yd, dd).
type climateStep struct {
	phi, a, b float64
	n         [6]float64
}

// set makes s a step of dt. What the climates do is not worked out anew for a dt that is all but the one before: samples
// come by the second.
func (s *step) set(dt float64) {
	s.dt, s.dtq = dt, [3]float64{dt * dt * dt / 3, dt * dt / 2, dt}
	if math.Abs(dt-s.worked) <= 1e-4*dt {
		return
	}
	s.worked = dt
	for i := range s.of {
		s.of[i] = climates[i].after(dt)
	}
}

// after integrates the drift and its noise over dt.
func (c climate) after(dt float64) climateStep {
	if c.sigma == 0 {
		return climateStep{phi: 1, a: dt, b: dt * dt / 2}
	}
	u := dt / c.tau
	phi := math.Exp(-u)
	v := 2 * c.sigma * c.sigma
	t1 := c.tau
	t2, t3, t4 := t1*t1, t1*t1*t1, t1*t1*t1*t1
	if u < 0.02 { // the closed forms cancel
		return climateStep{phi, dt * (1 - u/2), dt * dt / 2 * (1 - u/3), [6]float64{
			v * t4 * u * u * u * u * u / 20, v * t3 * u * u * u * u / 8, v * t2 * u * u * u / 3,
			v * t2 * u * u * u / 6, v * t1 * u * u / 2, v * u}}
	}
	w, h := 1-phi, (1-phi*phi)/2
	return climateStep{phi, t1 * w, t1 * (dt - t1*w), [6]float64{
		v * t4 * (((u-1)*(u-1)*(u-1)+1)/3 - 2*u*phi + h),
		v * t3 * (u*u/2 - u + u*phi + w - h),
		v * t2 * (u - 2*w + h),
		v * t2 * (h - u*phi),
		v * t1 * (w - h),
		v * h,
	}}
}

// advance moves the member by a step.
func (m *member) advance(s *step) {
	c := &s.of[m.climate]
	dt := s.dt
	if climates[m.climate].sigma == 0 {
		m.x += m.y * dt
		m.pxx += 2*dt*m.pxy + dt*dt*m.pyy + m.q*s.dtq[0]
		m.pxy += dt*m.pyy + m.q*s.dtq[1]
		m.pyy += m.q * s.dtq[2]
		return
	}
	m.x += m.y*dt + m.d*c.b
	m.y += m.d * c.a
	m.d *= c.phi
	// F P Fᵀ with F = [1 dt b; 0 1 a; 0 0 phi]: first the rows, then the columns.
	xx := m.pxx + dt*m.pxy + c.b*m.pxd
	xy := m.pxy + dt*m.pyy + c.b*m.pyd
	xd := m.pxd + dt*m.pyd + c.b*m.pdd
	yy := m.pyy + c.a*m.pyd
	yd := m.pyd + c.a*m.pdd
	m.pxx = xx + dt*xy + c.b*xd + m.q*s.dtq[0] + c.n[0]
	m.pxy = xy + c.a*xd + m.q*s.dtq[1] + c.n[1]
	m.pxd = c.phi*xd + c.n[3]
	m.pyy = yy + c.a*yd + m.q*s.dtq[2] + c.n[2]
	m.pyd = c.phi*yd + c.n[4]
	m.pdd = c.phi*c.phi*m.pdd + c.n[5]
}

// observe takes a measurement of the phase dt seconds from the epoch (0, or a little before it) by the score and
// information of its innovation.
func (m *member) observe(dt, score, information float64) {
	kx, ky, kd := m.pxx+dt*m.pxy, m.pxy+dt*m.pyy, m.pxd+dt*m.pyd
	m.x += kx * score
	m.y += ky * score
	m.d += kd * score
	m.pxx -= kx * kx * information
	m.pxy -= kx * ky * information
	m.pyy -= ky * ky * information
	m.pxd -= kx * kd * information
	m.pyd -= ky * kd * information
	m.pdd -= kd * kd * information
}

// spread is the variance of the phase dt seconds from the epoch.
func (m *member) spread(dt float64) float64 { return m.pxx + 2*dt*m.pxy + dt*dt*m.pyy }

// newBank makes a bank that knows nothing but the phase, to a variance of r, and the frequency, y to variance pyy.
func newBank(r, y, pyy float64) []member {
	bank := make([]member, 0, bankSize)
	for _, g := range groups {
		k := climates[g.climate]
		for i := g.first; i <= g.last; i += g.step {
			decades := (float64(i)/(wanderLevels-1) - 0.5) * math.Log10(wanderMost/wanderLeast)
			prior := k.prior * float64(g.step) * math.Exp(-0.5*decades*decades/(wanderSpread*wanderSpread))
			q := wanderLeast * math.Pow(wanderMost/wanderLeast, float64(i)/(wanderLevels-1))
			bank = append(bank, member{q: q * q, climate: g.climate, fed: g.fed, pxx: r, y: y, pyy: pyy,
				pdd: k.sigma * k.sigma, weight: prior, prior: prior})
		}
	}
	total := 0.0
	for i := range bank {
		total += bank[i].prior
	}
	for i := range bank {
		bank[i].prior /= total
		bank[i].weight /= total
	}
	return bank
}

// moments are the mean and covariance of the whole bank's phase and frequency; q is the mean of the wander's square.
type moments struct{ x, y, pxx, pxy, pyy, q float64 }

func combined(bank []member) (c moments) {
	for i := range bank {
		m := &bank[i]
		c.x += m.weight * m.x
		c.y += m.weight * m.y
		c.q += m.weight * m.q
	}
	for i := range bank {
		m := &bank[i]
		dx, dy := m.x-c.x, m.y-c.y
		c.pxx += m.weight * (m.pxx + dx*dx)
		c.pxy += m.weight * (m.pxy + dx*dy)
		c.pyy += m.weight * (m.pyy + dy*dy)
	}
	return c
}

// reach is how far from the mean the phase may be at the very most, in Uncertainty95: limitSigmas if all members agree.
// Where a wide one is still thought possible it is more: as far as that one would go at the same risk, which is about
// exp(-limit²/2) and, as a share of that member's, smaller by its weight.
func (c moments) reach(bank []member) float64 {
	const limit = limitSigmas * sigmas
	far := limit * math.Sqrt(c.pxx)
	for i := range bank {
		m := &bank[i]
		d := math.Abs(m.x - c.x)
		if m.weight < slight || d+limit*math.Sqrt(m.pxx) <= far {
			continue
		}
		far = math.Max(far, d+math.Sqrt((limit*limit+2*math.Log(m.weight))*m.pxx))
	}
	return far / (sigmas * math.Sqrt(c.pxx))
}

// after is roughly what becomes of the moments within dt seconds, so few that no drift matters.
func (c moments) after(dt float64) moments {
	c.x += dt * c.y
	c.pxx += 2*dt*c.pxy + dt*dt*c.pyy
	c.pxy += dt * c.pyy
	if dt > 0 {
		c.pxx += c.q * dt * dt * dt / 3
		c.pxy += c.q * dt * dt / 2
		c.pyy += c.q * dt
	}
	return c
}
