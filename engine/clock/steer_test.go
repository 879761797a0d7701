package clock

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"timestation/refclock"
)

var someDay = refclock.Date(2026, 11, 22, 12, 0, 0, 0)

// rig is a station that knows the time exactly and steers a model of the kernel.
type rig struct {
	t *testing.T
	*model
	*Steer
	aim    Aim
	events []Event
	worst  time.Duration
	tai    int64 // minus truth, ns
}

func newRig(t *testing.T, m *model) *rig {
	t.Helper()
	s, err := NewSteer(m, mostPPM)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{t: t, model: m, Steer: s, tai: 37e9, aim: Aim{
		Synchronised: true, Uncertainty95: 2 * time.Microsecond, MaxError: time.Millisecond, Limit: time.Second,
		Now: refclock.Instant{TAIMinusUTC: 37},
	}}
}

// go on for a while, five publications a second.
func (r *rig) goOn(d time.Duration) {
	r.worst = 0
	for range int(d / (200 * time.Millisecond)) {
		r.run(200 * time.Millisecond)
		r.publish()
		r.worst = max(r.worst, r.off().Abs())
	}
}

func (r *rig) publish() {
	r.aim.Now.TAI = r.truth + r.tai
	r.aim.Frequency = 1/(1+r.drift) - 1
	events, err := r.Apply(r.aim, r.Read())
	if err != nil {
		r.t.Fatal(err)
	}
	r.events = append(r.events, events...)
}

// happened gives the kinds of the events since the last call.
func (r *rig) happened() (kinds []EventKind) {
	for _, e := range r.events {
		kinds = append(kinds, e.Kind)
	}
	r.events = nil
	return kinds
}

func TestOneStepAtTheStart(t *testing.T) {
	for _, wrong := range []time.Duration{-56 * 365 * 24 * time.Hour, -time.Hour, 3 * time.Second, 30 * time.Millisecond, -2 * time.Millisecond} {
		r := newRig(t, newModel(someDay, 43e-6, wrong))
		r.goOn(20 * time.Second)
		if got := r.happened(); !reflect.DeepEqual(got, []EventKind{Set}) || r.off().Abs() > time.Microsecond {
			t.Errorf("%v wrong: events %v, then off by %v", wrong, got, r.off())
		}
		r.goOn(time.Hour)
		if r.worst > time.Microsecond || len(r.happened()) > 0 {
			t.Errorf("%v wrong: within the hour off by up to %v", wrong, r.worst)
		}
		if k := r.model; k.status&StaUnsync != 0 || k.tai != 37 || k.tick != regularTick {
			t.Errorf("kernel: status %#x, TAI %d, tick %d", k.status, k.tai, k.tick)
		}
		// The kernel adds what it may have drifted since it was told, so its bound stays true.
		if bound := time.Duration(r.maxError) * time.Microsecond; bound < r.aim.MaxError || bound > r.aim.MaxError+2*time.Millisecond {
			t.Errorf("kernel's maxerror %v", bound)
		}
		if r.estError > 10 {
			t.Errorf("kernel's esterror %d µs", r.estError)
		}
	}
}

func TestSmallOffsetIsSlewed(t *testing.T) {
	r := newRig(t, newModel(someDay, -20e-6, 900*time.Microsecond))
	before := r.realtime
	for range 100 {
		r.goOn(time.Second)
		if r.realtime <= before {
			t.Fatal("the clock went back")
		}
		before = r.realtime
	}
	if len(r.happened()) > 0 || r.off().Abs() > time.Microsecond {
		t.Errorf("off by %v", r.off())
	}
}

