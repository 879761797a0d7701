//go:build board && linux

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"timestation/refclock/dcf77"
	"timestation/refclock/longwave"
)

// tooLate is by how much an edge may be late at most; one that would be later is left out. The emulated processor is held
// up for milliseconds whenever the real one is. The pulse is sharper than the radio, as in life.
const (
	pulseTooLate = 10 * time.Millisecond
	radioTooLate = 30 * time.Millisecond
)

// Pulse is one edge that the world made, for who judges: when it was due, and CLOCK_MONOTONIC_RAW before and after.
type Pulse struct {
	Source        string
	DueTAI        int64
	Before, After int64
}

// line is an input of the simulated GPIO chip, as seen from outside.
type line struct{ file *os.File }

func openLine(number int) (*line, error) {
	paths, _ := filepath.Glob(fmt.Sprintf("/sys/devices/platform/gpio-sim.*/gpiochip*/sim_gpio%d/pull", number))
	if len(paths) != 1 {
		return nil, fmt.Errorf("GPIO line %d: there is no simulated one here; run this on the board: make board", number)
	}
	file, err := os.OpenFile(paths[0], os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	return &line{file}, nil
}

func (l *line) set(high bool) error {
	level := "pull-down"
	if high {
		level = "pull-up"
	}
	_, err := l.file.WriteAt([]byte(level), 0)
	return err
}

// prompt makes the calling goroutine one that is not kept waiting by the station.
func prompt() {
	runtime.LockOSThread()
	_ = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 10}, 0)
}

// pulses makes a pulse a second on some lines, 100 ms long.
func (w *World) pulses(v *voice, lines []*line) {
	prompt()
	for !w.ended() {
		due := (w.Now().TAI/1e9 + 1) * 1e9
		if due-w.Now().TAI < 2e8 {
			due += 1e9
		}
		off := v.offset(w.Now()) // an early pulse is one of a receiver that is ahead
		w.wait(due - int64(off) - int64(3*time.Millisecond))
		late := w.spin(due - int64(off))
		if v.quiet() || late > pulseTooLate {
			continue
		}
		p := Pulse{Source: v.Name, DueTAI: due, Before: rawNow()}
		for _, l := range lines {
			w.fail(l.set(true))
		}
		p.After = rawNow()
		w.log(p)
		w.wait(due - int64(off) + 1e8)
		for _, l := range lines {
			w.fail(l.set(false))
		}
	}
}

// radio keys a line as a DCF77 module does: high while the carrier is reduced.
func (w *World) radio(v *voice, out *line) {
	prompt()
	random := rand.New(rand.NewPCG(w.Scenario.Seed, 77))
	code := dcf77.Code
	for !w.ended() {
		now := w.Now()
		next := now.TAI/1e9*1e9 + 1e9
		// UTC has leap seconds; the telegram of the minute goes on through them.
		second := w.table.FromTAI(next + int64(time.Millisecond)).UTC()
		minute := second.Seconds - second.Seconds%60
		position := int(second.Seconds % 60)
		symbols := code.Encode(w.civil(code, minute))
		shape := code.Shapes[longwave.Symbol(0)]
		if s := symbols[position]; int(s) < len(code.Shapes) {
			shape = code.Shapes[s]
		}
		off := int64(v.offset(now))
		for _, part := range shape.On {
			from := next - off + int64(part[0])*1e6 + int64(float64(v.Noise)*random.NormFloat64())
			w.wait(from - int64(2*time.Millisecond))
			late := w.spin(from)
			if v.quiet() || late > radioTooLate {
				continue
			}
			p := Pulse{Source: v.Name, DueTAI: next, Before: rawNow()}
			w.fail(out.set(true))
			p.After = rawNow()
			w.log(p)
			w.wait(from + int64(part[1]-part[0]-2)*1e6)
			w.spin(from + int64(part[1]-part[0])*1e6)
			w.fail(out.set(false))
		}
		w.wait(next + 25e7)
	}
}

// civil is what the telegram of a minute carries.
func (w *World) civil(code *longwave.Code, minute int64) longwave.Civil {
	return code.At(time.Unix(minute, 0).UTC())
}

// satellites writes the bursts of a receiver to a serial port: after each second by about a tenth, and varying.
func (w *World) satellites(v *voice, path string) {
	random := rand.New(rand.NewPCG(w.Scenario.Seed, 1575))
	port, err := os.OpenFile(path, os.O_WRONLY|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		w.fail(err)
		return
	}
	defer hangUp(port)
	prompt()
	for !w.ended() {
		second := (w.Now().TAI/1e9 + 1) * 1e9
		delay := SentenceDelay + time.Duration(float64(v.Noise)*random.NormFloat64())
		w.wait(second + int64(max(delay, 0)))
		if v.quietAtAll() {
			continue
		}
		utc := w.table.FromTAI(second + int64(v.offset(w.Now()))).UTC()
		// Nobody may be listening: then a real port loses it, and this one would wait.
		_ = port.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
		_, err := port.WriteString(burst(utc.String(), !v.quiet()))
		if err != nil && !os.IsTimeout(err) {
			w.fail(err)
		}
	}
}

// hangUp closes a port. Where nobody listens at the other end the kernel would wait half a minute for the rest to leave.
func hangUp(port *os.File) {
	if connection, err := port.SyscallConn(); err == nil {
		_ = connection.Control(func(fd uintptr) { _ = unix.IoctlSetInt(int(fd), unix.TCFLSH, unix.TCOFLUSH) })
	}
	port.Close()
}

// SentenceDelay is how long after the second a burst begins.
const SentenceDelay = 120 * time.Millisecond

// burst is what a receiver says of a UTC second, written as 2026-11-22T12:00:00….
func burst(utc string, fix bool) string {
	date, clock, _ := strings.Cut(utc, "T")
	hms := strings.ReplaceAll(clock[:8], ":", "") + ".00"
	y, m, d := date[:4], date[5:7], date[8:10]
	valid, quality, mode, used := "A", "1", "3", "04,05,09,12,17,20,25,29"
	if !fix {
		valid, quality, mode, used = "V", "0", "1", ",,,,,,,"
	}
	var text strings.Builder
	for _, body := range []string{
		fmt.Sprintf("GPRMC,%s,%s,5001.0000,N,00901.0000,E,0.0,0.0,%s%s%s,,,A", hms, valid, d, m, y[2:]),
		fmt.Sprintf("GPGGA,%s,5001.0000,N,00901.0000,E,%s,08,1.0,120.0,M,47.0,M,,", hms, quality),
		fmt.Sprintf("GPGSA,A,%s,%s,,,,,1.8,1.0,1.5", mode, used),
		fmt.Sprintf("GPZDA,%s,%s,%s,%s,00,00", hms, d, m, y),
	} {
		sum := byte(0)
		for _, c := range []byte(body) {
			sum ^= c
		}
		fmt.Fprintf(&text, "$%s*%02X\r\n", body, sum)
	}
	return text.String()
}
