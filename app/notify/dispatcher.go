package notify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"timestation/engine/guard"
	"timestation/engine/state"
	"timestation/engine/status"
	"timestation/refclock"
)

// AlertFailing stands while a place takes no notices; its source is the place's name.
const AlertFailing = "notify-failing"

const (
	// lookEvery is how often the alerts are looked at, and so how long a notice takes at most to be on its way.
	lookEvery = time.Second
	// settleFor is how long after a start an alert that was told of before and is not there any more is waited for;
	// guard itself gives it three minutes.
	settleFor = 5 * time.Minute
	// stopWithin bounds the wait for sinks at the end; what they have not delivered waits on disk.
	stopWithin = 500 * time.Millisecond
	// mostSaved is how many messages that wait are kept on disk, of all places together: what package state reads back has a
	// limit of 4 MiB, and a message takes about 1 kB.
	mostSaved = 2000
	// folder is that of the queue in the data folder.
	folder = "notify"
)

// Alerts is the station's list of alerts.
type Alerts interface {
	Raise(status.Alert)
	Clear(code, source string)
	List() []status.Alert
	Changes(after uint64) []guard.Change
}

// Options are what the station adds to the configuration.
type Options struct {
	Station, Version string
	Language         string
	Demonstration    bool
	// DataDir is where undelivered notices wait; empty keeps nothing over a restart.
	DataDir string
	Alerts  Alerts
	Log     *slog.Logger
	// UTC is the station's time; false while it does not know it.
	UTC    func() (refclock.UTC, bool)
	Status func() status.Snapshot
	Served func() Served
	// Location, NTPPort, WebPort and WebAddress are as in Environment.
	Location         *time.Location
	NTPPort, WebPort int
	WebAddress       string
}

// Dispatcher brings the changes of the alert list to the places that want them.
type Dispatcher struct {
	options   Options
	outboxes  []*outbox
	followers []Follower
	began     time.Time
	history   history
	// starts is how often the station was started with this data folder, this time included.
	starts uint32
	// notifications counts the SNMP notifications that were sent.
	notifications atomic.Uint64

	mu     sync.Mutex // guards all below and the outboxes' queues
	ledger ledger
	last   uint64 // number of the last change that was read
	// identity makes the notices' numbers this data folder's own; given is the last number.
	identity string
	given    uint64
	dirty    bool
	unsaved  bool // the disk failed, which was said
}

// saved is what state.json keeps.
type saved struct {
	Identity string              `json:"identity"`
	Given    uint64              `json:"given"`
	Records  []*record           `json:"records"`
	Queues   map[string][]Notice `json:"queues"`
	Dropped  map[string]int      `json:"dropped,omitempty"`
}

// New makes a dispatcher; the configurations must be valid. The error is one line and names the section.
func New(places []Config, options Options) (*Dispatcher, error) {
	ask := options.UTC
	options.UTC = func() (refclock.UTC, bool) { // while the time is not known, whatever else is said means nothing
		if utc, known := ask(); known {
			return utc, true
		}
		return refclock.UTC{}, false
	}
	d := &Dispatcher{options: options, began: time.Now()}
	kept := d.restore()
	d.starts = d.countStart()
	for i, c := range places {
		registration, _ := Lookup(c.Kind) // the configuration was validated
		made, err := registration.New(c.Settings, d.environment(c))
		if err != nil {
			return nil, fmt.Errorf("notify[%d].%w", i+1, err)
		}
		o := newOutbox(d, c, registration.People)
		o.queue, o.dropped = kept.Queues[c.Name], kept.Dropped[c.Name]
		o.sink, _ = made.(Sink)
		o.tester, _ = made.(Tester)
		d.outboxes = append(d.outboxes, o)
		if f, follows := made.(Follower); follows {
			d.followers = append(d.followers, f)
		}
	}
	return d, nil
}

func (d *Dispatcher) environment(c Config) Environment {
	o := d.options
	return Environment{
		Name: c.Name, Station: o.Station, Version: o.Version, Language: o.Language, Location: o.Location,
		Log: o.Log.With("notify", c.Name), UTC: o.UTC, Status: o.Status, Served: o.Served,
		Uptime: func() time.Duration { return time.Since(d.began) }, LastHour: d.history.points,
		NTPPort: o.NTPPort, WebPort: o.WebPort, WebAddress: o.WebAddress, Alerts: o.Alerts, Starts: d.starts,
		notifications: &d.notifications,
	}
}