// Nothing but an accepted jump is stepped after the start, however far.
func TestAcceptedJumpIsSteppedOnce(t *testing.T) {
	r := newRig(t, newModel(someDay, 10e-6, 0))
	r.goOn(time.Minute)
	r.tai += int64(2 * time.Second) // the station's time is found to be another
	r.truth += int64(2 * time.Second)
	r.tai -= int64(2 * time.Second)
	r.goOn(time.Minute)
	if got := r.happened(); len(got) > 0 || r.off() > -1900*time.Millisecond {
		t.Fatalf("before it was accepted: %v, off by %v", got, r.off())
	}
	if r.maxError < 1.9e6 || r.status&StaUnsync == 0 {
		t.Errorf("while 2 s off, beyond the limit of 1 s, the kernel says %d µs, status %#x", r.maxError, r.status)
	}
	r.aim.Jumps++
	r.goOn(time.Minute)
	if got := r.happened(); !reflect.DeepEqual(got, []EventKind{Set}) || r.off().Abs() > time.Microsecond || r.status&StaUnsync != 0 {
		t.Errorf("after it was accepted: %v, off by %v, status %#x", got, r.off(), r.status)
	}
}

// The rate is never further from the right one than allowed, and the kernel's own loop is never used.
func TestSlewIsBounded(t *testing.T) {
	r := newRig(t, newModel(someDay, 60e-6, 0))
	r.maxSlew = 200
	r.goOn(10 * time.Second)
	r.truth += int64(time.Second)
	r.goOn(10 * time.Minute)
	for _, w := range r.written {
		if w.Modes&AdjFrequency != 0 && math.Abs(w.ppm()+60) > 200.1 {
			t.Fatalf("written: %.1f ppm", w.ppm())
		}
		if w.Modes&AdjOffset != 0 && w.Modes != AdjSingleShot && w.Offset != 0 {
			t.Fatalf("the kernel's loop was used: %+v", w)
		}
	}
	if got := time.Second - r.off().Abs(); got < 110*time.Millisecond || got > 130*time.Millisecond {
		t.Errorf("in 10 min 200 ppm take out %v, not 120 ms", got)
	}
}

func TestUnsynchronisedIsSaidAndTheRateKept(t *testing.T) {
	r := newRig(t, newModel(someDay, 25e-6, 0))
	r.goOn(time.Minute)
	r.aim.Synchronised = false
	r.publish()
	if r.status&StaUnsync == 0 || r.maxError != mostError {
		t.Errorf("at once: status %#x, maxerror %d", r.status, r.maxError)
	}
	r.goOn(time.Hour)
	if r.off().Abs() > 10*time.Microsecond {
		t.Errorf("after an hour at the last rate: off by %v", r.off())
	}
	r.aim.Synchronised = true
	r.publish()
	if r.status&StaUnsync != 0 {
		t.Error("it is synchronised again and the kernel does not know")
	}
}

func TestNeverSynchronisedTouchesNothing(t *testing.T) {
	m := newModel(someDay, 25e-6, time.Hour)
	m.frequency = 12 * frequencyUnit // from an earlier run
	r := newRig(t, m)
	r.aim = Aim{}
	r.goOn(time.Minute)
	if r.off() < time.Hour || r.frequency != 12*frequencyUnit || r.status&StaUnsync == 0 || len(r.happened()) > 0 {
		t.Errorf("off %v, %d, status %#x", r.off(), r.frequency, r.status)
	}
}

func TestTakesOverFromAnotherDaemon(t *testing.T) {
	m := newModel(someDay, 0, 0)
	m.status, m.constant, m.offset, m.adjust, m.tick = StaPLL|StaNano, 6, 80e6, 4000, 10080
	r := newRig(t, m)
	r.goOn(20 * time.Second)
	if m.offset != 0 || m.adjust != 0 || m.tick != regularTick || m.status&StaPLL != 0 {
		t.Errorf("left of the other: offset %d, adjust %d, tick %d, status %#x", m.offset, m.adjust, m.tick, m.status)
	}
	if r.off().Abs() > time.Microsecond {
		t.Errorf("off by %v", r.off())
	}
}

