//go:build peers

package logbook

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"timestation/refclock"
)

// ntpvizRows is half a day of a station with two sources, whose offsets are known.
func ntpvizRows(t *testing.T, dir string) (offsets []float64) {
	t.Helper()
	b := openBook(t, dir, &alertList{})
	for i := range 12 * 3600 / 16 {
		m := Moment{UTC: began.Add(time.Duration(i) * 16 * time.Second).UTC(), Known: true, TAIMinusUTC: 37,
			Local: refclock.Stamp(i * 16e9)}
		offset := math.Round(1e4*math.Sin(float64(i)/50)+3e3*math.Sin(float64(i)*2.1)) * 1e-9
		offsets = append(offsets, offset)
		b.queue.put(
			Row{Moment: m, Source: StationName, State: "synchronised", FrequencyPPM: some(12 + 0.01*math.Sin(float64(i)/300)),
				MaxErrorSeconds: some(1e-4), Stratum: some(int64(1)), Leap: "none"},
			Row{Moment: m, Source: "gps0", Driver: "gps", State: "selected", OffsetSeconds: some(offset), Selected: some(true),
				FrequencyPPM: some(12.0), JitterSeconds: some(4e-6 + 1e-9*float64(i%99)), MaxErrorSeconds: some(1e-4), AgeSeconds: some(0.5)},
			Row{Moment: m, Source: "2nd clock", Driver: "dcf77", State: "compared", OffsetSeconds: some(3e-3 - offset), Selected: some(false),
				JitterSeconds: some(1e-3 + 1e-6*float64(i%99)), MaxErrorSeconds: some(2e-2), AgeSeconds: some(20.0)})
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return offsets
}

// TestPeersNtpviz lets ntpsec's ntpviz read the statistics files and draw them all; the median that it finds must be ours.
func TestPeersNtpviz(t *testing.T) {
	peers := os.Getenv("TIMESTATION_PEERS")
	if peers == "" {
		t.Fatal("TIMESTATION_PEERS names no folder with the unpacked programs; run: make peers")
	}
	if _, err := exec.LookPath("gnuplot"); err != nil {
		t.Fatal("ntpviz draws with gnuplot, which is not there; run: make peers")
	}
	data, stats, pictures := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "pictures")
	offsets := ntpvizRows(t, data)
	from, to := began.UTC().Time(), began.Add(12*time.Hour).UTC().Time()
	for _, format := range []string{"loopstats", "peerstats", "clockstats"} {
		// ntpviz reads files whose name goes on after a dot, and passes over those last written before its span.
		file, text := filepath.Join(stats, format+".1"), exportAs(t, data, format, Query{}, ExportOptions{})
		if err := errors.Join(os.WriteFile(file, []byte(text), 0o644), os.Chtimes(file, to, to)); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.CommandContext(t.Context(), "python3", filepath.Join(peers, "usr/bin/ntpviz"), "-d", stats, "-o", pictures,
		"-s", from.Format("2006-01-02T15:04:05"), "-e", to.Format("2006-01-02T15:04:05"), "-w", "s")
	libraries, _ := filepath.Glob(filepath.Join(peers, "usr/lib/*/ntp"))
	c.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join(peers, "usr/lib/python3/dist-packages"),
		"LD_LIBRARY_PATH="+strings.Join(libraries, ":"))
	var printed bytes.Buffer
	c.Stdout, c.Stderr = &printed, &printed
	if err := c.Run(); err != nil || strings.Contains(printed.String(), "ERROR") ||
		strings.Contains(printed.String(), "plot returned") {
		t.Fatalf("ntpviz: %v\n%s", err, printed.String())
	}
	t.Logf("ntpviz printed:\n%s", printed.String())
	for _, picture := range []string{"local-offset", "local-jitter", "local-stability", "local-offset-histogram", "peer-offsets",
		"peer-offset-GPS(gps0)", "peer-jitter-GPS(gps0)", "peer-offset-DCF77(2nd_clock)"} {
		if info, err := os.Stat(filepath.Join(pictures, picture+".png")); err != nil || info.Size() < 2000 {
			t.Errorf("%s: %v, %v", picture, info, err)
		}
	}
	file, err := os.Open(filepath.Join(pictures, "summary.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader := csv.NewReader(file)
	reader.FieldsPerRecord = -1
	summary, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(offsets)
	want := fmt.Sprintf("%.3f µs", offsets[len(offsets)/2]*1e6)
	for _, line := range summary[1:] {
		if line[0] != "Local Clock Time Offset" {
			continue
		}
		median, err := strconv.ParseFloat(line[slices.Index(summary[0], "50%")], 64)
		if got := fmt.Sprintf("%.3f %s", median, line[slices.Index(summary[0], "Units")]); err != nil || got != want {
			t.Errorf("ntpviz finds a median of %s, want %s: %v", got, want, err)
		}
		return
	}
	t.Errorf("ntpviz has no statistics of the offset:\n%v", summary)
}
