package logbook

import (
	"cmp"
	"context"
	"database/sql"
	"iter"
	"slices"
	"strings"
)

// storedBatch is a batch as it lies in the file. Its content is valid until the next one is read.
type storedBatch struct {
	seq     int64
	first   int64 // always, where no time is known
	content sql.RawBytes
}

// batches yields those of a kind whose first time is begin ≤ first < end, by that time; with begin always those without
// any come first. They come from one state of the file.
func (r *Reader) batches(ctx context.Context, kind batchKind, begin, end int64) iter.Seq2[storedBatch, error] {
	where, args := batchesBetween(kind, begin, end)
	return r.selectBatches(ctx, selectBatches+where+` ORDER BY first_utc_ns, seq`, args...)
}

const selectBatches = `SELECT seq, first_utc_ns, content FROM batch WHERE content IS NOT NULL`

func batchesBetween(kind batchKind, begin, end int64) (where string, args []any) {
	var terms strings.Builder
	args = []any{int64(kind)}
	terms.WriteString(` AND kind = ?`)
	if begin != always {
		terms.WriteString(` AND first_utc_ns >= ?`)
		args = append(args, begin)
	}
	if end != never {
		terms.WriteString(` AND first_utc_ns < ?`)
		args = append(args, end)
	}
	return terms.String(), args
}

func (r *Reader) selectBatches(ctx context.Context, query string, args ...any) iter.Seq2[storedBatch, error] {
	return func(yield func(storedBatch, error) bool) {
		rows, err := r.db.QueryContext(ctx, query, args...)
		if err != nil {
			yield(storedBatch{}, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var b storedBatch
			var first sql.Null[int64]
			if err := rows.Scan(&b.seq, &first, &b.content); err != nil {
				yield(b, err)
				return
			}
			if b.first = always; first.Valid {
				b.first = first.V
			}
			if !yield(b, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(storedBatch{}, err)
		}
	}
}

// merger yields what is in batches in the order of time: what is read waits until no later batch can hold anything
// before it, which seldom is long.
type merger[T any] struct {
	ctx     context.Context
	yield   func(T, error) bool
	waiting []timed // in the order of arrival, or of time after until
	values  []T
	stopped bool
}

// timed is when a value is; values themselves are too large to be sorted.
type timed struct {
	at    int64
	value int // its place in values
}

func (m *merger[T]) put(at int64, value T) {
	m.waiting = append(m.waiting, timed{at, len(m.values)})
	m.values = append(m.values, value)
}

// run reads batches, which come by their first time; read puts what is in them.
func (m *merger[T]) run(r *Reader, batches iter.Seq2[storedBatch, error], read func(storedBatch) error) {
	for b, err := range batches {
		if err == nil {
			if m.until(b.first); m.stopped {
				return
			}
			err = read(b)
		}
		if err != nil {
			var none T
			m.stopped = true
			m.yield(none, r.explain(err))
			return
		}
	}
	m.until(never)
}

// until yields what is before a time.
func (m *merger[T]) until(end int64) {
	byTime := func(a, b timed) int { return cmp.Compare(a.at, b.at) }
	if !slices.IsSortedFunc(m.waiting, byTime) {
		slices.SortStableFunc(m.waiting, byTime) // stable: in a leap second times are the same
	}
	for i := range m.waiting {
		if m.waiting[i].at >= end {
			m.keep(i)
			return
		}
		if err := m.ctx.Err(); err != nil {
			var none T
			m.stopped = true
			m.yield(none, err)
			return
		}
		if !m.yield(m.values[m.waiting[i].value], nil) {
			m.stopped = true
			return
		}
	}
	m.waiting, m.values = m.waiting[:0], m.values[:0]
}

// keep forgets what was yielded.
func (m *merger[T]) keep(from int) {
	rest := make([]T, 0, len(m.waiting)-from)
	for i, w := range m.waiting[from:] {
		rest = append(rest, m.values[w.value])
		m.waiting[i] = timed{w.at, i}
	}
	m.waiting, m.values = m.waiting[:len(rest)], rest
}
