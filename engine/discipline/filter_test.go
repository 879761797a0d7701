package discipline

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// lab is an oscillator with a clock to compare with: at true second s the oscillator has counted raw(s).
type lab struct {
	random       *rand.Rand
	second       int64
	phase, speed float64
	wander       float64
}

func newLab(seed uint64) *lab {
	return &lab{random: rand.New(rand.NewPCG(seed, 3)), phase: 0.25, speed: 12e-6, wander: 1e-9}
}

const labStart = 1_790_000_000_000_000_000

func (l *lab) tick() {
	l.second++
	l.speed += l.wander * l.random.NormFloat64()
	l.phase += l.speed
}

func (l *lab) raw() int64 { return l.second*1e9 + int64(math.Round(l.phase*1e9)) }
func (l *lab) tai() int64 { return labStart + l.second*1e9 }

// heard is an observation whose stamp was late by so many seconds.
func (l *lab) heard(source string, late float64) Observation {
	return Observation{Source: source, Noise: time.Microsecond, Raw: l.raw() + int64(math.Round(late*1e9)), TAI: l.tai()}
}

// wrong is the filter's error now, in s.
func (l *lab) wrong(f *Filter) float64 { return seconds(f.At(l.raw()).TAI - l.tai()) }

// lock runs a filter on a source of 1 µs for some seconds.
func (l *lab) lock(f *Filter, secondsLong int) {
	for range secondsLong {
		l.tick()
		f.Update(l.heard("pps", 1e-6*l.random.NormFloat64()))
	}
}

func TestLateReadersMoveNothing(t *testing.T) {
	l, f := newLab(1), NewFilter(Config{WanderPPM: 5})
	l.lock(f, 1000)
	for i := range 2000 {
		l.tick()
		late := 1e-6 * l.random.NormFloat64()
		if i%7 == 0 {
			late += 50e-3
		}
		v := f.Update(l.heard("pps", late))
		if (i%7 == 0) != (v == Refused) {
			t.Fatalf("a sample late by %.3g s: verdict %d", late, v)
		}
		if e := l.wrong(f); math.Abs(e) > 1.5e-6 {
			t.Fatalf("second %d: off by %.3g s", i, e)
		}
	}
}

func TestOldAndRepeatedSamplesChangeNothing(t *testing.T) {
	l, f := newLab(2), NewFilter(Config{WanderPPM: 5})
	l.lock(f, 300)
	o := l.heard("pps", 0)
	f.Update(o)
	before := f.At(l.raw() + 5e8)
	for _, back := range []int64{0, 1, 1e9, 100e9} {
		again := o
		again.Raw, again.TAI = again.Raw-back, again.TAI-back+1e6
		if v := f.Update(again); v != Refused || f.At(l.raw()+5e8) != before {
			t.Errorf("a sample from %v before: verdict %d", time.Duration(back), v)
		}
	}
}

func TestJumpIsNotFollowed(t *testing.T) {
	l, f := newLab(3), NewFilter(Config{WanderPPM: 5})
	l.lock(f, 3600)
	for i := range 7200 {
		l.tick()
		v := f.Update(l.heard("pps", 1e-3+1e-6*l.random.NormFloat64()))
		if i >= jumpAfter && v != Jumped {
			t.Fatalf("sample %d after the jump: verdict %d", i, v)
		}
	}
	if e, u := l.wrong(f), f.At(l.raw()).Uncertainty95.Seconds(); math.Abs(e) > 1.5*u {
		t.Errorf("two hours on: off by %.3g s, bound %.3g s", e, u)
	}
}

func TestSourceThatComesBackIsHeardAgain(t *testing.T) {
	l, f := newLab(4), NewFilter(Config{WanderPPM: 5})
	l.lock(f, 3600)
	for range 60 {
		l.tick()
		f.Update(l.heard("pps", 1e-3))
	}
	for i := range returnAfter + 1 {
		l.tick()
		if v := f.Update(l.heard("pps", 3e-7*l.random.NormFloat64())); (i < returnAfter-1) != (v == Jumped) {
			t.Fatalf("sample %d after the return: verdict %d", i, v)
		}
	}
}

func TestBreakInRate(t *testing.T) {
	for seed := range uint64(5) {
		l, f := newLab(10+seed), NewFilter(Config{WanderPPM: 5})
		l.lock(f, 3600)
		before, broke := l.wrong(f), -1
		for i := range 60 {
			l.tick()
			v := f.Update(l.heard("pps", 1e-6*float64(i+1)+1e-6*l.random.NormFloat64()))
			if pull := math.Abs(l.wrong(f) - before); pull > 5e-6 {
				t.Fatalf("pulled by %.3g s after %d s", pull, i+1)
			}
			if v == Broke && broke < 0 {
				broke = i + 1
			}
			if broke >= 0 && v != Broke {
				t.Fatalf("verdict %d after the break", v)
			}
		}
		if broke < 0 || broke > 12 {
			t.Errorf("seed %d: found after %d s", seed, broke)
		}
	}
}

