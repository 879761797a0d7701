package logbook

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
)

const insertReading = `INSERT INTO reading (utc_ns, local_ns, tai_minus_utc, in_leap, source_id, state, offset_seconds,
	frequency_ppm, jitter_seconds, uncertainty95_seconds, max_error_seconds, age_seconds, stratum, leap, selected,
	satellites_used, satellites_in_view, cn0_mean_dbhz) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

const insertEvent = `INSERT INTO event (utc_ns, local_ns, tai_minus_utc, in_leap, kind, source, text)
	VALUES (?, ?, ?, ?, ?, ?, ?)`

// store is the open file of a Book. It is not safe for concurrent use.
type store struct {
	db             *sql.DB
	path           string
	opened         os.FileInfo
	reading, event *sql.Stmt
	sources        map[sourceKey]int64
}

type sourceKey struct{ kind, name, driver, receiver string }

// openStore opens the log in dir, which is ours to write, and makes what is missing: the folder, the file, the tables.
func openStore(dir string, pragmas []string) (*store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, FileName)
	db, err := openDatabase(path, "", pragmas)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	s := &store{db: db, path: path, sources: map[sourceKey]int64{}}
	if err := s.prepare(); err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

func (s *store) prepare() error {
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var tables int
	if err := tx.QueryRow(`SELECT count(*) FROM sqlite_schema`).Scan(&tables); err != nil {
		return err
	}
	if tables == 0 {
		if _, err := tx.Exec(schema); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if s.opened, err = os.Stat(s.path); err != nil {
		return err
	}
	if s.reading, err = s.db.Prepare(insertReading); err != nil {
		return err
	}
	s.event, err = s.db.Prepare(insertEvent)
	return err
}

// gone reports whether the file was deleted or replaced under our hands: SQLite would go on writing to the one that
// nobody can find any more.
func (s *store) gone() bool {
	info, err := os.Stat(s.path)
	return os.IsNotExist(err) || err == nil && !os.SameFile(info, s.opened)
}

func (s *store) close() error { return s.db.Close() }

// record is a Row or an Event.
type record interface{ insert(*transaction) error }

type transaction struct {
	*sql.Tx
	store          *store
	reading, event *sql.Stmt
}

// write stores all records or none.
func (s *store) write(records []record) (err error) {
	// No deadline: one that struck during a commit would leave it open whether the batch was stored.
	tx, err := s.db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tx.Rollback()
			clear(s.sources) // some may have been made in the transaction that is void
		}
	}()
	t := &transaction{Tx: tx, store: s, reading: tx.Stmt(s.reading), event: tx.Stmt(s.event)}
	for _, r := range records {
		if err := r.insert(t); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (t *transaction) sourceID(r Row) (int64, error) {
	key := sourceKey{"source", r.Source, r.Driver, r.Receiver}
	if r.Source == StationName && r.Driver == "" {
		key.kind = "station"
	}
	if id, ok := t.store.sources[key]; ok {
		return id, nil
	}
	_, err := t.Exec(`INSERT INTO source (kind, name, driver, receiver) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		key.kind, key.name, key.driver, key.receiver)
	if err != nil {
		return 0, err
	}
	var id int64
	err = t.QueryRow(`SELECT id FROM source WHERE (kind, name, driver, receiver) = (?, ?, ?, ?)`,
		key.kind, key.name, key.driver, key.receiver).Scan(&id)
	if err != nil {
		return 0, err
	}
	t.store.sources[key] = id
	return id, nil
}

func (m Moment) columns() (utcNS sql.Null[int64], inLeap int64) {
	if !m.Known {
		return utcNS, 0
	}
	if m.UTC.InLeap {
		inLeap = 1
	}
	return some(m.UTC.Seconds*1e9 + int64(m.UTC.Nanoseconds)), inLeap
}

func (r Row) insert(t *transaction) error {
	source, err := t.sourceID(r)
	if err != nil {
		return err
	}
	utc, inLeap := r.columns()
	leap := sql.Null[string]{V: r.Leap, Valid: r.Leap != ""}
	_, err = t.reading.Exec(utc, int64(r.Local), r.TAIMinusUTC, inLeap, source, r.State, r.OffsetSeconds, r.FrequencyPPM,
		r.JitterSeconds, r.Uncertainty95Seconds, r.MaxErrorSeconds, r.AgeSeconds, r.Stratum, leap, r.Selected,
		r.SatellitesUsed, r.SatellitesInView, r.CN0MeanDBHz)
	return err
}

func (e Event) insert(t *transaction) error {
	utc, inLeap := e.columns()
	_, err := t.event.Exec(utc, int64(e.Local), e.TAIMinusUTC, inLeap, e.Kind, e.Source, e.Text)
	return err
}
