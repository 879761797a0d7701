package logbook

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// BenchmarkYear lives through a year with the default configuration and four sources, where TIMESTATION_MEASURE is set,
// and through five days otherwise. It measures the writer, the size, and how quickly the log is read: the history of a
// span, all rows, and the chain.
func BenchmarkYear(b *testing.B) {
	days := 5
	if os.Getenv("TIMESTATION_MEASURE") != "" {
		days = 365
	}
	s := newSimulation(b, b.TempDir(), DefaultConfig(), noSync)
	cpu := cpuSeconds(b)
	const dry = 20000
	for range dry {
		s.interval()
	}
	making := (cpuSeconds(b) - cpu) / dry / 5
	s = newSimulation(b, b.TempDir(), DefaultConfig(), noSync)
	dir := filepath.Dir(s.book.store.path)
	cpu = cpuSeconds(b)
	s.run(b, time.Duration(days)*24*time.Hour)
	perRow := (cpuSeconds(b)-cpu)/float64(s.rows) - making
	end := simulationBegins.UTC().Time().Add(s.elapsed)
	if err := s.book.Close(); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d days: %d rows in %d batches; the writer took %.1f µs of CPU a row; the file has %.1f MB", days, s.rows,
		s.batches, perRow*1e6, size(b, dir, "")/1e6)
	r := openRead(b, dir)
	for name, span := range map[string]time.Duration{"hour": time.Hour, "day": 24 * time.Hour, "month": 30 * 24 * time.Hour,
		"year": 365 * 24 * time.Hour} {
		b.Run("history/"+name, func(b *testing.B) {
			for b.Loop() {
				points, err := r.History(b.Context(), end.Add(-span), end, "pps", 1000)
				if err != nil || len(points) == 0 {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("rows", func(b *testing.B) {
		rows := 0
		for b.Loop() {
			for _, err := range r.Rows(b.Context(), time.Time{}, time.Time{}, "") {
				if err != nil {
					b.Fatal(err)
				}
				rows++
			}
		}
		b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if report, err := Verify(b.Context(), r, ""); err != nil || !report.Whole() {
				b.Fatalf("%+v, %v", report, err)
			}
		}
	})
}

// cpuSeconds is what this process has used, in the steps of 10 ms in which Linux counts.
func cpuSeconds(b *testing.B) float64 {
	b.Helper()
	content, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		b.Skip("no /proc/self/stat")
	}
	_, after, _ := strings.Cut(string(content), ") ") // the name may contain anything
	fields := strings.Fields(after)
	user, _ := strconv.ParseFloat(fields[11], 64) // utime and stime of proc(5), which counts from 1
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100
}

// BenchmarkWrite writes batches as the default configuration does, one interval of a station with four sources each,
// and waits for the disk.
func BenchmarkWrite(b *testing.B) {
	book := openBook(b, b.TempDir(), &alertList{})
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
		if err := Export(b.Context(), r, "csv", Query{}, ExportOptions{}, io.Discard); err != nil {
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
