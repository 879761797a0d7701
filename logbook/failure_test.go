package logbook

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The tests below let the file fail while a Book runs, and then mend it: the time a station serves is not in danger,
// because Run goes on, and no row may be missing afterwards.

func mustStand(t *testing.T, alerts *alertList, word string) {
	t.Helper()
	a, ok := alerts.get(AlertFailing)
	if !ok {
		t.Fatal("nobody was told that the log is not being written")
	}
	if !strings.Contains(a.Text+a.Mend, word) || a.Mend == "" {
		t.Errorf("the alert does not say %q: %s; %s", word, a.Text, a.Mend)
	}
}

func mustBeWhole(t *testing.T, dir string, alerts *alertList, rows int) {
	t.Helper()
	if a, ok := alerts.get(AlertFailing); ok {
		t.Errorf("the alert still stands: %s", a.Text)
	}
	if got := len(allRows(t, dir, StationName)); got != rows {
		t.Errorf("%d rows of the station, want %d", got, rows)
	}
	var check string
	if err := rawDatabase(t, dir).QueryRow(`PRAGMA integrity_check`).Scan(&check); err != nil || check != "ok" {
		t.Errorf("integrity_check: %s %v", check, err)
	}
	if report, err := Verify(t.Context(), openRead(t, dir), ""); err != nil || !report.Whole() {
		t.Errorf("verify: %+v, %v", report, err)
	}
}

func TestLockedByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, alerts := t.TempDir(), &alertList{}
		b := openBook(t, dir, alerts)
		stop := run(t, b, newWorld())
		time.Sleep(60 * time.Second)
		tx, err := rawDatabase(t, dir).Begin() // takes the write lock, see dataSource
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Second)
		mustStand(t, alerts, "another program")
		tx.Rollback()
		time.Sleep(30 * time.Second)
		if _, ok := alerts.get(AlertFailing); ok {
			t.Error("the alert was not cleared by itself")
		}
		stop()
		mustBeWhole(t, dir, alerts, 190/16)
	})
}

// Ctrl-C while the file is locked: the station stops within a second, and says what was lost.
func TestStopsWhileLocked(t *testing.T) {
	dir := t.TempDir()
	b := openBook(t, dir, &alertList{})
	tx, err := rawDatabase(t, dir).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	began := time.Now()
	err = b.Run(ctx, newWorld())
	b.Close()
	if err == nil || !strings.Contains(err.Error(), FileName) || !strings.Contains(err.Error(), "not written") {
		t.Errorf("the error does not tell: %v", err)
	}
	if d := time.Since(began); d > 900*time.Millisecond {
		t.Errorf("it took %v to stop", d)
	}
}

func TestDiskFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, alerts := t.TempDir(), &alertList{}
		b := openBook(t, dir, alerts, "max_page_count(8)")
		stop := run(t, b, newWorld())
		time.Sleep(time.Hour)
		mustStand(t, alerts, "free space")
		b.file.Lock()
		b.pragmas = writerPragmas
		b.file.Unlock()
		time.Sleep(30 * time.Second)
		if _, ok := alerts.get(AlertFailing); ok {
			t.Error("the alert was not cleared by itself")
		}
		stop()
		mustBeWhole(t, dir, alerts, 3630/16)
	})
}

// The folder cannot be made, as on a read-only file system, until somebody mends it.
func TestFolderCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alerts := &alertList{}
		blocker := filepath.Join(t.TempDir(), "blocker")
		if err := os.WriteFile(blocker, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(blocker, "data")
		b := openBook(t, dir, alerts)
		mustStand(t, alerts, dir)
		stop := run(t, b, newWorld())
		time.Sleep(100 * time.Second)
		mustStand(t, alerts, dir)
		if err := os.Remove(blocker); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		stop()
		mustBeWhole(t, dir, alerts, 120/16)
	})
}

// What waits in memory is bounded; what had to go is told in the log.
func TestQueueOverflows(t *testing.T) {
	dir, alerts := t.TempDir(), &alertList{}
	b := openBook(t, dir, alerts)
	tx, err := rawDatabase(t, dir).Begin()
	if err != nil {
		t.Fatal(err)
	}
	const limit = 300
	b.queue.limit = limit
	b.begin(newWorld())
	for i := range limit + 100 {
		if i == limit-50 && b.flush() == nil {
			t.Fatal("a locked file was written")
		}
		b.queue.put(rowsOf(newWorld().Status(), 0)[0])
	}
	tx.Rollback()
	if err := b.flush(); err != nil {
		t.Fatal(err)
	}
	mustBeWhole(t, dir, alerts, limit)
	if got := eventLines(t, dir); len(got) != 1 || !strings.HasPrefix(got[0], "logbook: 100 rows and events were lost") {
		t.Errorf("events: %q", got)
	}
}

