package clock

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"timestation/refclock"

	"golang.org/x/sys/unix"
)

// meddler is another program that steers the model's REALTIME, once a second.
type meddler func(m *model, second int)

// timesyncd corrects by the kernel's loop, whose time constant it sets so short at first that the clock runs off by up to
// 100,000 ppm for a second: a quarter of 0.4 s, the most that it does not step (timesyncd-manager.c, manager_adjust_clock).
func timesyncd(m *model, second int) {
	if second%64 == 0 {
		offset := int64([]float64{80e6, -120e6, 400e6, -400e6, 3e6, -1e6, 200e3}[second/64%7])
		_, _ = m.Adjust(&Timex{
			Modes:  AdjStatus | AdjNano | AdjOffset | AdjTimeConst | AdjMaxError | AdjEstError,
			Status: StaPLL, Offset: offset,
		})
	}
}

// slews at the kernel's limits, back and forth.
func slews(m *model, second int) {
	ppm := int64(500)
	if second/37%2 == 1 {
		ppm = -500
	}
	_, _ = m.Adjust(&Timex{Modes: AdjFrequency, Frequency: ppm * frequencyUnit})
}

// The station reads ten times a second, and again a millisecond after each pulse when it hears of it: nobody moves the
// stamps that it maps.
func TestForeignSlewsMoveNothing(t *testing.T) {
	for name, test := range map[string]struct {
		meddle meddler
		worst  float64 // ns: the change of the rate, for the millisecond
	}{
		"±500 ppm": {slews, 1e3}, "timesyncd": {timesyncd, 100e3},
	} {
		t.Run(name, func(t *testing.T) {
			machine := newModel(someDay, -31e-6, 0)
			var mapper Mapper
			read := func(after time.Duration) {
				machine.run(after)
				if change := mapper.Add(machine.Read()); change != Steady {
					t.Fatalf("a slew was taken for %d", change)
				}
			}
			worst, sum := 0.0, 0.0
			const seconds = 2000
			for second := range seconds {
				machine.run(25 * time.Millisecond)
				test.meddle(machine, second)
				machine.run(25 * time.Millisecond)
				stamp, raw := machine.Read().Realtime, machine.raw
				read(time.Millisecond)
				if got, ok := mapper.Raw(stamp); ok {
					off := math.Abs(float64(got - raw))
					worst, sum = max(worst, off), sum+off
				} else if second > 0 {
					t.Fatalf("second %d: the stamp was not mapped", second)
				}
				read(49 * time.Millisecond)
				for range 9 {
					read(100 * time.Millisecond)
				}
			}
			t.Logf("worst %.0f ns, mean %.0f ns", worst, sum/seconds)
			if worst > test.worst || sum/seconds > 500 {
				t.Errorf("stamps were moved by up to %.0f ns, on average by %.0f ns", worst, sum/seconds)
			}
		})
	}
}

// chronyd is fed by our own SOCK and steers REALTIME by what it gets: were the station's time moved by REALTIME, the two
// would chase each other.
func TestChronydFedByUsIsNoLoop(t *testing.T) {
	machine := newModel(someDay, 45e-6, 40*time.Millisecond)
	var mapper Mapper
	mapper.Add(machine.Read())
	// The station has measured the oscillator before and now only reads it.
	truth0, raw0 := machine.truth, machine.raw
	station := func(stamp refclock.Stamp) (int64, bool) {
		raw, ok := mapper.Raw(stamp)
		return truth0 + int64(float64(raw-raw0)/(1+machine.drift)), ok
	}
	ppm := 0.0
	for second := range 3600 {
		for range 10 {
			machine.run(100 * time.Millisecond)
			if change := mapper.Add(machine.Read()); change != Steady {
				t.Fatalf("second %d: %d", second, change)
			}
		}
		stamp := machine.Read().Realtime
		now, ok := station(stamp)
		if !ok || math.Abs(float64(now-machine.truth)) > 300 {
			t.Fatalf("second %d: the station is off by %d ns (mapped: %t)", second, now-machine.truth, ok)
		}
		if second%16 == 0 { // chronyd's poll
			offset := float64(now-int64(stamp)) * 1e-9
			ppm += offset * 1e6 / 200
			rate := math.Max(-500, math.Min(500, ppm+offset*1e6/20))
			_, _ = machine.Adjust(&Timex{Modes: AdjFrequency, Frequency: int64(rate * frequencyUnit)})
		}
	}
	if off := machine.off().Abs(); off > 20*time.Microsecond {
		t.Errorf("chronyd is off by %v after an hour", off)
	}
}

