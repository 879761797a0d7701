package gps

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"timestation/refclock"
	"timestation/refclock/sinktest"
)

var noon = time.Date(2026, time.December, 1, 12, 0, 0, 0, time.UTC)

// seconds plays a receiver's bursts, 85 ms after each second, for so many seconds from noon on.
func playSeconds(l *line, n int, burst func(at time.Time) string) {
	for i := range n {
		l.second(burst(noon.Add(time.Duration(i) * time.Second)))
	}
	l.idle(500 * time.Millisecond)
}

func ubxLine() (*line, *sinktest.Record) { return newTestLine(115200) }

// TestUBXTime: a UBX receiver's samples carry its time to the nanosecond, its leap seconds and its notice of the next one;
// they are stamped at the first byte of the burst and never unsure.
func TestUBXTime(t *testing.T) {
	for name, burst := range map[string]func(f fake) string{
		"PVT and TIMELS":  func(f fake) string { return f.sat() + f.pvt() + f.timeLS() },
		"PVT and TIMEGPS": func(f fake) string { return f.pvt() + f.timeGPS() },
		"TIMEUTC":         func(f fake) string { return f.status() + f.timeUTC() + f.timeLS() },
		"SOL and TIMEGPS": func(f fake) string { return f.sol() + f.timeGPS() },
		"with NMEA": func(f fake) string {
			at := f.at.Format("150405.00")
			return rmc(at, "A", f.at.Format("020106")) + f.pvt() + gga(at, "1", "09") + f.timeLS() + gsv
		},
		"among others": func(f fake) string {
			return rtcm(1077, 200) + monRFOf(1, 2) + f.pvt() + rtcm(1005, 19) + f.timeLS() + "\xb5\x62\x01"
		},
	} {
		l, out := ubxLine()
		playSeconds(l, 5, func(at time.Time) string {
			f := good(at)
			f.nano = -78138
			f.change, f.changeIn = 1, int32(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC).Sub(at)/time.Second)
			return burst(f)
		})
		if len(out.Samples()) != 5 {
			t.Errorf("%s: %d samples (%s)", name, len(out.Samples()), out.Last().Text)
			continue
		}
		for i, s := range out.Samples()[1:] {
			want := refclock.Date(2026, 12, 1, 12, 0, i+1, 0).Instant(37).Add(uncalibratedDelay - 78138)
			if s.Instant != want || !s.TAIKnown || s.Unsure {
				t.Errorf("%s: %+v, want %v", name, s, want)
			}
			if off := time.Duration(s.Stamp % 1e9); name != "with NMEA" && (off-85*time.Millisecond).Abs() > time.Millisecond {
				t.Errorf("%s: stamped %v after the second", name, off)
			}
			if notice := strings.Contains(name, "TIMELS"); notice && s.Leap != refclock.LeapInsert {
				t.Errorf("%s: leap notice %d", name, s.Leap)
			}
		}
		g := out.Last().GNSS
		if g.Fix != refclock.Fix3D || g.LeapSeconds == nil || *g.LeapSeconds != 18 || out.Last().State != refclock.Timing {
			t.Errorf("%s: %+v", name, g)
		}
	}
}

// TestUBXFlags: UBX time is used only with all of its flags.
func TestUBXFlags(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*fake)
		want  string // no text: a sample
	}{
		{"good", func(*fake) {}, ""},
		{"time only", func(f *fake) { f.fix = 5 }, ""},
		{"no valid date", func(f *fake) { f.valid &^= 1 }, notResolved},
		{"no valid time", func(f *fake) { f.valid &^= 2 }, notResolved},
		{"not fully resolved", func(f *fake) { f.valid &^= 4 }, notResolved},
		{"no fix", func(f *fake) { f.fix = 0 }, "no fix"},
		{"dead reckoning", func(f *fake) { f.fix = 1 }, poorFix},
		{"outside its limits", func(f *fake) { f.ok = false }, poorFix},
		{"between the seconds", func(f *fake) { f.nano = 300e6 }, betweenSecond},
		{"before the build", func(f *fake) { f.at = f.at.AddDate(-3, 0, 0).AddDate(0, 0, -7*1024) }, ""},
	} {
		l, out := ubxLine()
		playSeconds(l, 3, func(at time.Time) string {
			f := good(at)
			c.spoil(&f)
			return f.pvt()
		})
		switch text := out.Last().Text; {
		case c.want == "" && len(out.Samples()) != 3:
			t.Errorf("%s: %d samples, %s", c.name, len(out.Samples()), text)
		case c.want != "" && (len(out.Samples()) > 0 || !strings.Contains(text, c.want)):
			t.Errorf("%s: %d samples, %q, want %q", c.name, len(out.Samples()), text, c.want)
		}
		if c.name == "before the build" {
			if g := out.Last().GNSS; g.RolloverWeeks != 1024 || out.Samples()[0].Instant.UTC().Time().Year() != 2023 {
				t.Errorf("%d weeks, %v", g.RolloverWeeks, out.Samples()[0].Instant.UTC())
			}
		}
	}
}