func writeRows(t testing.TB, dir string, n int) {
	t.Helper()
	b := openBook(t, dir, &alertList{})
	w := newWorld()
	for i := range n {
		b.queue.put(rowsOf(w.Status(), w.Now().Add(time.Duration(i)))[0])
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

func mustBeSetAside(t *testing.T, dir string, alerts *alertList) {
	t.Helper()
	aside, _ := filepath.Glob(filepath.Join(dir, "timestation-damaged-2*Z.db"))
	if len(aside) != 1 {
		t.Fatalf("set aside: %q", aside)
	}
	if a, ok := alerts.get(AlertDamaged); !ok || !strings.Contains(a.Text, aside[0]) {
		t.Errorf("the alert does not name %s: %+v", aside[0], a)
	}
}

func TestDamagedFileIsSetAside(t *testing.T) {
	for name, harm := range map[string]func([]byte) []byte{
		"not a database": func(b []byte) []byte { return bytes.Repeat([]byte("SD card?"), len(b)/8) },
		"truncated":      func(b []byte) []byte { return b[:len(b)/2] },
		"a page of ones": func(b []byte) []byte { copy(b[3*4096:], bytes.Repeat([]byte{0xff}, 4096)); return b },
	} {
		t.Run(name, func(t *testing.T) {
			dir, alerts := t.TempDir(), &alertList{}
			writeRows(t, dir, 400)
			path := filepath.Join(dir, FileName)
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, harm(content), 0o644); err != nil {
				t.Fatal(err)
			}
			b := openBook(t, dir, alerts)
			b.queue.put(rowsOf(newWorld().Status(), 0)[0])
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			mustBeSetAside(t, dir, alerts)
			mustBeWhole(t, dir, alerts, 1)
		})
	}
}

func TestDamagedWhileRunning(t *testing.T) {
	dir, alerts := t.TempDir(), &alertList{}
	writeRows(t, dir, 400)
	b := openBook(t, dir, alerts)
	path := filepath.Join(dir, FileName)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte{0xff}, int(info.Size())), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.db.Exec(`PRAGMA shrink_memory`); err != nil { // so that it reads what is there now
		t.Fatal(err)
	}
	b.queue.put(rowsOf(newWorld().Status(), 0)[0])
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	mustBeSetAside(t, dir, alerts)
	mustBeWhole(t, dir, alerts, 1)
}

// Somebody deletes the log to begin a new one: the rows must not go on into a file without a name.
func TestRemovedWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, alerts := t.TempDir(), &alertList{}
		b := openBook(t, dir, alerts)
		stop := run(t, b, newWorld())
		time.Sleep(175 * time.Second)
		for _, suffix := range []string{"", "-wal", "-shm"} {
			os.Remove(filepath.Join(dir, FileName+suffix))
		}
		time.Sleep(155 * time.Second)
		stop()
		mustBeWhole(t, dir, alerts, 330/16-120/16) // the batches of the first two minutes went with the file
		if got := eventLines(t, dir); len(got) != 1 || !strings.Contains(got[0], "removed while the station ran") {
			t.Errorf("events: %q", got)
		}
	})
}

// A file that is not ours to write is refused and stays as it is, to the byte, also when a newer program was killed
// and left its last batch in the WAL.
func TestForeignAndNewerFilesStayUntouched(t *testing.T) {
	newer := schema + `UPDATE schema_version SET version = 3`
	noVersion := `CREATE TABLE schema_version (version INTEGER); INSERT INTO schema_version VALUES (-1)`
	for name, c := range map[string]struct {
		make  string
		wal   bool
		wants string
	}{
		"newer":                    {newer, false, "newer Timestation (layout 3, this one knows 2)"},
		"newer, in WAL":            {newer, true, "newer Timestation (layout 3, this one knows 2)"},
		"somebody's":               {`CREATE TABLE moz_cookies (id INTEGER)`, false, "not a Timestation logbook"},
		"a layout below the first": {noVersion, false, "not a Timestation logbook"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			db := rawDatabase(t, dir)
			if _, err := db.Exec(`PRAGMA journal_mode = WAL; BEGIN;` + c.make + `; COMMIT`); err != nil {
				t.Fatal(err)
			}
			if c.wal { // as a killed program leaves it: copied while it is open
				target := t.TempDir()
				copyLog(t, dir, target)
				dir = target
			}
			db.Close()
			before := files(t, dir)
			if c.wal != (len(before) == 2) {
				t.Fatalf("%d files", len(before))
			}

			alerts := &alertList{}
			_, err := Open(dir, DefaultConfig(), alerts, nil)
			if err == nil || !strings.Contains(err.Error(), c.wants) || strings.Contains(err.Error(), "\n") {
				t.Errorf("Open: %v", err)
			}
			if _, err := OpenReader(dir); err == nil || !strings.Contains(err.Error(), c.wants) {
				t.Errorf("OpenReader: %v", err)
			}
			if len(alerts.standing) > 0 {
				t.Errorf("alerts beside the error: %v", alerts.standing)
			}
			for name, content := range files(t, dir) {
				if before[name] != content && !strings.HasSuffix(name, "-shm") { // the lock file is nobody's data
					t.Errorf("%s was changed", name)
				}
			}
		})
	}
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found[e.Name()] = string(content)
	}
	return found
}

// copyLog copies what there is of a log.
func copyLog(t testing.TB, from, to string) {
	t.Helper()
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(filepath.Join(from, FileName+suffix))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, FileName+suffix), content, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
