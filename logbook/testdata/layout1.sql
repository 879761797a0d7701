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
