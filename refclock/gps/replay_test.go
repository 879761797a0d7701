package gps

import (
	"bytes"
	"regexp"
	"time"

	"timestation/refclock"
)

// slowConfig is the defaults at the speed that most modules start with.
func slowConfig() Config {
	c := DefaultConfig()
	c.Baud = 9600
	return c
}

// taiMinusUTC is good enough for tests: what it has been since 2017.
func taiMinusUTC(refclock.UTC) int32 { return 37 }

// line feeds a decoder as a serial line would: bytes at the pace of the baud rate, silence in between, read every
// pollInterval or as soon as a FIFO of 16 bytes is full.
type line struct {
	decoder *Decoder
	baud    int
	now     refclock.Stamp
}

func newLine(config Config, env refclock.Environment, out refclock.Sink) *line {
	env.TAIMinusUTC = taiMinusUTC
	l := &line{decoder: NewDecoder(config, env, out), baud: config.Baud, now: 1_000_000_000}
	l.decoder.Receive(nil, l.now)
	return l
}

// idle lets time pass with nothing on the line.
func (l *line) idle(d time.Duration) {
	for until := l.now.Add(d); l.now < until; {
		l.now = min(l.now.Add(pollInterval), until)
		l.decoder.Receive(nil, l.now)
	}
}

// send puts bytes on the line; they begin now.
func (l *line) send(data []byte) {
	for len(data) > 0 {
		n := min(16, len(data))
		l.now = l.now.Add(time.Duration(n) * bitsPerByte * time.Second / time.Duration(l.baud))
		l.decoder.Receive(data[:n], l.now)
		data = data[n:]
	}
}

// at lets the line be silent until a stamp, then sends.
func (l *line) at(stamp refclock.Stamp, data string) {
	l.idle(stamp.Sub(l.now))
	l.send([]byte(data))
}

var timeField = regexp.MustCompile(`^\$..(?:(?:RMC|GGA|ZDA|GNS),|GLL,[^,]*,[^,]*,[^,]*,[^,]*,)(\d{6}(?:\.\d+)?),`)

// play sends a recording, whose bytes come without their times, in the way the receiver must have sent it: each new time
// of day, and each new time of week, begins a burst, as much later than the last as it says (a second where it says
// nonsense).
func (l *line) play(recording []byte) {
	began, sent := l.now, 0
	tod, tow := time.Duration(-1), time.Duration(-1)
	step := func(previous *time.Duration, now time.Duration, at int) {
		if now == *previous {
			return
		}
		by := now - *previous
		if *previous < 0 || by <= 0 || by > 10*time.Second {
			by = time.Second
		}
		*previous = now
		l.send(recording[sent:at])
		sent = at
		began = began.Add(by)
		l.idle(began.Sub(l.now))
	}
	var s scanner
	s.scan(recording, func(i int) refclock.Stamp { return refclock.Stamp(i) }, func(f frame) {
		message := uint16(f.class)<<8 | uint16(f.id)
		switch m := timeField.FindStringSubmatch(f.sentence); {
		case m != nil && tow < 0: // with both protocols, UBX sets the pace
			step(&tod, clockTime(m[1]), int(f.start))
		case f.protocol == ubx && message != navSVIN && message>>8 == 1 && leastPayload[message] > 0:
			step(&tow, time.Duration(fields(f.payload).u4(0))*time.Millisecond, int(f.start))
		}
	})
	l.send(recording[sent:])
	l.idle(time.Second)
}

func clockTime(field string) time.Duration {
	t, err := time.Parse("150405", field)
	if err != nil {
		return 0
	}
	return t.Sub(t.Truncate(24 * time.Hour))
}

// body is a recording without the comments at its head.
func body(recording []byte) []byte {
	for len(recording) > 0 && recording[0] == '#' {
		end := bytes.IndexByte(recording, '\n')
		if end < 0 {
			return nil
		}
		recording = recording[end+1:]
	}
	return recording
}
