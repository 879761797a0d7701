package gps

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"timestation/refclock"
	"timestation/refclock/sinktest"
)

// ublox is a make-believe u-blox on a port. It sends NMEA until it is told otherwise.
type ublox struct {
	pretender
	version, protocol, model string
	// deaf does not answer; timing knows a timing mode; surveyed has its position.
	deaf, timing, surveyed bool

	scanner  scanner
	commands []uint16
	keys     map[uint32]uint32
	rates    map[uint16]byte
	surveys  int
}

func newUblox(version, protocol, model string) *ublox {
	u := &ublox{pretender: pretender{began: time.Now(), baud: 115200}, version: version, protocol: protocol, model: model,
		timing: true, keys: map[uint32]uint32{}, rates: map[uint16]byte{}}
	u.burst = func(second int) string {
		f := good(noon.Add(time.Duration(second) * time.Second))
		out := rmc(f.at.Format("150405.00"), "A", f.at.Format("020106"))
		if u.surveyed {
			f.fix = 5
		}
		if u.sends(navPVT) {
			out += f.pvt()
		}
		if u.sends(navTIMELS) {
			out += f.timeLS()
		}
		return out
	}
	return u
}

func (u *ublox) sends(message uint16) bool {
	for _, w := range wanted {
		if w.message == message {
			return u.rates[message] > 0 || w.key != 0 && u.keys[w.key] > 0
		}
	}
	return false
}

// Write takes commands, and answers each.
func (u *ublox) Write(p []byte) (int, error) {
	u.scanner.scan(p, func(int) refclock.Stamp { return 0 }, func(f frame) {
		message := uint16(f.class)<<8 | uint16(f.id)
		u.commands = append(u.commands, message)
		if u.deaf {
			return
		}
		if message == monVER {
			u.queue = append(u.queue, monVEROf(u.version, u.protocol, u.model)...)
			return
		}
		answer := uint16(ackACK)
		if !u.obey(message, f.payload) {
			answer = ackNAK
		}
		u.queue = append(u.queue, packet(answer, []byte{f.class, f.id})...)
		u.readAt = u.now()
	})
	return len(p), nil
}

func (u *ublox) obey(message uint16, p []byte) bool {
	byKey := u.protocol >= "23"
	switch {
	case message == cfgVALSET && byKey:
		for p = p[4:]; len(p) > 0; {
			key := binary.LittleEndian.Uint32(p)
			size := map[uint32]int{2: 1, 4: 4}[key>>28&7]
			value := append(slices.Clone(p[4:4+size]), 0, 0, 0)
			if key>>16 == keyTimeMode>>16 && !u.timing || key == 0x20910636 /* an invented refusal: SEC-SIG on UART2 */ {
				return false
			}
			u.keys[key] = binary.LittleEndian.Uint32(value)
			p = p[4+size:]
		}
		if u.keys[keyTimeMode] == 1 {
			u.surveys++
			delete(u.keys, keyTimeMode)
		}
		return true
	case message == cfgMSG && !byKey:
		u.rates[uint16(p[0])<<8|uint16(p[1])] = p[2]
		return p[0] != 0x27 && uint16(p[0])<<8|uint16(p[1]) != monRF // which are newer
	case message == cfgTMODE2 && !byKey && u.timing:
		u.surveys++
		return len(p) == 28 && p[0] == 1
	case message == cfgNAV5 && !byKey:
		return len(p) == 36
	}
	return false
}

// run lets the driver run on a port for a while.
func run(t *testing.T, config Config, port tunable, d time.Duration) *sinktest.Record {
	began := time.Now()
	driver := &driver{
		config: config,
		env: refclock.Environment{
			TAIMinusUTC: taiMinusUTC, NotBefore: built, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Now: func() refclock.Stamp { return refclock.Stamp(time.Since(began)) },
		},
		open: func(string, int) (tunable, error) { return port, nil },
	}
	out := &sinktest.Record{}
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	if err := driver.Run(ctx, out); err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
	return out
}

