package gpsd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"timestation/refclock"
	"timestation/refclock/sinktest"
)

// environment is a station's, built in 2026, whose leap table says 37.
func environment() refclock.Environment {
	return refclock.Environment{
		Log:         slog.New(slog.DiscardHandler),
		TAIMinusUTC: func(refclock.UTC) int32 { return 37 },
		NotBefore:   time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		Now:         func() refclock.Stamp { return 42 },
	}
}

// hear gives lines to a decoder, a quarter of a second apart; read at stamp 42 + the line's number.
func hear(config Config, lines ...string) *sinktest.Record {
	out := &sinktest.Record{}
	d := newDecoder(config, environment(), out)
	for i, l := range lines {
		d.line([]byte(l), refclock.Stamp(42+i), time.Duration(i)*250*time.Millisecond)
	}
	return out
}

const (
	version = `{"class":"VERSION","release":"3.22","rev":"3.22","proto_major":3,"proto_minor":14}`
	devices = `{"class":"DEVICES","devices":[{"class":"DEVICE","path":"/dev/ttyACM0","driver":"u-blox","activated":"2026-11-22T10:00:00.000Z"}]}`
	two     = `{"class":"DEVICES","devices":[{"class":"DEVICE","path":"/dev/ttyACM0"},{"class":"DEVICE","path":"/dev/ttyUSB0"}]}`
	sky     = `{"class":"SKY","device":"/dev/ttyACM0","uSat":1,"satellites":[{"PRN":5,"gnssid":0,"svid":5,"az":284.0,"el":19.0,"ss":38.0,"used":true},{"PRN":5,"gnssid":0,"svid":5,"sigid":3,"ss":40.5,"used":false},{"PRN":306,"gnssid":2,"svid":6,"ss":21.0,"used":false}]}`
	fixed   = `{"class":"TPV","device":"/dev/ttyACM0","mode":3,"time":"2026-11-22T12:00:00.000Z","leapseconds":18,"lat":52.1,"lon":13.2,"altMSL":71.5}`
	noLeap  = `{"class":"TPV","device":"/dev/ttyACM0","mode":3,"time":"2026-11-22T12:00:00.000Z","lat":52.1,"lon":13.2}`
	unfixed = `{"class":"TPV","device":"/dev/ttyACM0","mode":1,"time":"2026-11-22T12:00:00.000Z"}`
	toff    = `{"class":"TOFF","device":"/dev/ttyACM0","real_sec":1795348800,"real_nsec":0,"clock_sec":1795348800,"clock_nsec":117000000}`
	pps     = `{"class":"PPS","device":"/dev/ttyACM0","real_sec":1795348801,"real_nsec":-13,"clock_sec":1795348801,"clock_nsec":2500,"precision":-20}`
	noon    = 1795348800 * int64(1e9) // 2026-11-22T12:00:00Z as POSIX
)

// at is a report of a second after noon.
func at(report string, second int) string {
	return strings.Replace(report, "12:00:00", fmt.Sprintf("12:%02d:%02d", second/60, second%60), 1)
}

// TestArrival: where gpsd is elsewhere the report itself is stamped, with a wide allowance; a time that is repeated is
// one.
func TestArrival(t *testing.T) {
	config := DefaultConfig()
	config.Address = "192.0.2.7:2947"
	out := hear(config, version, devices, sky, fixed, fixed)
	if len(out.Samples()) != 1 {
		t.Fatalf("%+v", out.Samples())
	}
	s := out.Samples()[0]
	if want := noon + 37e9 + int64(arrivalDelay); s.Stamp != 45 || s.Instant.TAI != want || s.Systematic != arrivalLimit || s.Unsure {
		t.Errorf("%+v", s)
	}
	g := out.Last().GNSS
	if out.Last().State != refclock.Timing || g.Fix != refclock.Fix3D || g.SatellitesUsed != 1 || len(g.Satellites) != 2 || g.Satellites[0].CN0 != 40.5 ||
		g.Satellites[0].Elevation != 19 || g.Satellites[1].Constellation != "Galileo" || g.Satellites[1].Azimuth != -1 ||
		g.Latitude != 52.1 || g.AltitudeM != 71.5 || *g.LeapSeconds != 18 || g.Firmware != "gpsd 3.22" {
		t.Errorf("%+v %+v", out.Last(), g)
	}
}