// TestColdLeap: what a cold receiver says of UTC before it has heard the leap seconds is not believed, however sure it is
// of the time; once it has, it is. GPS time and the station's table make the right UTC meanwhile, as an unsure one.
func TestColdLeap(t *testing.T) {
	cold := func(at time.Time) fake {
		// It subtracts 16 s, its firmware's number: its UTC is 2 s fast.
		f := good(at.Add(2 * time.Second))
		f.leap, f.leapValid, f.leapSource, f.utcValid = 16, false, 0, false
		return f
	}
	for name, burst := range map[string]func(f fake) string{
		"TIMELS not valid":     func(f fake) string { return f.pvt() + f.timeLS() },
		"TIMELS from firmware": func(f fake) string { f.leapValid = true; return f.pvt() + f.timeLS() },
		"TIMEUTC not valid":    func(f fake) string { return f.pvt() + f.timeUTC() },
		"TIMEGPS not valid":    func(f fake) string { return f.pvt() + f.timeGPS() },
		"confirmed, and yet":   func(f fake) string { f.confirmed = true; return f.pvt() + f.timeLS() },
		"PVT alone":            func(f fake) string { return f.pvt() },
		"SOL":                  func(f fake) string { return f.sol() + f.timeGPS() },
	} {
		l, out := ubxLine()
		playSeconds(l, 3, func(at time.Time) string { return burst(cold(at)) })
		if len(out.Samples()) != 3 {
			t.Fatalf("%s: %d samples (%s)", name, len(out.Samples()), out.Last().Text)
		}
		for i, s := range out.Samples() {
			if !s.Unsure || s.TAIKnown || s.Leap != refclock.LeapUnknown {
				t.Errorf("%s: %+v", name, s)
			}
			want := refclock.Date(2026, 12, 1, 12, 0, i, int(uncalibratedDelay)).Instant(37)
			if byGPS := name == "SOL" || name == "TIMEGPS not valid"; byGPS && s.Instant != want {
				t.Errorf("%s: %v, want %v", name, s.Instant.UTC(), want.UTC())
			}
		}
		if out.Last().GNSS.LeapSeconds != nil {
			t.Errorf("%s: %d leap seconds are shown", name, *out.Last().GNSS.LeapSeconds)
		}
		playSeconds(l, 3, func(at time.Time) string { f := good(at.Add(time.Minute)); return f.pvt() + f.timeLS() })
		if s := out.Samples()[len(out.Samples())-1]; len(out.Samples()) != 6 || s.Unsure || !s.TAIKnown {
			t.Errorf("%s: after the leap seconds were heard: %d samples, %+v", name, len(out.Samples()), s)
		}
	}
	t.Run("confirmed against a second source", func(t *testing.T) {
		l, out := ubxLine()
		playSeconds(l, 3, func(at time.Time) string { f := good(at); f.confirmed = true; return f.pvt() })
		if s := out.Samples()[0]; s.Unsure || s.TAIKnown {
			t.Errorf("%+v", s)
		}
	})
}

// TestProven: NMEA carries no leap seconds, so its samples are unsure until a fix has lasted 13 min; a break begins the
// count anew, silence the whole, and trust = "at once" leaves it out.
func TestProven(t *testing.T) {
	nmea := func(valid string) func(at time.Time) string {
		return func(at time.Time) string { return rmc(at.Format("150405.00"), valid, at.Format("020106")) }
	}
	l, out := ubxLine()
	unsure := func() bool { return out.Samples()[len(out.Samples())-1].Unsure }
	playSeconds(l, 770, nmea("A"))
	if !unsure() {
		t.Error("sure within 13 min")
	}
	playSeconds(l, 1, nmea("V"))
	playSeconds(l, 770, nmea("A"))
	if !unsure() {
		t.Error("sure within 13 min of a break")
	}
	playSeconds(l, 20, nmea("A"))
	if unsure() {
		t.Error("unsure after 13 min of fix")
	}
	playSeconds(l, 2, nmea("V"))
	playSeconds(l, 2, nmea("A"))
	if unsure() {
		t.Error("a break makes the receiver forget")
	}
	l.idle(10 * time.Second)
	playSeconds(l, 2, nmea("A"))
	if !unsure() {
		t.Error("the receiver may have lost its power")
	}

	config := slowConfig()
	config.Trust = atOnce
	out = &sinktest.Record{}
	l = newLine(config, refclock.Environment{NotBefore: built}, out)
	playSeconds(l, 2, nmea("A"))
	if unsure() {
		t.Error("trusted at once, and unsure")
	}
}

