package replay

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"timestation/refclock"
	"timestation/refclock/sinktest"
)

// checksum ends a sentence.
func checksum(body string) string {
	var sum byte
	for i := range len(body) {
		sum ^= body[i]
	}
	return fmt.Sprintf("$%s*%02X\r\n", body, sum)
}

// ubx frames a payload.
func ubx(class, id byte, payload []byte) []byte {
	p := append([]byte{0xb5, 0x62, class, id, byte(len(payload)), byte(len(payload) >> 8)}, payload...)
	var a, b byte
	for _, c := range p[2:] {
		a += c
		b += a
	}
	return append(p, a, b)
}

// nmea is a recording of n seconds from 23:59:50 on, perHertz times a second, by a receiver in 2019.
func nmea(n, perHertz int) []byte {
	var text strings.Builder
	text.WriteString("# a receiver\n# made for a test\n")
	for i := range n * perHertz {
		at := time.Date(2019, 12, 31, 23, 59, 50, 0, time.UTC).Add(time.Duration(i) * time.Second / time.Duration(perHertz))
		clock := at.Format("150405.00")
		text.WriteString(checksum("GPGGA," + clock + ",5231.000,N,01324.000,E,1,08,1.0,40.0,M,45.0,M,,"))
		text.WriteString(checksum("GPRMC," + clock + ",A,5231.000,N,01324.000,E,0.0,0.0," + at.Format("020106") + ",,,A"))
	}
	return []byte(text.String())
}

// run plays a file for a time from a start, by a clock that set may change, and gives what came out.
func run(t *testing.T, content []byte, start refclock.Stamp, change func(*Config), d time.Duration, set func(after time.Duration) time.Duration) *sinktest.Record {
	t.Helper()
	config := DefaultConfig()
	config.File = filepath.Join(t.TempDir(), "recording")
	if err := os.WriteFile(config.File, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&config)
	}
	out := &sinktest.Record{}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		env := refclock.Environment{
			TAIMinusUTC: func(refclock.UTC) int32 { return 37 }, NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
			Now: func() refclock.Stamp {
				after := time.Since(began)
				if set != nil {
					return start.Add(after + set(after))
				}
				return start.Add(after)
			},
		}
		ctx, stop := context.WithTimeout(t.Context(), d)
		defer stop()
		if err := (&driver{config: config, env: env}).Run(ctx, out); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > d+time.Second {
			t.Errorf("it took %v", took)
		}
	})
	return out
}

const start = refclock.Stamp(1_795_348_800_300_000_000) // 2026-11-22T12:00:00.3Z

// TestRestamped: a recording plays for ever, in the present: one sample a second, each as true as the clock it goes by.
func TestRestamped(t *testing.T) {
	out := run(t, nmea(15, 1), start, nil, 61*time.Second, nil)
	if n := len(out.Samples()); n < 56 || n > 61 {
		t.Errorf("%d samples in a minute", n)
	}
	for i, s := range out.Samples() {
		u := s.Instant.UTC()
		if wrong := time.Duration(u.Seconds*1e9 + int64(u.Nanoseconds) - int64(s.Stamp)); wrong.Abs() > time.Millisecond {
			t.Fatalf("sample %d is wrong by %v: %v", i, wrong, u)
		}
		if s.Unsure || s.TAIKnown || s.Systematic != 50*time.Millisecond {
			t.Errorf("%+v", s)
		}
	}
	if s := out.Signals()[len(out.Signals())-1]; s.State != refclock.Timing || s.GNSS.SatellitesUsed != 8 {
		t.Errorf("%+v", s)
	}
}

// TestClockSet: a clock that somebody sets does not take the play with it.
func TestClockSet(t *testing.T) {
	out := run(t, nmea(60, 1), start, nil, 40*time.Second, func(after time.Duration) time.Duration {
		if after > 20*time.Second {
			return 1000 * time.Hour
		}
		return 0
	})
	last := out.Samples()[len(out.Samples())-1]
	if u := last.Instant.UTC(); u.Time().Year() != 2026 || u.Seconds > int64(start)/1e9+41 || last.Stamp.Sub(start) < 1000*time.Hour {
		t.Errorf("%v at %v", u, last.Stamp)
	}
}

// TestOwn: a recording has its own dates, over the end of a year, plays once and says when it is over.
func TestOwn(t *testing.T) {
	out := run(t, nmea(15, 1), start, func(c *Config) { c.Time = own }, 30*time.Second, nil)
	if n := len(out.Samples()); n < 13 || n > 15 {
		t.Fatalf("%d samples", n)
	}
	last := out.Samples()[len(out.Samples())-1].Instant.UTC().String()
	if !strings.HasPrefix(last, "2020-01-01T00:00:0") {
		t.Error(last)
	}
	if s := out.Signals()[len(out.Signals())-1]; !strings.Contains(s.Text, "the recording is over") {
		t.Errorf("%+v", s)
	}
}

