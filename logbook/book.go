package logbook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// Alerts takes what a person should know.
type Alerts interface {
	Raise(status.Alert)
	Clear(code, source string)
}

// The alerts of this room; their source is alertSource.
const (
	// AlertFailing stands while the log cannot be written; the time is not affected.
	AlertFailing = "logbook-failing"
	// AlertDamaged says that a damaged file was set aside; it stands until the station stops.
	AlertDamaged = "logbook-damaged"

	alertSource = "logbook"
)

// Station is what the logbook reads: the newest status, and the local clock. Neither may block.
type Station interface {
	Status() *status.Status
	Now() refclock.Stamp
}

// SmearingStation is a Station that may tell clients a time smeared around a leap second: it says by how much now.
type SmearingStation interface{ SmearSeconds() float64 }

const (
	// lookEvery is how often the status is compared with what was last seen; a change that lasts for less can be missed.
	lookEvery = time.Second
	// retryEvery is the longest wait before a failed write is tried again.
	retryEvery = 10 * time.Second
)

// Book is the writer of the log. Its methods are safe for concurrent use.
type Book struct {
	dir     string
	config  Config
	alerts  Alerts
	log     *slog.Logger
	pragmas []string
	queue   queue

	// file is held while the file is used, which may take long.
	file    sync.Mutex
	store   *store // nil while it cannot be opened
	checked bool   // for damage
	failure string // what AlertFailing says
	swept   time.Time

	// entry is held for moments.
	entry   sync.Mutex
	station Station // nil before Run
	early   []Event // from before Run
}

// Open opens or begins the log in dir. A log that cannot be opened now (read-only, full, locked) raises AlertFailing and
// is tried again while Run runs; a damaged one is set aside and raises AlertDamaged. The error is an impossible
// configuration, or a file that is not ours or from a newer program, which stays untouched.
func Open(dir string, cfg Config, alerts Alerts, log *slog.Logger) (*Book, error) {
	return open(dir, cfg, alerts, log, writerPragmas)
}

func open(dir string, cfg Config, alerts Alerts, log *slog.Logger, pragmas []string) (*Book, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	b := &Book{dir: dir, config: cfg, alerts: alerts, log: log, pragmas: pragmas, queue: queue{limit: queueLimit}}
	var refused refusal
	if err := b.connect(true); errors.As(err, &refused) {
		return nil, err
	} else if err != nil && !errors.Is(err, errOlder) {
		b.fail(err)
	}
	return b, nil
}

// errOlder is why a file is not opened at once: to bring its layout up to date takes long, and the station waits.
var errOlder = errors.New("the file is in an older layout")

// Event keeps something that was done or happened, such as start, stop or configuration; source is the source or room
// it is about, or empty. It never waits for the disk. Before Run it is kept until Run gives it the time.
func (b *Book) Event(kind, source, text string) { b.EventBy(kind, source, text, "", "") }

// EventBy is Event of something that a person did: who, as the station knows him, and from where, such as an address.
func (b *Book) EventBy(kind, source, text, who, from string) {
	e := Event{Kind: kind, Source: source, Text: text, Who: who, From: from}
	b.entry.Lock()
	st := b.station
	if st == nil {
		b.early = append(b.early, e)
	}
	b.entry.Unlock()
	if st != nil { // asked without the lock: it is somebody else's code
		e.Moment = now(st)
		b.queue.put(e)
	}
}

func now(st Station) Moment {
	stamp := st.Now()
	return momentOf(st.Status().At(stamp), stamp)
}

// Run keeps rows and events until ctx ends; then it writes what waits and returns nil, or how much was lost and why.
func (b *Book) Run(ctx context.Context, st Station) error {
	b.begin(st)
	written := make(chan struct{})
	go func() {
		defer close(written)
		b.writeLoop(ctx)
	}()
	b.watch(ctx, st)
	<-written
	return b.finish()
}

func (b *Book) begin(st Station) {
	m := now(st)
	b.entry.Lock()
	defer b.entry.Unlock()
	b.station = st
	for _, e := range b.early {
		e.Moment = m
		b.queue.put(e)
	}
	b.early = nil
}

// watch reads the status until ctx ends.
func (b *Book) watch(ctx context.Context, st Station) {
	interval := seconds(b.config.IntervalSeconds)
	row := time.NewTicker(interval)
	defer row.Stop()
	look := time.NewTicker(min(lookEvery, interval))
	defer look.Stop()
	var last seen
	var clients clientWatch
	for {
		b.queue.put(last.changes(st.Status(), st.Now())...)
		b.queue.put(clients.look(st, now(st), ctx.Err() != nil)...)
		if ctx.Err() != nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-row.C:
			rows := rowsOf(st.Status(), st.Now())
			if s, ok := st.(SmearingStation); ok {
				rows[0].SmearSeconds = some(s.SmearSeconds())
			}
			for _, r := range rows {
				b.queue.put(r)
			}
		case <-look.C:
		}
	}
}

// writeLoop writes a batch each time one is due, until ctx ends.
func (b *Book) writeLoop(ctx context.Context) {
	batch := seconds(b.config.BatchSeconds)
	for wait := batch; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if wait = batch; b.flush() != nil {
			wait = min(batch, retryEvery)
		}
	}
}

// finish writes what waits, for the last time.
func (b *Book) finish() error {
	if b.queue.len() == 0 {
		return nil
	}
	if err := b.flush(); err != nil {
		return fmt.Errorf("%s: %d rows and events were not written: %w; %s", filepath.Join(b.dir, FileName), b.queue.len(),
			err, mend(err, b.dir))
	}
	return nil
}