// TestWithoutOffsets: a receiver for which gpsd has no TOFF is taken by its reports after some seconds of waiting.
func TestWithoutOffsets(t *testing.T) {
	lines := []string{devices}
	for second := range 40 {
		lines = append(lines, at(fixed, second))
	}
	if out := hear(DefaultConfig(), lines...); len(out.Samples()) != 40-21 || out.Samples()[0].Systematic != arrivalLimit {
		t.Errorf("%d samples", len(out.Samples())) // a line is a quarter of a second
	}
}

// TestOffsets: TOFF's own stamps are preferred, but only of this machine's clock.
func TestOffsets(t *testing.T) {
	out := hear(DefaultConfig(), version, devices, at(fixed, 3599), toff, fixed, at(fixed, 1), fixed)
	if len(out.Samples()) != 1 {
		t.Fatalf("%+v", out.Samples())
	}
	s := out.Samples()[0]
	if want := noon + 37e9 + int64(uncalibratedDelay); s.Stamp != refclock.Stamp(noon+117e6) || s.Instant.TAI != want || s.Systematic != uncalibratedLimit {
		t.Errorf("%+v", s)
	}
	measured := 0.11
	config := DefaultConfig()
	config.DelaySeconds = &measured
	// gpsd's own guess at the delay, of a SiRF here, is taken off: what was measured is the delay itself.
	guessed := strings.Replace(toff, `"real_nsec":0`, `"real_nsec":845000000`, 1)
	if s := hear(config, devices, fixed, guessed, fixed).Samples()[0]; s.Instant.TAI != noon+37e9+110e6 || s.Systematic != 50*time.Millisecond {
		t.Errorf("measured: %+v", s)
	}
	config.Address = "192.0.2.7:2947"
	if s := hear(config, devices, fixed, toff, fixed).Samples(); len(s) != 1 || s[0].Stamp != 43 {
		t.Errorf("from elsewhere: %+v", s)
	}
}

// TestPulses: gpsd's pulses carry its second, or are numbered by a companion; the receiver's correction of some
// nanoseconds, negative too, is in them.
func TestPulses(t *testing.T) {
	config := DefaultConfig()
	config.Pulses = true
	out := hear(config, devices, fixed, toff, pps)
	if len(out.Samples()) != 1 {
		t.Fatalf("%+v", out.Samples())
	}
	if s := out.Samples()[0]; s.Kind != refclock.Absolute || s.Stamp != refclock.Stamp(noon+1e9+2500) || s.Instant.TAI != noon+38e9-13 || s.Systematic != pulseLimit {
		t.Errorf("%+v", s)
	}
	config.With = "gps0"
	if s := hear(config, devices, fixed, toff, pps).Samples()[0]; s.Kind != refclock.Phase || s.Stamp != refclock.Stamp(noon+1e9+2513) || s.Pulse.With != "gps0" {
		t.Errorf("%+v", s)
	}
	if out := hear(config, devices, unfixed, pps); len(out.Samples()) != 0 {
		t.Errorf("without a fix: %+v", out.Samples())
	}
	if out := hear(config, devices, fixed, fixed); !strings.Contains(out.Last().Text, "no pulses") || len(out.Samples()) != 0 {
		t.Errorf("%+v", out.Last())
	}
}

// TestUnsure: UTC is unsure until gpsd says GPS − UTC, or 13 minutes have passed with a fix, or the user trusts it.
func TestUnsure(t *testing.T) {
	out := &sinktest.Record{}
	config := DefaultConfig()
	config.Address = "192.0.2.7:2947"
	d := newDecoder(config, environment(), out)
	d.line([]byte(devices), 0, 0)
	for second := range 15 * 60 {
		d.line([]byte(at(noLeap, second)), 0, time.Duration(second)*time.Second)
	}
	for i, s := range out.Samples() {
		if s.Unsure != (i < 13*60) {
			t.Fatalf("after %d s: unsure is %v", i, s.Unsure)
		}
	}
	config.Trust = trustAtOnce
	if s := hear(config, devices, noLeap).Samples()[0]; s.Unsure {
		t.Error("not trusted at once")
	}
}