// TestConfigure: a receiver is set for timing in its own way, only when the user asks, and a survey is not begun anew.
func TestConfigure(t *testing.T) {
	for _, c := range []struct {
		name              string
		version, protocol string
		spoil             func(*ublox)
		configure         string
		surveys           int
		alarm             string
		must, mustNot     uint16
	}{
		{"u-blox 9", "TIM 2.20", "29.20", func(*ublox) {}, forTiming, 1, "", cfgVALSET, cfgMSG},
		{"u-blox 8", "SPG 3.01", "22.00", func(*ublox) {}, forTiming, 1, "", cfgTMODE2, cfgVALSET},
		{"u-blox 8 without timing", "SPG 3.01", "18.00", func(u *ublox) { u.timing = false }, forTiming, 0, "", cfgTMODE3, cfgVALSET},
		{"surveyed", "TIM 2.20", "29.20", func(u *ublox) { u.surveyed = true }, forTiming, 0, "", cfgVALSET, cfgMSG},
		{"not asked", "TIM 2.20", "29.20", func(*ublox) {}, asItIs, 0, "", 0, monVER},
		{"no answer", "TIM 2.20", "29.20", func(u *ublox) { u.deaf = true }, forTiming, 0, "not-configured", monVER, cfgVALSET},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := newUblox(c.version, c.protocol, "TEST")
				c.spoil(u)
				config := slowConfig()
				config.Device, config.Baud, config.Configure = "/dev/ttyS9", u.baud, c.configure
				out := run(t, config, u, 60*time.Second)
				if u.surveys != c.surveys || c.must != 0 && !slices.Contains(u.commands, c.must) || slices.Contains(u.commands, c.mustNot) {
					t.Errorf("%d surveys, commands %04x", u.surveys, u.commands)
				}
				codes := ""
				for _, a := range out.Last().Alarms {
					codes += a.Code
				}
				if codes != c.alarm {
					t.Errorf("alarms %q", codes)
				}
				s := out.Samples()[len(out.Samples())-1]
				if configured := c.configure == forTiming && !u.deaf; s.TAIKnown != configured {
					t.Errorf("the last sample is %+v", s)
				}
			})
		})
	}
}

// TestAutobaud: with baud = 0 the driver finds the line speed of NMEA and of UBX, and again after it was changed.
func TestAutobaud(t *testing.T) {
	for _, baud := range []int{4800, 9600, 38400, 115200, 921600} {
		for _, protocol := range []string{"NMEA", "UBX"} {
			t.Run(fmt.Sprintf("%s at %d", protocol, baud), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					port := &tunableReceiver{pretender: pretender{began: time.Now(), baud: baud}}
					port.burst = func(second int) string {
						f := good(noon.Add(time.Duration(second) * time.Second))
						if f.used = 20; second >= 60 {
							port.baud = 57600
						}
						if protocol == "UBX" {
							return f.pvt() + f.timeLS() + f.sat()[:200] // and a torn one
						}
						return rmc(f.at.Format("150405.00"), "A", f.at.Format("020106"))
					}
					config := DefaultConfig()
					config.Device = "/dev/ttyS9"
					out := run(t, config, port, 120*time.Second)
					early, late := 0, 0
					for _, s := range out.Samples() {
						switch at := time.Duration(s.Stamp); {
						case at < 60*time.Second:
							early++
						case at > 95*time.Second:
							late++
						}
					}
					if early < 40 || late < 20 {
						t.Errorf("%d samples in the first minute, %d in 25 s after the change", early, late)
					}
					if p := out.Last().GNSS.Protocol; p != protocol {
						t.Errorf("protocol %q", p)
					}
				})
			})
		}
	}
}

// TestObserve: what a port delivers is told within a few seconds, with the time after the second by the local clock.
func TestObserve(t *testing.T) {
	for _, c := range []struct {
		name     string
		burst    func(f fake) string
		protocol string
		samples  bool
		err      error
	}{
		{"UBX", func(f fake) string { return f.pvt() + f.timeLS() + f.sat() }, "UBX", true, nil},
		{"NMEA", func(f fake) string { return rmc(f.at.Format("150405.00"), "A", f.at.Format("020106")) + gsa }, "NMEA", true, nil},
		{"no fix", func(f fake) string { return gsv }, "NMEA", false, nil},
		{"silent", func(f fake) string { return "" }, "", false, ErrSilent},
		{"text", func(f fake) string { return strings.Repeat("login: \r\n", 99) }, "", false, ErrNotNMEA},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				port := &tunableReceiver{pretender: pretender{began: began, baud: 38400}}
				port.burst = func(second int) string { return c.burst(good(noon.Add(time.Duration(second) * time.Second))) }
				now := func() refclock.Stamp { return refclock.Stamp(noon.UnixNano()) + refclock.Stamp(time.Since(began)) }
				h, err := observe(t.Context(), "/dev/ttyS9", 15*time.Second, now, func(string, int) (tunable, error) { return port, nil })
				if fmt.Sprint(err) != fmt.Sprint(c.err) && (c.err == nil || !strings.Contains(fmt.Sprint(err), c.err.Error())) {
					t.Fatalf("%v", err)
				}
				if took := time.Since(began); took > 16*time.Second || c.err == nil && took > 8*time.Second {
					t.Errorf("took %v", took)
				}
				if err != nil {
					return
				}
				if h.Baud != 38400 || h.Signal.GNSS.Protocol != c.protocol || (h.Samples >= 2) != c.samples {
					t.Errorf("%+v", h)
				}
				if c.samples && (h.After-85*time.Millisecond).Abs() > 2*time.Millisecond {
					t.Errorf("%v ± %v after the second", h.After, h.Scatter)
				}
			})
		})
	}
}