func TestAnotherDaemonIsNoticed(t *testing.T) {
	r := newRig(t, newModel(someDay, 5e-6, 0))
	r.goOn(time.Minute)
	r.happened()
	for name, meddle := range map[string]func(){
		"chronyd": func() { r.Adjust(&Timex{Modes: AdjFrequency, Frequency: -40 * frequencyUnit}) },
		"timesyncd": func() {
			r.Adjust(&Timex{Modes: AdjOffset | AdjStatus | AdjNano | AdjTimeConst, Status: StaPLL, Offset: 30e6, Constant: 3})
		},
	} {
		meddle()
		r.goOn(10 * time.Second)
		if got := r.happened(); !reflect.DeepEqual(got, []EventKind{SteeredByOther}) {
			t.Errorf("%s: %v", name, got)
		}
		r.goOn(5 * time.Minute)
		if got := r.happened(); len(got) > 0 || r.off().Abs() > time.Microsecond {
			t.Errorf("%s, later: %v, off by %v", name, got, r.off())
		}
	}
	r.setBy(-700 * time.Millisecond)
	r.goOn(10 * time.Second)
	if r.events[0].By != -700*time.Millisecond {
		t.Errorf("set by 0.7 s, said %v", r.events[0].By)
	}
	if got := r.happened(); !reflect.DeepEqual(got, []EventKind{SetByOther}) {
		t.Errorf("date -s: %v", got)
	}
	if r.off().Abs() < 690*time.Millisecond {
		t.Errorf("it was stepped back without anybody's word: off by %v", r.off())
	}
	r.goOn(30 * time.Minute)
	if r.off().Abs() > time.Microsecond {
		t.Errorf("half an hour later off by %v", r.off())
	}
	r.suspend(time.Hour)
	r.goOn(time.Minute)
	if got := r.happened(); len(got) > 0 {
		t.Errorf("a suspend was taken for %v", got)
	}
}

// The kernel makes the leap second at the end of the right day, inserted and deleted, and we neither fight it nor take it
// for somebody's step.
func TestLeapSecond(t *testing.T) {
	for name, leap := range map[string]struct {
		notice refclock.LeapNotice
		step   time.Duration // of POSIX time against TAI
	}{
		"insertion": {refclock.LeapInsert, -time.Second}, "deletion": {refclock.LeapDelete, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, newModel(refclock.Date(2027, 6, 29, 23, 58, 0, 0), -30e-6, 300*time.Millisecond))
			midnight := refclock.Date(2027, 7, 1, 0, 0, 0, 0)
			r.aim.LeapAt = refclock.Instant{TAI: (midnight.Seconds + 37) * 1e9, TAIMinusUTC: 37}
			if leap.notice == refclock.LeapDelete {
				r.aim.LeapAt.TAI -= 1e9
			}
			armed := func() bool { return r.status&(StaIns|StaDel) != 0 }
			r.goOn(2 * time.Minute) // the day before: LeapAt is more than a day away
			r.aim.Leap = leap.notice
			r.publish()
			if armed() {
				t.Fatal("armed the day before: the kernel would leap 24 h early")
			}
			r.goOn(time.Minute)
			if !armed() || r.maxError > 5000 {
				t.Fatal("not armed on the day")
			}
			r.truth += 86400e9 - int64(3*time.Minute) // skip most of the day
			r.realtime += 86400e9 - int64(3*time.Minute)
			r.last = r.Read()
			r.goOn(110 * time.Second)
			passed, stepped := false, r.truth
			for range 600 {
				r.run(100 * time.Millisecond)
				r.aim.Now.TAI = r.truth + r.tai
				if !passed && r.aim.Now.TAI >= r.aim.LeapAt.TAI {
					// Deleted: 00:00:00 in place of 23:59:59. Inserted: 23:59:60 repeats the count of 23:59:59.
					passed, stepped = true, r.truth
					r.truth += int64(leap.step)
					r.tai -= int64(leap.step)
					r.aim.Now.TAIMinusUTC -= int32(leap.step / time.Second)
				}
				since := time.Duration(r.truth - stepped)
				r.aim.Now.InLeap = false
				if passed && leap.step < 0 && since < 0 {
					r.aim.Now.InLeap, r.aim.Now.TAIMinusUTC = true, 37
				} else if passed && leap.step < 0 {
					r.aim.Now.TAIMinusUTC = 38
				}
				if passed && since > 5*time.Second {
					r.aim.Leap = refclock.LeapNone
				}
				events, err := r.Apply(r.aim, r.Read())
				if err != nil || len(events) > 0 {
					t.Fatalf("events %v, error %v", events, err)
				}
			}
			if r.off().Abs() > 3*time.Microsecond || armed() || r.state != timeOK && r.state != timeWait {
				t.Errorf("off by %v, status %#x, state %d", r.off(), r.status, r.state)
			}
			if want := int32(37 - leap.step/time.Second); r.model.tai != want {
				t.Errorf("the kernel's TAI − UTC is %d, want %d", r.model.tai, want)
			}
		})
	}
}

