package gps

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
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
			data = mendPackets(mend(data))
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
		whole.scan(bytes.ReplaceAll(data, []byte{0xff}, nil), func(int) refclock.Stamp { return 0 }, func(f frame) {
			found++
			if f.protocol == nmea0183 && (!intact([]byte(f.sentence)) || len(f.sentence) > longestSentence) {
				t.Fatalf("not a sentence: %q", f.sentence)
			}
		})
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

// mendPackets gives each UBX packet that is there the checksum that it should have.
func mendPackets(data []byte) []byte {
	data = slices.Clone(data)
	for at := 0; at+8 <= len(data); at++ {
		if data[at] != 0xb5 || data[at+1] != 0x62 {
			continue
		}
		end := at + 6 + int(data[at+4]) + int(data[at+5])<<8
		if end+2 <= len(data) {
			data[end], data[end+1] = fletcher(data[at+2 : end])
			at = end + 1
		}
	}
	return data
}

// FuzzRecording: whatever a file holds, what is made of it can be believed and written, in whatever portions it is read.
// With mended, checksums are put right, so that mutations reach the parsers.
func FuzzRecording(f *testing.F) {
	logs, err := filepath.Glob("testdata/*/*.log")
	if err != nil || len(logs) == 0 {
		f.Fatalf("no recordings (%v)", err)
	}
	for i, log := range logs {
		raw, err := os.ReadFile(log)
		if err != nil {
			f.Fatal(err)
		}
		raw = body(raw)
		f.Add(raw[:min(len(raw), 2500)], i%2 == 0)
	}
	g := good(noon)
	f.Add([]byte(g.pvt()+g.sol()+g.timeGPS()+g.timeUTC()+g.timeLS()+g.status()+g.sat()+g.timTP(true, 5000, 0)+monRFOf(3, 4)+
		monHWOf(2, 3)+secSIGOf(1, 2, 3)+secSIGOf(2, 1, 2)+monVEROf("HPG 1.50", "27.50", "ZED-F9P")+rtcm(1005, 19)), true)
	f.Fuzz(func(t *testing.T, data []byte, mended bool) {
		if mended {
			data = mendPackets(mend(data))
		}
		check := func(s Solution) error {
			if s.UTC != nil && (s.UTC.Time().Before(gpsEpoch.Add(-2*time.Second)) || s.UTC.Nanoseconds < 0 || s.UTC.Nanoseconds >= 1e9) {
				t.Errorf("time %+v", *s.UTC)
			}
			if s.Fix == refclock.NoFix && (s.SatellitesUsed != 0 || s.Latitude != nil || s.UTC == nil) {
				t.Errorf("no fix, and yet %+v", s)
			}
			if s.SatellitesUsed < 0 || s.SatellitesUsed > 255 || s.Satellites == nil {
				t.Errorf("%d satellites used", s.SatellitesUsed)
			}
			_, err := json.Marshal(s) // NaN or infinite
			return err
		}
		n := 0
		whole, err := ReadRecording(bytes.NewReader(data), time.Time{}, func(s Solution) error { n++; return check(s) })
		if err != nil {
			t.Fatal(err)
		}
		pieces, err := ReadRecording(iotest.OneByteReader(bytes.NewReader(data)), time.Time{}, func(s Solution) error { n--; return nil })
		if err != nil || n != 0 || fmt.Sprint(whole) != fmt.Sprint(pieces) {
			t.Errorf("whole %v, in pieces %v, %d solutions more (%v)", whole, pieces, n, err)
		}
	})
}

// FuzzScanner: in whatever portions and among whatever bytes, the same messages are found, each is what its checksum says,
// and a message at the end of any garbage is found, once what may have been a packet is over.
func FuzzScanner(f *testing.F) {
	g := good(noon)
	for i, s := range []string{"", "$GPGGA,", "\xb5\x62", "\xb5\x62\x01\x07\xff\x1f", rtcm(1077, 99)[:50], "\xa0\xa2\x03\xff", "\xa0\xa1\x00\x04abcd",
		g.pvt() + g.sat()[:100], gsv + gsa[:20], strings.Repeat("\xb5\x62\x0a\x04\x08\x00", 12)} {
		f.Add([]byte(s), uint8(i*9))
	}
	f.Fuzz(func(t *testing.T, data []byte, portion uint8) {
		found := func(portion int) (all []string, refused uint64) {
			var s scanner
			for part := range slices.Chunk(data, portion) {
				s.scan(part, func(int) refclock.Stamp { return 0 }, func(f frame) {
					all = append(all, fmt.Sprintf("%d %s %x %x %x", f.protocol, f.sentence, f.class, f.id, f.payload))
				})
			}
			return all, s.errors()
		}
		one, refused := found(len(data) + 1)
		other, refusedToo := found(int(portion) + 1)
		if !slices.Equal(one, other) || refused != refusedToo {
			t.Errorf("whole: %q and %d, in portions of %d: %q and %d", one, refused, int(portion)+1, other, refusedToo)
		}
		var s scanner
		last := frame{}
		s.scan(append(slices.Clone(data), "\r\n"+g.timeLS()+gsv+strings.Repeat("\x00", longestPacket)...),
			func(int) refclock.Stamp { return 0 }, func(f frame) {
				if f.protocol == nmea0183 || f.protocol == ubx && f.class == navTIMELS>>8 {
					last = f
				}
			})
		if last.sentence != strings.TrimSpace(gsv) {
			t.Errorf("the last message is %q", last.sentence)
		}
	})
}

// checkedSink holds every delivery to what the rest of the station relies on.
type checkedSink struct {
	t    *testing.T
	last refclock.Stamp
}

func (c *checkedSink) Sample(s refclock.Sample) {
	if s.Kind == refclock.Correction {
		if s.Correction.Quantisation.Abs() > mostQuantisation || s.Correction.Second.UTC().Time().Before(built) {
			c.t.Errorf("correction %+v", s.Correction)
		}
		return
	}
	u := s.Instant.Add(-uncalibratedDelay).UTC().Time()
	if off := u.Sub(u.Round(time.Second)); off.Abs() > onSecond || u.Before(built.Add(-onSecond)) || s.Systematic != uncalibratedLimit {
		c.t.Errorf("sample %v ± %v", u, s.Systematic)
	}
	if s.Noise < noise || s.TAIKnown && s.Unsure {
		c.t.Errorf("sample %+v", s)
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
			if before := s.GNSS.Satellites[i-1]; before.Constellation == one.Constellation && before.PRN > one.PRN {
				c.t.Errorf("satellite %+v after %+v", one, before)
			}
		}
	}
}