// Run tells the places what happens until ctx ends.
func (d *Dispatcher) Run(ctx context.Context) {
	var wait sync.WaitGroup
	for _, o := range d.outboxes {
		if o.sink != nil {
			wait.Go(func() { o.run(ctx) })
		}
	}
	for _, f := range d.followers {
		wait.Go(func() { f.Follow(ctx) })
	}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	d.match(false)
	settled := false
	for {
		d.look(time.Now())
		if !settled && time.Since(d.began) >= settleFor {
			settled = true
			d.match(true)
		}
		select {
		case <-look.C:
			continue
		case <-ctx.Done():
		}
		break
	}
	done := make(chan struct{})
	go func() { wait.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(stopWithin):
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.save()
}

// look reads what is new and queues what there is to say.
func (d *Dispatcher) look(now time.Time) {
	d.history.add(d.options.Status)
	changes := d.options.Alerts.Changes(d.last)
	utc, _ := d.options.UTC()
	d.mu.Lock()
	lost := len(changes) > 0 && changes[0].Number != d.last+1
	for _, c := range changes {
		d.ledger.happen(c, now)
		d.last = c.Number
		d.dirty = true
	}
	d.mu.Unlock()
	if lost {
		d.match(true)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ledger.say(now, func(n Notice, r *record) {
		d.sign(&n)
		for _, o := range d.outboxes {
			if o.sink != nil && o.config.wants(n, r.Worst) {
				o.put(n)
			}
		}
	})
	for _, o := range d.outboxes {
		o.date(utc)
	}
	d.save()
}

// match compares the ledger with the list of alerts.
func (d *Dispatcher) match(gone bool) {
	list := d.options.Alerts.List()
	utc, _ := d.options.UTC()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ledger.match(list, gone, utc, time.Now())
}

// sign gives a notice its number and the station's name.
func (d *Dispatcher) sign(n *Notice) {
	d.given++
	d.dirty = true
	n.ID = fmt.Sprintf("%s-%d", d.identity, d.given)
	n.Station, n.Demonstration = d.options.Station, d.options.Demonstration
}

// save writes what a restart must know. A disk that fails costs what waits its life over a restart, and nothing now.
func (d *Dispatcher) save() {
	if !d.dirty || d.options.DataDir == "" {
		return
	}
	s := saved{Identity: d.identity, Given: d.given, Records: d.ledger.records, Queues: map[string][]Notice{}, Dropped: map[string]int{}}
	share := mostSaved / max(len(d.outboxes), 1)
	for _, o := range d.outboxes {
		if len(o.queue) > 0 {
			s.Queues[o.config.Name] = o.queue[max(0, len(o.queue)-share):]
		}
		if o.dropped > 0 {
			s.Dropped[o.config.Name] = o.dropped
		}
	}
	err := state.Save(filepath.Join(d.options.DataDir, folder), s)
	if err != nil && !d.unsaved {
		d.options.Log.Warn("messages that wait would not survive a restart", "reason", err)
	}
	d.dirty, d.unsaved = err != nil, err != nil
}

// restore takes back what was known before a restart, and gives what waited.
func (d *Dispatcher) restore() (s saved) {
	s.Identity = fmt.Sprintf("%08x", rand.Uint32())
	if d.options.DataDir != "" {
		dir := filepath.Join(d.options.DataDir, folder)
		err := os.MkdirAll(dir, 0o700)
		if err == nil {
			var kept saved
			if kept, err = state.Load[saved](dir); err == nil {
				s = kept
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			d.options.Log.Warn("messages that waited before the restart", "reason", err)
		}
	}
	d.identity, d.given, d.ledger.records = s.Identity, s.Given, s.Records
	d.dirty = true
	return s
}

// countStart gives how often the station was started with this data folder, this time included. It has a file of its own:
// an SNMP manager believes no engine whose count has gone back (RFC 3414, section 2.2.2), whatever becomes of the queue.
func (d *Dispatcher) countStart() uint32 {
	type count struct {
		Starts uint32 `json:"starts"`
	}
	if d.options.DataDir == "" {
		return 1
	}
	dir := filepath.Join(d.options.DataDir, folder, "starts")
	err := os.MkdirAll(dir, 0o700)
	var c count
	if err == nil {
		if c, err = state.Load[count](dir); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	const most = 1<<31 - 1 // where it stays, by section 2.3
	c.Starts = min(c.Starts, most-1) + 1
	if err = errors.Join(err, state.Save(dir, c)); err != nil {
		d.options.Log.Warn("how often the station was started is not known; SNMP managers may refuse version 3", "reason", err)
	}
	return c.Starts
}

// Result is what came of a test at one place.
type Result struct {
	Name, Kind string
	// Answer is what the far side answered, Err why there is none.
	Answer string
	Err    error
}

// testWithin bounds a test: a person waits.
const testWithin = 8 * time.Second

// Test sends a marked test to the place with that name, or to all if it is empty, on the way that notices take. It is
// an error that there is no such place.
func (d *Dispatcher) Test(ctx context.Context, name string) ([]Result, error) {
	var at []*outbox
	known := map[string]bool{}
	for _, o := range d.outboxes {
		if o.sink != nil || o.tester != nil {
			known[o.config.Name] = true
			if name == "" || o.config.Name == name {
				at = append(at, o)
			}
		}
	}
	if len(at) == 0 && name == "" {
		return nil, errors.New("there is no place to test; add a [[notify]] section to the configuration")
	}
	if len(at) == 0 {
		return nil, fmt.Errorf("there is no place called %q; there are: %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	}
	ctx, cancel := context.WithTimeout(ctx, testWithin)
	defer cancel()
	n := Notice{Kind: Test}
	n.At, _ = d.options.UTC()
	n.Alert = status.Alert{Severity: status.Info, Code: "test", Since: n.At, // which nobody ever raises
		Text: "This is a test of the way that alerts take. Nothing is wrong.", Mend: "nothing to do"}
	d.mu.Lock()
	d.sign(&n)
	d.mu.Unlock()
	results := make([]Result, len(at))
	var wait sync.WaitGroup
	for i, o := range at {
		wait.Go(func() {
			send := func() (string, error) { return o.test(ctx, n) }
			if o.sink == nil {
				send = func() (string, error) { return o.tester.Test(ctx) }
			}
			answer, err := send()
			results[i] = Result{o.config.Name, o.config.Kind, answer, err}
		})
	}
	wait.Wait()
	return results, nil
}
