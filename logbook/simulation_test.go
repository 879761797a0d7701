package logbook

import (
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// simulation is a station with four sources, all heard all the time, as their figures scatter in truth: a pulse per
// second, the sentences of the same receiver, a long wave receiver, and a server in the network. What it writes is the
// worst that a station of four sources and the default configuration can.
type simulation struct {
	book    *Book
	config  Config
	random  *rand.Rand
	elapsed time.Duration
	ppm     float64
	phase   float64
	// rows and batches were written so far.
	rows, batches int
}

// simulationBegins is an ordinary day.
var simulationBegins = refclock.Date(2026, time.January, 1, 0, 0, 0, 0).Instant(37)

func newSimulation(t testing.TB, dir string, config Config, morePragmas ...string) *simulation {
	t.Helper()
	b, err := open(dir, config, &alertList{}, slog.New(slog.DiscardHandler), append(writerPragmas[:len(writerPragmas):len(writerPragmas)], morePragmas...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return &simulation{book: b, config: config, random: rand.New(rand.NewPCG(1, 2)), ppm: 12}
}

func (s *simulation) moment() Moment {
	i := simulationBegins.Add(s.elapsed)
	return Moment{Known: true, UTC: i.UTC(), TAIMinusUTC: 37, Local: refclock.Stamp(posixNS(i.UTC()) + int64(s.random.IntN(100000)))}
}

// interval gives the rows of one interval.
func (s *simulation) interval() []Row {
	step := seconds(s.config.IntervalSeconds)
	s.elapsed += step + time.Duration(s.random.IntN(1e6)) // a ticker is a little late
	s.elapsed = s.elapsed / step * step                   // but does not fall behind
	m := s.moment()
	m.UTC.Nanoseconds += int32(s.random.IntN(1e6))
	day := 2 * math.Pi * s.elapsed.Hours() / 24
	s.ppm += s.random.NormFloat64() * 0.0005
	ppm := s.ppm + 0.2*math.Sin(day)
	s.phase += ppm * 1e-6 * step.Seconds()
	noise := s.random.NormFloat64
	rows := append(make([]Row, 0, 5), Row{Moment: m, Source: StationName, State: string(status.Synchronised),
		Stratum: some(int64(1)), Leap: "none", OffsetSeconds: some(1e-4 * noise()), FrequencyPPM: some(ppm + 0.001*noise()),
		Uncertainty95Seconds: some(1e-6 * (1 + 0.1*noise())), MaxErrorSeconds: some(4e-6 * (1 + 0.1*noise())),
		TemperatureCelsius: some(45 + math.Round((3*math.Sin(day)+0.3*noise())/0.487)*0.487), SmearSeconds: some(0.0)})
	for i, c := range []struct {
		name, driver string
		state        status.SourceState
		sigma, bound float64
	}{{"pps", "pps", status.Selected, 1e-6, 3e-6}, {"gps", "gps", status.Agreeing, 15e-3, 0.1},
		{"dcf77", "dcf77", status.Agreeing, 2e-3, 12e-3}, {"ntp.example.org", "upstream", status.Agreeing, 0.3e-3, 9e-3}} {
		offset := c.sigma * noise()
		r := Row{Moment: m, Source: c.name, Driver: c.driver, Receiver: "hat", State: string(c.state),
			Selected: some(i == 0), OffsetSeconds: some(offset), PhaseSeconds: some(s.phase + offset),
			FrequencyPPM: some(ppm + c.sigma*noise()), JitterSeconds: some(c.sigma * (1 + 0.05*noise())),
			MaxErrorSeconds: some(c.bound * (1 + 0.02*noise())), AgeSeconds: some(s.random.Float64())}
		if c.driver == "gps" {
			r.SatellitesUsed, r.SatellitesInView = some(int64(9+s.random.IntN(3))), some(int64(14+s.random.IntN(3)))
			r.CN0MeanDBHz = some(38 + noise())
		}
		rows = append(rows, r)
	}
	return rows
}

// run lives through a span of time, as a Book does.
func (s *simulation) run(t testing.TB, span time.Duration) {
	t.Helper()
	batch, end := seconds(s.config.BatchSeconds), s.elapsed+span
	var waiting []record
	for written, swept := s.elapsed, s.elapsed; s.elapsed < end; {
		for _, r := range s.interval() {
			waiting = append(waiting, r)
			s.rows++
		}
		if s.elapsed-written < batch {
			continue
		}
		if err := s.book.store.write(waiting); err != nil {
			t.Fatal(err)
		}
		s.batches++
		waiting, written = waiting[:0], written+batch
		for more := true; more; {
			var err error
			if more, err = s.book.store.aggregateStep(); err != nil {
				t.Fatal(err)
			}
		}
		if s.elapsed-swept >= sweepEvery {
			swept = s.elapsed
			if _, err := s.book.store.dropStep(s.moment(), s.config); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.book.store.write(waiting); err != nil {
		t.Fatal(err)
	}
}

// written is how many bytes this process handed to the kernel, and how many of them the kernel will hand to the disk.
func written(t testing.TB) (handed, stored int64) {
	t.Helper()
	content, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skip("no /proc/self/io")
	}
	for line := range strings.Lines(string(content)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		n, _ := strconv.ParseInt(value, 10, 64)
		switch name {
		case "wchar":
			handed = n
		case "write_bytes":
			stored = n
		}
	}
	return handed, stored
}