// TestQuantisation: what TIM-TP says of a pulse comes as a correction of that second, whatever the time base; what is not
// valid does not.
func TestQuantisation(t *testing.T) {
	for _, c := range []struct {
		name  string
		onUTC bool
		flags byte
		ps    int32
		want  time.Duration
		none  bool
	}{
		{"on UTC", true, 0, 9862, 9 * time.Nanosecond, false},
		{"on GPS time", false, 0, -4332, -4 * time.Nanosecond, false},
		{"invalid", true, 0x10, 1000, 0, true},
		{"beyond belief", true, 0, 2e9, 0, true},
	} {
		l, out := ubxLine()
		playSeconds(l, 4, func(at time.Time) string {
			f, next := good(at), good(at.Add(time.Second))
			return f.pvt() + f.timeLS() + next.timTP(c.onUTC, c.ps, c.flags)
		})
		var corrections []refclock.Sample
		for _, s := range out.Samples() {
			if s.Kind == refclock.Correction {
				corrections = append(corrections, s)
			}
		}
		if c.none {
			if len(corrections) > 0 {
				t.Errorf("%s: %+v", c.name, corrections[0].Correction)
			}
			continue
		}
		if len(corrections) != 3 { // none before the first fix
			t.Fatalf("%s: %d corrections", c.name, len(corrections))
		}
		for i, s := range corrections {
			want := refclock.PulseCorrection{Second: refclock.Date(2026, 12, 1, 12, 0, i+2, 0).Instant(37), Quantisation: c.want}
			if *s.Correction != want {
				t.Errorf("%s: %+v, want %+v", c.name, *s.Correction, want)
			}
		}
	}
}

// TestSeparatePulseMessage: a TIM-TP just before the burst, or in one with it, does not move the burst's stamp.
func TestSeparatePulseMessage(t *testing.T) {
	for _, before := range []time.Duration{0, 30 * time.Millisecond, 300 * time.Millisecond} {
		l, out := ubxLine()
		l.idle(time.Second)
		for i := range 5 {
			second := refclock.Stamp(i+3) * 1e9
			f := good(noon.Add(time.Duration(i) * time.Second))
			tp := f.timTP(true, 0, 0)
			burst := second + 385e6
			l.at(burst-refclock.Stamp(before)-refclock.Stamp(len(tp)*bitsPerByte*1e9/115200), tp)
			l.at(burst, f.pvt()+f.timeLS())
		}
		l.idle(time.Second)
		n := 0
		for _, s := range out.Samples() {
			if s.Kind != refclock.Absolute {
				continue
			}
			n++
			if off := time.Duration(s.Stamp%1e9) - 385*time.Millisecond; off.Abs() > time.Millisecond {
				t.Errorf("TIM-TP %v before: stamped %v off", before, off)
			}
		}
		if n != 5 {
			t.Errorf("TIM-TP %v before: %d samples", before, n)
		}
	}
}

// TestWarnings: jamming, spoofing and the antenna's state are shown and warned of at once, and no longer than they last.
func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		name, message              string
		jamming, spoofing, antenna string
		codes                      string
		critical                   bool
	}{
		{"MON-RF quiet", monRFOf(1, 2), "ok", "", "ok", "", false},
		{"MON-RF jammed", monRFOf(3, 2), "critical", "", "ok", "jamming", false},
		{"MON-RF open", monRFOf(1, 4), "ok", "", "open", "antenna-open", false},
		{"MON-HW warning, short", monHWOf(2, 3), "warning", "", "short", "jamming antenna-short", false},
		{"SEC-SIG 1", secSIGOf(1, 2, 3), "warning", "critical", "", "jamming spoofing", true},
		{"SEC-SIG 2", secSIGOf(2, 1, 2), "ok", "warning", "", "spoofing", false},
		{"NAV-STATUS", fake{at: noon, spoofing: 2}.status(), "", "warning", "", "spoofing", false},
		{"NMEA TXT", sentence("GNTXT,01,01,02,ANTSTATUS=OPEN"), "", "", "open", "antenna-open", false},
		{"NMEA TXT, cut", sentence("GNTXT"), "", "", "", "", false},
	} {
		l, out := ubxLine()
		l.idle(time.Second)
		l.send([]byte(c.message))
		l.idle(2500 * time.Millisecond)
		s := out.Last()
		var codes []string
		critical := false
		for _, a := range s.Alarms {
			codes = append(codes, a.Code)
			critical = critical || a.Critical
			if a.Text == "" || a.Mend == "" {
				t.Errorf("%s: %+v", c.name, a)
			}
		}
		g := s.GNSS
		if g.Jamming != c.jamming || g.Spoofing != c.spoofing || g.Antenna != c.antenna || strings.Join(codes, " ") != c.codes ||
			critical != c.critical {
			t.Errorf("%s: jamming %q, spoofing %q, antenna %q, alarms %v, critical %t", c.name, g.Jamming, g.Spoofing, g.Antenna, codes, critical)
		}
	}
	l, out := ubxLine()
	playSeconds(l, 2, func(at time.Time) string { f := good(at); return f.pvt() + f.timeLS() })
	l.send([]byte(monRFOf(3, 2)))
	if len(out.Last().Alarms) != 1 {
		t.Error("jamming is not said at once")
	}
	l.send([]byte(monRFOf(1, 2)))
	if len(out.Last().Alarms) != 0 {
		t.Error("jamming is over, and still said")
	}
}

