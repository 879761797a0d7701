package replay

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"timestation/refclock"
	"timestation/refclock/dcf77"
	"timestation/refclock/jjy"
	"timestation/refclock/longwave"
	"timestation/refclock/longwave/radiotest"
	"timestation/refclock/msf60"
	"timestation/refclock/wwvb"
)

var received = time.Date(2019, 5, 4, 3, 2, 1, 345e6, time.UTC)

// levels is a recording of levels.
func levels(code *longwave.Code, length time.Duration, noise radiotest.Noise) []byte {
	var text bytes.Buffer
	for _, on := range radiotest.Simulate(code, received, length, noise, 5).Levels {
		text.WriteByte("01"[map[bool]int{true: 1}[on]])
	}
	return text.Bytes()
}

// scope is the same as lines, some of which are lost.
func scope(code *longwave.Code, length time.Duration) []byte {
	var text strings.Builder
	n := 0
	var line []byte
	folder := longwave.NewFolder(radiotest.Rate, func(v uint8) {
		line = append(line, "-123456789X"[v])
		if len(line) == binsASecond {
			if n%97 != 50 {
				fmt.Fprintf(&text, "%d, %s\n", n, line)
			}
			n++
			line = line[:0]
		}
	})
	for _, on := range radiotest.Simulate(code, received, length, radiotest.Noise{}, 5).Levels {
		folder.Add(on, 1)
	}
	return []byte(text.String())
}

// bits is a log of bits, a minute a line.
func bits(code *longwave.Code, n int) []byte {
	var text strings.Builder
	for i := range n {
		for _, y := range code.Encode(code.At(received.Truncate(time.Minute).Add(time.Duration(i) * time.Minute))) {
			if int(y) >= len(code.Shapes) {
				y = code.Zero
			}
			text.WriteByte('0' + byte(y))
		}
		text.WriteByte('\n')
	}
	return []byte(text.String())
}

// TestRadio: recordings of every transmitter and kind play for ever in the present, their seconds on those of the clock,
// however far off the recorder's were.
func TestRadio(t *testing.T) {
	for _, play := range []struct {
		code    *longwave.Code
		content []byte
		samples int
	}{
		{dcf77.Code, levels(dcf77.Code, 7*time.Minute, radiotest.Noise{Flip: 0.05, DriftPPM: 300}), 50},
		{dcf77.Code, bits(dcf77.Code, 8), 50},
		{msf60.Code, levels(msf60.Code, 7*time.Minute, radiotest.Noise{Inverted: true}), 50},
		{wwvb.Code, scope(wwvb.Code, 8*time.Minute), 40},
		{jjy.Code, levels(jjy.Code, 7*time.Minute, radiotest.Noise{}), 40},
	} {
		out := run(t, play.content, start, func(c *Config) { c.Format = play.code.Name }, 14*time.Minute, nil)
		if len(out.Samples()) < play.samples {
			t.Errorf("%s: %d samples in two rounds", play.code.Name, len(out.Samples()))
		}
		for i, s := range out.Samples() {
			u := s.Instant.UTC()
			wrong := time.Duration(u.Seconds*1e9 + int64(u.Nanoseconds) - int64(s.Stamp))
			if wrong.Abs() > 12*time.Millisecond || s.Systematic != 50*time.Millisecond || s.Leap != refclock.LeapUnknown {
				t.Errorf("%s: sample %d is wrong by %v: %v %+v", play.code.Name, i, wrong, u, s)
				break
			}
		}
		if last := out.Signals()[len(out.Signals())-1]; last.State != refclock.Timing || last.Radio == nil || len(last.Radio.Fields) == 0 {
			t.Errorf("%s: %+v", play.code.Name, last)
		}
	}
}

// TestRadioOwn: the recording's own time, once.
func TestRadioOwn(t *testing.T) {
	out := run(t, levels(dcf77.Code, 8*time.Minute, radiotest.Noise{}), start, func(c *Config) { c.Format, c.Time = "dcf77", own }, 10*time.Minute, nil)
	if len(out.Samples()) < 30 {
		t.Fatalf("%d samples", len(out.Samples()))
	}
	for _, s := range out.Samples() {
		if at := s.Instant.UTC().Time(); at.Before(received) || at.After(received.Add(8*time.Minute)) {
			t.Errorf("%v", at)
		}
	}
	if last := out.Signals()[len(out.Signals())-1]; last.State != refclock.Receiving || !strings.Contains(last.Text, "over") {
		t.Errorf("%+v", last)
	}
}

func TestRadioWithoutTime(t *testing.T) {
	for _, content := range [][]byte{[]byte(strings.Repeat("0110", 100000)), []byte("nothing\n")} {
		if _, err := formats["dcf77"](content, DefaultConfig(), refclock.Environment{}); err == nil {
			t.Errorf("%.20q is taken", content)
		}
	}
}

// TestTelegramLog: a log as received, in which minutes are missing, plays too.
func TestTelegramLog(t *testing.T) {
	content, err := os.ReadFile("../longwave/testdata/recordings/gheja_dcf77.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Join(bytes.SplitAfter(content, []byte("\n"))[:40], nil)
	r, err := formats["dcf77"](lines, DefaultConfig(), refclock.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	if all, length := r.pieces(); len(all) < 2100 || length < 2100*time.Second || length > 2300*time.Second {
		t.Errorf("%d pieces, %v", len(all), length)
	}
}
