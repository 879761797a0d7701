package logbook

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// Reader reads a log, also while the station writes it. It is safe for concurrent use and never changes the file.
type Reader struct {
	db   *sql.DB
	path string

	mu      sync.Mutex
	sources map[int64]sourceKey
}

// OpenReader opens the log in dir. The error says when there is none, or when it is not ours or from a newer program.
func OpenReader(dir string) (*Reader, error) {
	path := filepath.Join(dir, FileName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no log; name the station's data folder with --data", path)
	} else if err != nil {
		return nil, fmt.Errorf("%w; name a folder that can be read with --data", err)
	}
	r, err := openReader(path, "&mode=ro")
	if hasCode(err, sqlite3.SQLITE_CANTOPEN) && noWAL(path) {
		// Reading needs a lock file beside the log. Where none can be made, and no station has the log open, it is
		// read as it lies: a copy on a read-only medium, a folder of another user.
		r, err = openReader(path, "&mode=ro&immutable=1")
	}
	return r, err
}

func noWAL(path string) bool {
	_, err := os.Stat(path + "-wal")
	return errors.Is(err, fs.ErrNotExist)
}

func openReader(path, parameters string) (*Reader, error) {
	// A reader waits longer than the writer: nobody depends on it.
	db, err := openDatabase(path, parameters, []string{"busy_timeout(5000)", "cell_size_check(1)"})
	if err != nil {
		return nil, err
	}
	r := &Reader{db: db, path: path}
	version, err := fileVersion(context.Background(), db, path)
	switch {
	case err != nil:
	case version == 0:
		err = refusal(path + ": the log is empty; start the station first")
	case version < schemaVersion:
		err = refusal(fmt.Sprintf("%s: written by an older Timestation (layout %d); start the station once, it brings the "+
			"file up to date", path, version))
	}
	if err != nil {
		db.Close()
		return nil, r.explain(err)
	}
	return r, nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.db.Close() }

// explain makes an error the line that a user sees.
func (r *Reader) explain(err error) error {
	var refused refusal
	switch {
	case errors.As(err, &refused), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case damaged(err):
		return fmt.Errorf("%s: the log is damaged: %w; sqlite3 with .recover brings most of it back", r.path, err)
	}
	return fmt.Errorf("%s: %w; check that the file and its folder can be read", r.path, err)
}

// Span gives the times of the first and the last row whose time was known, or of the first aggregate where its rows are no
// longer kept; both are zero when there is none.
func (r *Reader) Span(ctx context.Context) (first, last time.Time, err error) {
	oldest, err := r.oldest(ctx)
	if err != nil {
		return first, last, err
	}
	for _, t := range oldest {
		if first.IsZero() || !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	var from sql.Null[int64]
	if err := r.db.QueryRowContext(ctx, `SELECT max(first_utc_ns) FROM batch WHERE kind = ? AND content IS NOT NULL`,
		int64(batchRows)).Scan(&from); err != nil {
		return first, last, r.explain(err)
	}
	if !from.Valid {
		return first, first, nil
	}
	for row, err := range r.Rows(ctx, time.Unix(0, from.V), time.Time{}, "") {
		if err != nil {
			return first, last, err
		}
		last = row.UTC.Time()
	}
	return first, last, nil
}

// oldest gives the first time that there is of each resolution; zero for none.
func (r *Reader) oldest(ctx context.Context) (times [Auto]time.Time, err error) {
	for i, kind := range []batchKind{batchRows, batchMinutes, batchHours} {
		var ns sql.Null[int64]
		// A question each: SQLite answers it from the end of the index, all together by reading all of it.
		if err := r.db.QueryRowContext(ctx, `SELECT min(first_utc_ns) FROM batch WHERE kind = ? AND content IS NOT NULL`,
			int64(kind)).Scan(&ns); err != nil {
			return times, r.explain(err)
		}
		if ns.Valid {
			times[i] = time.Unix(0, ns.V).UTC()
		}
	}
	return times, nil
}

// Resolve says what Auto is for a query: the finest resolution that still reaches back to where it begins, or else to
// where the log does.
func (r *Reader) Resolve(ctx context.Context, q Query) (Resolution, error) {
	if q.Resolution != Auto {
		return q.Resolution, nil
	}
	oldest, err := r.oldest(ctx)
	if err != nil {
		return 0, err
	}
	for resolution := Raw; resolution < Hour; resolution++ {
		enough := true
		for coarser := resolution + 1; coarser <= Hour; coarser++ {
			// An aggregate begins with its block, before the first row in it.
			earlier := oldest[coarser].Add(coarser.block())
			enough = enough && (oldest[coarser].IsZero() || !oldest[resolution].IsZero() &&
				(!oldest[resolution].After(q.From) || oldest[resolution].Before(earlier)))
		}
		if enough {
			return resolution, nil
		}
	}
	return Hour, nil
}

// Rows yields the rows with from ≤ time < to that are still kept, of one source or, if source is empty, of all and of the
// station. They come in the order of their POSIX count, which repeats within an inserted leap second. A zero from or to
// is no limit; without any limit the rows from before the station knew the time come first. Memory does not grow with
// the number of rows. After an error the sequence ends.
func (r *Reader) Rows(ctx context.Context, from, to time.Time, source string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		m, reader := merger[Row]{ctx: ctx, yield: yield}, r.rowReader()
		begin, end := limits(from, to)
		m.run(r, r.batches(ctx, batchRows, floor(begin, int64(time.Hour)), end), func(b storedBatch) error {
			return reader.rows(b.content, func(_ int64, row *Row) {
				t := begin // rows without a time were asked for
				if row.Known {
					t = posixNS(row.UTC)
				}
				if begin <= t && t < end && (source == "" || row.Source == source) {
					m.put(t, *row)
				}
			})
		})
	}
}

