package logbook

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"
)

// Retention happens in steps of some milliseconds, each one transaction: an hour or a day of rows is aggregated as soon
// as it is over; later an hour of rows, or the minutes of an hour, give up their content and leave their digest.

// sweepEvery is how often an hour of old content is dropped. Once an hour would keep pace; but a clock that is a year
// ahead for a day shall not cost more than a few days of rows, whose aggregates remain.
const sweepEvery = 15 * time.Minute

// aggregateStep aggregates one hour to minutes, or one day to hours, if one is over. more says that another may be.
func (s *store) aggregateStep() (more bool, err error) {
	for _, c := range []struct {
		resolution Resolution
		done       int64
	}{{Minute, s.minutes}, {Hour, s.hours}} {
		block, err := s.nextBlock(c.resolution, c.done)
		if err != nil {
			return false, err
		}
		if block == nil {
			continue
		}
		return true, s.transact(func(t *transaction) error { return t.writeBlock(block) })
	}
	return false, nil
}

func (t *transaction) writeBlock(b *aggregateBlock) error {
	kind, done := batchMinutes, &t.minutes
	if b.resolution == Hour {
		kind, done = batchHours, &t.hours
	}
	first := sql.Null[int64]{}
	for _, a := range b.buckets {
		if start := a.Start.UnixNano(); !first.Valid || start < first.V {
			first = some(start)
		}
	}
	*done = b.last
	return t.append(kind, first, encodeAggregates(*b))
}

// nextBlock aggregates the rows after the batch done, up to where the hour (or day) of the first ends; nil while that is
// not over. Batches without a known time belong to what is before them. After the clock was set, an hour that comes
// again is aggregated again, apart.
func (s *store) nextBlock(r Resolution, done int64) (*aggregateBlock, error) {
	// NOT INDEXED: in the order of seq, with which the index by time does not help.
	const following = ` FROM batch NOT INDEXED WHERE seq > ? AND kind = ? AND content IS NOT NULL`
	var oldest int64
	err := s.db.QueryRow(`SELECT first_utc_ns`+following+` AND first_utc_ns IS NOT NULL ORDER BY seq LIMIT 1`, done,
		int64(batchRows)).Scan(&oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if span := int64(r.block()); !s.latest.Valid || floor(oldest, span) == floor(s.latest.V, span) {
		return nil, nil
	}
	rows, err := s.db.Query(`SELECT seq, first_utc_ns, content`+following+` ORDER BY seq`, done, int64(batchRows))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	numbered := make(map[int64]sourceKey, len(s.sources))
	for key, n := range s.sources {
		numbered[n] = key
	}
	reader := rowReader{lookup: func(n int64) (sourceKey, error) { return numbered[n], nil }}
	gather, b, block := newGatherer(r), aggregateBlock{resolution: r}, sql.Null[int64]{}
	for rows.Next() {
		var seq int64
		var first sql.Null[int64]
		var content sql.RawBytes
		if err := rows.Scan(&seq, &first, &content); err != nil {
			return nil, err
		}
		if first.Valid {
			begin := floor(first.V, int64(r.block()))
			if block.Valid && block.V != begin {
				b.buckets = gather.finish()
				return &b, nil
			}
			block = some(begin)
		}
		if b.first == 0 {
			b.first = seq
		}
		b.last = seq
		// What is damaged is lost, and Verify names it; the rest goes on.
		if err := reader.rows(content, gather.add); err != nil && !damaged(err) {
			return nil, err
		}
	}
	return nil, rows.Err()
}

// dropStep takes the content of the oldest hour of what is past its age, if there is one, and writes a note of it into
// the chain. Rows go once they are aggregated both ways. now is the station's time.
func (s *store) dropStep(now Moment, c Config) (more bool, err error) {
	at := posixNS(now.UTC)
	age := func(days float64) int64 { // full hours, so that there is one step an hour
		return floor(at-int64(days*float64(24*time.Hour)), int64(time.Hour))
	}
	for _, d := range []struct {
		kind   batchKind
		before int64
		last   int64
	}{
		{batchRows, age(c.RawDays), min(s.minutes, s.hours)},
		{batchMinutes, age(c.MinuteDays), s.seq},
		{batchClients, age(c.MinuteDays), s.seq},
	} {
		note := dropNote{Moment: now, kind: d.kind}
		err := s.transact(func(t *transaction) error { return t.drop(&note, d.before, d.last) })
		if err != nil || len(note.batches) > 0 {
			return true, err
		}
	}
	return false, nil
}

func (t *transaction) drop(note *dropNote, before, last int64) error {
	kind := int64(note.kind)
	var oldest int64
	err := t.QueryRow(`SELECT first_utc_ns FROM batch WHERE kind = ? AND content IS NOT NULL AND first_utc_ns < ? AND
		seq <= ? ORDER BY first_utc_ns LIMIT 1`, kind, before, last).Scan(&oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	dropped := map[int64]hash{}
	end := floor(oldest, int64(time.Hour)) + int64(time.Hour)
	if err := t.digests(dropped, `SELECT seq, content FROM batch WHERE kind = ? AND content IS NOT NULL AND
		first_utc_ns < ? AND seq <= ?`, kind, end, last); err != nil {
		return err
	}
	// What has no time goes with what was written after it.
	if err := t.digests(dropped, `SELECT seq, content FROM batch WHERE kind = ? AND content IS NOT NULL AND
		first_utc_ns IS NULL AND seq < ?`, kind, slices.Max(slices.Collect(maps.Keys(dropped)))); err != nil {
		return err
	}
	// Deleted and inserted: a row that an UPDATE makes small leaves its page nearly empty for ever.
	remove, err := t.Prepare(`DELETE FROM batch WHERE seq = ?`)
	if err != nil {
		return err
	}
	defer remove.Close()
	seqs := sortedKeys(dropped)
	for _, seq := range seqs {
		if _, err := remove.Exec(seq); err != nil {
			return err
		}
	}
	leave, err := t.Prepare(`INSERT INTO batch (seq, kind, digest) VALUES (?, ?, ?)`)
	if err != nil {
		return err
	}
	defer leave.Close()
	for _, seq := range seqs {
		digest := dropped[seq]
		if _, err := leave.Exec(seq, kind, digest[:]); err != nil {
			return err
		}
		if n := len(note.batches); n > 0 && note.batches[n-1].last == seq-1 {
			note.batches[n-1].last = seq
		} else {
			note.batches = append(note.batches, span{seq, seq})
		}
	}
	return t.append(batchDropped, some(posixNS(note.UTC)), encodeDropNote(*note))
}

func (t *transaction) digests(into map[int64]hash, query string, args ...any) error {
	rows, err := t.Query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		var content sql.RawBytes
		if err := rows.Scan(&seq, &content); err != nil {
			return err
		}
		into[seq] = sha256.Sum256(content)
	}
	return rows.Err()
}
