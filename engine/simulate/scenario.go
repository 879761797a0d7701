package simulate

import (
	"math"
	"math/rand/v2"
)

// Scenario is a world for one oscillator and one reference.
type Scenario struct {
	Name, Help string
	// Source is the driver the reference is heard through.
	Source string
	// Hours is how long a trace is.
	Hours float64
	// wander is the oscillator's random walk FM per √s, flicker its flicker floor (ADEV).
	wander, flicker float64
	// frequency0 and offset0 are the error at the start.
	frequency0, offset0 float64
	// thermal is the frequency that follows the temperature, at second k; perCelsius is how much of it a degree makes.
	thermal    func(k int) float64
	perCelsius float64
	// sensor is the step of the temperature sensor in °C; 0: there is no sensor.
	sensor float64
	noise  func(r *rand.Rand, k int) float64
	// spoil does to the finished trace what else goes wrong.
	spoil func(t *Trace, r *rand.Rand)
}

const (
	hour = 3600
	day  = 24 * hour
)

// Make makes the scenario's trace from a seed; hours other than 0 replace the usual length.
func (s Scenario) Make(seed uint64, hours float64) *Trace {
	if hours == 0 {
		hours = s.Hours
	}
	n := int(hours * hour)
	r := rand.New(rand.NewPCG(seed, 0x7469_6d65))
	t := &Trace{Offset0: s.offset0, Frequency: make([]float64, n)}
	walk := s.frequency0
	flicker := newFlicker(s.flicker)
	for k := range n {
		walk += s.wander * r.NormFloat64()
		t.Frequency[k] = walk
		if s.flicker > 0 {
			t.Frequency[k] += flicker.next(r)
		}
		if s.thermal != nil {
			t.Frequency[k] += s.thermal(k)
		}
	}
	if s.thermal != nil && s.sensor > 0 {
		t.Temperature = make([]float64, n)
		for k := range n {
			c := 40 + s.thermal(k)/s.perCelsius + 0.05*r.NormFloat64()
			t.Temperature[k] = s.sensor * math.Round(c/s.sensor)
		}
	}
	if s.Source == "ntp" {
		t.Up, t.Down = make([]float64, n), make([]float64, n)
		for k := range n {
			t.Up[k], t.Down[k] = 100e-6+100e-6*r.ExpFloat64(), 100e-6+100e-6*r.ExpFloat64()
		}
	} else {
		t.Pulse = make([]float64, n)
		for k := range n {
			t.Pulse[k] = s.noise(r, k)
		}
	}
	if s.spoil != nil {
		s.spoil(t, r)
	}
	return t
}

// flicker approximates flicker FM by a sum of first-order processes, an octave of memory apart.
type flicker struct{ states, keep, add []float64 }

func newFlicker(floor float64) *flicker {
	f := &flicker{}
	// Each octave of a 1/f spectrum h/f holds the variance h·ln 2, and the Allan variance floor is 2·ln 2·h.
	sigma := floor / math.Sqrt2
	for tau := 1.0; tau < 4*day; tau *= 2 {
		keep := math.Exp(-1 / tau)
		f.states = append(f.states, math.NaN())
		f.keep = append(f.keep, keep)
		f.add = append(f.add, sigma*math.Sqrt(1-keep*keep))
	}
	return f
}

func (f *flicker) next(r *rand.Rand) (sum float64) {
	for i := range f.states {
		if math.IsNaN(f.states[i]) { // in equilibrium from the start
			f.states[i] = f.add[i] / math.Sqrt(1-f.keep[i]*f.keep[i]) * r.NormFloat64()
		}
		f.states[i] = f.keep[i]*f.states[i] + f.add[i]*r.NormFloat64()
		sum += f.states[i]
	}
	return sum
}

func gauss(sigma float64) func(*rand.Rand, int) float64 {
	return func(r *rand.Rand, _ int) float64 { return sigma * r.NormFloat64() }
}

// interrupts is the noise of a pulse taken by a busy machine.
func interrupts(r *rand.Rand, _ int) float64 {
	v := 3e-6*r.NormFloat64() + 6e-6*r.ExpFloat64() - 6e-6
	if r.Float64() < 0.01 {
		v += 100e-6 * r.ExpFloat64()
	}
	return v
}

// longwave is the noise of DCF77's second marks; the last of a minute has none.
func longwave(r *rand.Rand, k int) float64 {
	v := 3e-3 * r.NormFloat64()
	if r.Float64() < 0.05 {
		v = 100e-3 * (r.Float64() - 0.5)
	}
	if (k+1)%60 == 59 {
		return math.NaN()
	}
	return v
}

// daily is a room's day; its phase is such that the frequency passes neither its mean nor its turn at midnight.
func daily(k int) float64 { return 3e-6 * math.Sin(2*math.Pi*float64(k)/day+math.Pi/4) }

// fan is a fan that switches by temperature: a triangle of 20 minutes.
func fan(k int) float64 {
	u := math.Mod(float64(k)/1200, 1)
	return 0.3e-6 * (1 - 4*math.Abs(u-0.5))
}

// silence takes the reference away from second from on, up to second to.
func silence(t *Trace, from, to int) {
	for k := from; k < min(to, len(t.Frequency)); k++ {
		if t.Pulse != nil {
			t.Pulse[k] = math.NaN()
		} else {
			t.Up[k], t.Down[k] = math.NaN(), math.NaN()
		}
	}
}