// Close writes events that came after Run had ended, and closes the file.
func (b *Book) Close() error {
	err := b.finish()
	b.file.Lock()
	defer b.file.Unlock()
	if b.store != nil {
		err = errors.Join(err, b.store.close())
		b.store = nil
	}
	return err
}

// flush writes all that waits, and raises or clears AlertFailing.
func (b *Book) flush() error {
	b.file.Lock()
	defer b.file.Unlock()
	records, upTo, lost := b.queue.batch()
	if lost > 0 {
		records = append(slices.Clip(records), b.gap(lost))
	}
	if err := b.save(records); err != nil {
		b.fail(err)
		return err
	}
	b.queue.release(upTo, lost)
	if err := b.tend(); err != nil { // the batch is safe, and there is time for the rest
		b.drop()
		b.fail(err)
		return nil
	}
	if b.failure != "" {
		b.log.Info("the log is being written again", "dir", b.dir)
		b.failure = ""
	}
	b.alerts.Clear(AlertFailing, alertSource)
	return nil
}

// tendFor is how long aggregating and dropping may keep the next batch waiting; what is left comes after it.
const tendFor = 200 * time.Millisecond

// tend aggregates what is over and drops what is old. Old is what the station's time says, so while it does not claim to
// know it nothing is dropped.
func (b *Book) tend() error {
	if b.store == nil {
		return nil
	}
	began := time.Now()
	for more := true; more && time.Since(began) < tendFor; {
		var err error
		if more, err = b.store.aggregateStep(); err != nil {
			return err
		}
	}
	b.entry.Lock()
	st := b.station
	b.entry.Unlock()
	if st == nil || time.Since(b.swept) < sweepEvery {
		return nil
	}
	b.swept = time.Now()
	stamp := st.Now()
	r := st.Status().At(stamp)
	if !r.Known || !r.Synchronised() {
		return nil
	}
	_, err := b.store.dropStep(momentOf(r, stamp), b.config)
	return err
}

// save writes records, and opens or replaces the file where it must.
func (b *Book) save(records []record) error {
	if b.store != nil && b.store.gone() {
		b.drop()
		b.log.Warn("the log file was removed while the station ran; a new one is begun", "dir", b.dir)
		b.Event(EventLogbook, "", "the log file was removed while the station ran; this one was begun")
	}
	if b.store == nil {
		if err := b.connect(false); err != nil {
			return err
		}
	}
	if len(records) == 0 {
		return nil
	}
	err := b.store.write(records)
	if err == nil || locked(err) {
		return err
	}
	// After any other failure a fresh start is safer than to guess what state the connection is in.
	b.drop()
	if !damaged(err) {
		return err
	}
	if err := b.replace(err); err != nil {
		return err
	}
	if err := b.connect(false); err != nil {
		return err
	}
	return b.store.write(records)
}

// connect opens the file. Only the first time is it searched for damage: later ones may happen while the station stops,
// and a write finds what is in its way. With starting, it returns errOlder for a file whose layout has to be changed.
func (b *Book) connect(starting bool) error {
	path := filepath.Join(b.dir, FileName)
	version, err := inspect(path, !b.checked)
	if err == nil && version > 0 && version < schemaVersion {
		if starting {
			return errOlder
		}
		b.log.Info("the log is brought up to date", "file", path, "layout", version, "to", schemaVersion)
	}
	if damaged(err) {
		err = b.replace(err)
	}
	if err != nil {
		return err
	}
	if b.store, err = openStore(b.dir, b.pragmas); damaged(err) { // further in than the check came
		if err = b.replace(err); err == nil {
			b.store, err = openStore(b.dir, b.pragmas)
		}
	}
	b.checked = b.checked || err == nil
	return err
}

func (b *Book) drop() {
	if err := b.store.close(); err != nil {
		b.log.Warn("closing the log", "dir", b.dir, "reason", err)
	}
	b.store = nil
}

// replace sets the damaged file aside.
func (b *Book) replace(reason error) error {
	aside, err := setAside(filepath.Join(b.dir, FileName))
	if err != nil {
		return err
	}
	b.log.Error("the log file was damaged; it is set aside and a new one begun", "reason", reason, "kept_as", aside)
	b.alerts.Raise(status.Alert{
		Code: AlertDamaged, Source: alertSource, Severity: status.Warning,
		Text: fmt.Sprintf("the log file was damaged (%v); it was set aside as %s and a new one begun", reason, aside),
		Mend: "sqlite3 with .recover brings most of it back; suspect the SD card or disk",
	})
	return nil
}

// gap tells how much had to go while the queue was full.
func (b *Book) gap(lost uint64) Event {
	b.entry.Lock()
	st := b.station
	b.entry.Unlock()
	text := fmt.Sprintf("%d rows and events were lost while the log could not be written", lost)
	e := Event{Kind: EventLogbook, Text: text}
	if st != nil {
		e.Moment = now(st)
	}
	return e
}

// fail tells the person, once a reason.
func (b *Book) fail(err error) {
	advice := mend(err, b.dir)
	if b.failure != err.Error() {
		b.failure = err.Error()
		b.log.Warn("the log cannot be written", "dir", b.dir, "reason", err, "mend", advice, "waiting", b.queue.len())
	}
	b.alerts.Raise(status.Alert{
		Code: AlertFailing, Source: alertSource, Severity: status.Warning,
		Text: fmt.Sprintf("the log is not being written (%v); the time is not affected, and up to %d rows and events "+
			"wait in memory", err, b.queue.limit),
		Mend: advice,
	})
}
