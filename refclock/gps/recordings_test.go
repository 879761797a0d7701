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

// solution is what somebody makes of one moment of a recording; used and inView are -1 where that is not told.
type solution struct {
	fix          refclock.Fix
	used, inView int
}

// kinds of difference, in the order of the table.
var kinds = []string{"missing", "extra", "fix", "used", "view"}

// TestRecordings decodes recordings of real receivers and compares with what gpsd made of them, moment by moment. Every
// difference must be one that testdata/differences.txt counts and explains. The folder that TIMESTATION_RECORDINGS names
// is decoded too.
func TestRecordings(t *testing.T) {
	compareAll(t, "testdata/differences.txt", "moments with a fix, by gpsd and by ReadRecording", decoded, func(time.Time) bool { return true })
}

// TestRecordingsLive plays the same recordings at the pace of a line, and compares the samples that the driver makes of
// them with the whole seconds for which gpsd has a fix.
func TestRecordingsLive(t *testing.T) {
	compareAll(t, "testdata/differences-live.txt", "seconds with a fix, by gpsd and by the driver's samples", sampled,
		func(at time.Time) bool { return at.Nanosecond() == 0 })
}

// compareAll compares ours with gpsd's at the moments that count.
func compareAll(t *testing.T, differences, title string, ours func(*testing.T, []byte) map[string]solution, counts func(time.Time) bool) {
	explained := readDifferences(t, differences)
	folders := []string{"testdata/recordings"}
	if more := os.Getenv("TIMESTATION_RECORDINGS"); more != "" {
		folders = append(folders, more)
	} else {
		t.Log("TIMESTATION_RECORDINGS names no folder with more recordings: they are not compared")
	}
	table := &strings.Builder{}
	fmt.Fprintf(table, "%-33s %7s %7s %7s %7s %7s %7s %7s\n", "recording", "gpsd", "agree", "missing", "extra", "fix", "used", "view")
	for _, folder := range folders {
		logs, err := filepath.Glob(filepath.Join(folder, "*.log"))
		if err != nil || len(logs) == 0 {
			t.Fatalf("no recordings in %s (%v)", folder, err)
		}
		total := tally{}
		for _, log := range logs {
			raw, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Base(log)
			got := compare(ours(t, raw), gpsd(t, log+".chk", counts))
			got.row(table, name)
			total.theirs, total.agree = total.theirs+got.theirs, total.agree+got.agree
			for i, kind := range kinds {
				total.found[i] += got.found[i]
				if want := explained[name][kind]; got.found[i] != want {
					t.Errorf("%s: %d %s, %s explains %d", name, got.found[i], kind, differences, want)
				}
			}
		}
		total.row(table, "total of "+filepath.Base(folder))
	}
	t.Log(title + "\n" + table.String())
}

// tally counts agreements and differences.
type tally struct {
	theirs, agree int
	found         [5]int // of kinds
}

func (c tally) row(table *strings.Builder, name string) {
	fmt.Fprintf(table, "%-33s %7d %7d", name, c.theirs, c.agree)
	for _, n := range c.found {
		fmt.Fprintf(table, " %7d", n)
	}
	fmt.Fprintln(table)
}

func compare(ours, theirs map[string]solution) (c tally) {
	c.theirs = len(theirs)
	for moment, b := range theirs {
		a, ok := ours[moment]
		switch {
		case !ok:
			c.found[0]++
		case a.fix != b.fix && (a.fix != refclock.FixTime || b.fix != refclock.Fix3D): // to gpsd, time alone is 3D
			c.found[2]++
		case b.used >= 0 && a.used != b.used:
			c.found[3]++
		case b.inView >= 0 && a.inView != b.inView:
			c.found[4]++
		default:
			c.agree++
		}
	}
	for moment := range ours {
		if _, ok := theirs[moment]; !ok {
			c.found[1]++
		}
	}
	return c
}

// momentFormat is how moments are compared: gpsd rounds to milliseconds.
const momentFormat = "2006-01-02T15:04:05.000Z"

// decoded gives each fix that ReadRecording finds.
func decoded(t *testing.T, raw []byte) map[string]solution {
	found := map[string]solution{}
	_, err := ReadRecording(bytes.NewReader(raw), time.Time{}, func(s Solution) error {
		if s.UTC != nil && s.Fix != refclock.NoFix {
			found[s.UTC.Time().Round(time.Millisecond).Format(momentFormat)] = solution{s.Fix, s.SatellitesUsed, len(s.Satellites)}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// sampled gives, for each second that got a sample, what the signal said at the end of its burst.
func sampled(_ *testing.T, raw []byte) map[string]solution {
	out := &perSecond{found: map[string]solution{}}
	config := DefaultConfig()
	config.Baud = 115200
	newLine(config, refclock.Environment{}, out).play(body(raw))
	return out.found
}

// perSecond joins each sample with the next signal.
type perSecond struct {
	found   map[string]solution
	pending []string
}

func (s *perSecond) Sample(sample refclock.Sample) {
	if sample.Kind == refclock.Absolute {
		// UBX says how far its solution was from the second.
		at := sample.Instant.Add(-uncalibratedDelay).UTC().Time().Round(2 * onSecond)
		s.pending = append(s.pending, at.Format(momentFormat))
	}
}

func (s *perSecond) Signal(signal refclock.Signal) {
	for _, moment := range s.pending {
		s.found[moment] = solution{signal.GNSS.Fix, signal.GNSS.SatellitesUsed, len(signal.GNSS.Satellites)}
	}
	s.pending = nil
}

// gpsd reads the expected output of gpsd's regression test: for each moment with a fix the last mode it reported, and the
// satellites it last gave while that moment's sentences came, or with its time. It lists a satellite once for each signal.
func gpsd(t *testing.T, path string, counts func(time.Time) bool) map[string]solution {
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]solution{}
	sky := map[time.Duration]solution{}
	of := time.Duration(-1)
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
		if at, ok := said.Time.(string); ok && said.Class == "SKY" { // better than the sentences, which gpsd makes up for a binary receiver
			of = dayTime(t, at)
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
			if counts(at) {
				found[at.Format(momentFormat)] = solution{fix: fix}
			}
		}
	}
	for moment, s := range found {
		s.used, s.inView = -1, -1
		if of, ok := sky[dayTime(t, moment)]; ok {
			s.used, s.inView = of.used, of.inView
		}
		found[moment] = s
	}
	return found
}

func dayTime(t *testing.T, moment string) time.Duration {
	at, err := time.Parse(time.RFC3339Nano, moment)
	if err != nil {
		t.Fatal(err)
	}
	return at.Sub(at.Truncate(24 * time.Hour))
}

// readDifferences reads lines of "recording kind count reason".
func readDifferences(t *testing.T, path string) map[string]map[string]int {
	file, err := os.Open(path)
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
			t.Fatalf("%s: %q is not recording, kind, count, reason (%v)", path, text, err)
		}
		if all[name] == nil {
			all[name] = map[string]int{}
		}
		all[name][kind] = count
	}
	return all
}
