package replay

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"

	"timestation/refclock"
	"timestation/refclock/gps"
)

const (
	// baud is that of the make-believe line: so fast that a burst takes no time worth speaking of.
	baud        = 921600
	bitsPerByte = 10
	// chunk is how much a UART hands over at once.
	chunk = 16
	// longestStep is how far two bursts may be apart; beyond, the recording has a gap, which is played as a second.
	longestStep = 10 * time.Second
)

// gpsRecording is the bytes of a satellite receiver.
type gpsRecording struct {
	config Config
	env    refclock.Environment
	all    []piece
	length time.Duration
}

func newGPS(content []byte, config Config, env refclock.Environment) (recording, error) {
	all, length := bursts(content)
	if len(all) == 0 {
		return nil, errors.New("there is no time in it; it must be NMEA or UBX, as a receiver sends it")
	}
	return &gpsRecording{config, env, all, length}, nil
}

func (g *gpsRecording) second() (int64, bool) { return 0, false }

func (g *gpsRecording) pieces() ([]piece, time.Duration) { return g.all, g.length }

func (g *gpsRecording) decoder(out refclock.Sink) func([]byte, refclock.Stamp) {
	config := gps.DefaultConfig()
	config.Baud, config.DelaySeconds, config.DelayLimitSeconds, config.Trust = baud, &g.config.Delay, g.config.Limit, "at once"
	env := g.env
	env.NotBefore = time.Time{} // a recording is from before the program was built
	decoder := gps.NewDecoder(config, env, out)
	return func(data []byte, at refclock.Stamp) {
		if len(data) == 0 {
			decoder.Receive(nil, at)
		}
		for len(data) > 0 {
			n := min(chunk, len(data))
			at = at.Add(time.Duration(n) * bitsPerByte * time.Second / baud)
			decoder.Receive(data[:n], at)
			data = data[n:]
		}
	}
}

// message is one of a recording: a sentence, a UBX frame, or whatever stands between them.
type message struct {
	data []byte
	// nmea and ubx are the time of day or of week it tells, negative where it tells none.
	nmea, ubx time.Duration
}

// bursts cuts a recording where a new time begins. NMEA's times are used where there are any: UBX counts the week
// without leap seconds.
func bursts(content []byte) (all []piece, length time.Duration) {
	messages := split(content)
	timeOf, wrap := func(m message) time.Duration { return m.ubx }, 7*24*time.Hour
	for _, m := range messages {
		if m.nmea >= 0 {
			timeOf, wrap = func(m message) time.Duration { return m.nmea }, 24*time.Hour
			break
		}
	}
	var at, last time.Duration
	for _, m := range messages {
		switch t := timeOf(m); {
		case t < 0 && len(all) == 0:
			continue // the end of a burst whose beginning is not there
		case len(all) == 0:
			at, last = t%time.Second, t
			all = append(all, piece{at: at})
		case t >= 0 && t != last:
			advance := (t - last + wrap) % wrap
			if advance > longestStep {
				advance = time.Second
			}
			at, last = at+advance, t
			all = append(all, piece{at: at})
		}
		p := &all[len(all)-1]
		p.data = append(p.data, m.data...)
	}
	if len(all) > 0 {
		length = (at/time.Second + 1) * time.Second
	}
	return all, length
}

// split cuts a recording into its messages. Lines at its head that begin with # are comments, as gpsd's recordings have
// them.
func split(content []byte) []message {
	for len(content) > 0 && content[0] == '#' {
		content = content[lineLength(content):]
	}
	var all []message
	for len(content) > 0 {
		m := message{nmea: -1, ubx: -1}
		switch n := frame(content); {
		case n > 0:
			m.data, m.ubx = content[:n], timeOfWeek(content[:n])
		case content[0] == '$':
			n = lineLength(content)
			m.data, m.nmea = content[:n], timeOfDay(content[:n])
		default:
			n = 1
			for n < len(content) && content[n] != '$' && content[n] != 0xb5 {
				n++
			}
			m.data = content[:n]
		}
		content = content[len(m.data):]
		all = append(all, m)
	}
	return all
}

// lineLength counts the line's end.
func lineLength(p []byte) int {
	if n := bytes.IndexByte(p, '\n') + 1; n > 0 {
		return n
	}
	return len(p)
}

// frame is the length of an intact UBX frame at the beginning of p, or 0 (u-blox interface description, "UBX frame
// structure").
func frame(p []byte) int {
	const around = 8 // two sync bytes, class, ID, two of length; two of checksum
	if len(p) < around || p[0] != 0xb5 || p[1] != 0x62 {
		return 0
	}
	n := int(binary.LittleEndian.Uint16(p[4:])) + around
	if len(p) < n {
		return 0
	}
	var a, b byte
	for _, c := range p[2 : n-2] {
		a += c
		b += a
	}
	if p[n-2] != a || p[n-1] != b {
		return 0
	}
	return n
}

// timeOfWeek is that of a navigation message that begins with it: of all that matter here those of class NAV but
// NAV-SVIN and NAV-HPPOSLLH.
func timeOfWeek(frame []byte) time.Duration {
	const nav, svin, hpposllh, week = 0x01, 0x3b, 0x14, 7 * 24 * time.Hour
	if frame[2] != nav || frame[3] == svin || frame[3] == hpposllh || len(frame) < 8+4 {
		return -1
	}
	t := time.Duration(binary.LittleEndian.Uint32(frame[6:])) * time.Millisecond
	if t >= week {
		return -1
	}
	return t
}

// timeFields are where sentences have the time (NMEA 0183, section 8.3).
var timeFields = map[string]int{"RMC": 1, "GGA": 1, "GNS": 1, "ZDA": 1, "GLL": 5}

func timeOfDay(sentence []byte) time.Duration {
	fields := bytes.Split(sentence, []byte{','})
	if len(fields[0]) != 6 {
		return -1
	}
	at, ok := timeFields[string(fields[0][3:])]
	if !ok || at >= len(fields) {
		return -1
	}
	t, err := time.Parse("150405", string(fields[at]))
	if err != nil {
		return -1
	}
	return t.Sub(t.Truncate(24 * time.Hour))
}
