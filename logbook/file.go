package logbook

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the "sqlite" driver of database/sql
	sqlite3 "modernc.org/sqlite/lib"
)

// FileName is the log's name in the data folder.
const FileName = "timestation.db"

// busyTimeout is how long a statement waits for somebody else's lock: short, because the writer tries again by itself
// and the station must be able to stop within a second.
const busyTimeout = "busy_timeout(100)"

// checkLimit is how long opening a file may look for damage: the station waits for it. A larger file is checked as far
// as it goes; damage further in is found when it is written to or read.
const checkLimit = time.Second

// writerPragmas are what the writer's connection sets, in the driver's notation.
var writerPragmas = []string{
	busyTimeout,
	// A commit is on the card before the batch counts as written. NORMAL would sync at checkpoints only, so that a power
	// cut could cost hours of rows, not one batch.
	"synchronous(FULL)",
	// The WAL goes back to the main file each 4 MB, some twice a day. Appending dirties the same few pages again and again:
	// they reach the main file once a checkpoint, not once a batch.
	"wal_autocheckpoint(2000)",
	// A long export keeps the WAL from starting over; its size is given back afterwards.
	"journal_size_limit(8388608)",
	// A damaged page is reported when it is read, before anything is built on it.
	"cell_size_check(1)",
	// No temporary files on the card.
	"temp_store(MEMORY)",
}

// firstPragmas come before the others, which the driver sorts by name, and in this order.
//
// A commit writes whole pages to the WAL, and a batch is some 500 bytes: pages of 2 kB make it 10 MB a day, the usual
// ones of 4 kB 16, and those of 1 kB 7.5, but the file a third larger. It takes effect in a new file only.
//
// With a WAL readers never wait for the writer nor it for them, and a commit is one append instead of scattered writes.
const firstPragmas = `PRAGMA page_size = 2048; PRAGMA journal_mode = WAL`

// dataSource names a file for the driver. Every transaction that may write takes the lock at once, so that it cannot
// fail half way.
func dataSource(path, parameters string, pragmas []string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	abs = filepath.ToSlash(abs)
	if !strings.HasPrefix(abs, "/") { // a Windows drive
		abs = "/" + abs
	}
	// _error_rc keeps an unrelated earlier message of SQLite out of an error.
	query := "_txlock=immediate&_error_rc=1" + parameters
	for _, p := range pragmas {
		query += "&_pragma=" + url.QueryEscape(p)
	}
	return (&url.URL{Scheme: "file", Path: abs, RawQuery: query}).String(), nil
}

func openDatabase(path, parameters string, pragmas []string) (*sql.DB, error) {
	dsn, err := dataSource(path, parameters, pragmas)
	if err != nil {
		return nil, err
	}
	return sql.Open("sqlite", dsn)
}

// inspect looks at an existing file without writing to it, and searches it for damage where check says so. It returns
// its layout (0 for none), a refusal, an error for which damaged is true, or another error when it cannot be read now.
func inspect(path string, check bool) (version int, err error) {
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return 0, nil
		}
		return 0, err
	}
	db, err := openDatabase(path, "&mode=ro", []string{busyTimeout, "cell_size_check(1)"})
	if err != nil {
		return 0, err
	}
	defer db.Close()
	version, err = fileVersion(context.Background(), db, path)
	if err != nil || version == 0 || !check {
		return version, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), checkLimit)
	defer cancel()
	var finding string
	err = db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&finding)
	switch {
	case ctx.Err() != nil:
		return version, nil
	case err != nil:
		return version, err
	case finding != "ok":
		return version, damage(strings.ReplaceAll(finding, "\n", " "))
	}
	return version, nil
}

// damage is what a check found wrong with a file.
type damage string

func (d damage) Error() string { return string(d) }

// damaged reports whether an error means that the file's content is broken.
func damaged(err error) bool {
	var d damage
	return errors.As(err, &d) || hasCode(err, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
}

// locked reports whether somebody else holds the file.
func locked(err error) bool { return hasCode(err, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) }

func hasCode(err error, codes ...int) bool {
	var e interface{ Code() int }
	if !errors.As(err, &e) {
		return false
	}
	for _, c := range codes {
		if e.Code()&0xff == c { // the upper bits are SQLite's details
			return true
		}
	}
	return false
}

// mend says what to do about a log that cannot be written.
func mend(err error, dir string) string {
	var refused refusal
	switch {
	case errors.As(err, &refused):
		return "put the right file in place; the station then goes on by itself"
	case hasCode(err, sqlite3.SQLITE_FULL):
		return "free space on the disk that holds " + dir
	case locked(err):
		return "another program holds the file: close it"
	case hasCode(err, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM),
		errors.Is(err, fs.ErrPermission):
		return "let the station's user write in " + dir + "; an SD card that turned read-only is failing, replace it"
	}
	return "check " + dir + " and the disk that holds it"
}

// setAside renames a damaged file and what belongs to it, and returns its new path. The name bears the date at which
// the file was last written, by the local clock.
func setAside(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	date := info.ModTime().UTC().Format("20060102T150405Z")
	stem := strings.TrimSuffix(path, ".db")
	aside := fmt.Sprintf("%s-damaged-%s.db", stem, date)
	for n := 2; ; n++ {
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			break
		}
		aside = fmt.Sprintf("%s-damaged-%s-%d.db", stem, date, n)
	}
	// The WAL first: should the power go in between, the old file stays the current one, a batch or so shorter.
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return aside, nil
}