// TestStates: what is wrong is said with the mend, and no time is made of it.
func TestStates(t *testing.T) {
	device := DefaultConfig()
	device.Device = "/dev/ttyUSB0"
	for _, c := range []struct {
		name   string
		config Config
		lines  []string
		state  refclock.SourceState
		words  string
	}{
		{"no receiver", DefaultConfig(), []string{version}, refclock.Waiting, "has no receiver; name it under DEVICES"},
		{"receiver is silent", DefaultConfig(), []string{version, devices}, refclock.Waiting, "reads nothing from the receiver"},
		{"no fix", DefaultConfig(), []string{version, devices, unfixed, toff}, refclock.Receiving, "no fix"},
		{"two receivers", DefaultConfig(), []string{version, two, fixed}, refclock.Receiving, `say which with device = "/dev/ttyACM0"`},
		{"the other receiver", device, []string{version, devices, fixed}, refclock.Waiting, "reads /dev/ttyACM0, but nothing from /dev/ttyUSB0"},
		{"simulated", DefaultConfig(), []string{devices, strings.Replace(fixed, `"mode":3`, `"mode":3,"status":8`, 1)}, refclock.Receiving, "simulated"},
		{"rolled over", DefaultConfig(), []string{devices, strings.Replace(fixed, "2026-11", "2007-04", 1)}, refclock.Receiving, "rolled over"},
		{"refused", DefaultConfig(), []string{version, `{"class":"ERROR","message":"Unrecognized request"}`}, refclock.Waiting, "gpsd refuses: Unrecognized request"},
		{"garbage", DefaultConfig(), []string{"$GPRMC,1", "{}", `{"class":"TPV","mode":"x"}`, "\x00\xff"}, refclock.Waiting, "has no receiver"},
	} {
		out := hear(c.config, c.lines...)
		if s := out.Last(); s.State != c.state || !strings.Contains(s.Text, c.words) || len(out.Samples()) > 0 {
			t.Errorf("%s: %+v, %d samples", c.name, s, len(out.Samples()))
		}
	}
}

// TestFixLost: after the last fix nothing is claimed for longer than the fix is believed.
func TestFixLost(t *testing.T) {
	out := &sinktest.Record{}
	d := newDecoder(DefaultConfig(), environment(), out)
	for i, l := range []string{devices, toff, fixed, toff, at(unfixed, 1)} {
		d.line([]byte(l), refclock.Stamp(i), 0)
	}
	if len(out.Samples()) != 1 {
		t.Errorf("%d samples with one fix", len(out.Samples()))
	}
	d.line([]byte(fixed), 9, 0)
	d.line([]byte(toff), 9, 6*time.Second)
	d.idle(7 * time.Second)
	if s := out.Last(); s.State != refclock.Receiving || s.GNSS.Fix != refclock.NoFix {
		t.Errorf("%+v", s)
	}
	d.idle(12 * time.Second)
	if s := out.Last(); s.State != refclock.Waiting || !strings.Contains(s.Text, "reads nothing") {
		t.Errorf("%+v", s)
	}
}

