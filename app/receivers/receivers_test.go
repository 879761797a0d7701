package receivers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"timestation/refclock"
	"timestation/refclock/gps"
)

// nothing is a machine with nothing plugged in.
func nothing() Probes {
	return Probes{
		Ports:       func() ([]string, error) { return nil, nil },
		Observe:     func(context.Context, string) (gps.Heard, error) { return gps.Heard{}, errors.New("unasked") },
		PulseFolder: "/no/such/folder",
		Glob:        func(string) []string { return nil },
		Chip:        func(string) (Chip, error) { return Chip{}, errors.New("unasked") },
		GPSD:        "127.0.0.1:1",
		Now:         func() refclock.Stamp { return 0 },
	}
}

func lines(found []Finding) string {
	var all []string
	for _, f := range found {
		all = append(all, f.String())
	}
	return strings.Join(all, "\n")
}

func TestNothing(t *testing.T) {
	if found := Look(t.Context(), nothing()); len(found) != 0 {
		t.Errorf("%v", found)
	}
}

// TestSerial: each port's line says what it delivers, or why nothing and the mend; a port whose driver never returns does
// not hold the others up for ever.
func TestSerial(t *testing.T) {
	receiver := func(protocol string, fix refclock.Fix, used, inView int) refclock.Signal {
		g := &refclock.GNSS{Protocol: protocol, Fix: fix, SatellitesUsed: used, Satellites: make([]refclock.Satellite, inView)}
		return refclock.Signal{State: refclock.Timing, GNSS: g}
	}
	heard := map[string]gps.Heard{
		"/dev/ttyAMA0": {Found: gps.Found{Baud: 9600}, Signal: receiver("NMEA", refclock.Fix3D, 9, 14), Samples: 4,
			After: 412 * time.Millisecond, Scatter: 38 * time.Millisecond},
		"/dev/ttyACM0": {Found: gps.Found{Baud: 38400}, Signal: receiver("NMEA+UBX", refclock.FixTime, 22, 30), Samples: 4,
			After: -41 * time.Hour, UTC: refclock.Date(2026, 11, 22, 13, 8, 37, 0)},
		"/dev/ttyUSB0": {Found: gps.Found{Baud: 4800}, Signal: receiver("NMEA", refclock.NoFix, 0, 5)},
	}
	jammed := heard["/dev/ttyACM0"].Signal
	jammed.Alarms = []refclock.Alarm{{Code: "jamming", Text: "the receiver is jammed"}}
	heard["/dev/ttyACM0"] = gps.Heard{Found: gps.Found{Baud: 38400}, Signal: jammed, Samples: 4, After: -41 * time.Hour, UTC: refclock.Date(2026, 11, 22, 13, 8, 37, 0)}
	synctest.Test(t, func(t *testing.T) {
		p := nothing()
		p.Ports = func() ([]string, error) {
			return []string{"/dev/ttyAMA0", "/dev/ttyACM0", "/dev/ttyUSB0", "/dev/ttyS1", "/dev/ttyS2", "/dev/dead"}, nil
		}
		p.Observe = func(ctx context.Context, device string) (gps.Heard, error) {
			switch device {
			case "/dev/ttyS1":
				return gps.Heard{}, fmt.Errorf("%s: %w", device, gps.ErrSilent)
			case "/dev/ttyS2":
				return gps.Heard{}, fmt.Errorf("%s: you may not read it; run this", device)
			case "/dev/dead":
				time.Sleep(time.Hour)
				return gps.Heard{}, errors.New("gone")
			}
			return heard[device], nil
		}
		began := time.Now()
		got := lines(p.serial(t.Context(), nil))
		if took := time.Since(began); took > deadline {
			t.Errorf("took %v", took)
		}
		want := `/dev/ttyAMA0: NMEA at 9600 baud, 3D fix, 9 satellites, sentence 412 ± 38 ms after the second
/dev/ttyACM0: NMEA+UBX at 38400 baud, fixed position, time only, 22 satellites, it says 2026-11-22 13:08:37Z, and this machine's clock is off by 41h0m0s, the receiver is jammed
/dev/ttyUSB0: NMEA at 4800 baud, no fix, 5 satellites in view (give its antenna a view of the sky; from cold it takes a minute or more)
/dev/ttyS1: nothing is heard (a receiver there lacks power, or its TX is not wired to this port's RX)
/dev/ttyS2: you may not read it; run this
/dev/dead: it does not answer (plug it in anew)`
		if got != want {
			t.Errorf("\n%s\nwant\n%s", got, want)
		}
		time.Sleep(2 * time.Hour) // the dead port's goroutine ends
	})
}

