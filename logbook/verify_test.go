package logbook

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"
)

// everything makes a log with everything in it: rows, events, clients, aggregates, dropped rows.
func everything(t testing.TB, dir string) {
	t.Helper()
	config := DefaultConfig()
	config.RawDays, config.IntervalSeconds, config.BatchSeconds = 2, 60, 600
	s := newSimulation(t, dir, config, noSync)
	s.run(t, 49*time.Hour)
	m := s.moment()
	if err := s.book.store.write([]record{Event{Moment: m, Kind: EventOperator, Text: "what was done", Who: "somebody"},
		ClientHour{Moment: m, Hour: m.UTC.Time().Truncate(time.Hour), Clients: []ClientCount{{"::1", ClientCounts{1, 1, 0, 0}}}}}); err != nil {
		t.Fatal(err)
	}
	s.run(t, 3*time.Hour)
	if err := s.book.Close(); err != nil {
		t.Fatal(err)
	}
}

func verify(t *testing.T, dir, head string) Report {
	t.Helper()
	r := openRead(t, dir)
	defer r.Close()
	report, err := Verify(t.Context(), r, head)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// Whatever is changed by somebody who does not write the chain anew is found, and the batch is named.
func TestTampering(t *testing.T) {
	whole := t.TempDir()
	everything(t, whole)
	report := verify(t, whole, "")
	if !report.Whole() || report.Rows == 0 || report.Events != 1 || report.ClientHours != 1 || report.Dropped == 0 ||
		report.Aggregates == 0 || len(report.Head) != 64 {
		t.Fatalf("%+v", report)
	}
	number := func(db *sql.DB, query string) (n int64) {
		if err := db.QueryRow(query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	first := func(kind batchKind) string {
		return fmt.Sprintf(`SELECT seq FROM batch WHERE kind = %d AND content IS NOT NULL ORDER BY seq LIMIT 1`, kind)
	}
	dropped := `SELECT seq FROM batch WHERE content IS NULL ORDER BY seq LIMIT 1 OFFSET 2`
	const flip = `UPDATE batch SET content = CAST(substr(content, 1, 10) || x'00' || substr(content, 12) AS BLOB) WHERE seq = ?`
	for name, c := range map[string]struct{ which, change, says string }{
		"rows changed":       {first(batchRows), flip, "is not what was written"},
		"event changed":      {first(batchEvents), strings.ReplaceAll(flip, "x'00'", "x'58'"), "is not what was written"},
		"clients changed":    {first(batchClients), `UPDATE batch SET content = CAST(content || x'00' AS BLOB) WHERE seq = ?`, "is not what was written"},
		"minutes changed":    {first(batchMinutes), flip, "is not what was written"},
		"source renamed":     {first(batchSources), flip, "is not what was written"},
		"a batch taken out":  {first(batchEvents), `DELETE FROM batch WHERE seq = ?`, "is missing"},
		"another kind":       {first(batchEvents), `UPDATE batch SET kind = 4 WHERE seq = ?`, "is not what was written"},
		"filed elsewhere":    {first(batchEvents), `UPDATE batch SET first_utc_ns = first_utc_ns - 1 WHERE seq = ?`, "filed under"},
		"a hash changed":     {first(batchHours), `UPDATE batch SET chain = zeroblob(32) WHERE seq = ?`, "is not what was written"},
		"a digest changed":   {dropped, `UPDATE batch SET digest = zeroblob(32) WHERE seq = ?`, "content was dropped"},
		"a dropped taken":    {dropped, `DELETE FROM batch WHERE seq = ?`, "is missing"},
		"dropped by no note": {first(batchHours), `UPDATE batch SET digest = %s, content = NULL, chain = NULL WHERE seq = ?`, "no note"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			copyLog(t, whole, dir)
			db := rawDatabase(t, dir)
			seq := number(db, c.which)
			change := c.change
			if strings.Contains(change, "%s") {
				var content []byte
				if err := db.QueryRow(`SELECT content FROM batch WHERE seq = ?`, seq).Scan(&content); err != nil {
					t.Fatal(err)
				}
				change = fmt.Sprintf(change, fmt.Sprintf("x'%x'", sha256.Sum256(content)))
			}
			if _, err := db.Exec(change, seq); err != nil {
				t.Fatal(err)
			}
			db.Close()
			report := verify(t, dir, "")
			named := report.FaultBatch == seq || strings.Contains(c.says, "missing") && report.FaultBatch == seq+1 ||
				strings.Contains(c.says, "dropped") && report.FaultBatch > seq
			if report.Whole() || !strings.Contains(report.Fault, c.says) || !named {
				t.Errorf("batch %d: %d: %q, want %q", seq, report.FaultBatch, report.Fault, c.says)
			}
		})
	}
}

// Somebody who takes the end away, or writes the whole chain anew, is found by a hash that was kept elsewhere.
func TestHead(t *testing.T) {
	dir := t.TempDir()
	everything(t, dir)
	b := openBook(t, dir, &alertList{})
	write := func() string {
		if err := b.store.write([]record{Event{Moment: Moment{Local: 1}, Text: "later"}}); err != nil {
			t.Fatal(err)
		}
		return verify(t, dir, "").Head
	}
	write()
	head := write()
	write()
	b.Close()
	report := verify(t, dir, strings.ToUpper(head))
	if !report.Whole() || report.FoundBatch != report.HeadBatch-1 || report.Head == head {
		t.Errorf("%+v", report)
	}
	db := rawDatabase(t, dir)
	if _, err := db.Exec(`DELETE FROM batch WHERE seq >= ?`, report.HeadBatch-1); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if report := verify(t, dir, ""); !report.Whole() {
		t.Errorf("without the end: %s", report.Fault)
	}
	if report := verify(t, dir, head); report.Whole() || !strings.Contains(report.Fault, "not in it") {
		t.Errorf("the end was taken away: %+v", report)
	}
	if _, err := Verify(t.Context(), openRead(t, dir), "beef"); err == nil || !strings.HasPrefix(err.Error(), "head: ") {
		t.Errorf("no hash: %v", err)
	}
}

// A file that was tampered with goes on: the writer does not look back, and Verify says where.
func TestTamperedFileGoesOn(t *testing.T) {
	dir := t.TempDir()
	everything(t, dir)
	db := rawDatabase(t, dir)
	if _, err := db.Exec(`UPDATE batch SET content = x'0105' WHERE seq = (SELECT max(seq) FROM batch WHERE kind = 2)`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	alerts := &alertList{}
	b := openBook(t, dir, alerts)
	b.queue.put(Row{Moment: Moment{Known: true, UTC: simulationBegins.Add(100 * time.Hour).UTC()}, Source: "pps"})
	if err := b.flush(); err != nil || len(alerts.standing) > 0 {
		t.Errorf("%v, %v", err, alerts.standing)
	}
	b.Close()
	if report := verify(t, dir, ""); report.Whole() {
		t.Error("nothing was found")
	}
	if err := Export(t.Context(), openRead(t, dir), "csv", Query{}, ExportOptions{}, &strings.Builder{}); err == nil ||
		!strings.Contains(err.Error(), "damaged") {
		t.Errorf("reading it: %v", err)
	}
}
