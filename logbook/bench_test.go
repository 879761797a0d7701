package logbook

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// BenchmarkWrite writes batches as the default configuration does, one interval of a station with four sources each,
// and measures what reaches the disk: bytes of the file and of the WAL (4 kB pages) per row.
func BenchmarkWrite(b *testing.B) {
	dir := b.TempDir()
	book := openBook(b, dir, &alertList{})
	if _, err := book.store.db.Exec(`PRAGMA wal_autocheckpoint = 0`); err != nil { // so that the WAL is all that was written
		b.Fatal(err)
	}
	w, rows := stationOfFour(), 0
	for b.Loop() {
		for _, r := range w.at(rows) {
			book.queue.put(r)
			rows++
		}
		if err := book.flush(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(size(b, dir, "-wal")/float64(rows), "WAL-B/row")
	book.Close()
	b.ReportMetric(size(b, dir, "")/float64(rows), "file-B/row")
}

// BenchmarkWriteBulk writes all rows in one batch, as after a disk was full for long.
func BenchmarkWriteBulk(b *testing.B) {
	book := openBook(b, b.TempDir(), &alertList{})
	w, rows := stationOfFour(), 0
	for b.Loop() {
		for range 2000 {
			for _, r := range w.at(rows) {
				book.queue.put(r)
				rows++
			}
		}
		if err := book.flush(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkExportCSV(b *testing.B) {
	dir := b.TempDir()
	book := openBook(b, dir, &alertList{})
	w, rows := stationOfFour(), 0
	for batch := range 20 {
		for i := range 2000 {
			for _, r := range w.at(batch*2000 + i) {
				book.queue.put(r)
				rows++
			}
		}
		if err := book.flush(); err != nil {
			b.Fatal(err)
		}
	}
	r := openRead(b, dir)
	began := time.Now()
	n := 0
	for b.Loop() {
		if err := Export(b.Context(), r, "csv", Query{}, io.Discard); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(rows*n)/time.Since(began).Seconds(), "rows/s")
}

// series is a station with four sources, three of them heard, interval after interval.
type series struct{ status.Status }

func stationOfFour() *series {
	st := newWorld().status
	for _, name := range []string{"gps2", "gps3"} {
		another := st.Sources[0]
		another.Name, another.State = name, status.Agreeing
		st.Sources = append(st.Sources, another)
	}
	return &series{st}
}

func (s *series) at(interval int) []Row {
	elapsed := time.Duration(interval) * 16 * time.Second
	s.Epoch, s.EpochInstant = refclock.Stamp(1_700_000_000e9).Add(elapsed), began.Add(elapsed)
	return rowsOf(&s.Status, s.Epoch.Add(time.Millisecond))
}

func size(b *testing.B, dir, suffix string) float64 {
	b.Helper()
	info, err := os.Stat(filepath.Join(dir, FileName+suffix))
	if err != nil {
		b.Fatal(err)
	}
	return float64(info.Size())
}
