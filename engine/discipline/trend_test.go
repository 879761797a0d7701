package discipline

import (
	"encoding/json"
	"math"
	"testing"
)

// flickering gives an oscillator whose frequency flickers with the floor of the Allan deviation.
func flickering(l *lab, floor float64) func() {
	var parts [18]float64
	for i := range parts {
		parts[i] = floor / math.Sqrt2 * l.random.NormFloat64()
	}
	return func() {
		l.speed = 12e-6
		for i := range parts { // each holds an octave
			keep := math.Exp(-math.Exp2(-float64(i)))
			parts[i] = keep*parts[i] + floor/math.Sqrt2*math.Sqrt(1-keep*keep)*l.random.NormFloat64()
			l.speed += parts[i]
		}
	}
}

// flickers is how much the filter believes that its oscillator flickers.
func (f *Filter) flickers() (weight float64) {
	for kind := 2 * trendKinds; kind < 4*trendKinds; kind++ {
		for _, m := range f.trend.kind(kind) {
			weight += m.weight
		}
	}
	return weight
}

// An oscillator that flickers is told from one that walks, over a restart too: what either does in a silence is worlds apart.
func TestFlickerIsToldFromAWalk(t *testing.T) {
	const locked, silent = 8 * 3600, 12 * 3600 * 1_000_000_000
	walking, walker := newLab(5), NewFilter(Config{WanderPPM: 5})
	walking.lock(walker, locked)
	if w := walker.flickers(); w > 0.2 {
		t.Errorf("a walk is taken for flicker to %.2f", w)
	}
	l, f := newLab(6), NewFilter(Config{WanderPPM: 5})
	l.wander = 0
	flicker := flickering(l, 1e-9)
	for range locked {
		flicker()
		l.lock(f, 1)
	}
	if w := f.flickers(); w < 0.7 {
		t.Errorf("flicker is believed in to %.2f", w)
	}
	written, err := json.Marshal(f.Save())
	if err != nil {
		t.Fatal(err)
	}
	var state State
	if err := json.Unmarshal(written, &state); err != nil {
		t.Fatal(err)
	}
	again := NewFilter(Config{WanderPPM: 5})
	again.Restore(state)
	for range 1800 {
		flicker()
		l.lock(f, 1)
		again.Update(l.heard("pps", 1e-6*l.random.NormFloat64()))
	}
	far, same := f.At(l.raw()+silent).Uncertainty95, again.At(l.raw()+silent).Uncertainty95
	if walks := walker.At(walking.raw() + silent).Uncertainty95; far*10 > walks {
		t.Errorf("12 h on: within %v where it flickers, %v where it walks", far, walks)
	}
	if same > 2*far || far > 2*same {
		t.Errorf("12 h on: within %v, and %v after a restart", far, same)
	}
}
