package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"timestation/engine/guard"
	"timestation/engine/status"
	"timestation/refclock"
)

// fake is a place in a test.
type fake struct {
	mu    sync.Mutex
	sent  []Notice
	tries int
	// send answers in place of the far side.
	send func(ctx context.Context, n Notice) (string, error)
}

type fakeSettings struct{ place *fake }

func (*fakeSettings) Validate() error { return nil }

func init() {
	for kind, people := range map[string]bool{"test-people": true, "test-program": false} {
		register(Registration{Kind: kind, People: people, NewSettings: func() Settings { return &fakeSettings{&fake{}} },
			New: func(s Settings, _ Environment) (any, error) { return s.(*fakeSettings).place, nil }})
	}
}

func (f *fake) Send(ctx context.Context, n Notice) (string, error) {
	f.mu.Lock()
	f.tries++
	send := f.send
	f.mu.Unlock()
	answer := "taken"
	if send != nil {
		var err error
		if answer, err = send(ctx, n); err != nil {
			return "", err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, n)
	return answer, nil
}

func (f *fake) answer(send func(ctx context.Context, n Notice) (string, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.send = send
}

// words is what arrived: kind, code, source.
func (f *fake) words() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, n := range f.sent {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s", n.Kind, n.Alert.Code, n.Alert.Source)))
	}
	return strings.Join(all, "; ")
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.sent)
}

// epoch is the station's time when synctest's clock begins.
var epoch = refclock.Date(2026, 11, 22, 12, 0, 0, 0)

// world is a station with places, in virtual time.
type world struct {
	t       *testing.T
	dir     string
	began   time.Time
	mu      sync.Mutex
	unknown bool // the station does not know the time
	alerts  *guard.Alerts
	places  []Config
	run     *Dispatcher
	stop    func()
}

// inWorld runs a test in virtual time.
func inWorld(t *testing.T, test func(w *world)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, dir: dir, began: time.Now()}
		w.alerts = guard.NewAlerts(w.utc)
		test(w)
		if w.stop != nil {
			w.stop()
		}
	})
}

func (w *world) utc() refclock.UTC {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unknown {
		return refclock.UTC{}
	}
	now := epoch
	now.Seconds += int64(time.Since(w.began) / time.Second)
	return now
}

func (w *world) know(known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unknown = !known
}

// place adds one; severity "" is info.
func (w *world) place(name, kind string, change func(*Config)) *fake {
	c := DefaultConfig()
	f := &fake{}
	c.Name, c.Kind, c.Settings, c.Severity = name, kind, &fakeSettings{f}, string(status.Info)
	if change != nil {
		change(&c)
	}
	w.places = append(w.places, c)
	return f
}

func (w *world) start() {
	d, err := New(w.places, w.options())
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	w.run = d
	w.stop = func() { cancel(); <-done; w.stop = nil }
	synctest.Wait()
}

func (w *world) options() Options {
	return Options{
		Station: "Studio", Version: "1", Language: "en", DataDir: w.dir, Alerts: w.alerts, Log: slog.New(slog.DiscardHandler),
		UTC: func() (refclock.UTC, bool) {
			u := w.utc()
			if u.Seconds == 0 {
				return refclock.UTC{Nanoseconds: 170876820}, false // the machine's clock, which says 1970
			}
			return u, true
		},
		Status: func() status.Snapshot { return status.Snapshot{} }, Served: func() Served { return Served{} }, Location: time.UTC,
	}
}

// restart is a power cut: the alerts come back from what was saved, the places stay.
func (w *world) restart() {
	if w.stop != nil {
		w.stop()
	}
	saved := w.alerts.Save()
	w.alerts = guard.NewAlerts(w.utc)
	w.alerts.Restore(saved)
	w.start()
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) raise(severity status.Severity, code, source string) {
	w.alerts.Raise(status.Alert{Code: code, Source: source, Severity: severity, Text: source + " has " + code + ".", Mend: "mend it"})
}

var errDown = errors.New("connection refused")

func down(context.Context, Notice) (string, error) { return "", errDown }
