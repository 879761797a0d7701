package gps

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"timestation/refclock"
	"timestation/refclock/sinktest"
)

// read decodes a recording from a reader; it gives each solution as JSON, for comparison.
func read(t testing.TB, from io.Reader, notBefore time.Time) (lines []string, s Summary) {
	s, err := ReadRecording(from, notBefore, func(s Solution) error {
		line, err := json.Marshal(s)
		lines = append(lines, string(line))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines, s
}

// portions is a reader that gives a few bytes at a time, as many as chance wants.
type portions struct {
	from   io.Reader
	random *rand.Rand
	most   int
}

func (p portions) Read(b []byte) (int, error) {
	return p.from.Read(b[:min(len(b), 1+p.random.IntN(p.most))])
}

// TestPortions: however a stream is cut into pieces, what comes out is the same.
func TestPortions(t *testing.T) {
	logs, err := filepath.Glob("testdata/*/*.log")
	if err != nil || len(logs) < 15 {
		t.Fatalf("%d recordings (%v)", len(logs), err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, log := range logs {
		raw, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		// A few bits of damage, for the debris.
		for range len(raw) / 2000 {
			raw[len(raw)/10+random.IntN(len(raw)*9/10)] ^= byte(1 << random.IntN(8))
		}
		want, wantSummary := read(t, bytes.NewReader(raw), time.Time{})
		for name, from := range map[string]io.Reader{
			"bytes":    iotest.OneByteReader(bytes.NewReader(raw)),
			"portions": portions{bytes.NewReader(raw), random, 700},
		} {
			got, summary := read(t, from, time.Time{})
			if strings.Join(got, "\n") != strings.Join(want, "\n") || fmt.Sprint(summary) != fmt.Sprint(wantSummary) {
				t.Errorf("%s in %s: %d solutions %v, want %d %v", log, name, len(got), summary, len(want), wantSummary)
			}
		}
	}
}

// TestDamaged: short samples, some of them damaged on purpose: what is whole is found, what is not is counted.
func TestDamaged(t *testing.T) {
	for _, c := range []struct {
		name             string
		solutions        int
		messages, errors uint64
		last             string
	}{
		{"BADCK2", 1, 25, 1, "2021-12-04T11:34:58.999638332Z 3d 26"},
		{"BADEOF1", 1, 3, 0, "2020-10-20T14:04:48.999922738Z 3d 10"}, // cut off in its last packet
		{"MIXED", 39, 308, 0, "2020-10-23T11:33:53.000040120Z 3d 15"},
		{"MIXED3BADCK", 2, 4, 1, "2022-01-18T08:02:48.000000000Z 3d 7"},
		{"MON", 0, 12, 0, ""},
		{"NAV-ZED-X20P", 3, 60, 0, "2025-08-25T19:38:21.000269022Z 3d 29"},
		{"SEC", 0, 8, 0, ""},
	} {
		raw, err := os.ReadFile("testdata/pyubx2/pygpsdata-" + c.name + ".log")
		if err != nil {
			t.Fatal(err)
		}
		last, n := "", 0
		s, err := ReadRecording(bytes.NewReader(raw), time.Time{}, func(s Solution) error {
			last, n = fmt.Sprint(s.UTC, " ", s.Fix, " ", s.SatellitesUsed), n+1
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		messages := uint64(0)
		for _, count := range s.Messages {
			messages += count
		}
		if n != c.solutions || messages != c.messages || s.ChecksumErrors != c.errors || last != c.last {
			t.Errorf("%s: %d solutions of %d messages, %d errors, the last %s; want %+v", c.name, n, messages, s.ChecksumErrors, last, c)
		}
	}
}

// TestReadRollover: a recording's dates are left alone, unless they are bounded; where its header says that they must be
// wrong, that is remarked.
func TestReadRollover(t *testing.T) {
	raw, err := os.ReadFile("testdata/recordings/april6_2019.log")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		notBefore time.Time
		want      string
		repaired  uint64
		remarks   int
	}{
		{time.Time{}, "1999-08-22T00:02:31.42", 0, 1},
		{time.Date(2019, 2, 12, 0, 0, 0, 0, time.UTC), "2019-04-07T00:02:31.42", 1, 0},
	} {
		lines, s := read(t, bytes.NewReader(raw), c.notBefore)
		if got := strings.Join(lines, " "); !strings.Contains(got, c.want) || s.Repaired != c.repaired || len(s.Remarks) != c.remarks {
			t.Errorf("since %v: %s, %d repaired, remarks %q", c.notBefore, got, s.Repaired, s.Remarks)
		}
	}
}

// TestMidnight: where only some seconds tell the date, the others get the last that was told, over midnight too.
func TestMidnight(t *testing.T) {
	var text strings.Builder
	for i, at := range []string{"235957.00", "235958.00", "235959.00", "000000.00", "000001.00"} {
		if i == 1 {
			text.WriteString(rmc(at, "A", "311226"))
		}
		text.WriteString(gga(at, "1", "08"))
	}
	var got []string
	_, err := ReadRecording(strings.NewReader(text.String()), time.Time{}, func(s Solution) error {
		if s.UTC == nil {
			got = append(got, "unknown")
		} else {
			got = append(got, s.UTC.Time().Format("2006-01-02T15:04:05"))
		}
		return nil
	})
	want := "unknown 2026-12-31T23:59:58 2026-12-31T23:59:59 2027-01-01T00:00:00 2027-01-01T00:00:01"
	if err != nil || strings.Join(got, " ") != want {
		t.Errorf("%v, %v", got, err)
	}
}

// TestLeapSecondInUBX: an inserted second is said as :60.
func TestLeapSecondInUBX(t *testing.T) {
	f := good(time.Date(2016, time.December, 31, 23, 59, 59, 0, time.UTC))
	f.leap = 17
	pvt := []byte(f.pvt())
	next := bytes.Clone(pvt)
	next[6+10] = 60                          // seconds
	next[6], next[7] = pvt[6]+0xe8, pvt[7]+3 // 1000 ms later in the week
	if pvt[6] > 0x17 {
		next[7]++
	}
	a, b := fletcher(next[2 : len(next)-2])
	next[len(next)-2], next[len(next)-1] = a, b
	lines, _ := read(t, bytes.NewReader(append(pvt, next...)), time.Time{})
	if len(lines) != 2 || !strings.Contains(lines[1], "2016-12-31T23:59:60.000000000Z") {
		t.Errorf("%s", lines)
	}
}

// TestSurveyAndMarks: what timing receivers say of their survey, and of pulses at their input, is in the summary.
func TestSurveyAndMarks(t *testing.T) {
	var nav, tim, mark encoder
	nav.zeros(8)
	nav.u4(1234)
	nav.upTo(28)
	nav.u4(25000) // 0.1 mm
	nav.upTo(36)
	nav.u1(0, 1) // not valid, active
	nav.upTo(40)
	tim.u4(7200)
	tim.upTo(16)
	tim.u4(4e6) // mm²
	tim.upTo(24)
	tim.u1(1, 0)
	tim.upTo(28)
	mark.u1(0, 0xc0) // a new rising edge, its time valid
	mark.upTo(4)
	mark.u2(2237) // of the rising edge, then of the falling one
	mark.u2(2236)
	mark.u4(345678)
	mark.upTo(24)
	mark.u4(45)
	notValid := encoder{p: bytes.Clone(mark.p)}
	notValid.p[1] = 0x80
	for _, c := range []struct {
		messages string
		want     []string
	}{
		{nav.set(navSVIN), []string{"survey of the antenna's position: running, 1234 s, 2.5 m"}},
		{tim.set(timSVIN), []string{"survey of the antenna's position: over, 7200 s, 2.0 m"}},
		{mark.set(timTM2) + mark.set(timTM2) + notValid.set(timTM2),
			[]string{"2 pulses stamped at the receiver's input, the last in week 2237 at 345678 ms ± 45ns"}},
	} {
		if _, s := read(t, strings.NewReader(c.messages+good(noon).pvt()), time.Time{}); !slices.Equal(s.Remarks, c.want) {
			t.Errorf("%q, not %q", s.Remarks, c.want)
		}
	}
}

// TestStop: an error of whoever takes the solutions ends the reading, and so does one of the file.
func TestStop(t *testing.T) {
	f := good(noon)
	enough := errors.New("enough")
	if _, err := ReadRecording(strings.NewReader(strings.Repeat(f.pvt()+f.timeLS(), 3)), time.Time{}, func(Solution) error { return enough }); !errors.Is(err, enough) {
		t.Error(err)
	}
	if _, err := ReadRecording(iotest.ErrReader(enough), time.Time{}, nil); !errors.Is(err, enough) {
		t.Error(err)
	}
}

// TestBetween: messages of other protocols between a receiver's own, and garbage that looks like the beginning of a long
// packet, hide nothing.
func TestBetween(t *testing.T) {
	var clean, dirty strings.Builder
	for i := range 20 {
		f := good(noon.Add(time.Duration(i) * time.Second))
		f.used = 4 + i%5
		at := f.at.Format("150405.00")
		messages := []string{f.pvt(), f.timeLS(), f.sat(), rmc(at, "A", "011226"), gsa}
		debris := []string{
			rtcm(1077, 300), "\xb5\x62\x01\x35\xff\x1f", "\xd3\x03\xff", "\xa0\xa2\x03\xff", "$GPGGA,1200", "\xb5\x62", "\xb5\xb5\xb5",
			"\r\n$$$\r\n", "\x00\xff$GP\x80", strings.Repeat("\xb5\x62\x0a\x04\x10\x00", 20),
		}
		for k, m := range messages {
			clean.WriteString(m)
			dirty.WriteString(debris[(i+3*k)%len(debris)] + m)
		}
	}
	want, _ := read(t, strings.NewReader(clean.String()), time.Time{})
	got, s := read(t, strings.NewReader(dirty.String()+strings.Repeat("\x00", longestPacket)), time.Time{})
	if strings.Join(got, "\n") != strings.Join(want, "\n") || len(want) != 20 || s.ChecksumErrors == 0 {
		t.Errorf("%d solutions among debris, %d without\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
}

// hourAtTenHertz is what a u-blox sends in an hour at ten solutions a second: NAV-PVT, and once a second NAV-SAT of 32
// satellites, NAV-TIMEGPS and NAV-TIMELS.
func hourAtTenHertz() []byte {
	var b bytes.Buffer
	for i := range 36000 {
		f := good(noon.Add(time.Duration(i/10) * time.Second))
		f.nano, f.used = int32(i%10)*1e8, 30
		at := f
		at.at = at.at.Add(time.Duration(i%10) * 100 * time.Millisecond)
		_, tow := at.gpsTime()
		p := []byte(f.pvt())
		p[6], p[7], p[8], p[9] = byte(tow), byte(tow>>8), byte(tow>>16), byte(tow>>24)
		p[len(p)-2], p[len(p)-1] = fletcher(p[2 : len(p)-2])
		b.Write(p)
		if i%10 == 0 {
			b.WriteString(f.sat() + f.timeGPS() + f.timeLS())
		}
	}
	return b.Bytes()
}

// BenchmarkHourAtTenHertz decodes an hour of 10 Hz UBX; it should take less than 2 s.
func BenchmarkHourAtTenHertz(b *testing.B) {
	raw := hourAtTenHertz()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		n := 0
		if _, err := ReadRecording(bytes.NewReader(raw), time.Time{}, func(Solution) error { n++; return nil }); err != nil || n != 36000 {
			b.Fatalf("%d solutions, %v", n, err)
		}
	}
}

// TestTenHertzUBX: ten solutions a second are ten solutions, and one sample, once it is clear that no gap will come.
func TestTenHertzUBX(t *testing.T) {
	raw := hourAtTenHertz()[:60000]
	lines, _ := read(t, bytes.NewReader(raw), time.Time{})
	out := &sinktest.Record{}
	config := slowConfig()
	config.Baud = 115200
	newLine(config, refclock.Environment{NotBefore: built}, out).play(raw)
	if whole := (len(lines) + 9) / 10; len(lines) < 400 || len(out.Samples()) < whole-6 || len(out.Samples()) > whole {
		t.Errorf("%d solutions, %d samples", len(lines), len(out.Samples()))
	}
}
