package logbook

import (
	"context"
	"database/sql"
	"iter"
)

// NumberedRow is a row with its place in the order of writing, which is not that of time: clocks jump.
type NumberedRow struct {
	// Number is above 0 and rises from row to row, not by one. It never changes and is never another row's; a new file
	// counts anew.
	Number int64
	Row
}

// numbersInBatch is more than a batch can have: an hour at the shortest interval is 36 000 rows a source.
const numbersInBatch = 1 << 24

// RowsAfter yields the rows that are still kept and were written after the one with that number, in the order of writing.
// Memory does not grow with their count. After an error the sequence ends.
func (r *Reader) RowsAfter(ctx context.Context, number int64) iter.Seq2[NumberedRow, error] {
	return func(yield func(NumberedRow, error) bool) {
		reader, stopped := r.rowReader(), false
		// NOT INDEXED: by their numbers, instead of sorting all batches that come by time.
		const query = `SELECT seq, first_utc_ns, content FROM batch NOT INDEXED
			WHERE content IS NOT NULL AND kind = ? AND seq >= ? ORDER BY seq`
		for b, err := range r.selectBatches(ctx, query, int64(batchRows), number/numbersInBatch) {
			if err == nil {
				n := b.seq * numbersInBatch
				err = reader.rows(b.content, func(_ int64, row *Row) {
					if n++; n > number && !stopped {
						stopped = !yield(NumberedRow{n, *row}, nil)
					}
				})
			}
			if stopped {
				return
			}
			if err != nil {
				yield(NumberedRow{}, r.explain(err))
				return
			}
		}
	}
}

// LastNumber is one that no row is above yet; 0 for an empty log.
func (r *Reader) LastNumber(ctx context.Context) (int64, error) {
	var seq sql.Null[int64]
	if err := r.db.QueryRowContext(ctx, `SELECT max(seq) FROM batch`).Scan(&seq); err != nil {
		return 0, r.explain(err)
	}
	if !seq.Valid {
		return 0, nil
	}
	return (seq.V + 1) * numbersInBatch, nil
}