func TestReleaseLeavesNothingBehind(t *testing.T) {
	r := newRig(t, newModel(someDay, 33e-6, 0))
	r.goOn(time.Minute)
	r.truth += int64(50 * time.Millisecond)
	r.goOn(10 * time.Second) // in the middle of a slew
	if err := r.Release(); err != nil {
		t.Fatal(err)
	}
	if got := (Timex{Frequency: r.frequency, Tick: r.tick}).ppm(); math.Abs(got+33) > 0.01 {
		t.Errorf("it runs on at %.3f ppm, want −33", got)
	}
	if r.status != StaUnsync|StaNano && r.status != StaUnsync {
		t.Errorf("status %#x", r.status)
	}
}

// After a step of the clock the kernel has forgotten when the announced leap second is due. It looks anew only when one of
// its seconds has begun without the announcement, however seldom the station finds time to tell it anything.
func TestLeapComesAfterAStep(t *testing.T) {
	for _, every := range []time.Duration{200 * time.Millisecond, 1700 * time.Millisecond, 4 * time.Second} {
		m := newModel(refclock.Date(2027, 6, 30, 23, 59, 0, 0), 20e-6, 0)
		r := newRig(t, m)
		leap := refclock.Date(2027, 7, 1, 0, 0, 0, 0)
		r.aim.Leap, r.aim.LeapAt = refclock.LeapInsert, refclock.Instant{TAI: (leap.Seconds + 37) * 1e9, TAIMinusUTC: 37}
		r.goOn(10 * time.Second)
		if m.status&StaIns == 0 {
			t.Fatalf("not announced: status %#x", m.status)
		}
		m.setBy(-5 * time.Millisecond)
		for m.truth < leap.Seconds*1e9-int64(5*time.Second) {
			r.run(every)
			r.publish()
		}
		r.run(15 * time.Second)
		if m.tai != 38 {
			t.Errorf("told every %v: the leap second did not come: status %#x, state %d, TAI %+d", every, m.status, m.state, m.tai)
		}
	}
}

// A rate that is not known well is not given to the kernel, and not left there at the stop: what it ran at before is no
// worse. The clock is kept right all the same.
func TestPoorFrequencyIsNotTrusted(t *testing.T) {
	m := newModel(someDay, 38e-6, 0)
	m.frequency = -36 * frequencyUnit // of the last run
	r := newRig(t, m)
	poor := func(d time.Duration) {
		for range int(d / (200 * time.Millisecond)) {
			r.run(200 * time.Millisecond)
			r.aim.Now.TAI = r.truth + r.tai
			r.aim.Frequency, r.aim.FrequencyUncertainty = -578e-6, 100e-6
			if _, err := r.Apply(r.aim, r.Read()); err != nil {
				t.Fatal(err)
			}
		}
	}
	poor(5 * time.Minute)
	if r.off().Abs() > 20*time.Microsecond {
		t.Errorf("off by %v", r.off())
	}
	for _, w := range r.written {
		if w.Modes&AdjFrequency != 0 && math.Abs(w.ppm()+38) > 3 {
			t.Fatalf("written: %.1f ppm", w.ppm())
		}
	}
	r.aim.FrequencyUncertainty = 1e-6
	r.goOn(time.Minute)
	poor(time.Minute) // as after a break: the best known rate stays
	if err := r.Release(); err != nil {
		t.Fatal(err)
	}
	if got := (Timex{Frequency: r.frequency, Tick: r.tick}).ppm(); math.Abs(got+38) > 0.01 {
		t.Errorf("it runs on at %.3f ppm, want −38", got)
	}
}

