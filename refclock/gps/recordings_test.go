package gps

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"timestation/refclock"
)

// solution is what somebody makes of one second of a recording; inView is -1 where the satellites were not listed.
type solution struct {
	fix          refclock.Fix
	used, inView int
}

// kinds of difference, in the order of the table.
var kinds = []string{"missing", "extra", "fix", "used", "view"}

// TestRecordings plays recordings of real receivers and compares with what gpsd made of them, second by second. Every
// difference must be one that testdata/differences.txt counts and explains. The folder that TIMESTATION_RECORDINGS names
// is played too.
func TestRecordings(t *testing.T) {
	explained := readDifferences(t)
	folders := []string{"testdata/recordings"}
	if more := os.Getenv("TIMESTATION_RECORDINGS"); more != "" {
		folders = append(folders, more)
	}
	table := &strings.Builder{}
	fmt.Fprintf(table, "%-32s %7s %7s %7s %7s %7s %7s %7s\n", "recording", "gpsd", "agree", "missing", "extra", "fix", "used", "view")
	for _, folder := range folders {
		logs, err := filepath.Glob(filepath.Join(folder, "*.log"))
		if err != nil || len(logs) == 0 {
			t.Fatalf("no recordings in %s (%v)", folder, err)
		}
		for _, log := range logs {
			compare(t, table, log, explained)
		}
	}
	t.Log("seconds with a fix, by gpsd and by this driver\n" + table.String())
}

func compare(t *testing.T, table *strings.Builder, log string, explained map[string]map[string]int) {
	name := filepath.Base(log)
	theirs := gpsd(t, log+".chk")
	ours := decode(t, log)
	found := map[string]int{}
	agree := 0
	for second, b := range theirs {
		a, ok := ours[second]
		switch {
		case !ok:
			found["missing"]++
		case a.fix != b.fix:
			found["fix"]++
		case b.used >= 0 && a.used != b.used:
			found["used"]++
		case b.inView >= 0 && a.inView != b.inView:
			found["view"]++
		default:
			agree++
		}
	}
	for second := range ours {
		if _, ok := theirs[second]; !ok {
			found["extra"]++
		}
	}
	fmt.Fprintf(table, "%-32s %7d %7d", name, len(theirs), agree)
	for _, kind := range kinds {
		fmt.Fprintf(table, " %7d", found[kind])
		if got, want := found[kind], explained[name][kind]; got != want {
			t.Errorf("%s: %d seconds %s, testdata/differences.txt explains %d", name, got, kind, want)
		}
	}
	fmt.Fprintln(table)
}

// decode gives, for each second that got a sample, what the signal said at the end of its burst.
func decode(t *testing.T, log string) map[string]solution {
	raw, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	out := &perSecond{found: map[string]solution{}}
	config := DefaultConfig()
	config.Baud = 115200
	newLine(config, refclock.Environment{}, out).play(body(raw))
	return out.found
}

// perSecond joins each sample with the next signal.
type perSecond struct {
	found   map[string]solution
	pending string
}

func (s *perSecond) Sample(sample refclock.Sample) {
	s.pending = sample.Instant.Add(-uncalibratedDelay).UTC().String()
}

func (s *perSecond) Signal(signal refclock.Signal) {
	if s.pending != "" {
		s.found[s.pending] = solution{signal.GNSS.Fix, signal.GNSS.SatellitesUsed, len(signal.GNSS.Satellites)}
		s.pending = ""
	}
}

// gpsd reads the expected output of gpsd's regression test: for each whole second with a fix the last mode it reported,
// and the satellites it last gave while that second's sentences came. It lists a satellite once for each signal.
func gpsd(t *testing.T, path string) map[string]solution {
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]solution{}
	sky := map[time.Duration]solution{}
	var of time.Duration
	for text := range bytes.Lines(raw) {
		if m := timeField.FindSubmatch(text); m != nil {
			of = clockTime(string(m[1]))
		}
		if text[0] != '{' {
			continue
		}
		var said struct {
			Class      string
			Mode       int
			Time       any // a string in the class that matters here
			USat       *int
			Satellites []struct {
				GNSSID, SVID int
				Used         bool
			}
		}
		if err := json.Unmarshal(text, &said); err != nil {
			t.Fatalf("%s: %v in %s", path, err, text)
		}
		switch {
		case said.Class == "SKY" && len(said.Satellites) > 0:
			all, used := map[[2]int]bool{}, map[[2]int]bool{}
			for _, s := range said.Satellites {
				id := [2]int{s.GNSSID, s.SVID}
				all[id] = true
				if s.Used {
					used[id] = true
				}
			}
			sky[of] = solution{used: len(used), inView: len(all)}
		case said.Class == "SKY" && said.USat != nil && sky[of].inView <= 0:
			sky[of] = solution{used: *said.USat, inView: -1}
		case said.Class == "TPV" && said.Time != nil && said.Mode >= 2:
			at, err := time.Parse(time.RFC3339Nano, said.Time.(string))
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			fix := refclock.Fix2D
			if said.Mode == 3 {
				fix = refclock.Fix3D
			}
			if at.Nanosecond() == 0 {
				found[at.Format("2006-01-02T15:04:05.000000000Z")] = solution{fix: fix}
			}
		}
	}
	for second, s := range found {
		at, err := time.Parse(time.RFC3339Nano, second)
		if err != nil {
			t.Fatal(err)
		}
		s.used, s.inView = -1, -1
		if of, ok := sky[at.Sub(at.Truncate(24*time.Hour))]; ok {
			s.used, s.inView = of.used, of.inView
		}
		found[second] = s
	}
	return found
}

// readDifferences reads lines of "recording kind count reason".
func readDifferences(t *testing.T) map[string]map[string]int {
	file, err := os.Open("testdata/differences.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	all := map[string]map[string]int{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		text := lines.Text()
		if text == "" || text[0] == '#' {
			continue
		}
		var name, kind string
		var count int
		if n, err := fmt.Sscan(text, &name, &kind, &count); n != 3 || len(strings.Fields(text)) < 5 {
			t.Fatalf("testdata/differences.txt: %q is not recording, kind, count, reason (%v)", text, err)
		}
		if all[name] == nil {
			all[name] = map[string]int{}
		}
		all[name][kind] = count
	}
	return all
}
