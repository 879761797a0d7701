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
	"strings"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"timestation/refclock"
)

// Reader reads a log, also while the station writes it. It is safe for concurrent use and never changes the file.
type Reader struct {
	db   *sql.DB
	path string
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
	if err == nil && version == 0 {
		err = refusal(path + ": the log is empty; start the station first")
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

// Span gives the times of the first and the last row whose time was known; both are zero when there is none.
func (r *Reader) Span(ctx context.Context) (first, last time.Time, err error) {
	var from, to sql.Null[int64]
	// Two questions: SQLite answers each from the end of the index, both together by reading all of it.
	err = r.db.QueryRowContext(ctx, `SELECT (SELECT min(utc_ns) FROM reading), (SELECT max(utc_ns) FROM reading)`).
		Scan(&from, &to)
	if err != nil {
		return first, last, r.explain(err)
	}
	if from.Valid {
		first, last = time.Unix(0, from.V).UTC(), time.Unix(0, to.V).UTC()
	}
	return first, last, nil
}

const selectReadings = `SELECT utc_ns, local_ns, tai_minus_utc, in_leap, source.name, source.driver, source.receiver, state,
	offset_seconds, frequency_ppm, jitter_seconds, uncertainty95_seconds, max_error_seconds, age_seconds, stratum,
	coalesce(leap, ''), selected, satellites_used, satellites_in_view, cn0_mean_dbhz
	FROM reading CROSS JOIN source ON source.id = source_id` // CROSS: rows are found by time, so they need no sorting

// Rows yields the rows with from ≤ time < to, of one source or, if source is empty, of all and of the station. They come
// in the order of their POSIX count, which repeats within an inserted leap second. A zero from or to is no limit; without
// any limit the rows from before the station knew the time come first. Memory does not grow with the number of rows.
// After an error the sequence ends.
func (r *Reader) Rows(ctx context.Context, from, to time.Time, source string) iter.Seq2[Row, error] {
	where, args := limits(from, to, "source.name", source)
	return query(ctx, r, selectReadings+where+` ORDER BY utc_ns, reading.id`, args, scanRow)
}

// Events yields events as Rows does rows; source is the source or room they are about.
func (r *Reader) Events(ctx context.Context, from, to time.Time, source string) iter.Seq2[Event, error] {
	where, args := limits(from, to, "source", source)
	return query(ctx, r, `SELECT utc_ns, local_ns, tai_minus_utc, in_leap, kind, source, text FROM event`+where+
		` ORDER BY utc_ns, id`, args, scanEvent)
}

func query[T any](ctx context.Context, r *Reader, text string, args []any,
	scan func(*sql.Rows) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		rows, err := r.db.QueryContext(ctx, text, args...)
		if err != nil {
			yield(none, r.explain(err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			v, err := scan(rows)
			if err != nil {
				yield(none, r.explain(err))
				return
			}
			if !yield(v, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(none, r.explain(err))
		}
	}
}

func limits(from, to time.Time, sourceColumn, source string) (where string, args []any) {
	var terms []string
	add := func(term string, arg any) { terms, args = append(terms, term), append(args, arg) }
	if !from.IsZero() {
		add("utc_ns >= ?", nanoseconds(from))
	}
	if !to.IsZero() {
		add("utc_ns < ?", nanoseconds(to))
	}
	if source != "" {
		add(sourceColumn+" = ?", source)
	}
	if len(terms) > 0 {
		where = " WHERE " + strings.Join(terms, " AND ")
	}
	return where, args
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

// stored is a Moment as the file has it.
type stored struct {
	utc    sql.Null[int64]
	local  int64
	tai    int32
	inLeap bool
}

func (s stored) moment() Moment {
	m := Moment{Known: s.utc.Valid, TAIMinusUTC: s.tai, Local: refclock.Stamp(s.local)}
	if s.utc.Valid {
		m.UTC = refclock.Instant{TAI: s.utc.V}.UTC()
		m.UTC.InLeap = s.inLeap
	}
	return m
}

func scanRow(rows *sql.Rows) (r Row, err error) {
	var s stored
	err = rows.Scan(&s.utc, &s.local, &s.tai, &s.inLeap, &r.Source, &r.Driver, &r.Receiver, &r.State, &r.OffsetSeconds,
		&r.FrequencyPPM, &r.JitterSeconds, &r.Uncertainty95Seconds, &r.MaxErrorSeconds, &r.AgeSeconds, &r.Stratum, &r.Leap,
		&r.Selected, &r.SatellitesUsed, &r.SatellitesInView, &r.CN0MeanDBHz)
	r.Moment = s.moment()
	return r, err
}

func scanEvent(rows *sql.Rows) (e Event, err error) {
	var s stored
	err = rows.Scan(&s.utc, &s.local, &s.tai, &s.inLeap, &e.Kind, &e.Source, &e.Text)
	e.Moment = s.moment()
	return e, err
}
