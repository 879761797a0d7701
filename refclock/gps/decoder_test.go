package gps

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/adrianmo/go-nmea"

	"timestation/refclock"
	"timestation/refclock/sinktest"
)

// sentence adds what frames a sentence.
func sentence(body string) string { return "$" + body + "*" + nmea.Checksum(body) + "\r\n" }

func rmc(at, status, day string) string {
	return sentence("GPRMC," + at + "," + status + ",4829.0005,N,00022.0015,E,0.15,212.28," + day + ",,,A")
}

func gga(at, quality, satellites string) string {
	return sentence("GPGGA," + at + ",4829.0005,N,00022.0015,E," + quality + "," + satellites + ",0.9,35.5,M,47.0,M,,")
}

func zda(at, day string) string { return sentence("GPZDA," + at + "," + day + ",00,00") }

func gns(at, mode string) string {
	return sentence("GNGNS," + at + ",4829.0005,N,00022.0015,E," + mode + ",09,0.9,35.5,47.0,,")
}

var (
	gsa = sentence("GPGSA,A,3,01,03,,,,,,,,,,,1.5,0.9,1.2")
	gsv = sentence("GPGSV,1,1,03,01,40,083,46,03,17,308,41,14,22,228,")
	txt = sentence("GPTXT,01,01,02,ANTSTATUS=OK")
)

const testSecond = "2020-03-18T13:28:20.000000000Z"

var built = time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)

func newTestLine(baud int) (*line, *sinktest.Record) {
	out := &sinktest.Record{}
	config := DefaultConfig()
	config.Baud = baud
	return newLine(config, refclock.Environment{NotBefore: built}, out), out
}

// TestAnchor: whatever sentence tells the time, however long it takes at this speed and in what portions the bytes are
// read, the sample's stamp is when the burst began.
func TestAnchor(t *testing.T) {
	const at, day = "132820.00", "180320"
	bursts := map[string]string{
		"RMC first":       rmc(at, "A", day) + gga(at, "1", "08") + gsa + gsv,
		"RMC last":        gga(at, "1", "08") + gsa + gsv + rmc(at, "A", day),
		"untimed first":   txt + gsv + gsa + rmc(at, "A", day),
		"ZDA last":        gga(at, "1", "08") + gsv + zda(at, "18,03,2020"),
		"binary packet":   "\xb5\x62\x01\x07$\x00\x00" + rmc(at, "A", day),
		"half a sentence": "34.1,M,,*44\r\n" + rmc(at, "A", day),
	}
	for name, burst := range bursts {
		for _, baud := range []int{4800, 9600, 38400, 115200} {
			for _, portion := range []int{1, 7, 16, 60} {
				perByte := bitsPerByte * time.Second / time.Duration(baud)
				if time.Duration(portion)*perByte > 50*time.Millisecond {
					continue // no poll would have waited so long
				}
				l, out := newTestLine(baud)
				l.idle(700 * time.Millisecond)
				l.now = l.now.Add(13 * time.Millisecond) // the line's bytes know nothing of our polls
				began := l.now
				for data := []byte(burst); len(data) > 0; {
					n := min(portion, len(data))
					l.now = l.now.Add(time.Duration(n) * perByte)
					l.decoder.Receive(data[:n], l.now)
					data = data[n:]
				}
				l.idle(200 * time.Millisecond)
				if len(out.Samples()) != 1 {
					t.Fatalf("%s, %d baud, %d bytes a read: %d samples", name, baud, portion, len(out.Samples()))
				}
				s := out.Samples()[0]
				if off := s.Stamp.Sub(began); off.Abs() > time.Millisecond {
					t.Errorf("%s, %d baud, %d bytes a read: stamped %v from the first byte", name, baud, portion, off)
				}
				if got := s.Instant.Add(-350 * time.Millisecond).UTC().String(); got != testSecond {
					t.Errorf("%s: %s", name, got)
				}
			}
		}
	}
}

// TestUSB: a receiver on USB hands over a whole burst at once, whatever baud rate is set. Then the last empty read limits
// how early it can have come.
func TestUSB(t *testing.T) {
	l, out := newTestLine(9600)
	l.idle(time.Second)
	arrived := l.now.Add(19 * time.Millisecond)
	burst := gga("132820.00", "1", "08") + strings.Repeat(gsv, 6) + rmc("132820.00", "A", "180320")
	l.now = arrived.Add(time.Millisecond)
	l.decoder.Receive([]byte(burst), l.now)
	l.idle(200 * time.Millisecond)
	if len(out.Samples()) != 1 {
		t.Fatalf("%d samples", len(out.Samples()))
	}
	if off := out.Samples()[0].Stamp.Sub(arrived); off < -40*time.Millisecond || off > 0 {
		t.Errorf("stamped %v from the arrival", off)
	}
}