// TestNoiseThatGrows: an antenna that is half covered is no jump.
func TestNoiseThatGrows(t *testing.T) {
	l, f := newLab(5), NewFilter(Config{WanderPPM: 5})
	l.lock(f, 3600)
	accepted := 0
	for i := range 3600 {
		l.tick()
		if v := f.Update(l.heard("pps", 1e-3*l.random.NormFloat64())); i > 600 && v == Accepted {
			accepted++
		}
	}
	if accepted < 2700 {
		t.Errorf("%d of 3000 samples accepted once the scatter was known", accepted)
	}
	if j := f.Jitter("pps"); j < 500*time.Microsecond || j > 2*time.Millisecond {
		t.Errorf("learned scatter %v, not 1 ms", j)
	}
}

// TestWrongExpectation: what the driver expects of its noise may be off a thousandfold.
func TestWrongExpectation(t *testing.T) {
	for _, expected := range []time.Duration{0, time.Nanosecond, time.Millisecond} {
		l, f := newLab(6), NewFilter(Config{WanderPPM: 5})
		for i := range 600 {
			l.tick()
			o := l.heard("pps", 1e-6*l.random.NormFloat64())
			o.Noise = expected
			f.Update(o)
			if e := l.wrong(f); i > 60 && math.Abs(e) > 3e-6 {
				t.Fatalf("%v expected: off by %.3g s after %d s", expected, e, i)
			}
		}
	}
}

// TestSystematicsFollowTheSources: two sources, each off by nearly as much as it admits; the bound holds while one takes
// over from the other, and ends where the better one's limit is.
func TestSystematicsFollowTheSources(t *testing.T) {
	l, f := newLab(7), NewFilter(Config{WanderPPM: 5})
	check := func(second int) time.Duration {
		e := f.At(l.raw())
		if wrong := time.Duration(e.TAI - l.tai()).Abs(); wrong > e.MaxError {
			t.Fatalf("second %d: off by %v, bound %v", second, wrong, e.MaxError)
		}
		return e.MaxError
	}
	radio := func() {
		o := l.heard("radio", 9e-4+1e-3*l.random.NormFloat64())
		o.Noise, o.Systematic = time.Millisecond, time.Millisecond
		f.Update(o)
	}
	for i := range 1800 {
		l.tick()
		radio()
		if i > 30 {
			check(i)
		}
	}
	if b := check(1800); b < time.Millisecond {
		t.Errorf("with the radio alone the bound is %v, less than its systematic limit", b)
	}
	for i := range 3600 {
		l.tick()
		o := l.heard("pps", -1.8e-6+1e-6*l.random.NormFloat64())
		o.Systematic = 2 * time.Microsecond
		f.Update(o)
		radio()
		check(1800 + i)
	}
	if b := check(5400); b > 30*time.Microsecond {
		t.Errorf("an hour after the pulse came the bound is still %v", b)
	}
	if j := f.Jitter("radio"); j < 500*time.Microsecond || j > 2*time.Millisecond {
		t.Errorf("the radio's scatter was taken for %v", j)
	}
}

func TestStateSurvivesARestart(t *testing.T) {
	l, f := newLab(8), NewFilter(Config{WanderPPM: 5})
	f.Temperature(l.raw(), 41)
	l.lock(f, 4000)
	written, err := json.Marshal(f.Save())
	if err != nil {
		t.Fatal(err)
	}
	if len(written) > 16<<10 {
		t.Errorf("the state is %d bytes", len(written))
	}
	var s State
	if err := json.Unmarshal(written, &s); err != nil {
		t.Fatal(err)
	}
	for range 600 {
		l.tick()
	}
	s.Raw -= 5e15 // another count: the machine was off
	g := NewFilter(Config{WanderPPM: 5})
	g.Restore(s)
	if g.Settled() || g.Samples() != 0 {
		t.Error("it has heard nothing yet")
	}
	l.lock(g, 5)
	e := g.At(l.raw() + 10e9)
	if off := e.Frequency + l.speed/(1+l.speed); math.Abs(off) > 3e-6 {
		t.Errorf("after five samples the frequency is off by %.3g", off)
	}
	if j := g.Jitter("pps"); j < 800*time.Nanosecond || j > 1200*time.Nanosecond {
		t.Errorf("the scatter was not remembered: %v", j)
	}
	// The same machine, only the program restarted: the frequency is known as before.
	s.Raw += 5e15
	g.Restore(s)
	l.lock(g, 2)
	if off := g.At(l.raw()).Frequency + l.speed/(1+l.speed); math.Abs(off) > 2e-7 {
		t.Errorf("after a restart of the program the frequency is off by %.3g", off)
	}
}

