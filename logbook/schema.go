package logbook

import (
	"context"
	"database/sql"
	"fmt"
)

// schemaVersion is the newest layout this program knows. A file with a higher one is refused.
const schemaVersion = 2

// schema is layout 2: one table of batches, each a few hundred bytes that codec*.go reads and writes.
//
// One batch for all rows of a minute, where layout 1 had a row of SQL for each: a commit dirties two pages and not ten,
// a row takes some 25 bytes and not 110, and what the hash chain is over is exactly what lies in the file.
//
// Batches of rows and events never span a full hour of UTC, so that those of a span of time are found by the first
// moment in each. Times in them are nanoseconds as POSIX counts them, with TAI−UTC, whether the moment was inside an
// inserted leap second (23:59:60, which repeats the count of :59), and what the local clock said, right or wrong. Rows
// from before the station ever knew the time have only the latter.
//
// STRICT, so that a value of the wrong type is refused when it is written and not found when it is read.
const schema = `
CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT;
INSERT INTO schema_version VALUES (2);

CREATE TABLE batch (
	-- Not times, because clocks jump: the order in which things were written, without gaps.
	seq          INTEGER PRIMARY KEY,
	-- 1 sources, 2 rows, 3 events, 4 clients, 5 minutes, 6 hours, 7 dropped.
	kind         INTEGER NOT NULL,
	-- The least time in it, of aggregates the beginning of the first; NULL where none was known.
	first_utc_ns INTEGER,
	-- NULL once it was dropped for its age.
	content      BLOB,
	-- The SHA-256 of the content, once that was dropped.
	digest       BLOB,
	-- The hash chain up to and with this batch; NULL once the content was dropped, and then computed from the digest.
	chain        BLOB,
	CHECK ((content IS NULL) = (digest IS NOT NULL) AND (content IS NULL) = (chain IS NULL))
) STRICT;
-- Every question asks for a kind and a span of time. It grows at its right edge, so a commit dirties one page of it.
CREATE INDEX batch_by_time ON batch (kind, first_utc_ns) WHERE content IS NOT NULL;
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