// TestPulses: pulses are counted as sysfs shows them, with their distance from the second of the local clock.
func TestPulses(t *testing.T) {
	folder := t.TempDir()
	put := func(device, edge, text string) {
		if err := os.MkdirAll(filepath.Join(folder, device), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, device, edge), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		put("pps0", "assert", "1763813316.999996000#41\n")
		put("pps0", "clear", "0.000000000#0\n")
		put("pps1", "assert", "0.000000000#0\n")
		go func() {
			for i := range 4 {
				time.Sleep(time.Second - 10*time.Millisecond)
				put("pps0", "assert", fmt.Sprintf("%d.%09d#%d\n", 1763813317+i, 4000+200*(i%2), 42+i))
			}
		}()
		p := nothing()
		p.PulseFolder = folder
		got := lines(p.pulses(t.Context()))
		want := `/dev/pps0: 4 pulses in 4s (assert), 4.1 µs ± 115 ns after the second of this machine's clock
/dev/pps1: no pulse comes (many receivers pulse only while they have a fix; check the wire and the line in dtoverlay=pps-gpio)`
		if got != want {
			t.Errorf("\n%s\nwant\n%s", got, want)
		}
	})
}

func TestLines(t *testing.T) {
	p := nothing()
	p.Glob = func(string) []string { return []string{"/dev/gpiochip0", "/dev/gpiochip1"} }
	p.Chip = func(path string) (Chip, error) {
		if path == "/dev/gpiochip1" {
			return Chip{}, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
		}
		return Chip{Label: "pinctrl-bcm2711", Lines: 58, Used: []string{"GPIO18 by pps@12"}, Example: "GPIO4"}, nil
	}
	want := `/dev/gpiochip0: pinctrl-bcm2711, 58 lines, in use: GPIO18 by pps@12; a pulse or a radio module can be wired to a free one such as GPIO4
/dev/gpiochip1: you may not use it (sudo adduser $USER gpio, and log in again)`
	if got := lines(p.lines()); got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
}

// TestDaemon: gpsd says what it has, and its port is left to it; something else on its port is told apart.
func TestDaemon(t *testing.T) {
	for _, c := range []struct{ name, says, want string }{
		{"gpsd", `{"class":"VERSION","release":"3.22"}
{"class":"DEVICES","devices":[{"class":"DEVICE","path":"/dev/ttyACM0","driver":"u-blox"}]}
{"class":"SKY","satellites":[{"PRN":1,"used":true},{"PRN":2,"used":false}]}
{"class":"TPV","mode":3}
`, "gpsd 3.22, /dev/ttyACM0 (u-blox), 3D fix, 1 satellites"},
		{"no receiver", "{\"class\":\"VERSION\",\"release\":\"3.22\"}\n{\"class\":\"DEVICES\",\"devices\":[]}\n",
			"gpsd 3.22, without a receiver (name one in /etc/default/gpsd, or let Timestation read the port itself)"},
		{"another", "220 mail.example.org ESMTP\r\n", "something listens there that does not speak as gpsd does"},
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			bufio.NewReader(conn).ReadString('\n')
			fmt.Fprint(conn, c.says)
		}()
		p := nothing()
		p.GPSD = listener.Addr().String()
		p.Ports = func() ([]string, error) { return []string{"/dev/ttyACM0"}, nil }
		found := Look(t.Context(), p)
		listener.Close()
		got := lines(found)
		if !strings.HasSuffix(got, p.GPSD+": "+c.want) {
			t.Errorf("%s: %s", c.name, got)
		}
		if left := strings.Contains(got, "gpsd reads it"); left != (c.name == "gpsd") {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}
