package logbook

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
)

// store is the open file of a Book. It is not safe for concurrent use.
type store struct {
	db     *sql.DB
	path   string
	opened os.FileInfo
	insert *sql.Stmt
	state
}

// state is what the store knows of the file, as of the last commit.
type state struct {
	seq     int64
	chain   hash
	sources map[sourceKey]int64
	// minutes and hours are the last batch of rows that was aggregated so.
	minutes, hours int64
	// latest is the first time in the newest batch of rows that this store wrote.
	latest sql.Null[int64]
}

// openStore opens the log in dir, which is ours to write, and makes what is missing: the folder, the file, the table. A
// file in an older layout is brought up to date.
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
	s := &store{db: db, path: path}
	_, err = db.Exec(firstPragmas)
	if err == nil {
		err = s.prepare()
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

func (s *store) prepare() error {
	version, err := fileVersion(context.Background(), s.db, s.path)
	if err != nil {
		return err
	}
	switch version {
	case 0:
		err = s.transact(func(t *transaction) error { _, err := t.Exec(schema); return err })
	case 1:
		err = s.migrate()
	}
	if err != nil {
		return err
	}
	if s.opened, err = os.Stat(s.path); err != nil {
		return err
	}
	if s.insert, err = s.db.Prepare(insertBatch); err != nil {
		return err
	}
	return s.load()
}

const insertBatch = `INSERT INTO batch (seq, kind, first_utc_ns, content, chain) VALUES (?, ?, ?, ?, ?)`

// load reads the state. The last batch always has its chain: what is dropped has a note after it.
func (s *store) load() error {
	s.state = state{sources: map[sourceKey]int64{}}
	var chain []byte
	err := s.db.QueryRow(`SELECT seq, chain FROM batch ORDER BY seq DESC LIMIT 1`).Scan(&s.seq, &chain)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err == nil && len(chain) != sha256.Size {
		return damage(fmt.Sprintf("batch %d, the last, has no hash", s.seq))
	}
	copy(s.chain[:], chain)
	known := map[int64]sourceKey{}
	if err := s.contents(`SELECT content FROM batch WHERE kind = ? AND content IS NOT NULL`, batchSources,
		func(content []byte) error { return decodeSources(content, known) }); err != nil {
		return err
	}
	for id, key := range known {
		s.sources[key] = id
	}
	for kind, covered := range map[batchKind]*int64{batchMinutes: &s.minutes, batchHours: &s.hours} {
		if err := s.contents(lastContent, kind, func(content []byte) error {
			d := decode(content)
			if *covered = decodeBlock(d).last; d.bad {
				return malformed
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// lastContent is the newest of a kind: found in the index, whose entries end with seq.
const lastContent = `SELECT content FROM batch WHERE seq =
	(SELECT max(seq) FROM batch INDEXED BY batch_by_time WHERE kind = ? AND content IS NOT NULL)`

func (s *store) contents(query string, kind batchKind, f func([]byte) error) error {
	rows, err := s.db.Query(query, int64(kind))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var content sql.RawBytes
		if err := rows.Scan(&content); err != nil {
			return err
		}
		if err := f(content); err != nil {
			return err
		}
	}
	return rows.Err()
}

// gone reports whether the file was deleted or replaced under our hands: SQLite would go on writing to the one that
// nobody can find any more.
func (s *store) gone() bool {
	info, err := os.Stat(s.path)
	return os.IsNotExist(err) || err == nil && !os.SameFile(info, s.opened)
}

func (s *store) close() error { return s.db.Close() }

// transaction adds batches to the file. Its state becomes the store's once it is committed.
type transaction struct {
	*sql.Tx
	insert *sql.Stmt
	state
	added map[int64]sourceKey // sources without a batch yet
}

// transact stores all that f does or nothing.
func (s *store) transact(f func(*transaction) error) error {
	// No deadline: one that struck during a commit would leave it open whether the batch was stored.
	tx, err := s.db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	t := &transaction{Tx: tx, state: s.state, added: map[int64]sourceKey{}}
	t.sources = maps.Clone(s.sources)
	if s.insert != nil {
		t.insert = tx.Stmt(s.insert)
	}
	if err := f(t); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	s.state = t.state
	return nil
}

// append adds a batch at the end of the chain.
func (t *transaction) append(kind batchKind, first sql.Null[int64], content []byte) error {
	seq := t.seq + 1
	chain := link(t.chain, seq, kind, sha256.Sum256(content))
	if _, err := t.insert.Exec(seq, int64(kind), first, content, chain[:]); err != nil {
		return err
	}
	t.seq, t.chain = seq, chain
	return nil
}

// sourceNumber gives the number of whose row it is.
func (t *transaction) sourceNumber(key sourceKey) int64 {
	id, ok := t.sources[key]
	if !ok {
		id = int64(len(t.sources)) + 1
		t.sources[key], t.added[id] = id, key
	}
	return id
}

// record is a Row, an Event or a ClientHour.
type record interface{ moment() Moment }

func (m Moment) moment() Moment { return m }

// rowsPerBatch bounds what a reader holds in memory at once.
const rowsPerBatch = 4096

// write stores all records or none.
func (s *store) write(records []record) error {
	return s.transact(func(t *transaction) error { return t.write(records) })
}

func (t *transaction) write(records []record) error {
	var rows []Row
	var events []Event
	var clients []ClientHour
	for _, r := range records {
		switch r := r.(type) {
		case Row:
			rows = append(rows, r)
		case Event:
			events = append(events, r)
		case ClientHour:
			clients = append(clients, r)
		}
	}
	for len(rows) > 0 {
		n := sameHour(rows, rowsPerBatch)
		if err := t.writeRows(rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	for len(events) > 0 {
		n := sameHour(events, len(events))
		if err := t.append(batchEvents, firstTime(events[:n]), encodeEvents(events[:n])); err != nil {
			return err
		}
		events = events[n:]
	}
	for _, c := range clients {
		if err := t.append(batchClients, some(c.Hour.UnixNano()), encodeClients(c)); err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) writeRows(rows []Row) error {
	numbers := make([]int64, len(rows))
	for i, r := range rows {
		numbers[i] = t.sourceNumber(sourceKey{r.Source, r.Driver, r.Receiver})
	}
	if len(t.added) > 0 {
		if err := t.append(batchSources, sql.Null[int64]{}, encodeSources(t.added)); err != nil {
			return err
		}
		clear(t.added)
	}
	first := firstTime(rows)
	if first.Valid {
		t.latest = first
	}
	return t.append(batchRows, first, encodeRows(rows, numbers))
}

// sameHour is how many of the records, at most limit, belong into one batch: those of one UTC hour, or those without a
// known time.
func sameHour[R record](records []R, limit int) int {
	hour := func(r R) (int64, bool) { m := r.moment(); return floor(m.UTC.Seconds, 3600), m.Known }
	first, known := hour(records[0])
	n := 1
	for n < min(limit, len(records)) {
		if h, k := hour(records[n]); k != known || k && h != first {
			break
		}
		n++
	}
	return n
}

// firstTime is the least time of records, of which all or none have one.
func firstTime[R record](records []R) (least sql.Null[int64]) {
	for _, r := range records {
		if m := r.moment(); m.Known && (!least.Valid || posixNS(m.UTC) < least.V) {
			least = some(posixNS(m.UTC))
		}
	}
	return least
}