// TestDelay: the configured delay and its limit are what the sample carries.
func TestDelay(t *testing.T) {
	delay := 0.085
	for _, c := range []struct {
		config             Config
		assumed, systemtic time.Duration
	}{
		{Config{Device: "x", Baud: 9600}, 350 * time.Millisecond, 350 * time.Millisecond},
		{Config{Device: "x", Baud: 9600, DelaySeconds: &delay, DelayLimitSeconds: 0.02}, 85 * time.Millisecond, 20 * time.Millisecond},
	} {
		out := &sinktest.Record{}
		l := newLine(c.config, refclock.Environment{NotBefore: built}, out)
		l.idle(time.Second)
		l.send([]byte(rmc("132820.00", "A", "180320")))
		l.idle(time.Second)
		s := out.Samples()[0]
		want := refclock.Date(2020, time.March, 18, 13, 28, 20, int(c.assumed)).Instant(37)
		if s.Instant != want || s.Systematic != c.systemtic || s.TAIKnown || s.Kind != refclock.Absolute {
			t.Errorf("%+v, want %v ± %v", s, want, c.systemtic)
		}
	}
}

// second sends one burst that begins 85 ms after each second of the line's clock.
func (l *line) second(burst string) {
	next := (l.now/1e9+1)*1e9 + 85e6
	l.at(next, burst)
}

// TestUnseenBeginning: a burst whose beginning was not seen makes no sample; the next one does.
func TestUnseenBeginning(t *testing.T) {
	whole := func(second int) string {
		at := fmt.Sprintf("1328%02d.00", second)
		return gga(at, "1", "08") + gsv + rmc(at, "A", "180320")
	}
	first := func(out *sinktest.Record) string {
		if len(out.Samples()) == 0 {
			return "none"
		}
		return out.Samples()[0].Instant.Add(-350 * time.Millisecond).UTC().String()[17:19]
	}
	t.Run("opened in the middle", func(t *testing.T) {
		l, out := newTestLine(9600)
		l.send([]byte(whole(20)[100:]))
		l.second(whole(21))
		l.idle(time.Second)
		if got := first(out); got != "21" {
			t.Errorf("the first sample is of second %s", got)
		}
	})
	t.Run("held up", func(t *testing.T) {
		l, out := newTestLine(9600)
		l.idle(500 * time.Millisecond)
		// The program sleeps while two bursts gather in the port.
		l.now = l.now.Add(1900 * time.Millisecond)
		l.decoder.Receive([]byte(whole(20)+whole(21)+whole(22)), l.now)
		l.idle(200 * time.Millisecond)
		if len(out.Samples()) != 0 {
			t.Errorf("%d samples of bursts whose age nobody knows", len(out.Samples()))
		}
		l.second(whole(23))
		l.idle(time.Second)
		if got := first(out); got != "23" {
			t.Errorf("the first sample is of second %s", got)
		}
	})
	t.Run("clock set back", func(t *testing.T) {
		l, out := newTestLine(9600)
		l.idle(500 * time.Millisecond)
		l.now -= 5_000_000_000
		l.send([]byte(whole(20)))
		l.idle(200 * time.Millisecond)
		if len(out.Samples()) != 0 {
			t.Errorf("%d samples across a clock step", len(out.Samples()))
		}
		l.second(whole(21))
		l.idle(time.Second)
		if got := first(out); got != "21" {
			t.Errorf("the first sample is of second %s", got)
		}
	})
}

// TestPauseInBurst: a receiver that stops for 150 ms in a burst makes one sample for it, stamped at its beginning.
func TestPauseInBurst(t *testing.T) {
	l, out := newTestLine(9600)
	for i := range 3 {
		at := fmt.Sprintf("1328%02d.00", 20+i)
		l.second(gga(at, "1", "08"))
		l.idle(150 * time.Millisecond)
		l.send([]byte(rmc(at, "A", "180320")))
		l.idle(150 * time.Millisecond)
		l.send([]byte(zda(at, "18,03,2020")))
	}
	l.idle(time.Second)
	if len(out.Samples()) != 3 {
		t.Fatalf("%d samples of 3 bursts", len(out.Samples()))
	}
	for _, s := range out.Samples() {
		if off := time.Duration(s.Stamp % 1e9); (off - 85*time.Millisecond).Abs() > time.Millisecond {
			t.Errorf("stamped %v after the second", off)
		}
	}
}