func TestRestoreOfRubbish(t *testing.T) {
	l := newLab(9)
	f := NewFilter(Config{WanderPPM: 5})
	l.lock(f, 2000)
	good := f.Save()
	for name, spoil := range map[string]func(*State){
		"empty":        func(s *State) { *s = State{} },
		"no bank":      func(s *State) { s.Wander = nil },
		"of 2200":      func(s *State) { s.TAI += 200 * 365 * 86400e9 },
		"of 1970":      func(s *State) { s.TAI = 1 },
		"odd laws":     func(s *State) { s.Laws = map[string]SavedLaw{"pps": {Parts: make([]part, 2)}} },
		"odd trends":   func(s *State) { s.Trends = []SavedTrend{{Kind: 77}, {Kind: 1}} },
		"zero weights": func(s *State) { s.Wander = make([]float64, bankSize) },
	} {
		s := good
		spoil(&s)
		g := NewFilter(Config{WanderPPM: 5})
		g.Restore(s)
		l.lock(g, 400)
		if e := l.wrong(g); !(math.Abs(e) < 5e-6) {
			t.Errorf("%s: off by %.3g s", name, e)
		}
	}
}

func TestForgetKeepsTheFrequency(t *testing.T) {
	l, f := newLab(11), NewFilter(Config{WanderPPM: 5})
	l.lock(f, 3600)
	f.Forget()
	l.phase += 3600 // the count went on while the machine slept
	l.lock(f, 3)
	if e := l.wrong(f); math.Abs(e) > 5e-6 {
		t.Errorf("off by %.3g s", e)
	}
	if off := f.At(l.raw()).Frequency + l.speed/(1+l.speed); math.Abs(off) > 1.5e-6 {
		t.Errorf("the frequency is off by %.3g", off)
	}
}

func TestCloneGoesItsOwnWay(t *testing.T) {
	l, f := newLab(12), NewFilter(Config{WanderPPM: 5})
	l.lock(f, 40) // still in the opening
	for range 3 {
		c := f.Clone()
		before, at := f.At(l.raw()+1e9), l.raw()+1e9
		other := *l
		other.phase += 1e-4
		for range 300 {
			other.tick()
			c.Update(other.heard("pps", 1e-6*l.random.NormFloat64()))
		}
		if f.At(at) != before {
			t.Fatal("the clone moved the original")
		}
		l.lock(f, 2000)
	}
}

func TestShift(t *testing.T) {
	l, f := newLab(13), NewFilter(Config{WanderPPM: 5})
	l.lock(f, 3000)
	f.Shift(time.Millisecond, 10*time.Microsecond)
	for _, ahead := range []int64{0, 1e9, 150e9, 5000e9} {
		e := f.At(l.raw() + ahead)
		off := e.TAI - (l.tai() + ahead - int64(float64(ahead)*l.speed))
		if math.Abs(float64(off)-1e6) > 4e3+float64(e.Uncertainty95) {
			t.Errorf("%v on: moved by %v", time.Duration(ahead), time.Duration(off))
		}
	}
	if e := f.At(l.raw()); e.MaxError < 10*time.Microsecond {
		t.Errorf("the bound %v leaves the systematic limit out", e.MaxError)
	}
}

func TestRoundTrips(t *testing.T) {
	var r RoundTrips
	exchange := func(delay, more time.Duration) Observation {
		// Out in half of delay and back in the other, and more on the way back; the server takes 20 µs.
		return r.Observation(Observation{Systematic: time.Microsecond}, 1e9, 1e9+int64(delay+more)+20e3, 5e9, 5e9+20e3,
			4*time.Millisecond, time.Millisecond)
	}
	exchange(300*time.Microsecond, 0)
	o := exchange(300*time.Microsecond, 100*time.Microsecond)
	if o.HalfWidth != 50*time.Microsecond {
		t.Errorf("half width %v", o.HalfWidth)
	}
	if want := time.Microsecond + 150*time.Microsecond + 3*time.Millisecond; o.Systematic != want {
		t.Errorf("systematic %v, want %v", o.Systematic, want)
	}
	if o.Raw != 1e9+210e3 || o.TAI != 5e9+10e3 {
		t.Errorf("raw %d, TAI %d", o.Raw, o.TAI)
	}
	if r.Delay() != 300*time.Microsecond {
		t.Errorf("quickest %v", r.Delay())
	}
	for range (tripBlocks + 1) * tripBlock {
		exchange(time.Millisecond, 0)
	}
	if r.Delay() != time.Millisecond {
		t.Errorf("a path that became longer still counts as %v", r.Delay())
	}
}
