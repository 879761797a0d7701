package logbook

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// childFolder, in the environment, makes the test program a station that writes a log there until it is killed.
const childFolder = "TIMESTATION_TEST_LOG"

// rowsInBatch is how many rows the child writes at a time, too many for one page.
const rowsInBatch = 50

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		writeUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// writeUntilKilled writes batches, numbered in tai_minus_utc, and says of each that it has been written.
func writeUntilKilled(dir string) {
	b, err := open(dir, DefaultConfig(), &alertList{}, slog.New(slog.DiscardHandler), writerPragmas)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	last := 0
	r, err := OpenReader(dir)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for row, err := range r.Rows(context.Background(), time.Time{}, time.Time{}, "") {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		last = max(last, int(row.TAIMinusUTC))
	}
	r.Close()
	for n := last + 1; ; n++ {
		b.queue.put(numberedBatch(n)...)
		if err := b.flush(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(n)
	}
}

// A station that is killed at any moment has a sound log afterwards, with every batch that was written, each of them
// whole. TIMESTATION_MEASURE=1 kills it a hundred times.
func TestKilled(t *testing.T) {
	kills := 10
	if os.Getenv("TIMESTATION_MEASURE") != "" {
		kills = 100
	}
	dir := t.TempDir()
	unreported, promised, stored := 0, 0, 0
	for range kills {
		promised = killAtRandom(t, dir)
		stored = checkBatches(t, dir, promised)
		if stored > promised+1 {
			t.Errorf("batch %d is there, but %d was the last that was written", stored, promised)
		}
		unreported += stored - promised
	}
	t.Logf("%d kills while %d batches of %d rows were written: 0 damaged files, 0 written batches lost, "+
		"%d batches written but not yet told of", kills, stored, rowsInBatch, unreported)
}

// killAtRandom lets a child write for a while and returns the last batch that it said was written.
func killAtRandom(t *testing.T, dir string) (promised int) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childFolder+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(time.Minute, func() { child.Process.Kill() }) // should it never write
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatalf("the child says %q", lines.Text())
		}
		if promised == 0 { // it is at work
			timer.Reset(time.Duration(rand.Int64N(int64(100 * time.Millisecond))))
		}
		promised = n
	}
	timer.Stop()
	if err := child.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the child was not killed: %v", err)
	}
	return promised
}

// checkBatches opens the log as the next start does and returns the number of the last batch in it.
func checkBatches(t *testing.T, dir string, promised int) (last int) {
	t.Helper()
	alerts := &alertList{}
	if err := openBook(t, dir, alerts).Close(); err != nil {
		t.Fatal(err)
	}
	if len(alerts.standing) > 0 {
		t.Fatalf("after a kill: %v", alerts.standing)
	}
	db := rawDatabase(t, dir)
	defer db.Close()
	var check string
	if err := db.QueryRow(`PRAGMA integrity_check`).Scan(&check); err != nil || check != "ok" {
		t.Fatalf("integrity_check: %s %v", check, err)
	}
	last = countBatches(t, dir)
	if last < promised {
		t.Fatalf("batch %d is the last, but %d was promised", last, promised)
	}
	return last
}

// countBatches gives the number of the last batch, all being whole and in the chain.
func countBatches(t *testing.T, dir string) (last int) {
	t.Helper()
	r := openRead(t, dir)
	defer r.Close()
	report, err := Verify(t.Context(), r, "")
	if err != nil || !report.Whole() {
		t.Fatalf("verify: %+v, %v", report, err)
	}
	rows := map[int]int{}
	for row, err := range r.Rows(t.Context(), time.Time{}, time.Time{}, "") {
		if err != nil {
			t.Fatal(err)
		}
		rows[int(row.TAIMinusUTC)]++
		last = max(last, int(row.TAIMinusUTC))
	}
	for n := 1; n <= last; n++ {
		if rows[n] != rowsInBatch {
			t.Fatalf("batch %d of %d has %d rows of %d", n, last, rows[n], rowsInBatch)
		}
	}
	return last
}