// TestRecordings plays real ones.
func TestRecordings(t *testing.T) {
	logs, err := filepath.Glob("../gps/testdata/recordings/*.log")
	if err != nil || len(logs) == 0 {
		t.Fatal("no recordings", err)
	}
	played := 0
	for _, log := range logs {
		content, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		all, length := bursts(content)
		if len(all) == 0 {
			continue // a receiver of another language
		}
		out := run(t, content, start, nil, min(length, 2*time.Minute)+2*time.Second, nil)
		t.Logf("%-40s %4d bursts, %8v, %4d samples", filepath.Base(log), len(all), length, len(out.Samples()))
		if len(out.Samples()) > 0 {
			played++
		}
		for _, s := range out.Samples() {
			u := s.Instant.UTC()
			if wrong := time.Duration(u.Seconds*1e9 + int64(u.Nanoseconds) - int64(s.Stamp)); s.Kind == refclock.Absolute && wrong.Abs() > time.Second/2 {
				t.Errorf("%s: wrong by %v", log, wrong)
			}
		}
	}
	if played < 3 {
		t.Errorf("%d recordings gave a time", played)
	}
}

// TestBursts: recordings are cut at each new time, of NMEA where there is any, over midnight and gaps.
func TestBursts(t *testing.T) {
	tow := func(ms uint32) []byte {
		return ubx(0x01, 0x07, append([]byte{byte(ms), byte(ms >> 8), byte(ms >> 16), byte(ms >> 24)}, make([]byte, 88)...))
	}
	var binary, gap []byte
	for _, ms := range []uint32{604799800, 604799900, 604799900, 0, 100, 200} {
		binary = append(binary, tow(ms)...)
		binary = append(binary, ubx(0x0a, 0x38, []byte{1, 2, 3, 4})...)
	}
	for _, clock := range []string{"120000.00", "120000.00", "120001.00", "143000.00", "142959.00"} {
		gap = append(gap, checksum("GPGGA,"+clock+",,,,,0,00,,,M,,M,,")...)
		gap = append(gap, tow(uint32(len(gap))*1000)...)
	}
	for _, c := range []struct {
		name    string
		content []byte
		want    string
		length  time.Duration
	}{
		{"ten a second", nmea(1, 10), "0s 100ms 200ms 300ms 400ms 500ms 600ms 700ms 800ms 900ms", time.Second},
		{"midnight", nmea(12, 1)[:], "0s 1s 2s 3s 4s 5s 6s 7s 8s 9s 10s 11s", 12 * time.Second},
		{"binary, week's end", binary, "800ms 900ms 1s 1.1s 1.2s", 2 * time.Second},
		{"gaps", gap, "0s 1s 2s 3s", 4 * time.Second},
		{"nothing", []byte("$GPTXT,hello\r\nlogin: \xb5\x62\x01"), "", 0},
	} {
		all, length := bursts(c.content)
		var at []string
		for _, p := range all {
			at = append(at, p.at.String())
		}
		if got := strings.Join(at, " "); got != c.want || length != c.length {
			t.Errorf("%s: %s, %v", c.name, got, length)
		}
	}
}

// TestErrors: what cannot be played is said in one line with the mend.
func TestErrors(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"/no/such/file": "/no/such/file: there is no such recording",
		"/dev/null":     "/dev/null: it is not a file",
		empty:           empty + ": there is no time in it",
	} {
		config := DefaultConfig()
		config.File = file
		err := (&driver{config: config, env: refclock.Environment{Now: func() refclock.Stamp { return start }}}).Run(t.Context(), &sinktest.Record{})
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Error(err)
		}
	}
	for want, change := range map[string]func(*Config){
		"":                            func(*Config) {},
		"file: is missing":            func(c *Config) { c.File = "" },
		`format: "mp3" is not known`:  func(c *Config) { c.Format = "mp3" },
		`time: "later" is not known`:  func(c *Config) { c.Time = "later" },
		"delay_seconds: 1 is not":     func(c *Config) { c.Delay = 1 },
		"delay_limit_seconds: 0 is n": func(c *Config) { c.Limit = 0 },
	} {
		c := DefaultConfig()
		c.File = "recording"
		change(&c)
		if err := c.Validate(); err == nil && want != "" || err != nil && (want == "" || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// FuzzBursts: no byte of what is played is lost or doubled once the time has begun, and times only go on.
func FuzzBursts(f *testing.F) {
	f.Add(nmea(3, 2))
	f.Add(append(ubx(0x01, 0x07, make([]byte, 92)), "$GPGGA,120000.00,\n\xb5b"...))
	f.Fuzz(func(t *testing.T, content []byte) {
		all, length := bursts(content)
		var together []byte
		last := time.Duration(-1)
		for _, p := range all {
			if p.at <= last && len(together) > 0 || p.at >= length {
				t.Errorf("%v after %v of %v", p.at, last, length)
			}
			last = p.at
			together = append(together, p.data...)
		}
		if !bytes.HasSuffix(content, together) {
			t.Error("other bytes")
		}
	})
}
