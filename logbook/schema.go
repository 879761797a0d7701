package logbook

import (
	"context"
	"database/sql"
	"fmt"
)

// schemaVersion is the newest layout this program knows. A file with a higher one is refused.
const schemaVersion = 1

// schema is layout 1.
//
// Times: utc_ns is the station's time as a POSIX count in nanoseconds, which repeats the count of 23:59:59 inside an
// inserted leap second; in_leap then is 1, and with tai_minus_utc the moment is unambiguous. A row from before the
// station ever knew the time has utc_ns NULL. local_ns is what the local clock said, always, right or wrong. Keys are
// not times, because clocks jump: id is the order in which things were written.
//
// reading holds, per interval, one row for each source and one for the station (source.kind). NULL means that there was
// no such figure. What a figure means depends on whose row it is:
//
//	                    source                               station
//	offset_seconds      its last sample minus the station    the station's time minus the local clock
//	frequency_ppm       as the source sees the oscillator    how fast the oscillator runs against true time
//	jitter_seconds      learned scatter of a sample, 1σ      NULL
//	uncertainty95_...   NULL                                 95 % of errors stay within (statistical)
//	max_error_seconds   bound of the sample's error          bound of the station's error
//	age_seconds         age of the last sample               NULL
//	stratum, leap       NULL                                 as NTP replies said; 16 is unsynchronised
//	selected            1 if the station followed it         NULL
//	satellites_..., cn0_mean_dbhz (of those tracked)         NULL
//
// STRICT, so that a figure of the wrong type is refused when it is written and not found when it is read.
const schema = `
CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT;
INSERT INTO schema_version VALUES (1);

-- Whose a row is. A source whose driver or receiver was changed is another source of the same name.
CREATE TABLE source (
	id       INTEGER PRIMARY KEY,
	kind     TEXT NOT NULL CHECK (kind IN ('station', 'source')),
	name     TEXT NOT NULL,
	driver   TEXT NOT NULL,
	receiver TEXT NOT NULL,
	UNIQUE (kind, name, driver, receiver)
) STRICT;

CREATE TABLE reading (
	id                    INTEGER PRIMARY KEY,
	utc_ns                INTEGER,
	local_ns              INTEGER NOT NULL,
	tai_minus_utc         INTEGER NOT NULL,
	in_leap               INTEGER NOT NULL,
	source_id             INTEGER NOT NULL REFERENCES source (id),
	state                 TEXT NOT NULL,
	offset_seconds        REAL,
	frequency_ppm         REAL,
	jitter_seconds        REAL,
	uncertainty95_seconds REAL,
	max_error_seconds     REAL,
	age_seconds           REAL,
	stratum               INTEGER,
	leap                  TEXT,
	selected              INTEGER,
	satellites_used       INTEGER,
	satellites_in_view    INTEGER,
	cn0_mean_dbhz         REAL
) STRICT;
-- Every question asks for a span of time. It grows at its right edge, so a batch dirties one page of it.
CREATE INDEX reading_by_time ON reading (utc_ns);

CREATE TABLE event (
	id            INTEGER PRIMARY KEY,
	utc_ns        INTEGER,
	local_ns      INTEGER NOT NULL,
	tai_minus_utc INTEGER NOT NULL,
	in_leap       INTEGER NOT NULL,
	kind          TEXT NOT NULL,
	source        TEXT NOT NULL,
	text          TEXT NOT NULL
) STRICT;
CREATE INDEX event_by_time ON event (utc_ns);
`

// refusal is why a file must not be touched.
type refusal string

func (r refusal) Error() string { return string(r) }

// fileVersion gives the layout of an open file: 0 for an empty one, a refusal for one that is not ours to write.
func fileVersion(ctx context.Context, db *sql.DB, path string) (int, error) {
	var tables, versioned int
	err := db.QueryRowContext(ctx,
		`SELECT count(*), count(*) FILTER (WHERE name = 'schema_version') FROM sqlite_schema WHERE type = 'table'`).
		Scan(&tables, &versioned)
	if err != nil {
		return 0, err
	}
	if tables == 0 {
		return 0, nil
	}
	version := 0
	if versioned > 0 {
		if err := db.QueryRowContext(ctx, `SELECT version FROM schema_version`).Scan(&version); err != nil {
			return 0, err
		}
	}
	switch {
	case version < 1:
		return 0, refusal(path + ": not a Timestation logbook; move it away, or name another data folder with --data")
	case version > schemaVersion:
		return 0, refusal(fmt.Sprintf("%s: written by a newer Timestation (layout %d, this one knows %d); "+
			"install that version, or name another data folder with --data", path, version, schemaVersion))
	}
	return version, nil
}