// A station that may not steer says so with every publication, and begins when it may.
func TestNotPermitted(t *testing.T) {
	m := newModel(someDay, 0, time.Hour)
	m.denied = true
	r := newRig(t, m)
	r.aim.Now.TAI = m.truth + r.tai
	_, err := r.Apply(r.aim, m.Read())
	if !errors.Is(err, ErrNotPermitted) || !strings.Contains(err.Error(), "CAP_SYS_TIME") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
	m.denied = false
	m.run(time.Second)
	r.goOn(20 * time.Second)
	if got := r.happened(); !reflect.DeepEqual(got, []EventKind{Set}) || r.off().Abs() > time.Microsecond {
		t.Errorf("permitted at last: %v, off by %v", got, r.off())
	}
}

// The days on which other programs' time ends are ordinary ones.
func TestSteersThroughEras(t *testing.T) {
	for _, day := range []refclock.UTC{
		refclock.Date(2036, 2, 7, 6, 27, 0, 0), refclock.Date(2038, 1, 19, 3, 13, 0, 0), refclock.Date(2038, 11, 20, 23, 59, 0, 0),
		refclock.Date(2100, 2, 28, 23, 59, 0, 0), refclock.Date(2106, 2, 7, 6, 27, 0, 0),
	} {
		r := newRig(t, newModel(day, 12e-6, 0))
		r.goOn(30 * time.Second)
		r.goOn(2 * time.Minute)
		if r.worst > time.Microsecond || len(r.happened()) > 0 {
			t.Errorf("%v: off by up to %v", day, r.worst)
		}
	}
}

// No test of the program may get hold of the machine's own clock.
func TestTheMachinesClockIsOutOfReach(t *testing.T) {
	if k, err := SystemKernel(); err == nil {
		t.Fatalf("a test got %T", k)
	}
	sources, err := filepath.Glob("../../*/*/*_test.go")
	if err != nil || len(sources) < 10 {
		t.Fatalf("%d test sources (%v); mend the pattern", len(sources), err)
	}
	calls := []string{"unix.Clock" + "Adjtime(", "unix.Adj" + "timex(", "unix.Clock" + "Settime(", "Settime" + "ofday(", "system" + "Kernel{"}
	for _, path := range sources {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // somebody moved it
		}
		for _, call := range calls {
			if strings.Contains(string(text), call) {
				t.Errorf("%s calls %s", path, call)
			}
		}
	}
}

// A kernel that refuses, for whatever reason, is asked once a second, and what could not be done is done later.
func TestRefusalIsRetried(t *testing.T) {
	m := newModel(someDay, 10e-6, time.Hour)
	r := newRig(t, m)
	m.denied = true
	for i := range 50 {
		m.run(200 * time.Millisecond)
		r.aim.Now.TAI = m.truth + r.tai
		if _, err := r.Apply(r.aim, m.Read()); !errors.Is(err, ErrNotPermitted) {
			t.Fatalf("publication %d: %v", i, err)
		}
	}
	if m.off().Abs() < time.Hour-time.Second || m.asked > 20 {
		t.Errorf("asked %d times in 10 s, off by %v", m.asked, m.off())
	}
	m.denied = false
	r.goOn(20 * time.Second)
	if got := r.happened(); !reflect.DeepEqual(got, []EventKind{Set}) || r.off().Abs() > time.Microsecond {
		t.Errorf("permitted at last: %v, off by %v", got, r.off())
	}
}