// TestTenHertz: ten solutions a second leave no gap; still there is one sample a second, stamped at its first sentence.
func TestTenHertz(t *testing.T) {
	l, out := newTestLine(115200)
	base := l.now.Add(30 * time.Millisecond)
	for i := range 50 {
		at := fmt.Sprintf("1328%02d.%d0", 19+(i+7)/10, (i+7)%10)
		l.at(base.Add(time.Duration(i)*100*time.Millisecond), gga(at, "1", "08")+gsa+strings.Repeat(gsv, 8)+rmc(at, "A", "180320"))
	}
	l.idle(time.Second)
	if len(out.Samples()) != 5 {
		t.Fatalf("%d samples of 5 seconds", len(out.Samples()))
	}
	for i, s := range out.Samples() {
		want := base.Add(300*time.Millisecond + time.Duration(i)*time.Second)
		if off := s.Stamp.Sub(want); off.Abs() > time.Millisecond {
			t.Errorf("sample %d is stamped %v off", i, off)
		}
	}
	if n := len(out.Signals()); n > 5*3 {
		t.Errorf("%d signals in 5 s", n)
	}
}

// TestFullLine: a burst that sometimes fills the line up to the next one, and tells its time late, is stamped only where
// its beginning was seen.
func TestFullLine(t *testing.T) {
	l, out := newTestLine(4800)
	l.idle(time.Second)
	base := l.now
	for i := range 20 {
		burst := strings.Repeat(txt, 5) + rmc(fmt.Sprintf("1328%02d.00", 20+i), "A", "180320")
		if i%3 == 1 {
			burst += strings.Repeat("$GPTXT\r\n", (455-len(burst))/8)
		}
		l.at(base.Add(time.Duration(i)*time.Second), burst)
	}
	l.idle(time.Second)
	if n := len(out.Samples()); n < 12 || n > 14 {
		t.Errorf("%d samples of 20 bursts", n)
	}
	for _, s := range out.Samples() {
		if off := s.Stamp.Sub(base) % time.Second; off > time.Millisecond {
			t.Errorf("stamped %v after the burst began", off)
		}
	}
}

// TestVerdicts: time is used only while everything in the burst says that it is valid.
func TestVerdicts(t *testing.T) {
	const at, day = "132820.00", "180320"
	for _, c := range []struct {
		name, burst, reason string // no reason: a sample
	}{
		{"RMC alone", rmc(at, "A", day), ""},
		{"RMC without mode", sentence("GPRMC," + at + ",A,4829.0005,N,00022.0015,E,0.15,212.28," + day + ",,"), ""},
		{"RMC and GGA", rmc(at, "A", day) + gga(at, "2", "08"), ""},
		{"GGA with RTK and ZDA", gga(at, "4", "08") + zda(at, "18,03,2020"), ""},
		{"GNS and ZDA", gns(at, "AANN") + zda(at, "18,03,2020"), ""},
		{"RMC void", rmc(at, "V", day), "no fix: "},
		{"RMC estimated", sentence("GPRMC," + at + ",A,4829.0005,N,00022.0015,E,0.15,212.28," + day + ",,,E"), "no fix: "},
		{"RMC simulated", sentence("GPRMC," + at + ",A,4829.0005,N,00022.0015,E,0.15,212.28," + day + ",,,S"), "no fix: "},
		{"GGA no fix", rmc(at, "A", day) + gga(at, "0", "08"), "no fix: "},
		{"GGA dead reckoning", rmc(at, "A", day) + gga(at, "6", "08"), "no fix: "},
		{"GGA simulator", gga(at, "8", "08") + rmc(at, "A", day), "no fix: "},
		{"GGA without satellites", rmc(at, "A", day) + gga(at, "1", "00"), "no fix: "},
		{"GNS no fix", gns(at, "NNNN") + zda(at, "18,03,2020"), "no fix: "},
		{"ZDA alone", zda(at, "18,03,2020"), "no fix: "},
		{"ZDA after a fix of another second", gga("132819.00", "1", "08") + zda(at, "18,03,2020"), "contradict"},
		{"dates differ", rmc(at, "A", day) + zda(at, "19,03,2020"), "contradict"},
		{"times differ", rmc(at, "A", day) + zda("132822.00", "18,03,2020"), "contradict"},
		{"no date", gga(at, "1", "08"), "no date"},
		{"no such day", rmc(at, "A", "310220"), "do not exist"},
		{"no such hour", rmc("252820.00", "A", day), "do not exist"},
		{"leap second in mid-month", rmc("235960.00", "A", day), "do not exist"},
		{"leap second at noon", rmc("125960.00", "A", "311220"), "do not exist"},
		{"between seconds", rmc("132820.70", "A", day), "between the seconds"},
		{"wrong checksum", strings.Replace(rmc(at, "A", day), "13282", "13283", 1), "listening"},
		{"no checksum", "$GPRMC,132820.00,A,4829.0005,N,00022.0015,E,0.15,212.28,180320,,,A\r\n", "listening"},
	} {
		l, out := newTestLine(9600)
		l.second(c.burst)
		l.idle(time.Second)
		switch got := len(out.Samples()); {
		case c.reason == "" && got != 1:
			t.Errorf("%s: %d samples (%s)", c.name, got, out.Last().Text)
		case c.reason == "" && (out.Last().State != refclock.Timing || out.Last().Text != ""):
			t.Errorf("%s: %+v", c.name, out.Last())
		case c.reason != "" && got != 0:
			t.Errorf("%s: %d samples", c.name, got)
		case c.reason != "" && (!strings.Contains(out.Last().Text, c.reason) || out.Last().State == refclock.Timing):
			t.Errorf("%s: %s, %q", c.name, out.Last().State, out.Last().Text)
		}
	}
}

