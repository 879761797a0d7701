package logbook

import (
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

func TestDefaultConfigIsValid(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for key, change := range map[string]func(*Config){
		"interval_seconds": func(c *Config) { c.IntervalSeconds = 0 },
		"batch_seconds":    func(c *Config) { c.BatchSeconds = math.NaN() },
		"raw_days":         func(c *Config) { c.RawDays = 1 },
		"minute_days":      func(c *Config) { c.MinuteDays = 29 },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), key+": ") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// An hour of a station's life: every interval is there, every change is there, and what the station did not know is said.
func TestAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		b := openBook(t, dir, &alertList{})
		w := newWorld()
		w.change(func(s *status.Status) {
			s.State, s.Stratum, s.Selected, s.EpochInstant = status.Unsynchronised, status.Stratum16, "", refclock.Instant{}
			s.Reason = "the station is starting"
		})
		b.Event("start", "", "timestation 0.1")
		stop := run(t, b, w)
		time.Sleep(32*time.Second + 500*time.Millisecond) // two intervals without time
		w.change(func(s *status.Status) { *s = newWorld().status })
		time.Sleep(1800 * time.Second)
		w.change(func(s *status.Status) {
			s.State, s.Reason, s.Selected = status.Holdover, "no source is heard", ""
			s.Sources[0].State, s.Sources[0].Explanation = status.Silent, "the port is gone"
			s.Alerts = []status.Alert{{Code: "source-lost", Source: "gps", Severity: status.Warning, Text: "gps is lost",
				Mend: "plug it in"}}
		})
		time.Sleep(900 * time.Second)
		w.change(func(s *status.Status) { *s = newWorld().status })
		time.Sleep(868 * time.Second)
		b.Event("stop", "", "asked to")
		stop()

		rows := allRows(t, dir, "")
		if want := 3 * 3600 / 16; len(rows) != want {
			t.Errorf("%d rows in an hour, want %d", len(rows), want)
		}
		for i, r := range rows {
			if known := i >= 6; r.Known != known || r.Local < 1000e9 {
				t.Fatalf("row %d: known %v, local %d", i, r.Known, r.Local)
			}
			if i < 6 && r.Source == StationName && (r.MaxErrorSeconds.Valid || r.Stratum.V != 16) {
				t.Errorf("row %d claims a time before there was one: %+v", i, r)
			}
		}
		want := []string{
			"start: timestation 0.1",
			"state: unsynchronised: the station is starting",
			"stratum: 16",
			"leap: unknown",
			"source-state gps: selected",
			"source-state backup: silent",
			"state: synchronised (was unsynchronised)",
			"selected gps: gps (was none)",
			"stratum: 1 (was 16)",
			"leap: none (was unknown)",
			"state: holdover (was synchronised): no source is heard",
			"selected: none (was gps)",
			"source-state gps: silent (was selected): the port is gone",
			"alert-raised gps: source-lost, warning: gps is lost; plug it in",
			"state: synchronised (was holdover)",
			"selected gps: gps (was none)",
			"source-state gps: selected (was silent)",
			"alert-cleared gps: source-lost",
			"stop: asked to",
		}
		if got := eventLines(t, dir); !slices.Equal(got, want) {
			t.Errorf("events:\n%q\nwant\n%q", got, want)
		}
	})
}

// A hung engine is in the log as what clients were told: unsynchronised.
func TestStatusExpires(t *testing.T) {
	w := newWorld()
	st, stamp := w.Status(), w.Now()
	rows := rowsOf(st, stamp.Add(status.Validity+time.Second))
	if r := rows[0]; r.State != string(status.Unsynchronised) || r.Stratum.V != status.Stratum16 || r.Leap != "unknown" {
		t.Errorf("the station's row: %+v", r)
	}
	if rows[1].Selected.V {
		t.Error("the source is still marked as followed")
	}
}

// The local clock and the station's time may jump back: rows are kept all the same, in the order of their time.
func TestClockJumpsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		b := openBook(t, dir, &alertList{})
		w := newWorld()
		stop := run(t, b, w)
		time.Sleep(165 * time.Second)
		w.change(func(s *status.Status) { s.EpochInstant = began.Add(-100 * time.Second) })
		w.mu.Lock()
		w.stamp -= 100e9
		w.mu.Unlock()
		time.Sleep(160 * time.Second)
		stop()
		rows := allRows(t, dir, StationName)
		if len(rows) != 20 {
			t.Fatalf("%d rows, want 20", len(rows))
		}
		if !slices.IsSortedFunc(rows, func(a, b Row) int { return a.UTC.Time().Compare(b.UTC.Time()) }) {
			t.Error("rows are not in the order of their time")
		}
	})
}

func TestLeapSecondIsUnambiguous(t *testing.T) {
	dir := t.TempDir()
	b := openBook(t, dir, &alertList{})
	leap := refclock.Date(2016, time.December, 31, 23, 59, 60, 0).Instant(36)
	st := &status.Status{State: status.Synchronised, Stratum: 1, EpochInstant: leap.Add(-time.Second),
		Leap: refclock.LeapInsert, LeapAt: leap}
	st.EpochInstant.InLeap = false
	for i := range 4 {
		b.queue.put(rowsOf(st, refclock.Stamp(i)*500e6)[0])
	}
	if err := b.flush(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range allRows(t, dir, "") {
		got = append(got, r.UTC.String())
	}
	// In the order of the POSIX count, which repeats.
	want := []string{"2016-12-31T23:59:59.000000000Z", "2016-12-31T23:59:60.000000000Z",
		"2016-12-31T23:59:59.500000000Z", "2016-12-31T23:59:60.500000000Z"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
