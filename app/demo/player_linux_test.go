package demo

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"timestation/refclock"
	"timestation/refclock/gps"
)

// now reads the local clock, which is the truth here.
func now() refclock.Stamp {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_REALTIME, &ts); err != nil {
		panic(err)
	}
	return refclock.Stamp(ts.Nano())
}

func start(t *testing.T) *Player {
	t.Helper()
	if _, err := os.Stat("/dev/ptmx"); err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	p, err := Start(t.Context(), Standard(), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// heard is a sink.
type heard struct {
	sync.Mutex
	samples []refclock.Sample
	signal  refclock.Signal
}

func (h *heard) Sample(s refclock.Sample) {
	h.Lock()
	defer h.Unlock()
	h.samples = append(h.samples, s)
}

func (h *heard) Signal(s refclock.Signal) {
	h.Lock()
	defer h.Unlock()
	h.signal = s
}

// TestDriver: the gps driver, on the player's terminal as on any other port, knows the time within 40 ms and sees the
// satellites of four constellations; when the player goes, it fails at once.
func TestDriver(t *testing.T) {
	p := start(t)
	time.Sleep(1200 * time.Millisecond) // a burst goes unread; the driver must not take it for a new one
	registration, _ := refclock.Lookup("gps")
	config := registration.NewConfig().(*gps.Config)
	config.Device, config.Baud, config.DelaySeconds = p.Device(), Baud, new(Delay.Seconds())
	driver, err := registration.New(config, refclock.Environment{
		Name: "gps", Now: now, TAIMinusUTC: func(refclock.UTC) int32 { return 37 },
	})
	if err != nil {
		t.Fatal(err)
	}
	h := &heard{}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	failed := make(chan error, 1)
	go func() { failed <- driver.Run(ctx, h) }()

	count := func() int {
		h.Lock()
		defer h.Unlock()
		return len(h.samples)
	}
	for began := time.Now(); count() < 3; time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("%d samples in 10 s", count())
		}
	}
	h.Lock()
	var offsets []time.Duration
	for _, s := range h.samples {
		said := s.Instant.UTC()
		offsets = append(offsets, time.Duration(said.Seconds*1e9+int64(said.Nanoseconds)-int64(s.Stamp)))
	}
	t.Logf("offsets from the local clock: %v", offsets)
	slices.Sort(offsets)
	// The median: on a busy machine the player itself may once be late.
	if off := offsets[len(offsets)/2]; off.Abs() > 40*time.Millisecond {
		t.Errorf("%v from the local clock", off)
	}
	var constellations []string
	for _, s := range h.signal.GNSS.Satellites {
		constellations = append(constellations, s.Constellation)
	}
	signal := h.signal
	h.Unlock()
	inView := len(constellations)
	constellations = slices.Compact(constellations)
	for _, name := range []string{"GPS", "GLONASS", "Galileo", "BeiDou"} {
		if !slices.Contains(constellations, name) {
			t.Errorf("no %s among %v", name, constellations)
		}
	}
	if inView < 20 || signal.State != refclock.Timing || signal.GNSS.SatellitesUsed < 20 || signal.GNSS.Fix != refclock.Fix3D {
		t.Errorf("%d in view, %+v", inView, signal)
	}

	closed := time.Now()
	p.Close()
	select {
	case err := <-failed:
		if took := time.Since(closed); err == nil || !strings.HasPrefix(err.Error(), p.Device()) || took > 200*time.Millisecond {
			t.Errorf("after %v: %v", took, err)
		}
	case <-time.After(5 * time.Second):
		t.Error("the driver does not notice that the terminal is gone")
	}
}

// TestUnread: a terminal that nobody reads fills up and takes no more, but nobody waits for it.
func TestUnread(t *testing.T) {
	p := start(t)
	line, _, err := openTerminal()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for block := make([]byte, 1<<16); err == nil; {
			_, err = line.Write(block)
		}
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("a full terminal blocks")
	}
	line.Close()
	closed := make(chan struct{})
	go func() { p.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		t.Fatal("the player does not end")
	}
	if _, err := os.Stat(p.Device()); err == nil {
		t.Errorf("%s is still there", p.Device())
	}
}

// TestClockNeverSet: on a clock that says 1970 the demonstration does not start, and says why.
func TestClockNeverSet(t *testing.T) {
	if _, err := Start(t.Context(), Standard(), func() refclock.Stamp { return 1e9 }); err == nil || !strings.Contains(err.Error(), "1970-01-01") {
		t.Errorf("%v", err)
	}
}
