package discipline

import "testing"

// A source whose rate broke for a moment and that then agrees with the holdover for ten minutes is heard again: by then what it
// may have moved is within what the holdover knows, and the bound says so.
func TestBreakThatWasNone(t *testing.T) {
	l, f := newLab(11), NewFilter(Config{WanderPPM: 5})
	l.lock(f, 3600)
	broke, off := 0, 0.0
	for range 60 {
		l.tick()
		if broke == 0 {
			off += 1e-6
		}
		if f.Update(l.heard("pps", off+1e-6*l.random.NormFloat64())) == Broke {
			broke++
		}
	}
	if broke == 0 {
		t.Fatal("the break was not seen")
	}
	back := 0
	for i := range 3000 {
		l.tick()
		if f.Update(l.heard("pps", off+1e-6*l.random.NormFloat64())) == Accepted {
			back = i
			break
		}
	}
	if back < steadyAfter-60 || back > 2*steadyAfter {
		t.Errorf("it was heard again after %d samples", back)
	}
	l.lock(f, 600)
	if e := f.At(l.raw()); l.wrong(f) > e.MaxError.Seconds() || l.wrong(f) < -e.MaxError.Seconds() {
		t.Errorf("off by %g s, bound %v", l.wrong(f), e.MaxError)
	}
}

// One that goes on drifting never is, and neither is one that stopped far away.
func TestBreakThatWasOne(t *testing.T) {
	for _, until := range []int{300, 1 << 30} {
		l, f := newLab(12), NewFilter(Config{WanderPPM: 5})
		l.lock(f, 3600)
		off, heard := 0.0, 0
		for i := range 4000 {
			l.tick()
			if i < until {
				off += 1e-6
			}
			if v := f.Update(l.heard("pps", off+1e-6*l.random.NormFloat64())); v == Accepted && i > 60 {
				heard++
			}
		}
		if heard > 0 {
			t.Errorf("drifting until %d s: %d samples were believed", until, heard)
		}
	}
}