// Events yields events as Rows does rows; source is the source or room they are about.
func (r *Reader) Events(ctx context.Context, from, to time.Time, source string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		m := merger[Event]{ctx: ctx, yield: yield}
		begin, end := limits(from, to)
		m.run(r, r.batches(ctx, batchEvents, floor(begin, int64(time.Hour)), end), func(b storedBatch) error {
			events, err := decodeEvents(b.content)
			for _, e := range events {
				t := begin
				if e.Known {
					t = posixNS(e.UTC)
				}
				if begin <= t && t < end && (source == "" || e.Source == source) {
					m.put(t, e)
				}
			}
			return err
		})
	}
}

// ClientHours yields what NTP clients did in the hours that began at from ≤ time < to.
func (r *Reader) ClientHours(ctx context.Context, from, to time.Time) iter.Seq2[ClientHour, error] {
	return func(yield func(ClientHour, error) bool) {
		m := merger[ClientHour]{ctx: ctx, yield: yield}
		begin, end := limits(from, to)
		m.run(r, r.batches(ctx, batchClients, begin, end), func(b storedBatch) error {
			hour, err := decodeClients(b.content)
			m.put(b.first, hour)
			return err
		})
	}
}

// rowReader makes one that knows whose rows have which number.
func (r *Reader) rowReader() *rowReader { return &rowReader{lookup: r.source} }

// source gives whose rows have a number. The station may have begun to use it just now.
func (r *Reader) source(number int64) (sourceKey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if key, ok := r.sources[number]; ok {
		return key, nil
	}
	r.sources = map[int64]sourceKey{}
	rows, err := r.db.Query(`SELECT content FROM batch WHERE kind = ? AND content IS NOT NULL`, int64(batchSources))
	if err != nil {
		return sourceKey{}, err
	}
	defer rows.Close()
	for rows.Next() {
		var content sql.RawBytes
		if err := rows.Scan(&content); err != nil {
			return sourceKey{}, err
		}
		if err := decodeSources(content, r.sources); err != nil {
			return sourceKey{}, err
		}
	}
	key, ok := r.sources[number]
	if err := rows.Err(); err != nil || ok {
		return key, err
	}
	return key, damage(fmt.Sprintf("nobody is source %d", number))
}

// always and never are the limits of a span without any.
const always, never = math.MinInt64, math.MaxInt64

// limits gives a span in nanoseconds; from always is only where there is no limit at all, so that what has no time is
// wanted too.
func limits(from, to time.Time) (begin, end int64) {
	begin, end = always, never
	if !to.IsZero() {
		begin, end = always+1, nanoseconds(to)
	}
	if !from.IsZero() {
		begin = max(nanoseconds(from), always+1)
	}
	return begin, end
}

// nanoseconds is UnixNano, held within its range: a user may well ask for everything until the year 9999.
func nanoseconds(t time.Time) int64 {
	switch {
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	case t.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	}
	return t.UnixNano()
}