// TestReconnect: gpsd that does not run, runs, is stopped and runs again; lines that come in pieces.
func TestReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		server := func(c net.Conn, until time.Duration) {
			defer c.Close()
			request := make([]byte, len(watch))
			if _, err := io.ReadFull(c, request); err != nil || string(request) != watch {
				return
			}
			fmt.Fprintf(c, "%s\r\n%s\n", version, devices)
			for second := 0; time.Since(began) < until; second++ {
				report := at(fixed, second) + "\n"
				io.WriteString(c, report[:30])
				time.Sleep(700 * time.Millisecond) // longer than the driver waits for a line
				io.WriteString(c, report[30:])
				time.Sleep(300 * time.Millisecond)
			}
		}
		dials := 0
		config := DefaultConfig()
		config.Address = "clock.example:2947"
		d := &driver{config: config, env: environment(), dial: func(context.Context, string) (net.Conn, error) {
			dials++
			if dials == 1 {
				return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
			}
			ours, theirs := net.Pipe()
			go server(theirs, time.Duration(dials-1)*10*time.Second)
			return ours, nil
		}}
		out := &sinktest.Record{}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			refclock.Supervise(ctx, "gpsd", d, slog.New(slog.DiscardHandler), out)
			close(done)
		}()
		time.Sleep(100 * time.Millisecond)
		if s := out.Last(); s.State != refclock.Lost || s.Text != "gpsd at clock.example:2947: nobody answers (connection refused); start it with: sudo systemctl enable --now gpsd.socket" {
			t.Errorf("%+v", s)
		}
		time.Sleep(5 * time.Second)
		if s := out.Last(); s.State != refclock.Timing || len(out.Samples()) < 4 {
			t.Errorf("%+v, %d samples", s, len(out.Samples()))
		}
		time.Sleep(6 * time.Second) // it was stopped at 10 s
		lost := false
		for _, s := range out.Signals() {
			lost = lost || s.State == refclock.Lost && strings.Contains(s.Text, "the connection is gone")
		}
		time.Sleep(5 * time.Second)
		if s := out.Last(); !lost || s.State != refclock.Timing {
			t.Errorf("lost %v, %+v", lost, s)
		}
		stop()
		<-done
		time.Sleep(5 * time.Second) // the server ends
	})
}

// TestNotGPSD: something else that answers on the port is told apart, and never fills the memory.
func TestNotGPSD(t *testing.T) {
	ours, theirs := net.Pipe()
	go func() {
		io.ReadFull(theirs, make([]byte, len(watch)))
		io.WriteString(theirs, strings.Repeat("x", 2*longestLine))
	}()
	d := &driver{config: DefaultConfig(), env: environment(), dial: func(context.Context, string) (net.Conn, error) { return ours, nil }}
	if err := d.Run(t.Context(), &sinktest.Record{}); err == nil || !strings.Contains(err.Error(), "is not gpsd's JSON") {
		t.Error(err)
	}
	theirs.Close()
}

// TestValidate: what cannot be is named by its key.
func TestValidate(t *testing.T) {
	big := 2.0
	for want, change := range map[string]func(*Config){
		"":                              func(*Config) {},
		`address: "gpsd" is not`:        func(c *Config) { c.Address = "gpsd" },
		"pulses: gpsd stamps":           func(c *Config) { c.Address, c.Pulses = "192.0.2.7:2947", true },
		"with: sentences know":          func(c *Config) { c.With = "gps0" },
		`trust: "yes" is not known`:     func(c *Config) { c.Trust = "yes" },
		"delay_seconds: 2 is not":       func(c *Config) { c.DelaySeconds = &big },
		"delay_limit_seconds: 2 is not": func(c *Config) { c.DelayLimitSeconds = &big },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Validate(); err == nil && want != "" || err != nil && (want == "" || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%q: %v", want, err)
		}
	}
	for want, c := range map[string]refclock.Config{
		"delay_limit_seconds: is missing":    &SHMConfig{},
		"unit: 256 is not":                   &SHMConfig{Unit: 256},
		"delay_limit_seconds: -1":            &SHMConfig{DelayLimit: -1},
		`path: "feed.sock" is not an absol`:  &SOCKConfig{Path: "feed.sock", DelayLimit: 1},
		"delay_limit_seconds: is missing; w": &SOCKConfig{Path: "/run/feed.sock"},
		"delay_seconds: 1 is not":            &SOCKConfig{Path: "/run/feed.sock", DelayLimit: 1, Delay: 1},
	} {
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// FuzzLine: whatever comes for a line, no sample of a time that cannot be.
func FuzzLine(f *testing.F) {
	for _, l := range []string{version, devices, two, sky, fixed, noLeap, unfixed, toff, pps} {
		f.Add([]byte(devices+"\n"+fixed+"\n"+l), true)
		f.Add([]byte(fixed+"\n"+l), false)
	}
	f.Fuzz(func(t *testing.T, text []byte, pulses bool) {
		config := DefaultConfig()
		config.Pulses = pulses
		out := hear(config, strings.Split(string(text), "\n")...)
		for _, s := range out.Samples() {
			if u := s.Instant.UTC().Time(); s.Kind == refclock.Absolute && u.Year() < 2026 || s.Systematic <= 0 || s.Noise <= 0 {
				t.Errorf("%+v", s)
			}
		}
	})
}
