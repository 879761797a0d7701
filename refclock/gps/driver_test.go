package gps

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"timestation/refclock"
	"timestation/refclock/sinktest"
)

// pretender is a make-believe receiver on a port: from the moment it is plugged in it sends, 85 ms after each second, the
// sentences that burst makes.
type pretender struct {
	began    time.Time
	baud     int
	burst    func(second int) string
	unplugAt time.Duration

	queue  []byte
	queued int
	readAt time.Duration

	written []byte
}

func (r *pretender) now() time.Duration { return time.Since(r.began) }

var errUnplugged = errors.New("input/output error")

// Read gives what has come down the line since the last read, or waits up to pollInterval for it, as a serial port does.
func (r *pretender) Read(p []byte) (int, error) {
	for deadline := r.now() + pollInterval; ; {
		now := r.now()
		if r.unplugAt > 0 && now >= r.unplugAt {
			return 0, errUnplugged
		}
		if second := int((now - 85*time.Millisecond) / time.Second); now >= 85*time.Millisecond && second >= r.queued {
			r.queued = second + 1
			r.queue = append(r.queue, r.burst(second)...)
			r.readAt = time.Duration(second)*time.Second + 85*time.Millisecond
		}
		perByte := bitsPerByte * time.Second / time.Duration(r.baud)
		if n := min(len(p), len(r.queue), int((now-r.readAt)/perByte)); n > 0 {
			copy(p, r.queue[:n])
			r.queue = r.queue[n:]
			r.readAt += time.Duration(n) * perByte
			return n, nil
		}
		if now >= deadline {
			return 0, nil
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Write takes what is sent to the receiver; it is kept in written.
func (r *pretender) Write(p []byte) (int, error) {
	r.written = append(r.written, p...)
	return len(p), nil
}

func (r *pretender) Tune(int) error { return nil }

func (r *pretender) Close() error { return nil }

// TestUnplugged: a port that is not there, a receiver that is plugged in and one that is pulled out again: the driver
// times while there is one, the signal says lost otherwise, and nothing but Supervise is needed for it.
func TestUnplugged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		config := DefaultConfig()
		config.Device, config.Baud = "/dev/ttyUSB0", 9600
		good := func(second int) string {
			at := fmt.Sprintf("1328%02d.00", second%60)
			return gga(at, "1", "08") + gsa + gsv + rmc(at, "A", "180320")
		}
		opened := 0
		d := &driver{
			config: config,
			env: refclock.Environment{
				TAIMinusUTC: taiMinusUTC, NotBefore: built,
				Now: func() refclock.Stamp { return refclock.Stamp(time.Since(began)) },
			},
			open: func(device string, baud int) (tunable, error) {
				opened++
				if opened == 1 {
					return openTunable("/dev/no-such-port", baud)
				}
				return &pretender{began: time.Now(), baud: baud, burst: good, unplugAt: 10 * time.Second}, nil
			},
		}
		out := &sinktest.Record{}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			refclock.Supervise(ctx, "gps", d, slog.New(slog.DiscardHandler), out)
			close(done)
		}()
		time.Sleep(12 * time.Second)
		stop()
		<-done
		var states []string
		for _, s := range out.Signals() {
			if name := string(s.State); len(states) == 0 || states[len(states)-1] != name {
				states = append(states, name)
			}
		}
		if got := strings.Join(states, " "); !strings.HasPrefix(got, "lost waiting receiving timing lost waiting") {
			t.Errorf("states: %s", got)
		}
		if n := len(out.Samples()); n < 9 || n > 11 {
			t.Errorf("%d samples in 10 s", n)
		}
		for _, s := range out.Samples() {
			// The port was opened 0.5 s after the start, after the first wait of Supervise.
			if off := time.Duration((s.Stamp - 500_000_000) % 1e9); off < 80*time.Millisecond || off > 90*time.Millisecond || s.Source != "gps" {
				t.Errorf("%s: stamped %v after the second", s.Source, off)
			}
		}
		first := out.Signals()[0].Text
		if !strings.Contains(first, "/dev/no-such-port: there is no such port") || strings.Contains(first, "\n") {
			t.Error(first)
		}
		if i := slices.IndexFunc(out.Signals(), func(s refclock.Signal) bool { return strings.Contains(s.Text, "gone") }); i < 0 {
			t.Error("nobody says that the port is gone")
		}
	})
}

// TestOpenErrors: what cannot be opened is explained in one line with the mend.
func TestOpenErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for device, want := range map[string]string{
		file:                "not a serial port",
		"/dev/no-such-port": "no such port",
	} {
		if _, err := openTunable(device, 9600); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), device) {
			t.Errorf("%s: %v", device, err)
		}
	}
}

// tunableReceiver comes out garbled at any but its own baud rate.
type tunableReceiver struct {
	pretender
	set int
}

func (r *tunableReceiver) Tune(baud int) error { r.set = baud; return nil }

func (r *tunableReceiver) Read(p []byte) (int, error) {
	n, err := r.pretender.Read(p)
	if r.set != r.baud {
		for i := range p[:n] {
			p[i] = p[i]*7 ^ 0xd5
		}
	}
	return n, err
}

// TestListen: a receiver is found within 3 s at most baud rates; silence and other noise are told apart.
func TestListen(t *testing.T) {
	good := func(second int) string {
		at := fmt.Sprintf("1328%02d.00", second%60)
		return gga(at, "1", "02") + gsa + gsv + rmc(at, "A", "180320") + txt + txt
	}
	for _, c := range []struct {
		name  string
		baud  int
		burst func(int) string
		want  string
		err   error
	}{
		{"9600", 9600, good, "NMEA 0183, fix with 2 satellites", nil},
		{"38400", 38400, good, "NMEA 0183, fix with 2 satellites", nil},
		{"115200", 115200, good, "NMEA 0183, fix with 2 satellites", nil},
		{"4800", 4800, good, "NMEA 0183, fix with 2 satellites", nil},
		{"57600", 57600, good, "NMEA 0183, fix with 2 satellites", nil},
		{"no fix", 9600, func(int) string { return gsv }, "NMEA 0183, no fix yet, 3 satellites in view", nil},
		{"921600", 921600, good, "NMEA 0183, fix with 2 satellites", nil},
		{"31250", 31250, good, "", ErrNotNMEA},
		{"another text", 9600, func(int) string { return strings.Repeat("login: \r\n", 99) }, "", ErrNotNMEA},
		{"silent", 9600, func(int) string { return "" }, "", ErrSilent},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				patience := 3 * time.Second
				if c.baud == 921600 { // a burst is over before it can be tried at another rate
					patience = 12 * time.Second
				}
				found, err := listen(t.Context(), "/dev/ttyS9", patience, func(string, int) (tunable, error) {
					return &tunableReceiver{pretender: pretender{began: began, baud: c.baud, burst: c.burst}}, nil
				})
				if took := time.Since(began); took > patience+2*pollInterval {
					t.Errorf("took %v", took)
				}
				if !errors.Is(err, c.err) {
					t.Fatalf("%v, want %v", err, c.err)
				}
				if err == nil && (found.Baud != c.baud || found.Text != c.want || found.Device != "/dev/ttyS9") {
					t.Errorf("%+v", found)
				}
			})
		})
	}
}
