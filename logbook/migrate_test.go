package logbook

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// layoutOne makes a log as the first release wrote it: n intervals of 16 s, in UTC from began on.
func layoutOne(t testing.TB, dir string, n int) {
	t.Helper()
	schema, err := os.ReadFile(filepath.Join("testdata", "layout1.sql"))
	if err != nil {
		t.Fatal(err)
	}
	db := rawDatabase(t, dir)
	if _, err := db.Exec("PRAGMA journal_mode = WAL; " + string(schema) + `
		INSERT INTO source VALUES (1, 'station', 'station', '', ''), (2, 'source', 'gps', 'gps', 'hat');
		INSERT INTO event VALUES (1, NULL, 5, 0, 0, 'start', 'station', 'version 0.1')`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`WITH RECURSIVE i (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < ? - 1)
		INSERT INTO reading SELECT NULL, iif(n < 2, NULL, ? + n * 16000000000), n, 37, 0, source.id, 'selected', 0.002, 12.5,
			0.001, NULL, 0.18, 0.5, NULL, NULL, 1, 9, 14, 42.5 FROM i CROSS JOIN source`, n, posixNS(began.UTC())); err != nil {
		t.Fatal(err)
	}
	db.Close()
}

// A log of the first release is brought up to date when the station runs, and kept as it was beside it.
func TestMigration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, alerts := t.TempDir(), &alertList{}
		const intervals = 1000
		layoutOne(t, dir, intervals)
		if _, err := OpenReader(dir); err == nil || !strings.Contains(err.Error(), "start the station once") {
			t.Errorf("reading before: %v", err)
		}
		before := files(t, dir)[FileName]
		b := openBook(t, dir, alerts)
		if files(t, dir)[FileName] != before {
			t.Error("Open did not leave it to Run, which the time does not wait for")
		}
		stop := run(t, b, newWorld())
		time.Sleep(165 * time.Second)
		stop()
		b.Close()
		rows := allRows(t, dir, "")
		if len(rows) != 2*intervals+3*10 || len(alerts.standing) > 0 {
			t.Fatalf("%d rows, alerts %v", len(rows), alerts.standing)
		}
		unknown := 0
		for _, r := range rows {
			if !r.Known {
				unknown++
			}
		}
		if r := rows[2*100]; unknown != 4 || r.Known != true || r.OffsetSeconds.V != 0.002 || r.CN0MeanDBHz.V != 42.5 || !r.Selected.V {
			t.Errorf("%d rows without a time, and one is %+v", unknown, r)
		}
		if got := eventLines(t, dir); len(got) == 0 || got[0] != "start station: version 0.1" {
			t.Errorf("events: %q", got)
		}
		if report := verify(t, dir, ""); !report.Whole() {
			t.Errorf("verify: %+v", report)
		}
		backups, _ := filepath.Glob(filepath.Join(dir, "timestation-layout1-2*Z.db"))
		if len(backups) != 1 {
			t.Fatalf("backups: %q", backups)
		}
		db, err := sql.Open("sqlite", backups[0])
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var version, n int
		if err := db.QueryRow(`SELECT version, (SELECT count(*) FROM reading) FROM schema_version`).Scan(&version, &n); err != nil ||
			version != 1 || n != 2*intervals {
			t.Errorf("the backup has layout %d and %d rows, %v", version, n, err)
		}
	})
}

// Where the disk is too full for that, the old file stays as it is, nobody else notices, and no row is lost.
func TestMigrationWithoutRoom(t *testing.T) {
	dir, alerts := t.TempDir(), &alertList{}
	layoutOne(t, dir, 1000)
	b := openBook(t, dir, alerts, "max_page_count(60)")
	b.queue.put(rowsOf(newWorld().Status(), 0)[0])
	for range 2 {
		if b.flush() == nil {
			t.Fatal("it had room")
		}
	}
	mustStand(t, alerts, "free space")
	if left, _ := filepath.Glob(filepath.Join(dir, "timestation-layout1-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	db := rawDatabase(t, dir)
	var version, n int
	if err := db.QueryRow(`SELECT version, (SELECT count(*) FROM reading) FROM schema_version`).Scan(&version, &n); err != nil ||
		version != 1 || n != 2000 {
		t.Errorf("the file has layout %d and %d rows, %v", version, n, err)
	}
	db.Close()
	b.file.Lock()
	b.pragmas = writerPragmas
	b.file.Unlock()
	if err := b.flush(); err != nil {
		t.Fatal(err)
	}
	if n := len(allRows(t, dir, "")); n != 2001 {
		t.Errorf("%d rows", n)
	}
}
