package gps

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"timestation/refclock"
)

// FuzzDecoder: whatever comes down the line, the decoder does not crash, the scanner finds the same sentences however the
// bytes are portioned, and what is delivered can be believed and shown. A byte 0xff stands for 150 ms of silence; with a
// portion of 128 and more, every line gets a right checksum, so that mutations reach the parsers.
func FuzzDecoder(f *testing.F) {
	logs, err := filepath.Glob("testdata/recordings/*.log")
	if err != nil || len(logs) == 0 {
		f.Fatalf("no recordings (%v)", err)
	}
	for i, log := range logs {
		raw, err := os.ReadFile(log)
		if err != nil {
			f.Fatal(err)
		}
		raw = body(raw)
		f.Add(raw[:min(len(raw), 1500)], uint8(16*i+1))
		f.Add(raw[:min(len(raw), 600)], uint8(128+i))
	}
	f.Fuzz(func(t *testing.T, data []byte, portion uint8) {
		if portion >= 128 {
			data = mend(data)
		}
		out := &checkedSink{t: t}
		config := DefaultConfig()
		config.Baud = 115200
		l := newLine(config, refclock.Environment{NotBefore: built}, out)
		l.idle(200 * time.Millisecond)
		count := int(portion)%64 + 1
		for _, burst := range bytes.Split(data, []byte{0xff}) {
			for part := range slices.Chunk(burst, count) {
				l.send(part)
			}
			l.idle(150 * time.Millisecond)
		}

		var whole scanner
		found := uint64(0)
		for _, b := range bytes.ReplaceAll(data, []byte{0xff}, nil) {
			if sentence, _, ok := whole.push(b, 0); ok {
				found++
				if !intact([]byte(sentence)) || len(sentence) > longestSentence {
					t.Fatalf("not a sentence: %q", sentence)
				}
			}
		}
		if found != l.decoder.sentences || whole.refused != l.decoder.scanner.refused {
			t.Errorf("%d sentences and %d refused in portions of %d, %d and %d in one", l.decoder.sentences,
				l.decoder.scanner.refused, count, found, whole.refused)
		}
	})
}

// mend gives each sentence of at least three bytes the checksum that it should have.
func mend(data []byte) []byte {
	var mended []byte
	for text := range bytes.Lines(data) {
		if at := bytes.IndexByte(text, '$'); at >= 0 {
			inner, _, _ := bytes.Cut(bytes.TrimRight(text[at+1:], "\r\n"), []byte("*"))
			mended = append(append(mended, text[:at]...), sentence(string(inner))...)
			continue
		}
		mended = append(mended, text...)
	}
	return mended
}

// checkedSink holds every delivery to what the rest of the station relies on.
type checkedSink struct {
	t    *testing.T
	last refclock.Stamp
}

func (c *checkedSink) Sample(s refclock.Sample) {
	u := s.Instant.Add(-uncalibratedDelay).UTC()
	if u.Nanoseconds != 0 || u.Time().Before(built) || s.Systematic != uncalibratedLimit {
		c.t.Errorf("sample %v ± %v", u, s.Systematic)
	}
	if s.Stamp <= c.last {
		c.t.Errorf("stamp %d after %d", s.Stamp, c.last)
	}
	c.last = s.Stamp
}

func (c *checkedSink) Signal(s refclock.Signal) {
	if _, err := json.Marshal(s); err != nil {
		c.t.Error(err) // NaN or infinite
	}
	if s.State != refclock.Timing && s.Text == "" {
		c.t.Errorf("%s, and no word why", s.State)
	}
	for i, one := range s.GNSS.Satellites {
		if one.CN0 < 0 || one.CN0 > 99 || one.Elevation < -1 || one.Elevation > 90 || one.Azimuth < -1 || one.Azimuth > 359 {
			c.t.Errorf("impossible satellite %+v", one)
		}
		if i > 0 {
			if before := s.GNSS.Satellites[i-1]; before.Constellation == one.Constellation && before.PRN >= one.PRN {
				c.t.Errorf("satellite %+v after %+v", one, before)
			}
		}
	}
}