// TestLeapSecond: through an inserted second TAI goes on evenly, and 23:59:60 is said.
func TestLeapSecond(t *testing.T) {
	out := &sinktest.Record{}
	env := refclock.Environment{NotBefore: time.Date(2016, time.January, 1, 0, 0, 0, 0, time.UTC)}
	l := newLine(slowConfig(), env, out)
	newYear := refclock.Date(2017, time.January, 1, 0, 0, 0, 0)
	l.decoder.taiMinusUTC = func(u refclock.UTC) int32 {
		if u.Seconds < newYear.Seconds {
			return 36
		}
		return 37
	}
	for _, at := range []string{"235958.00", "235959.00", "235960.00"} {
		l.second(rmc(at, "A", "311216"))
	}
	l.second(rmc("000000.00", "A", "010117"))
	l.idle(time.Second)
	var said []string
	for i, s := range out.Samples() {
		said = append(said, s.Instant.UTC().String()[11:19])
		if i > 0 && s.Instant.Sub(out.Samples()[i-1].Instant) != time.Second {
			t.Errorf("%v after %v", s.Instant, out.Samples()[i-1].Instant)
		}
	}
	if got := strings.Join(said, " "); got != "23:59:58 23:59:59 23:59:60 00:00:00" {
		t.Error(got)
	}
}

// TestRollover: a receiver whose week number has run over is put right against the build date, and the screen is told.
func TestRollover(t *testing.T) {
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		built     time.Time
		rmc, zda  string
		want      string
		wantWeeks int
	}{
		{day(2019, time.April, 7), "220899", "22,08,1999", "2019-04-07", 1024}, // Telit HE910, gpsd's april6_2019.log
		{day(2026, time.November, 22), "080407", "08,04,2007", "2026-11-22", 1024},
		{day(2026, time.November, 22), "220899", "", "2038-11-21", 2048},
		{day(2026, time.November, 22), "010127", "01,01,2027", "2027-01-01", 0},
		{day(2026, time.November, 22), "010179", "", "2079-01-01", 0},
		{day(2026, time.November, 22), "060180", "", "2038-11-21", 3072},
		{time.Time{}, "220899", "", "1999-08-22", 0}, // no build date, no mending
	} {
		out := &sinktest.Record{}
		l := newLine(slowConfig(), refclock.Environment{NotBefore: c.built}, out)
		burst := rmc("120000.00", "A", c.rmc)
		if c.zda != "" {
			burst += zda("120000.00", c.zda)
		}
		l.second(burst)
		l.idle(time.Second)
		if len(out.Samples()) != 1 {
			t.Errorf("%s: %d samples, %s", c.rmc, len(out.Samples()), out.Last().Text)
			continue
		}
		got := out.Samples()[0].Instant.UTC().String()[:10]
		if weeks := out.Last().GNSS.RolloverWeeks; got != c.want || weeks != c.wantWeeks {
			t.Errorf("%s, built %s: %s (%d weeks), want %s (%d)", c.rmc, c.built.Format(time.DateOnly), got, weeks, c.want, c.wantWeeks)
		}
	}
}

