package simulate

import (
	"math"
	"time"

	"timestation/engine/discipline"
)

// optimum is the causal optimum for a known law and a known wander: a Kalman filter of phase and frequency (and, with
// drift, of the drift) whose update matches the moments of the exact law.
type optimum struct {
	q, qd    float64
	density  func(v, p, half float64) (z, first, second float64)
	thermal  func(k int) float64
	raw, tai int64
	begun    bool
	x, y, d  float64
	p        [3][3]float64
}

func reference(s Scenario) Follower {
	o := &optimum{q: s.wander * s.wander}
	switch s.Name {
	case "b", "eb":
		o.density = interruptsDensity
	case "d1", "d2":
		o.density = longwaveDensity
	case "g":
		o.density = uniformDensity
	default:
		o.density = func(v, p, _ float64) (float64, float64, float64) { return normal(v, p+1e-12) }
	}
	if s.Name == "c2" {
		o.qd = 1e-20
	} else {
		o.thermal = s.thermal
	}
	return o
}

func (o *optimum) Temperature(int64, float64) {}

func (o *optimum) Update(b discipline.Observation) discipline.Verdict {
	half := b.HalfWidth.Seconds()
	if b.Systematic > 0 { // an exchange: this one knows the quickest round trip beforehand
		half = math.Max(half+b.Systematic.Seconds()-quickest/2, 1e-9)
	}
	if !o.begun {
		o.begun, o.raw, o.tai = true, b.Raw, b.TAI
		o.p[0][0], o.p[1][1] = 1e-12, 1e-8
		if o.qd > 0 {
			o.p[2][2] = 1e-18
		}
		if b.Noise > 1e6 {
			o.p[0][0] = 9e-6
		}
		if half > 0 {
			o.p[0][0] += half * half / 3
		}
		return discipline.Accepted
	}
	o.predict(b.Raw)
	v := float64(b.TAI-o.tai)*1e-9 - o.x
	z, first, second := o.density(-v, o.p[0][0], half) // the law is of lateness
	if z < 1e-9 {                                      // no law has tails that thin: its own covariance is too sure
		for i := range 3 {
			for j := range 3 {
				o.p[i][j] *= 2
			}
		}
		return discipline.Refused
	}
	score := first / z
	information := score*score - second/z
	k := [3]float64{o.p[0][0], o.p[0][1], o.p[0][2]}
	o.x -= k[0] * score
	o.y -= k[1] * score
	o.d -= k[2] * score
	for i := range 3 {
		for j := range 3 {
			o.p[i][j] -= k[i] * k[j] * information
		}
	}
	whole := math.Round(o.x * 1e9)
	o.x -= whole * 1e-9
	o.tai += int64(whole)
	return discipline.Accepted
}

func (o *optimum) thermalAt(raw int64) float64 {
	if o.thermal == nil {
		return 0
	}
	return o.thermal(int(math.Round(float64(raw-beginRaw)*1e-9)) - 1)
}

func (o *optimum) predict(raw int64) {
	dt := float64(raw-o.raw) * 1e-9
	change := -(o.thermalAt(raw) - o.thermalAt(o.raw))
	o.x += o.y*dt + o.d*dt*dt/2 + change*dt
	o.y += o.d*dt + change
	f := [3][3]float64{{1, dt, dt * dt / 2}, {0, 1, dt}, {0, 0, 1}}
	var fp, p [3][3]float64
	for i := range 3 {
		for j := range 3 {
			for k := range 3 {
				fp[i][j] += f[i][k] * o.p[k][j]
			}
		}
	}
	for i := range 3 {
		for j := range 3 {
			for k := range 3 {
				p[i][j] += fp[i][k] * f[j][k]
			}
		}
	}
	p[0][0] += o.q*dt*dt*dt/3 + o.qd*math.Pow(dt, 5)/20
	p[0][1] += o.q*dt*dt/2 + o.qd*math.Pow(dt, 4)/8
	p[1][0] = p[0][1]
	p[1][1] += o.q*dt + o.qd*dt*dt*dt/3
	p[2][2] += o.qd * dt
	p[1][2] += o.qd * dt * dt / 2
	p[2][1] = p[1][2]
	p[0][2] += o.qd * dt * dt * dt / 6
	p[2][0] = p[0][2]
	o.p = p
	o.tai += raw - o.raw
	o.raw = raw
}

