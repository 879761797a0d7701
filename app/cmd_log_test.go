package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"timestation/engine/clock"
	"timestation/engine/status"
	"timestation/logbook"
	"timestation/refclock"
)

// logged is a station that knows the time and follows one source.
type logged struct{ board status.Board }

func (l *logged) Now() refclock.Stamp { return clock.Now() }

func (l *logged) Status() *status.Status {
	l.board.Publish(&status.Status{
		State: status.Synchronised, Stratum: 1, Selected: "gps0", Leap: refclock.LeapNone, Epoch: clock.Now(),
		EpochInstant: refclock.Date(2026, time.November, 22, 13, 0, 0, 0).Instant(37).Add(time.Duration(clock.Now() % 1e15)),
		MaxError:     200 * time.Microsecond, MaxErrorLimit: time.Second, FrequencyPPM: 12.5,
		Sources: []status.Source{{Name: "gps0", Driver: "gps", Receiver: "hat", State: status.Selected, OffsetSeconds: 2e-5,
			JitterSeconds: 1e-5, MaxErrorSeconds: 1e-4, FrequencyPPM: 12.5}},
	})
	return l.board.Load()
}

type noAlerts struct{}

func (noAlerts) Raise(status.Alert)   {}
func (noAlerts) Clear(string, string) {}

// writtenLog is the data folder of a station that ran for a moment.
func writtenLog(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	cfg := logbook.DefaultConfig()
	cfg.IntervalSeconds, cfg.BatchSeconds = 0.1, 0.1
	book, err := logbook.Open(dir, cfg, noAlerts{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
	defer cancel()
	if err := book.Run(ctx, &logged{}); err != nil {
		t.Fatal(err)
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// command runs a command line as main does and gives what it printed and its exit code.
func command(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	files := make([]*os.File, 2)
	old := []*os.File{os.Stdout, os.Stderr}
	for i := range files {
		f, err := os.CreateTemp(t.TempDir(), "printed")
		if err != nil {
			t.Fatal(err)
		}
		files[i] = f
	}
	os.Stdout, os.Stderr = files[0], files[1]
	defer func() { os.Stdout, os.Stderr = old[0], old[1] }()
	code = execute(t.Context(), args)
	var printed [2]string
	for i, f := range files {
		f.Seek(0, io.SeekStart)
		data, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		printed[i] = string(data)
		f.Close()
	}
	return printed[0], printed[1], code
}

func TestCommandsOnTheLog(t *testing.T) {
	dir := writtenLog(t)
	out := t.TempDir()

	printed, errors, code := command(t, "export", "--data", dir)
	rows, err := csv.NewReader(strings.NewReader(printed)).ReadAll()
	if code != 0 || err != nil || len(rows) < 5 {
		t.Fatalf("export: exit %d, %d rows, %v, %s", code, len(rows), err, errors)
	}
	for _, format := range logbook.Formats() {
		file := filepath.Join(out, "log."+format.Name)
		_, errors, code := command(t, "export", "--data", dir, "--format", format.Name, "--output", file)
		if code != 0 || errors != "" {
			t.Errorf("export as %s: exit %d, %s", format.Name, code, errors)
		}
		if info, err := os.Stat(file); err != nil || info.Size() == 0 {
			t.Errorf("export as %s: %v, %v", format.Name, info, err)
		}
	}
	if printed, errors, code := command(t, "export", "--data", dir, "--resolution", "minute", "--mjd"); code != 0 ||
		!strings.HasPrefix(printed, "time_mjd,resolution,") || strings.Count(printed, "\n") < 3 {
		t.Errorf("minutes: exit %d, %s%s", code, printed, errors)
	}

	for name, begins := range map[string]string{"report.html": "<!DOCTYPE html>", "report.pdf": "%PDF-"} {
		file := filepath.Join(out, name)
		_, errors, code := command(t, "report", "--data", dir, "--bound", "1ms", "--name", "Test", "--output", file)
		data, err := os.ReadFile(file)
		if code != 0 || err != nil || !bytes.HasPrefix(data, []byte(begins)) {
			t.Errorf("%s: exit %d, %v, %s", name, code, err, errors)
		}
		// How much of the span is another test's matter: this writer ran in real time, on a machine that may have been busy.
		if name == "report.html" && (!bytes.Contains(data, []byte(" % of the span")) ||
			!bytes.Contains(data, []byte("The log is whole"))) {
			t.Errorf("%s says:\n%s", name, data)
		}
	}

	printed, errors, code = command(t, "logbook", "verify", "--data", dir, "--json")
	var found logbook.Report
	err = json.Unmarshal([]byte(printed), &found)
	if code != 0 || err != nil || found.Head == "" || found.Rows != int64(len(rows)-1) {
		t.Fatalf("verify: exit %d, %v, %s%s", code, err, printed, errors)
	}
	printed, _, code = command(t, "logbook", "verify", "--data", dir, "--head", found.Head)
	if code != 0 || !strings.Contains(printed, "found") {
		t.Errorf("verify with the head: exit %d, %s", code, printed)
	}
	printed, _, code = command(t, "logbook", "verify", "--data", dir, "--head", strings.Repeat("0", 64))
	if code != 1 || !strings.Contains(printed, "NOT WHOLE") {
		t.Errorf("verify with another head: exit %d, %s", code, printed)
	}
	if left, _ := filepath.Glob(filepath.Join(out, "*.part")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// Wrong use is exit code 2 and one line that says the mend.
func TestWrongUseOfTheLog(t *testing.T) {
	empty := t.TempDir()
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"export --format xls", 2, "csv"}, {"export --from yesterday", 2, "2026-11-22"}, {"export --resolution day", 2, "minute"},
		{"export --format parquet --mjd", 2, "--mjd"}, {"export --format peerstats --resolution hour", 2, "--resolution"},
		{"export --from 2026-01-02 --to 2026-01-01", 2, "--to"},
		{"report --output report.docx", 2, ".pdf"}, {"report --bound 0s", 2, "--bound"}, {"report --output report", 2, ".html"},
		{"logbook verify --head 12", 2, "--head"}, {"logbook verify more", 2, "--help"}, {"logbook repair", 2, "--help"},
		{"export --data " + empty, 1, "--data"}, {"report --data " + empty, 1, "--data"},
		{"logbook verify --data " + empty, 1, "--data"},
	} {
		printed, errors, code := command(t, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(errors, c.want) || strings.Count(errors, "\n") != 1 || printed != "" {
			t.Errorf("%s: exit %d, %s%s", c.args, code, errors, printed)
		}
	}
}

// A recording must not get into the evidence of a real station.
func TestDemoLeavesARealLogAlone(t *testing.T) {
	dir := writtenLog(t)
	if _, err := demoConfig("/dev/null", dir, 0); err == nil || !strings.Contains(err.Error(), "real station") {
		t.Errorf("a demonstration in a real station's folder: %v", err)
	}
	fresh := t.TempDir()
	for range 2 { // a demonstration may go on in a folder of its own
		if _, err := demoConfig("/dev/null", fresh, 0); err != nil {
			t.Error(err)
		}
		if err := os.WriteFile(filepath.Join(fresh, logbook.FileName), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
