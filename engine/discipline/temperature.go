package discipline

import "math"

// thermometer smooths what a temperature sensor says, which may come in steps of half a degree and more: between two
// steps it only says that the temperature lies in an interval. It is a small bank of filters that differ in how fast the
// temperature may change its course.
type thermometer struct {
	raw   int64
	known bool
	// anchored: first was restored.
	anchored bool
	last     float64 // as read, in °C
	step     float64 // the smallest change seen, in °C
	members  []member
	// celsius is the smoothed temperature less its first value, warmth the integral of it over time.
	first           float64
	celsius, warmth float64
}

const (
	// sensorNoise is the least noise of a sensor, 1σ in °C, and readEvery how often it is asked, in s.
	sensorNoise = 0.05
	readEvery   = 4.0
)

// The levels of the random walk of the temperature's rate, in °C/s per √s: a room, a house's heating, a fan.
var thermalWander = [...]float64{1e-6, 1e-5, 1e-4, 1e-3}

// Temperature tells the filter what the sensor nearest to the oscillator says, in °C.
func (f *Filter) Temperature(raw int64, celsius float64) {
	if math.IsNaN(celsius) || math.Abs(celsius) > 200 {
		return
	}
	f.thermometer.read(raw, celsius)
}

func (t *thermometer) read(raw int64, celsius float64) {
	if !t.known {
		first := celsius
		if t.anchored {
			first = t.first
		}
		*t = thermometer{raw: raw, known: true, last: celsius, first: first, celsius: celsius - first, step: 1}
		for _, q := range thermalWander {
			t.members = append(t.members, member{q: q * q, x: celsius - first, pxx: 0.25, pyy: 1e-6, weight: 0.25})
		}
		return
	}
	dt := seconds(raw - t.raw)
	if dt < readEvery {
		return
	}
	if change := math.Abs(celsius - t.last); change > 1e-6 {
		t.step = math.Min(t.step, change)
	}
	t.last, t.raw = celsius, raw
	s := &step{dt: dt, dtq: [3]float64{dt * dt * dt / 3, dt * dt / 2, dt}}
	z := celsius - t.first
	noise := law{}
	noise.parts[0] = part{1, 0, sensorNoise * sensorNoise}
	total, mean := 0.0, 0.0
	for i := range t.members {
		m := &t.members[i]
		m.advance(s)
		density, score, information := noise.evidence(z-m.x, m.pxx, t.step/2)
		m.observe(0, score, math.Max(information, 0))
		m.weight *= density
		total += m.weight
	}
	for i := range t.members {
		m := &t.members[i]
		m.weight = 0.999*m.weight/total + 0.001/float64(len(t.members))
		mean += m.weight * m.x
	}
	t.warmth += dt * (t.celsius + mean) / 2
	t.celsius = mean
}
