package automation

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"timestation/display/studio"
	"timestation/engine/status"
	"timestation/refclock"
	"timestation/refclock/edge"
)

func board() *studio.Board {
	now := refclock.Date(2026, 11, 22, 12, 0, 0, 0).Instant(37)
	return studio.NewBoard(studio.DefaultLights(), func() (refclock.Instant, bool) { return now, true }, time.UTC)
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// TestOverUDP: what a studio's automation sends works the wall, and the log hears of it.
func TestOverUDP(t *testing.T) {
	b := board()
	did := make(chan string, 10)
	l, err := Listen(Config{UDP: "127.0.0.1:0", Allow: DefaultConfig().Allow}, b, func(what, from string) { did <- from + ": " + what }, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := l.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	sender, err := net.Dial("udp", l.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	for _, command := range []string{"CMD:REBOOT", "LED1", "LED1:ON\n"} {
		if _, err := io.WriteString(sender, command); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case got := <-did:
		if want := "127.0.0.1: light 1 ON AIR is on"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	case <-time.After(5 * time.Second):
		t.Error("nothing was done")
	}
	if !b.State().Lights[0].On {
		t.Error("the light is off")
	}
	if c := l.Counts(); c != (Counts{Obeyed: 1, Unknown: 1, Refused: 1}) {
		t.Errorf("%+v", c)
	}
	stop()
	wait.Wait()
}

func TestWhoIsObeyed(t *testing.T) {
	b := board()
	l := &Listener{board: b, allow: []netip.Prefix{netip.MustParsePrefix("192.168.1.0/24")}, done: func(string, string) {}, log: quiet}
	now := time.Now()
	l.take("LED1:ON", netip.MustParseAddr("192.168.2.7"), now)
	if b.State().Lights[0].On {
		t.Error("a stranger is obeyed")
	}
	for range 2 * perSecond {
		l.take("LED1:ON", netip.MustParseAddr("192.168.2.7"), now) // whose flood silences nobody
	}
	for range 2 * perSecond {
		l.take("LED2:TOGGLE", netip.MustParseAddr("192.168.1.7"), now)
	}
	l.take("LED3:ON", netip.MustParseAddr("192.168.1.7"), now.Add(time.Second))
	if c := l.Counts(); c != (Counts{Obeyed: perSecond + 1, Forbidden: 1 + 2*perSecond, TooMany: perSecond}) {
		t.Errorf("%+v", c)
	}
	if !b.State().Lights[2].On {
		t.Error("after a flood nobody is obeyed")
	}
	for config, want := range map[*Config]string{
		{UDP: "3310", Allow: nil}:          `udp: "3310" is not address:port; write for instance ":3310"`,
		{Allow: []string{"192.168.1.300"}}: `allow: "192.168.1.300" is not a network; write for instance "192.168.1.0/24"`,
	} {
		if err := config.Validate(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// wire is a GPIO line that the test works.
type wire struct {
	edges  chan edge.Edge
	active bool
	lost   atomic.Pointer[error]
}

func (w *wire) Edges() <-chan edge.Edge { return w.edges }
func (w *wire) Err() error              { return *w.lost.Load() }
func (w *wire) Active() (bool, error)   { return w.active, nil }
func (w *wire) Close() error            { return nil }

// lamp remembers what it was told.
type lamp struct {
	mu  sync.Mutex
	set []bool
}

func (l *lamp) Set(on bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set = append(l.set, on)
	return nil
}

func (l *lamp) Close() error { return nil }

// standing is the alerts that stand, by source.
type standing struct {
	mu  sync.Mutex
	now map[string]string
}

func (s *standing) Raise(a status.Alert) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now[a.Source] = a.Text
}

func (s *standing) Clear(_, source string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.now, source)
}

func (s *standing) about(source string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now[source]
}

// TestContactsAndLamps: a contact switches the light and the lamp follows; a line that is taken or lost is told of, and
// works again when it is back.
func TestContactsAndLamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, alerts, contact, bulb := board(), &standing{now: map[string]string{}}, &wire{active: true}, &lamp{}
		var taken atomic.Bool
		taken.Store(true)
		var mu sync.Mutex
		var did []string
		l := Lines{
			Lights: []studio.LightConfig{{Name: "ON AIR", Input: "gpiochip0:17", InputActiveLow: true, Output: "GPIO27"}},
			Board:  b, Alerts: alerts, Done: func(what, _ string) { mu.Lock(); defer mu.Unlock(); did = append(did, what) },
			OpenInput: func(o edge.Options) (edge.Line, error) {
				if o.Chip != "gpiochip0" || o.Line != "17" || !o.ActiveLow || o.Bias != edge.PullUp || o.Debounce != debounce {
					t.Errorf("%+v", o)
				}
				if taken.Load() {
					return nil, errors.New("it is used by \"other\"")
				}
				contact.edges = make(chan edge.Edge)
				return contact, nil
			},
			OpenOutput: func(o edge.Options) (Output, error) {
				if o.Line != "GPIO27" {
					t.Errorf("%+v", o)
				}
				return bulb, nil
			},
		}
		ctx, stop := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		wait.Go(func() { l.Run(ctx) })
		synctest.Wait()
		if text := alerts.about("gpiochip0:17"); text == "" {
			t.Error("a line that is taken raises no alert")
		}
		taken.Store(false)
		time.Sleep(again)
		synctest.Wait()
		if alerts.about("gpiochip0:17") != "" || !b.State().Lights[0].On {
			t.Error("the line is free, and the light does not follow it")
		}
		contact.edges <- edge.Edge{Rising: false}
		contact.edges <- edge.Edge{Rising: true}
		synctest.Wait()
		gone := errors.New("gone")
		contact.lost.Store(&gone)
		close(contact.edges)
		synctest.Wait()
		if alerts.about("gpiochip0:17") == "" {
			t.Error("a lost line raises no alert")
		}
		stop()
		wait.Wait()
		if want := []string{"light 1 ON AIR is on", "light 1 ON AIR is off", "light 1 ON AIR is on"}; !slices.Equal(did, want) {
			t.Errorf("%q", did)
		}
		if n := len(bulb.set); n < 3 || bulb.set[0] || bulb.set[n-1] || !slices.Contains(bulb.set, true) {
			t.Errorf("the lamp: %v", bulb.set)
		}
	})
}
