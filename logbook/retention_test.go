package logbook

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"
)

// noSync makes a test quick where nobody pulls the plug.
const noSync = "synchronous(OFF)"

// Rows become minutes and hours, and later go: the aggregates are the rows' own, whichever way they were computed, and
// the chain stays whole.
func TestRetention(t *testing.T) {
	dir, config := t.TempDir(), DefaultConfig()
	config.RawDays, config.MinuteDays, config.IntervalSeconds, config.BatchSeconds = 2, 4, 60, 600
	s := newSimulation(t, dir, config, noSync)
	r := openRead(t, dir)
	beginning := simulationBegins.UTC().Time()
	s.run(t, 47*time.Hour)
	before := allRows(t, dir, "")
	names := []string{StationName, "pps", "gps", "dcf77", "ntp.example.org"}
	whole := map[Resolution][]Aggregate{}
	for _, resolution := range []Resolution{Minute, Hour} {
		gather := newGatherer(resolution)
		for i := range before {
			gather.add(int64(slices.Index(names, before[i].Source)), &before[i])
		}
		got := collect(t, r.Aggregates(t.Context(), time.Time{}, time.Time{}, "", resolution))
		want := gather.finish()
		if len(got) != len(want) {
			t.Fatalf("%d aggregates by %s, want %d", len(got), resolution, len(want))
		}
		type key struct {
			source string
			start  time.Time
		}
		found := map[key]Aggregate{}
		for _, a := range got {
			found[key{a.Source, a.Start}] = a
		}
		for _, b := range want {
			if a := found[key{b.Source, b.Start}]; !reflect.DeepEqual(a, b.Aggregate) {
				t.Fatalf("%+v, want %+v", a, b.Aggregate)
			}
		}
		if !slices.IsSortedFunc(got, func(a, b Aggregate) int { return a.Start.Compare(b.Start) }) {
			t.Errorf("aggregates by %s are not in the order of time", resolution)
		}
		whole[resolution] = got
	}

	s.run(t, 6*24*time.Hour)
	now := beginning.Add(s.elapsed)
	for resolution, days := range map[Resolution]float64{Raw: 2, Minute: 4} {
		oldest, err := r.oldest(t.Context())
		if age := now.Sub(oldest[resolution]).Hours() / 24; err != nil || age < days-0.01 || age > days+0.1 {
			t.Errorf("the oldest of %s is %.2f days old, want %v: %v", resolution, age, days, err)
		}
	}
	hours := collect(t, r.Aggregates(t.Context(), time.Time{}, beginning.Add(47*time.Hour), "", Hour))
	if !reflect.DeepEqual(hours, whole[Hour][:47*5]) { // the 48th had only begun
		t.Error("the hours are not what they were when the rows were there")
	}
	for from, want := range map[time.Duration]Resolution{0: Hour, 4 * 24 * time.Hour: Minute, 6 * 24 * time.Hour: Raw} {
		got, err := r.Resolve(t.Context(), Query{From: beginning.Add(from), Resolution: Auto})
		if err != nil || got != want {
			t.Errorf("from %v on: %s, want %s; %v", from, got, want, err)
		}
	}
	first, last, err := r.Span(t.Context())
	if err != nil || !first.Equal(beginning) || now.Sub(last) > time.Minute {
		t.Errorf("span: %v to %v, %v", first, last, err)
	}
	report, err := Verify(t.Context(), r, "")
	if err != nil || !report.Whole() || report.Dropped == 0 || report.Aggregates == 0 {
		t.Errorf("verify: %+v, %v", report, err)
	}
}

// A clock that is set back lives through an hour again: it is aggregated apart, and nothing is lost or mixed.
func TestHourComesTwice(t *testing.T) {
	dir := t.TempDir()
	s := newSimulation(t, dir, DefaultConfig(), noSync)
	s.run(t, 3*time.Hour)
	s.elapsed -= 2 * time.Hour
	s.run(t, 3*time.Hour)
	r := openRead(t, dir)
	rows, starts := int64(0), map[int]int{}
	for _, a := range collect(t, r.Aggregates(t.Context(), time.Time{}, time.Time{}, StationName, Minute)) {
		rows += a.Rows
		starts[a.Start.Hour()]++
	}
	if want := int64(s.rows / 5); rows != want {
		t.Errorf("%d rows in the minutes, want %d", rows, want)
	}
	// Rows at the very minute of the jump may share it.
	if starts[1] < 118 || starts[1] > 122 || starts[0] < 59 || starts[3] < 59 {
		t.Errorf("minutes in each hour: %v", starts)
	}
	if !slices.IsSortedFunc(allRows(t, dir, StationName), func(a, b Row) int { return a.UTC.Time().Compare(b.UTC.Time()) }) {
		t.Error("rows are not in the order of time")
	}
}

// A clock that is years ahead for an hour must not cost the rows of a month.
func TestWrongYearDropsLittle(t *testing.T) {
	config := DefaultConfig()
	config.IntervalSeconds, config.BatchSeconds = 60, 600
	s := newSimulation(t, t.TempDir(), config, noSync)
	s.run(t, 6*24*time.Hour)
	s.elapsed += 10 * 365 * 24 * time.Hour
	s.run(t, time.Hour)
	r := openRead(t, filepath.Dir(s.book.store.path))
	report, err := Verify(t.Context(), r, "")
	if hours := float64(report.Dropped) / 6; err != nil || hours > 5 {
		t.Errorf("%.0f hours were dropped within one; %v", hours, err)
	}
}