// After a step or a suspend nothing of before is mapped, and all that comes after is right at once.
func TestStepsAndSuspends(t *testing.T) {
	machine := newModel(someDay, 18e-6, 0)
	random := rand.New(rand.NewPCG(1, 2))
	var mapper Mapper
	for i := range 500 {
		for range 1 + random.IntN(40) {
			machine.run(time.Duration(1+random.IntN(100)) * time.Millisecond)
			if change := mapper.Add(machine.Read()); change != Steady {
				t.Fatalf("round %d: %d without a cause", i, change)
			}
		}
		before := machine.Read().Realtime
		want := Stepped
		switch i % 3 {
		case 0: // date -s, chronyc makestep
			by := time.Duration(random.NormFloat64() * float64(time.Hour))
			machine.setBy(by)
		case 1: // the kernel's own leap second
			machine.setBy(-time.Second)
		case 2:
			machine.suspend(time.Duration(1+random.IntN(3600)) * time.Second)
			want = Suspended
		}
		machine.run(time.Millisecond)
		if change := mapper.Add(machine.Read()); change != want {
			t.Fatalf("round %d: change %d, want %d", i, change, want)
		}
		if _, ok := mapper.Raw(before); ok && before < machine.Read().Realtime {
			t.Fatalf("round %d: a stamp from before was mapped", i)
		}
		if raw, ok := mapper.Raw(machine.Read().Realtime); !ok || raw != machine.raw {
			t.Fatalf("round %d: the present maps to %d (%t), want %d", i, raw, ok, machine.raw)
		}
	}
}

// A mapped stamp lies between the readings around it, whatever the readings are.
func FuzzMapper(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 200, 100, 50, 25}, int64(1e18))
	f.Add([]byte{255, 255, 0, 0, 128, 1}, int64(math.MaxUint32)*1e9)
	f.Fuzz(func(t *testing.T, moves []byte, start int64) {
		if start < 0 || start > 8e18 {
			return
		}
		var mapper Mapper
		r := Reading{Realtime: refclock.Stamp(start)}
		for i := 0; i+2 < len(moves); i += 3 {
			raw := int64(moves[i]) * 1e6
			gained := raw + int64(moves[i+1])*1000 - 128e3
			r.Raw, r.Monotonic, r.Boot = r.Raw+raw, r.Monotonic+gained, r.Boot+gained
			r.Realtime += refclock.Stamp(gained)
			if moves[i+2] > 250 {
				r.Realtime += refclock.Stamp(moves[i]) * 1e9
			}
			mapper.Add(r)
			got, ok := mapper.Raw(r.Realtime)
			if ok && len(mapper.readings) > 1 && gained > 0 && (got < r.Raw-1000 || got > r.Raw+1000) {
				t.Fatalf("reading %d: its own stamp maps to %d, not %d", i, got, r.Raw)
			}
		}
	})
}

func TestStepsEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	steps, err := Steps(ctx)
	if err != nil {
		t.Skipf("no timerfd here: %v", err)
	}
	select {
	case _, open := <-steps:
		t.Fatalf("without a step: open %t", open)
	case <-time.After(50 * time.Millisecond):
	}
	stop()
	select {
	case _, open := <-steps:
		if open {
			t.Error("a step was reported instead of the end")
		}
	case <-time.After(time.Second):
		t.Error("it does not end")
	}
}

// The kernel answers the read of a cancelled timer with ECANCELED, any number of times.
func TestStepsAreReportedOnceEach(t *testing.T) {
	answers := []error{unix.ECANCELED, unix.ECANCELED, unix.ECANCELED, unix.EBADF}
	steps := make(chan struct{}, 1)
	watch(func() error {
		err := answers[0]
		answers = answers[1:]
		return err
	}, steps)
	if len(answers) != 0 || len(steps) != 1 {
		t.Errorf("%d answers left, %d steps waiting", len(answers), len(steps))
	}
}
