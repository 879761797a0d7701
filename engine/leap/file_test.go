package leap

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"timestation/refclock"
)

// Debian 12's list had expired when its successor, the embedded one, was half a year old.
func TestRealLists(t *testing.T) {
	old, err := Load("testdata/tzdata-2025b.list")
	if err != nil {
		t.Fatal(err)
	}
	for date, want := range map[refclock.UTC]struct {
		left    int
		expired bool
	}{
		refclock.Date(2026, 6, 27, 12, 0, 0, 0):  {0, false},
		refclock.Date(2026, 6, 28, 12, 0, 0, 0):  {-1, true},
		refclock.Date(2026, 4, 28, 0, 0, 0, 0):   {61, false},
		refclock.Date(2026, 11, 22, 12, 0, 0, 0): {-148, true},
	} {
		if left, expired := old.DaysLeft(date), old.Expired(date); left != want.left || expired != want.expired {
			t.Errorf("%s: %d days left, expired %t; want %+v", date, left, expired, want)
		}
	}
	table, from, refused := Newest("testdata/tzdata-2025b.list", "testdata/not-there.list")
	if from != "embedded" || len(refused) > 0 || table.Expires != refclock.Date(2027, 6, 28, 0, 0, 0, 0).Seconds {
		t.Errorf("newest is %s, expires %d, refused %v", from, table.Expires, refused)
	}
	if table.DaysLeft(refclock.Date(2026, 11, 22, 12, 0, 0, 0)) != 217 {
		t.Errorf("the embedded one has %d days left", table.DaysLeft(refclock.Date(2026, 11, 22, 12, 0, 0, 0)))
	}
}

// write makes a list with the embedded one's lines changed by edit, and a true signature.
func write(t *testing.T, updated, expires int64, edit func(lines []string) []string) string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(string(embedded)) {
		if !strings.HasPrefix(line, "#") {
			fields := strings.Fields(line)
			lines = append(lines, fields[0]+"\t"+fields[1])
		}
	}
	if edit != nil {
		lines = edit(lines)
	}
	u, x := fmt.Sprint(updated+ntpEpoch), fmt.Sprint(expires+ntpEpoch)
	digest := sha1.Sum([]byte(u + x + strings.ReplaceAll(strings.Join(lines, ""), "\t", "")))
	text := fmt.Sprintf("#$ %s\n#@ %s\n%s\n#h %x %x %x %x %x\n", u, x, strings.Join(lines, "\n"),
		digest[0:4], digest[4:8], digest[8:12], digest[12:16], digest[16:20])
	path := filepath.Join(t.TempDir(), "leap-seconds.list")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNewerFileWins(t *testing.T) {
	july := refclock.Date(2027, 7, 1, 0, 0, 0, 0).Seconds
	newer := write(t, refclock.Date(2027, 1, 8, 0, 0, 0, 0).Seconds, refclock.Date(2027, 12, 28, 0, 0, 0, 0).Seconds,
		func(lines []string) []string { return append(lines, fmt.Sprintf("%d\t38", july+ntpEpoch)) })
	table, from, refused := Newest(SystemList+".not-there", newer, "testdata/tzdata-2025b.list")
	if from != newer || len(refused) > 0 || table.TAIMinusUTC(refclock.UTC{Seconds: july}) != 38 {
		t.Errorf("newest is %s, refused %v", from, refused)
	}
}

// A file that is not what it says, or tells another past, is refused in one line that names it.
func TestFilesThatAreRefused(t *testing.T) {
	next := refclock.Date(2027, 1, 8, 0, 0, 0, 0).Seconds
	garbage := filepath.Join(t.TempDir(), "garbage")
	if err := os.WriteFile(garbage, bytes.Repeat([]byte{0xff, '\n'}, 3000), 0o600); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(write(t, next, next+1e7, nil))
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut")
	if err := os.WriteFile(cut, good[:len(good)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"garbage": garbage, "cut": cut, "a folder": t.TempDir(),
		"another past": write(t, next, next+1e7, func(l []string) []string { l[3] = "2335219200\t14"; return l }),
		"too short":    write(t, next, next+1e7, func(l []string) []string { return l[:20] }),
		"a wild step":  write(t, next, next+1e7, func(l []string) []string { return append(l, "4023129600\t55") }),
		"an invented leap in the past": write(t, next, next+1e7, func(l []string) []string {
			return append(l, fmt.Sprintf("%d\t38", refclock.Date(2020, 1, 1, 0, 0, 0, 0).Seconds+ntpEpoch))
		}),
	} {
		table, from, refused := Newest(path)
		if from != "embedded" || len(refused) != 1 || table.TAIMinusUTC(refclock.Date(2027, 1, 1, 0, 0, 0, 0)) != 37 {
			t.Errorf("%s: taken from %s, refused %v", name, from, refused)
			continue
		}
		if text := refused[0].Error(); !strings.Contains(text, path) || strings.Contains(text, "\n") {
			t.Errorf("%s: %s", name, text)
		}
	}
}
