package remote

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"timestation/engine/status"
	"timestation/logbook"
	"timestation/refclock"
)

// Alerts takes what a person should know.
type Alerts interface {
	Raise(status.Alert)
	Clear(code, source string)
}

// The alerts of this room; their source is alertSource.
const (
	// AlertFailing stands while the storage cannot be reached, or takes nothing for now, and has been so for a minute.
	AlertFailing = "remote-write-failing"
	// AlertRefused says that the storage refused rows for good; it stands until it takes some again.
	AlertRefused = "remote-write-refused"

	alertSource = "remote-write"
)

const (
	// lookEvery is how often the log is looked at for new rows, and so how often remote.json is written when all goes well.
	lookEvery = time.Minute
	// firstRetry and lastRetry are how long to wait after the first failure, and after many; each is twice the one before.
	// A part of it is left to chance, so that a fleet does not fall upon a storage that comes back.
	firstRetry = time.Second
	lastRetry  = time.Minute
	// longestRetryAfter bounds what a storage may ask for.
	longestRetryAfter = time.Hour
	// patience is how long the storage may be away before a person hears of it.
	patience = time.Minute
)

// Log is the queue. Numbers rise in the order in which rows were written.
type Log interface {
	RowsAfter(ctx context.Context, number int64) iter.Seq2[logbook.NumberedRow, error]
	LastNumber(ctx context.Context) (int64, error)
	Close() error
}

// Options are what the station adds to the configuration.
type Options struct {
	// Dir is the data folder, with the log in it.
	Dir string
	// Station is the value of the label station.
	Station string
	Version string
	Alerts  Alerts
	Log     *slog.Logger
	// Now is the station's time, by which certificates are judged.
	Now func() time.Time
}

// Sender sends the log's rows to one storage.
type Sender struct {
	config  Config
	options Options
	open    func() (Log, error)
	client  *http.Client
	where   string // the address for people, without a query, which may be a secret

	// All below belongs to Run.
	state   state
	unsaved bool
	// perhaps is set while the storage may have taken the rows up to state.Sending and we do not know.
	perhaps bool
	newest  map[string]int64 // by source and driver: the highest timestamp that was taken since the start, in ms
	refused uint64           // rows, in the present run of refusals
	failing time.Duration    // for how long nothing was sent for a failure, by the waits in between
}

// New makes a sender; cfg must be valid and its URL not empty. Nothing is opened or sent before Run. The error is a token
// file that cannot be used, in one line.
func New(cfg Config, options Options) (*Sender, error) {
	s := &Sender{
		config: cfg, options: options, client: newClient(options.Now), newest: map[string]int64{},
		open: func() (Log, error) { return logbook.OpenReader(options.Dir) },
	}
	s.where, _, _ = strings.Cut(cfg.URL, "?")
	if _, err := s.token(); err != nil {
		return nil, fmt.Errorf("remote_write.%w", err)
	}
	return s, nil
}

// Run sends until ctx ends, and then saves how far it came. It only ever waits for the storage and the log's file, and
// nothing waits for it.
func (s *Sender) Run(ctx context.Context) {
	defer s.client.CloseIdleConnections()
	var err error
	if s.state, err = load(s.options.Dir, s.config.URL); err != nil {
		s.options.Log.Warn("remote write: the whole log is sent again", "reason", err)
	}
	s.perhaps = s.state.Sending > s.state.Row
	s.options.Log.Info("remote write", "url", s.where, "sent_rows", s.state.SentRows)
	defer s.save()
	look := time.NewTimer(0)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			look.Reset(s.judge(ctx, s.catchUp(ctx)))
		}
	}
}

// save writes remote.json. Without it rows that were taken are sent again after a restart, together with new ones, and a
// storage that then refuses them all costs those; so a failure is said, but keeps nothing from being sent.
func (s *Sender) save() {
	if !s.unsaved {
		return
	}
	if err := s.state.save(s.options.Dir); err != nil {
		s.options.Log.Warn("remote write: how far it came could not be saved", "reason", err)
		return
	}
	s.unsaved = false
}

// catchUp sends what waits, or as much as goes.
func (s *Sender) catchUp(ctx context.Context) error {
	log, err := s.open()
	if err != nil {
		return err
	}
	defer log.Close()
	for {
		b, err := s.next(ctx, log)
		if err != nil {
			return err
		}
		if b.last == s.state.Row {
			return s.recognise(ctx, log)
		}
		if b.rows > 0 {
			if err := s.deliver(ctx, b); err != nil {
				return err
			}
		}
		s.state.Row, s.state.Sending, s.unsaved = b.last, b.last, true
	}
}

// recognise begins anew if the log is not the one that was sent: a damaged one is set aside and its successor counts from
// one again.
func (s *Sender) recognise(ctx context.Context, log Log) error {
	last, err := log.LastNumber(ctx)
	if err != nil || last >= s.state.Row {
		return err
	}
	s.options.Log.Info("remote write: the log is a new one")
	s.state.Row, s.state.Sending, s.unsaved = 0, 0, true
	return nil
}