// TestVersion: the receiver's own name of its firmware is shown, and which protocols it speaks.
func TestVersion(t *testing.T) {
	l, out := ubxLine()
	playSeconds(l, 2, func(at time.Time) string { return good(at).pvt() + gsv + monVEROf("TIM 2.20", "29.20", "ZED-F9T") })
	if g := out.Last().GNSS; g.Firmware != "ZED-F9T TIM 2.20" || g.Protocol != "NMEA+UBX" || l.decoder.receiver.generation != 29.20 {
		t.Errorf("%+v", g)
	}
}

// TestPlace: NAV-SOL's position from the Earth's centre is that of gpsd's ublox-neo-m8t.log.
func TestPlace(t *testing.T) {
	l, out := ubxLine()
	playSeconds(l, 2, func(at time.Time) string { f := good(at); return f.sol() + f.timeGPS() })
	g := out.Last().GNSS
	if got := fmt.Sprintf("%.5f %.5f", g.Latitude, g.Longitude); got != "44.06881 -121.31431" {
		t.Error(got)
	}
}

// TestSatelliteLists: NAV-SAT tells constellation and use of each; while it comes, sentences do not matter.
func TestSatelliteLists(t *testing.T) {
	l, out := ubxLine()
	playSeconds(l, 2, func(at time.Time) string { return good(at).pvt() + good(at).sat() + gsv + gsa })
	g := out.Last().GNSS
	var names []string
	for _, s := range g.Satellites {
		names = append(names, s.Constellation)
	}
	if len(names) != 11 || g.SatellitesUsed != 9 || strings.Join(slices.Compact(names), " ") != "GPS GLONASS Galileo BeiDou" {
		t.Errorf("%d used of %v", g.SatellitesUsed, names)
	}
}

// TestTenASecond: of ten solutions a second those on the second count, every one of them, though the line is idle between
// bursts for now less, now more than a gap.
func TestTenASecond(t *testing.T) {
	out := &sinktest.Record{}
	config := DefaultConfig()
	config.Baud = 115200
	d := NewDecoder(config, refclock.Environment{TAIMinusUTC: func(refclock.UTC) int32 { return 37 }}, out)
	random := rand.New(rand.NewPCG(1, 2))
	var polled time.Duration
	for i := range 100 {
		due := time.Duration(i)*100*time.Millisecond + time.Duration(random.Float64()*15e6)
		for ; polled < due; polled += 20 * time.Millisecond {
			d.Receive(nil, refclock.Stamp(polled))
		}
		f := good(noon.Add(time.Duration(i/10) * time.Second))
		f.nano = int32(i % 10 * 100e6)
		at := f
		at.at = at.at.Add(time.Duration(f.nano))
		burst := at.pvt()
		if f.nano == 0 {
			burst += f.sat()
		}
		d.Receive([]byte(burst), refclock.Stamp(due))
		polled = due + 20*time.Millisecond
	}
	if n := len(out.Samples()); n < 9 || out.Last().State != refclock.Timing {
		t.Errorf("%d samples in 10 s, %v, %s", n, out.Last().State, out.Last().Text)
	}
	for _, s := range out.Samples() {
		// A burst is read at once; it took its time on the line before.
		if off := time.Duration(s.Stamp) - time.Duration(s.Stamp).Round(time.Second); off.Abs() > 60*time.Millisecond {
			t.Errorf("a sample is stamped %v after the second", off)
		}
	}
}