// Scenarios are the worlds that the estimator is judged in.
var Scenarios = []Scenario{
	{Name: "a", Help: "PPS σ 1 µs, wander 1e-9", Source: "pps", Hours: 24, wander: 1e-9, noise: gauss(1e-6)},
	{Name: "a0", Help: "PPS σ 1 µs, wander 1e-10", Source: "pps", Hours: 24, wander: 1e-10, noise: gauss(1e-6)},
	{Name: "b", Help: "PPS through a busy machine: σ 3 µs, exponential lateness, 1 % outliers", Source: "pps", Hours: 24, wander: 1e-9, noise: interrupts},
	{Name: "c", Help: "a in a room whose day makes 3 ppm", Source: "pps", Hours: 24, wander: 1e-9, noise: gauss(1e-6), thermal: daily, perCelsius: 0.5e-6},
	{Name: "c2", Help: "a with a fan: 0.3 ppm triangle over 20 min", Source: "pps", Hours: 24, wander: 1e-9, noise: gauss(1e-6), thermal: fan, perCelsius: 0.1e-6},
	{Name: "d1", Help: "DCF77 σ 3 ms, 5 % uniform ±50 ms, wander 1e-9", Source: "dcf77", Hours: 24, wander: 1e-9, noise: longwave},
	{Name: "d2", Help: "d1 with wander 1e-8", Source: "dcf77", Hours: 24, wander: 1e-8, noise: longwave},
	{Name: "e", Help: "a from 0.5 s and 50 ppm off", Source: "pps", Hours: 1, wander: 1e-9, noise: gauss(1e-6), offset0: 0.5, frequency0: 50e-6},
	{Name: "eb", Help: "b from 0.5 s and 50 ppm off", Source: "pps", Hours: 1, wander: 1e-9, noise: interrupts, offset0: 0.5, frequency0: 50e-6},
	{Name: "f", Help: "c for a day, then a day of silence", Source: "pps", Hours: 48, wander: 1e-9, noise: gauss(1e-6), thermal: daily, perCelsius: 0.5e-6,
		spoil: func(t *Trace, _ *rand.Rand) { silence(t, day, 2*day) }},
	{Name: "g", Help: "an NTP server in the LAN: 100 µs and exponential 100 µs each way", Source: "ntp", Hours: 24, wander: 1e-9},
	{Name: "h", Help: "a for a day, then the PPS drifts off at 1 µs/s", Source: "pps", Hours: 25, wander: 1e-9, noise: gauss(1e-6),
		spoil: func(t *Trace, _ *rand.Rand) {
			for k := day; k < len(t.Pulse); k++ {
				t.Pulse[k] += 1e-6 * float64(k-day+1)
			}
		}},
	{Name: "c2-temperature", Help: "c2 with a 0.5 °C sensor", Source: "pps", Hours: 24, wander: 1e-9, noise: gauss(1e-6), thermal: fan, perCelsius: 0.1e-6, sensor: 0.5},
	{Name: "f-temperature", Help: "f with a 0.5 °C sensor", Source: "pps", Hours: 48, wander: 1e-9, noise: gauss(1e-6), thermal: daily, perCelsius: 0.5e-6, sensor: 0.5,
		spoil: func(t *Trace, _ *rand.Rand) { silence(t, day, 2*day) }},
	{Name: "flicker", Help: "PPS σ 1 µs, flicker floor 1e-9", Source: "pps", Hours: 24, flicker: 1e-9, noise: gauss(1e-6)},
	{Name: "quantised", Help: "a in steps of 1 µs, each tenth sample the one before", Source: "pps", Hours: 24, wander: 1e-9, noise: gauss(1e-6),
		spoil: func(t *Trace, r *rand.Rand) {
			for k := range t.Pulse {
				t.Pulse[k] = 1e-6 * math.Round(t.Pulse[k]*1e6)
				if k > 0 && r.Float64() < 0.1 {
					t.Pulse[k] = t.Pulse[k-1]
				}
			}
		}},
	{Name: "gaps", Help: "a with silences of 5 min, 1 h, 6 h and 2 days", Source: "pps", Hours: 96, wander: 1e-9, noise: gauss(1e-6),
		spoil: func(t *Trace, _ *rand.Rand) {
			for _, g := range [][2]int{{4 * hour, 300}, {8 * hour, hour}, {16 * hour, 6 * hour}, {36 * hour, 2 * day}} {
				silence(t, g[0], g[0]+g[1])
			}
		}},
	{Name: "displaced", Help: "a that returns 1 ms off after ten minutes of silence", Source: "pps", Hours: 14, wander: 1e-9, noise: gauss(1e-6),
		spoil: func(t *Trace, _ *rand.Rand) {
			silence(t, 12*hour, 12*hour+600)
			for k := 12*hour + 600; k < len(t.Pulse); k++ {
				t.Pulse[k] += 1e-3
			}
		}},
	{Name: "late", Help: "a whose reader is 50 ms late once in five minutes", Source: "pps", Hours: 24, wander: 1e-9, noise: gauss(1e-6),
		spoil: func(t *Trace, r *rand.Rand) {
			for k := range t.Pulse {
				if r.Float64() < 1.0/300 {
					t.Pulse[k] += 50e-3
				}
			}
		}},
}

// FindScenario finds a scenario by its name.
func FindScenario(name string) (Scenario, bool) {
	for _, s := range Scenarios {
		if s.Name == name {
			return s, true
		}
	}
	return Scenario{}, false
}