func (o *optimum) At(raw int64) discipline.Estimate {
	dt := float64(raw-o.raw) * 1e-9
	c := *o
	if dt > 0.5 {
		// Over a silence the thermal part is summed second by second.
		for c.raw < raw {
			c.predict(min(c.raw+1e9, raw))
		}
		*o = c
		dt = 0
	}
	return discipline.Estimate{TAI: c.tai + (raw - c.raw) + int64(math.Round((c.x+dt*c.y)*1e9)), Frequency: c.y,
		Uncertainty95: dur(2 * math.Sqrt(c.p[0][0]))}
}

// normal is a Gaussian density at v with minus its first and its second derivative.
func normal(v, s float64) (z, first, second float64) {
	z = math.Exp(-v*v/(2*s)) / math.Sqrt(2*math.Pi*s)
	return z, z * v / s, z * (v*v/(s*s) - 1/s)
}

// exgauss is a Gaussian of variance s plus an exponential of mean m.
func exgauss(v, s, m float64) (z, first, second float64) {
	// f = (1/m) exp(s/2m² - v/m) Φ(v/σ - σ/m); f' = (n(v) - f)/m ; f'' = (n'(v) - f')/m.
	sigma := math.Sqrt(s)
	u := v/sigma - sigma/m
	if u < -8 { // far in the Gaussian tail
		return normal(v, s)
	}
	z = math.Exp(s/(2*m*m)-v/m) * 0.5 * math.Erfc(-u/math.Sqrt2) / m
	n, n1, _ := normal(v, s)
	d1 := (n - z) / m
	d2 := (-n1 - d1) / m
	return z, -d1, d2
}

func mix(w float64, z, a, b, w2, z2, a2, b2 float64) (float64, float64, float64) {
	return w*z + w2*z2, w*a + w2*a2, w*b + w2*b2
}

func interruptsDensity(v, p, _ float64) (float64, float64, float64) {
	v += 6e-6
	s := 9e-12 + p
	z, a, b := exgauss(v, s, 6e-6)
	z2, a2, b2 := exgauss(v, s, 100e-6)
	// The sum of two exponentials m and n is (n E_n - m E_m)/(n - m).
	const m, n = 6.0, 100.0
	hz, ha, hb := mix(n/(n-m), z2, a2, b2, -m/(n-m), z, a, b)
	return mix(0.99, z, a, b, 0.01, hz, ha, hb)
}

// quickest is the round trip of g without any waiting, in s.
const quickest = 200e-6

func uniformDensity(v, s, half float64) (z, first, second float64) {
	if v < 0 { // in the other tail the difference would cancel
		z, first, second = uniformDensity(-v, s, half)
		return z, -first, second
	}
	sigma := math.Sqrt(s)
	lo, hi := (v-half)/sigma, (v+half)/sigma
	z = (math.Erfc(lo/math.Sqrt2) - math.Erfc(hi/math.Sqrt2)) / (4 * half)
	n := 1 / (math.Sqrt(2*math.Pi) * sigma * 2 * half)
	elo, ehi := n*math.Exp(-lo*lo/2), n*math.Exp(-hi*hi/2)
	return z, elo - ehi, (elo*lo - ehi*hi) / sigma
}

// longwaveDensity leaves out the edges of the uniform outliers, at which they would be the best samples of all.
func longwaveDensity(v, p, _ float64) (float64, float64, float64) {
	z, a, b := normal(v, 9e-6+p)
	return mix(0.95, z, a, b, 0.05, 1/100e-3, 0, 0)
}

func dur(s float64) time.Duration { return time.Duration(s * 1e9) }