// batch is what goes into one request.
type batch struct {
	request request
	rows    int
	last    int64 // number of the last row in it or passed over
	newest  map[string]int64
	// from and to are the times of the first and the last of the rows.
	from, to refclock.UTC
}

// next collects the rows for one request: those that were tried before, exactly, or else new ones. It then ends before a
// row that steps back in time, or forward again after such rows.
func (s *Sender) next(ctx context.Context, log Log) (batch, error) {
	b := batch{last: s.state.Row, newest: map[string]int64{}}
	again, back := s.state.Sending > s.state.Row, false
	for row, err := range log.RowsAfter(ctx, s.state.Row) {
		if err != nil {
			return b, err
		}
		if again && row.Number > s.state.Sending {
			break
		}
		if row.Known {
			key, ms := row.Source+"\x00"+row.Driver, timestampMS(row.Row)
			last, known := b.newest[key]
			stepsBack := ms <= s.newest[key]
			if !again && b.rows > 0 && (stepsBack != back || known && ms <= last) {
				break
			}
			if b.rows == 0 {
				b.from = row.UTC
			}
			b.to, back = row.UTC, stepsBack
			b.newest[key] = ms
			b.request.addRow(s.options.Station, row.Row)
			b.rows++
		}
		b.last = row.Number
		if !again && b.rows == s.config.BatchRows {
			break
		}
	}
	if again {
		b.last = s.state.Sending // though retention may have taken its last rows
	}
	return b, nil
}

// deliver sends a batch: it is done with, taken or refused, unless there is an error.
func (s *Sender) deliver(ctx context.Context, b batch) error {
	if s.state.Sending != b.last {
		s.state.Sending, s.unsaved = b.last, true
	}
	s.save()
	err := s.push(ctx, b.request.body())
	var refused refusal
	switch {
	case errors.As(err, &refused) && s.perhaps:
		s.goesOn()
		s.options.Log.Info("remote write: rows that may have been taken before are refused now", "rows", b.rows,
			"from", b.from, "to", b.to, "reason", refused)
	case errors.As(err, &refused):
		s.goesOn()
		s.refuse(refused, b)
	case err != nil:
		s.perhaps = s.perhaps || perhapsTaken(err)
		return err
	default:
		s.goesOn()
		s.take(b)
	}
	s.perhaps = false
	return nil
}

// take notes that a batch was taken.
func (s *Sender) take(b batch) {
	s.state.SentRows += uint64(b.rows)
	for key, ms := range b.newest {
		s.newest[key] = max(s.newest[key], ms)
	}
	if s.refused > 0 {
		s.options.Log.Info("remote write: rows are taken again", "refused_rows", s.refused)
		s.refused = 0
	}
	s.options.Alerts.Clear(AlertRefused, alertSource)
}

// refuse drops a batch, with one line a run of refusals.
func (s *Sender) refuse(reason refusal, b batch) {
	if s.refused == 0 {
		s.options.Log.Warn("remote write: rows are refused and dropped", "url", s.where, "reason", reason,
			"mend", reason.mend(), "rows", b.rows, "from", b.from, "to", b.to)
	}
	s.refused += uint64(b.rows)
	s.state.RefusedRows += uint64(b.rows)
	s.options.Alerts.Raise(status.Alert{
		Code: AlertRefused, Source: alertSource, Severity: status.Warning,
		Text: fmt.Sprintf("%s refused %d rows of the log, which are not sent again (%v); the log itself has them",
			s.where, s.refused, reason),
		Mend: reason.mend() + "; to send the whole log again, stop the station and remove " + StateFile,
	})
}

// goesOn notes that nothing is in the way any more.
func (s *Sender) goesOn() {
	if s.failing > 0 {
		s.options.Log.Info("remote write goes on", "sent_rows", s.state.SentRows)
	}
	s.failing = 0
	s.options.Alerts.Clear(AlertFailing, alertSource)
}

// judge says how long to wait after catchUp returned err.
func (s *Sender) judge(ctx context.Context, err error) time.Duration {
	if ctx.Err() != nil {
		return lookEvery
	}
	if err == nil {
		s.goesOn()
		return lookEvery
	}
	if s.failing == 0 {
		s.options.Log.Warn("remote write waits; the rows are in the log", "url", s.where, "reason", err)
	}
	wait := min(max(s.failing, firstRetry), lastRetry) // the waits so far sum up to what doubling asks for
	wait = wait/2 + rand.N(wait)
	var asked trouble
	if errors.As(err, &asked) {
		wait = max(wait, min(asked.after, longestRetryAfter))
	}
	if s.failing >= patience {
		s.options.Alerts.Raise(status.Alert{
			Code: AlertFailing, Source: alertSource, Severity: status.Warning,
			Text: fmt.Sprintf("the log's rows do not reach %s (%v); they wait in the log", s.where, err),
			Mend: "check the network, the storage, and [remote_write]",
		})
	}
	s.failing += wait
	return wait
}
