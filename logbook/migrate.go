package logbook

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"timestation/refclock"
)

// migrate brings a file in layout 1 up to date: a whole copy of it is put beside it, then everything happens in one
// transaction. It takes some 10 s for a million rows here and several times that on a Pi.
func (s *store) migrate() error {
	backup, err := s.backup(1)
	if err != nil {
		return fmt.Errorf("copying the file before its layout is changed: %w", err)
	}
	err = s.transact(func(t *transaction) (err error) {
		const newTables = "CREATE TABLE batch"
		// The version's row is there already.
		if _, err = t.Exec(schema[strings.Index(schema, newTables):]); err != nil {
			return err
		}
		if t.insert, err = t.Prepare(insertBatch); err != nil {
			return err
		}
		t.sources = map[sourceKey]int64{}
		if err := moveRows(t); err != nil {
			return err
		}
		if err := moveEvents(t); err != nil {
			return err
		}
		_, err = t.Exec(`DROP TABLE reading; DROP TABLE event; DROP TABLE source; UPDATE schema_version SET version = 2`)
		return err
	})
	if err != nil {
		return errors.Join(fmt.Errorf("changing the layout: %w", err), os.Remove(backup))
	}
	return nil
}

// backup writes a copy of the file beside it, its WAL included, named after its layout and when it was last written.
func (s *store) backup(layout int) (path string, err error) {
	info, err := os.Stat(s.path)
	if err != nil {
		return "", err
	}
	stem := fmt.Sprintf("%s-layout%d-%s", strings.TrimSuffix(s.path, ".db"), layout,
		info.ModTime().UTC().Format("20060102T150405Z"))
	path = stem + ".db"
	for n := 2; ; n++ {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			break
		}
		path = fmt.Sprintf("%s-%d.db", stem, n)
	}
	if _, err := s.db.Exec(`VACUUM INTO ?`, path); err != nil {
		return "", errors.Join(err, os.RemoveAll(path))
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	return path, errors.Join(f.Sync(), f.Close())
}

// moveAtOnce is how many rows are in memory while they are moved.
const moveAtOnce = 4096

func moveRows(t *transaction) error {
	return move(t, `SELECT reading.id, utc_ns, local_ns, tai_minus_utc, in_leap, source.name, source.driver,
		source.receiver, state, offset_seconds, frequency_ppm, jitter_seconds, uncertainty95_seconds, max_error_seconds,
		age_seconds, stratum, coalesce(leap, ''), selected, satellites_used, satellites_in_view, cn0_mean_dbhz
		FROM reading CROSS JOIN source ON source.id = source_id WHERE reading.id > ? ORDER BY reading.id LIMIT ?`,
		func(scan func(...any) error) (id int64, r record, err error) {
			var m oldMoment
			var row Row
			err = scan(&id, &m.utc, &m.local, &m.tai, &m.inLeap, &row.Source, &row.Driver, &row.Receiver, &row.State,
				&row.OffsetSeconds, &row.FrequencyPPM, &row.JitterSeconds, &row.Uncertainty95Seconds, &row.MaxErrorSeconds,
				&row.AgeSeconds, &row.Stratum, &row.Leap, &row.Selected, &row.SatellitesUsed, &row.SatellitesInView,
				&row.CN0MeanDBHz)
			row.Moment = m.moment()
			return id, row, err
		})
}

func moveEvents(t *transaction) error {
	return move(t, `SELECT id, utc_ns, local_ns, tai_minus_utc, in_leap, kind, source, text FROM event
		WHERE id > ? ORDER BY id LIMIT ?`,
		func(scan func(...any) error) (id int64, r record, err error) {
			var m oldMoment
			var e Event
			err = scan(&id, &m.utc, &m.local, &m.tai, &m.inLeap, &e.Kind, &e.Source, &e.Text)
			e.Moment = m.moment()
			return id, e, err
		})
}

// move reads records in the order of their id and writes them as batches.
func move(t *transaction, query string, read func(scan func(...any) error) (int64, record, error)) error {
	last := int64(0)
	for {
		rows, err := t.Query(query, last, moveAtOnce)
		if err != nil {
			return err
		}
		var records []record
		for rows.Next() {
			id, r, err := read(rows.Scan)
			if err != nil {
				rows.Close()
				return err
			}
			last, records = id, append(records, r)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if len(records) == 0 {
			return nil
		}
		if err := t.write(records); err != nil {
			return err
		}
	}
}

// oldMoment is a Moment as layout 1 has it.
type oldMoment struct {
	utc    *int64
	local  int64
	tai    int32
	inLeap bool
}

func (o oldMoment) moment() Moment {
	m := Moment{Known: o.utc != nil, TAIMinusUTC: o.tai, Local: refclock.Stamp(o.local)}
	if m.Known {
		m.UTC = refclock.Instant{TAI: *o.utc}.UTC()
		m.UTC.InLeap = o.inLeap
	}
	return m
}
