package gps

import (
	"strings"
	"testing"

	"timestation/refclock"
)

// scan gives text to a scanner with stamps that count the bytes, and lists what sentences came out.
func scan(text string) (sentences []string, starts []refclock.Stamp, refused uint64) {
	var s scanner
	s.scan([]byte(text), func(i int) refclock.Stamp { return refclock.Stamp(i) }, func(f frame) {
		if f.protocol == nmea0183 {
			sentences, starts = append(sentences, f.sentence), append(starts, f.start)
		}
	})
	return sentences, starts, s.refused
}

func TestScanner(t *testing.T) {
	const a, b = "$GPGLL,2638.1727,N,08011.3892,W,030130.000,A,A*4E", "$GPTXT,01,01,02,ANTSTATUS=OK*3B"
	for _, c := range []struct {
		name, text string
		want       string // the sentences, joined by a blank
		refused    uint64
	}{
		{"plain", a + "\r\n" + b + "\r\n", a + " " + b, 0},
		{"one line end only", a + "\n" + b + "\r", a + " " + b, 0},
		{"small checksum", strings.ToLower(a[len(a)-2:]) + a[:len(a)-2] + "4e\n", a[:len(a)-2] + "4e", 0},
		{"joined in the middle", "27,N,08011.3892,W,030130.000,A,A*4E\r\n" + b + "\r\n", b, 0},
		{"not ended", a + "\r\n" + b, a, 0},
		{"torn by the next", "$GPGGA,030130" + a + "\r\n", a, 1}, // gpsd's triton400.log
		{"wrong checksum", strings.Replace(a, "4E", "4F", 1) + "\r\n" + b + "\r\n", b, 1},
		{"no checksum", a[:len(a)-3] + "\r\n" + b + "\r\n", b, 1},
		{"checksum cut", a[:len(a)-1] + "\r\n" + b + "\r\n", b, 1},
		{"a byte too many", a + "0\r\n" + b + "\r\n", b, 1},
		{"a bit error", strings.Replace(a, "2638", "2\xb638", 1) + "\r\n" + b + "\r\n", b, 0},
		{"packet cut off", "\xb5b\x01\x07$\x00\x5c$" + a + "\r\n", a, 1},
		{"binary packet between", a + "\r\n\xb5b\x01\x07$\x5c\x00\x00$$" + b + "\r\n", a + " " + b, 0},
		{"endless", "$GP" + strings.Repeat("x", 5000) + "\r\n" + b + "\r\n", b, 0},
		{"nothing in it", "$\r\n$*00\r\n" + b + "\r\n", b, 0},
	} {
		sentences, starts, refused := scan(c.text)
		if got := strings.Join(sentences, " "); got != c.want || refused != c.refused {
			t.Errorf("%s: %q and %d refused, want %q and %d", c.name, got, refused, c.want, c.refused)
		}
		for i, start := range starts {
			if c.text[start] != '$' || !strings.HasPrefix(c.text[start:], sentences[i]) {
				t.Errorf("%s: sentence %d is stamped with byte %d", c.name, i, start)
			}
		}
	}
}