func TestHistory(t *testing.T) {
	dir, config := t.TempDir(), DefaultConfig()
	config.RawDays = 2
	config.IntervalSeconds, config.BatchSeconds = 30, 600
	s := newSimulation(t, dir, config, noSync)
	s.run(t, 4*24*time.Hour)
	r := openRead(t, dir)
	end := simulationBegins.UTC().Time().Add(s.elapsed)
	for _, c := range []struct {
		span   time.Duration
		points int
		width  time.Duration // of a point
		joined bool          // so that there are no quantiles
	}{
		{30 * time.Minute, 120, 15 * time.Second, false}, // rows
		{time.Hour, 120, time.Minute, false},
		{time.Hour, 10, 6 * time.Minute, true},
		{24 * time.Hour, 1440, time.Minute, false},
		{72 * time.Hour, 48, 2 * time.Hour, true},
		{72 * time.Hour, 72, time.Hour, false},
		{72 * time.Hour, 100000, time.Minute, false},    // no rows are left
		{20000 * time.Hour, 100, 200 * time.Hour, true}, // more than there is
	} {
		t.Run(fmt.Sprint(c.span, c.points), func(t *testing.T) {
			from := end.Add(-c.span)
			points, err := r.History(t.Context(), from, end, "dcf77", c.points)
			if err != nil || len(points) == 0 || len(points) > c.points {
				t.Fatalf("%d points, %v", len(points), err)
			}
			rows := int64(0)
			for i, p := range points {
				rows += p.Rows
				o := p.OffsetSeconds
				if p.Start.Before(from) || p.End.Sub(p.Start) != c.width || i > 0 && p.Start.Before(points[i-1].End) {
					t.Fatalf("point %d from %v to %v", i, p.Start, p.End)
				}
				if o.Min > o.Mean || o.Mean > o.Max || math.Abs(o.Mean) > 0.01 || p.Rows > 10 && math.IsNaN(o.P50) != c.joined {
					t.Fatalf("point %d: %+v", i, o)
				}
			}
			if want := int64(min(c.span, s.elapsed) / (30 * time.Second)); rows < want-120 || rows > want {
				t.Errorf("%d rows in all, want %d or an hour less", rows, want)
			}
		})
	}
	if points, err := r.History(t.Context(), end, end, "dcf77", 100); err != nil || len(points) != 0 {
		t.Errorf("no time: %v, %v", points, err)
	}
}

// What the README promises: the size of a year's log, with the defaults and four sources, all of them heard all the
// time, and what each year after that adds. The first days tell what a day of everything takes, and those after
// retention has begun what a day leaves behind.
func TestSizeOfAYear(t *testing.T) {
	days := func(minuteDays float64) (all, left float64) {
		s := newSimulation(t, t.TempDir(), DefaultConfig(), noSync)
		s.config.RawDays, s.config.MinuteDays = 1, minuteDays
		used := func(span time.Duration) (pages float64) {
			s.run(t, span)
			if err := s.book.store.db.QueryRow(`SELECT (page_count - freelist_count) * page_size
				FROM pragma_page_count, pragma_freelist_count, pragma_page_size`).Scan(&pages); err != nil {
				t.Fatal(err)
			}
			return pages
		}
		half, one, two := used(12*time.Hour), used(12*time.Hour), used(24*time.Hour)
		return 2 * (one - half), used(24*time.Hour) - two
	}
	all, minutes := days(365)
	_, hours := days(1)
	kept := DefaultConfig()
	year := (all*kept.RawDays + minutes*(365-kept.RawDays)) / 1e6
	further := hours * 365 / 1e6
	t.Logf("a day takes %.2f MB with its rows, %.2f MB with its minutes, %.3f MB with its hours: a year %.0f MB, each further "+
		"year %.0f MB", all/1e6, minutes/1e6, hours/1e6, year, further)
	const promisedYear, promisedFurther = 240, 35 // MB, in the README
	if year > promisedYear || year < promisedYear*0.8 || further > promisedFurther || further < promisedFurther*0.6 {
		t.Errorf("%d and %d MB are promised", promisedYear, promisedFurther)
	}
}

// What the card has to take in a day, with the defaults: the rows, what the file system is handed, and the 4 kB pages
// that it hands to the card.
func TestBytesWrittenInADay(t *testing.T) {
	dir := t.TempDir()
	s := newSimulation(t, dir, DefaultConfig())
	s.run(t, 30*time.Minute)
	const span = 4 * time.Hour
	handed, stored := written(t)
	s.run(t, span)
	if err := s.book.store.close(); err != nil { // with a checkpoint, which otherwise comes twice a day
		t.Fatal(err)
	}
	s.book.store = nil
	handedAfter, storedAfter := written(t)
	scale := float64(24*time.Hour) / float64(span) / 1e6
	perDay, onDisk := float64(handedAfter-handed)*scale, float64(storedAfter-stored)*scale
	info, err := os.Stat(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	content := float64(info.Size()) * float64(24*time.Hour) / float64(s.elapsed) / 1e6
	t.Logf("in a day %.1f MB are handed to the file system, %.1f MB in whole pages of it, for %.2f MB in the file: "+
		"amplified %.0f and %.0f times", perDay, onDisk, content, perDay/content, onDisk/content)
	if limit := 15.0; perDay > limit {
		t.Errorf("%.1f MB are written in a day, the limit is %v MB", perDay, limit)
	}
}