// TestWords: what the screen says while something is missing, and that it says so soon.
func TestWords(t *testing.T) {
	fixed := func(second int) string {
		at := fmt.Sprintf("1328%02d.00", second)
		return rmc(at, "A", "180320") + gga(at, "1", "02") + gsa + gsv
	}
	lost := func(second int, gsv string) string {
		return rmc(fmt.Sprintf("1328%02d.00", second), "V", "180320") + sentence("GPGSA,A,1,,,,,,,,,,,,,,,") + gsv
	}
	expect := func(t *testing.T, out *sinktest.Record, state refclock.SourceState, text string) {
		t.Helper()
		if s := out.Last(); s.State != state || s.Text != text {
			t.Errorf("%s, %q; want %s, %q", s.State, s.Text, state, text)
		}
	}
	t.Run("nothing", func(t *testing.T) {
		l, out := newTestLine(9600)
		expect(t, out, refclock.Waiting, "listening at 9600 baud")
		l.idle(8 * time.Second)
		expect(t, out, refclock.Waiting, "nothing is heard: check the receiver's power and that its TX is wired to this port's RX")
	})
	t.Run("wrong baud rate", func(t *testing.T) {
		l, out := newTestLine(9600)
		for range 7 {
			l.second(strings.Repeat("\x80\xf0\x00$\x9c", 30))
		}
		expect(t, out, refclock.Receiving, "bytes arrive but no NMEA or UBX messages: wrong baud rate? (9600 is set; with baud = 0 it is found out)")
	})
	t.Run("a fix and its loss", func(t *testing.T) {
		l, out := newTestLine(9600)
		l.second(lost(17, sentence("GPGSV,1,1,00")))
		l.idle(500 * time.Millisecond)
		expect(t, out, refclock.Receiving, "no satellites in view: check the antenna")
		l.second(lost(18, sentence("GPGSV,1,1,02,01,40,083,,03,17,308,")))
		l.idle(500 * time.Millisecond)
		expect(t, out, refclock.Receiving, "none of 2 satellites in view is heard: check the antenna")
		l.second(lost(19, gsv))
		l.idle(500 * time.Millisecond)
		expect(t, out, refclock.Receiving, "no fix yet: 2 of 3 satellites in view are heard")
		l.second(fixed(20))
		l.idle(500 * time.Millisecond)
		expect(t, out, refclock.Timing, "")
		if g := out.Last().GNSS; g.Fix != refclock.Fix3D || g.SatellitesUsed != 2 || !g.Satellites[0].Used || g.Satellites[2].Used ||
			g.AltitudeM != 35.5 || int(g.Latitude*1000) != 48483 {
			t.Errorf("%+v", g)
		}
		l.second(lost(21, gsv))
		l.idle(500 * time.Millisecond)
		expect(t, out, refclock.Receiving, "fix lost: 2 of 3 satellites in view are heard")
		if g := out.Last().GNSS; g.Fix != refclock.NoFix || g.SatellitesUsed != 0 {
			t.Errorf("%+v", g)
		}
		l.second(fixed(22))
		l.idle(8 * time.Second)
		expect(t, out, refclock.Waiting, "nothing is heard: check the receiver's power and that its TX is wired to this port's RX")
	})
	t.Run("no time sentences", func(t *testing.T) {
		l, out := newTestLine(9600)
		for range 7 {
			l.second(gsv)
		}
		expect(t, out, refclock.Receiving, "the receiver's messages carry no time: enable its RMC sentence or NAV-PVT message")
	})
	t.Run("a clock that stands still", func(t *testing.T) {
		l, out := newTestLine(9600)
		for range 9 {
			l.second(fixed(20))
		}
		l.idle(500 * time.Millisecond)
		expect(t, out, refclock.Receiving, repeated)
		if len(out.Samples()) != 1 {
			t.Errorf("%d samples of one second", len(out.Samples()))
		}
	})
}
