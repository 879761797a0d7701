package logbook

import (
	"context"
	"database/sql"
	"iter"
	"math"
	"time"
)

// Aggregates yields the minutes or hours that began at from ≤ time < to, of one source or, if source is empty, of all
// and of the station, in the order of time. Those of the current hour (day) are computed of its rows, and come last: the
// newest of them is not over yet. A zero from or to is no limit. Memory does not grow with the span. After an error the
// sequence ends.
func (r *Reader) Aggregates(ctx context.Context, from, to time.Time, source string, resolution Resolution) iter.Seq2[Aggregate, error] {
	return func(yield func(Aggregate, error) bool) {
		m, reader := merger[Aggregate]{ctx: ctx, yield: yield}, r.rowReader()
		begin, end := limits(from, to)
		put := func(a *Aggregate) {
			if start := a.Start.UnixNano(); begin <= start && start < end {
				m.put(start, *a)
			}
		}
		kind := batchMinutes
		if resolution == Hour {
			kind = batchHours
		}
		covered, err := r.covered(ctx, kind)
		if err != nil {
			yield(Aggregate{}, r.explain(err))
			return
		}
		wanted := func(k sourceKey) bool { return source == "" || k.name == source }
		m.run(r, r.batches(ctx, kind, floor(begin, int64(resolution.block())), end), func(b storedBatch) error {
			return reader.aggregates(b.content, wanted, put)
		})
		if m.stopped {
			return
		}
		live := r.live(ctx, covered, floor(begin, int64(time.Hour)), end)
		gather, last := newGatherer(resolution), int64(always)
		flush := func() {
			for _, b := range gather.finish() {
				put(&b.Aggregate)
			}
		}
		m.run(r, live, func(b storedBatch) error {
			if block := floor(b.first, int64(resolution.block())); block != last {
				flush() // after a backlog there is more than one
				last = block
			}
			return reader.rows(b.content, func(number int64, row *Row) {
				if source == "" || row.Source == source {
					gather.add(number, row)
				}
			})
		})
		if !m.stopped {
			flush()
			m.until(never)
		}
	}
}

// covered is the last batch of rows that was aggregated so.
func (r *Reader) covered(ctx context.Context, kind batchKind) (last int64, err error) {
	var content []byte
	rows, err := r.db.QueryContext(ctx, lastContent, int64(kind))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	if rows.Next() {
		if err := rows.Scan(&content); err != nil {
			return 0, err
		}
		d := decode(content)
		if last = decodeBlock(d).last; d.bad {
			return 0, malformed
		}
	}
	return last, rows.Err()
}

// live yields the batches of rows that are not aggregated yet, by time.
func (r *Reader) live(ctx context.Context, covered, begin, end int64) iter.Seq2[storedBatch, error] {
	where, args := batchesBetween(batchRows, begin, end)
	return r.selectBatches(ctx, selectBatches+where+` AND seq > ? ORDER BY first_utc_ns, seq`, append(args, covered)...)
}

// Point is one of those that History makes of a span.
type Point struct {
	Start, End time.Time
	// Rows is how many there are behind it, and SelectedRows in how many of them the station followed the source.
	Rows, SelectedRows int64
	// PhaseSeconds is the first that was known.
	PhaseSeconds sql.Null[float64]
	// Figures have no quantiles where the point was made of more than one aggregate.
	Figures
}

// History gives at most points points of equal length for the span, of one source or the station (StationName): what a
// plot needs. Those without any row are left out. It reads the coarsest aggregates of which there are at least half as
// many, joined by twos, threes and so on where there are more; of a short span the rows, if they are still kept.
func (r *Reader) History(ctx context.Context, from, to time.Time, source string, points int) ([]Point, error) {
	length := to.Sub(from)
	if length <= 0 || points <= 0 {
		return nil, nil
	}
	resolution, err := r.Resolve(ctx, Query{From: from, To: to, Resolution: Auto})
	if err != nil {
		return nil, err
	}
	for _, coarser := range []Resolution{Hour, Minute} {
		if length >= time.Duration(points/2)*coarser.bucket() {
			resolution = max(resolution, coarser)
			break
		}
	}
	if resolution == Raw {
		return r.historyOfRows(ctx, from, to, source, points)
	}
	bucket := resolution.bucket()
	h := historian{from: from.Add(bucket - 1).Truncate(bucket)}
	buckets := int64((to.Sub(h.from) + bucket - 1) / bucket)
	h.width = bucket * time.Duration(max(1, (buckets+int64(points)-1)/int64(points)))
	for a, err := range r.Aggregates(ctx, from, to, source, resolution) {
		if err != nil {
			return nil, err
		}
		h.join(&a)
	}
	return h.all, nil
}

func (r *Reader) historyOfRows(ctx context.Context, from, to time.Time, source string, points int) ([]Point, error) {
	h := historian{from: from, width: (to.Sub(from) + time.Duration(points) - 1) / time.Duration(points)}
	gather := newGatherer(Raw)
	gather.bucketOf = func(row *Row) int64 { return h.index(row.UTC.Time()) }
	for row, err := range r.Rows(ctx, from, to, source) {
		if err != nil {
			return nil, err
		}
		gather.add(0, &row)
	}
	for _, b := range gather.finish() {
		b.Start = h.start(b.Start.Unix()) // where bucketOf put its index
		h.join(&b.Aggregate)
	}
	return h.all, nil
}

// historian joins aggregates, which come in the order of time, to points.
type historian struct {
	from  time.Time
	width time.Duration
	all   []Point
}

func (h *historian) index(t time.Time) int64 { return int64(t.Sub(h.from) / h.width) }

func (h *historian) start(index int64) time.Time { return h.from.Add(time.Duration(index) * h.width) }

// join takes an aggregate into the point that it belongs to.
func (h *historian) join(a *Aggregate) {
	start := h.start(h.index(a.Start))
	if len(h.all) == 0 || !h.all[len(h.all)-1].Start.Equal(start) {
		h.all = append(h.all, Point{Start: start, End: start.Add(h.width), Rows: a.Rows, SelectedRows: a.SelectedRows,
			PhaseSeconds: a.PhaseSeconds, Figures: a.Figures})
		return
	}
	p := &h.all[len(h.all)-1]
	p.Rows += a.Rows
	p.SelectedRows += a.SelectedRows
	if !p.PhaseSeconds.Valid {
		p.PhaseSeconds = a.PhaseSeconds
	}
	for i := range figures {
		if s := figures[i].in(&p.Figures); s != nil {
			s.join(*figures[i].in(&a.Figures))
		}
	}
}

func (s *Summary) join(t Summary) {
	if s.Count == 0 {
		*s = t
		return
	}
	if t.Count == 0 {
		return
	}
	n := s.Count + t.Count
	*s = Summary{Count: n, Min: min(s.Min, t.Min), Max: max(s.Max, t.Max),
		Mean: (s.Mean*float64(s.Count) + t.Mean*float64(t.Count)) / float64(n),
		P05:  math.NaN(), P50: math.NaN(), P95: math.NaN()}
}
