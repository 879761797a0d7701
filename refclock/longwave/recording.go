package longwave

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// Format is how a recording is written down.
type Format string

const (
	// Levels are samples: characters '0' and '1' or bytes 0 and 1; spaces and line ends are ignored. 1 is a pulse.
	Levels Format = "levels"
	// Scope is a line a second: its number or time, and one character for each 10 or 20 ms.
	Scope Format = "scope"
	// Minutes is a line a minute, one character for each second.
	Minutes Format = "minutes"
)

// ErrFormat: nothing that could be a recording was recognised.
var ErrFormat = errors.New("this is no recording that can be read: neither levels (0 and 1), nor scope lines, nor minutes of bits")

// Player takes what a recording holds.
type Player struct {
	// Level is called with samples of one level at the recording's rate; Lost with samples that are missing.
	Level func(active bool, n int64)
	Lost  func(n int64)
	// Bin is called instead where the recording holds bins of 10 ms.
	Bin func(value uint8)
	// Gap tells that the recorder began anew after an unknown time, at the line of this number; the first
	// line does too.
	Gap func(line int64)
	// Telegram is called with each minute of bits: '0', '1', other digits of the code, or '_' where nothing was received.
	Telegram func(symbols []byte)
}

// peek is how much of a recording is looked at to recognise its format.
const peek = 8 << 10

// Recognise tells the format from a recording's first bytes.
func Recognise(head []byte) (Format, error) {
	scope, minutes, lines := 0, 0, 0
	for line := range bytes.Lines(head) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			continue
		}
		lines++
		if _, _, ok := scopeLine(line); ok {
			scope++
		} else if minuteLine(line) != nil {
			minutes++
		}
	}
	levels, other := 0, 0
	for _, b := range head {
		switch b {
		case '0', '1', 0, 1:
			levels++
		case ' ', '\t', '\r', '\n':
		default:
			other++
		}
	}
	switch {
	case scope >= 2 || scope == 1 && lines == 1:
		return Scope, nil
	case minutes >= 2 || minutes == 1 && lines == 1:
		return Minutes, nil
	case levels > 0 && other == 0:
		return Levels, nil
	}
	return "", ErrFormat
}

// Play reads a recording to its end.
func Play(r io.Reader, format Format, p Player) error {
	b := bufio.NewReaderSize(r, 1<<16)
	if format == "" {
		head, err := b.Peek(peek)
		if err != nil && err != io.EOF {
			return err
		}
		if format, err = Recognise(head); err != nil {
			return err
		}
	}
	switch format {
	case Levels:
		return playLevels(b, p)
	case Scope:
		return playScope(b, p)
	case Minutes:
		return playMinutes(b, p)
	}
	return fmt.Errorf("%q is not a format; levels, scope and minutes are", format)
}

func playLevels(r *bufio.Reader, p Player) error {
	run, level := int64(0), false
	at := int64(0)
	for {
		c, err := r.ReadByte()
		if err != nil {
			if run > 0 {
				p.Level(level, run)
			}
			if err == io.EOF {
				return nil
			}
			return err
		}
		at++
		var now bool
		switch c {
		case '0', 0:
		case '1', 1:
			now = true
		case ' ', '\t', '\r', '\n':
			continue
		default:
			return fmt.Errorf("byte %d is %q, neither 0 nor 1; name the format with --format", at, c)
		}
		if now != level && run > 0 {
			p.Level(level, run)
			run = 0
		}
		level = now
		run++
		// A chunk now and then, so that a constant level is decoded as it comes.
		if run == 100000 {
			p.Level(level, run)
			run = 0
		}
	}
}

// scopeLine splits a scope line into its number and its characters.
func scopeLine(line []byte) (number int64, slots []byte, ok bool) {
	if len(line) > 20 && line[4] == '-' && line[7] == '-' && line[10] == ' ' {
		t, err := time.Parse("2006-01-02 15:04:05", string(line[:19]))
		if err != nil {
			return 0, nil, false
		}
		rest := line[19:]
		at := bytes.LastIndexByte(bytes.TrimRight(rest, " "), ' ')
		if at < 0 {
			return 0, nil, false
		}
		slots = bytes.TrimSpace(rest[at:])
		slots = bytes.ReplaceAll(slots, []byte("|"), nil)
		if len(slots) != 50 || len(bytes.Trim(slots, "#_")) != 0 {
			return 0, nil, false
		}
		return t.Unix(), slots, true
	}
	i := 0
	for i < len(line) && i < 12 && line[i] >= '0' && line[i] <= '9' {
		i++
	}
	if i == 0 || i+1 >= len(line) {
		return 0, nil, false
	}
	number, err := strconv.ParseInt(string(line[:i]), 10, 64)
	if err != nil {
		return 0, nil, false
	}
	rest := bytes.TrimLeft(line[i:], ", ")
	if len(rest) < binsASecond || len(rest) == len(line[i:]) {
		return 0, nil, false
	}
	slots = rest[:binsASecond]
	for _, c := range slots {
		if slotValue(c) < 0 {
			return 0, nil, false
		}
	}
	return number, slots, true
}

// slotValue is how much of a slot the level was active, in tenths; -1 is no such character.
func slotValue(c byte) int {
	switch {
	case c == '-' || c == '+' || c == '_':
		return 0
	case c >= '1' && c <= '9':
		return int(c - '0')
	case c == 'X' || c == '|' || c == '#':
		return full
	case c == '^' || c == 'v' || c == '?':
		return full / 2
	}
	return -1
}

// maxHole is how many seconds may be missing between two lines for the recorder's clock to be taken as running on.
const maxHole = 12 * 3600

func playScope(r *bufio.Reader, p Player) error {
	last := int64(-1)
	for {
		line, err := r.ReadBytes('\n')
		if number, slots, ok := scopeLine(bytes.TrimRight(line, "\r\n")); ok {
			hole := number - last - 1
			if last == 59 && number == 0 {
				hole = 0 // numbers that are seconds of a minute
			}
			if last < 0 || hole < 0 || hole > maxHole {
				p.Gap(number)
			} else {
				for range hole * binsASecond {
					p.Bin(Unknown)
				}
			}
			last = number
			each := binsASecond / len(slots)
			for _, c := range slots {
				for range each {
					p.Bin(uint8(slotValue(c)))
				}
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// minuteLine gives the symbols of a line that holds a minute, nil if it does not.
func minuteLine(line []byte) []byte {
	symbols := make([]byte, 0, 64)
	for _, c := range line {
		switch {
		case c == ' ' || c == '\t':
		case c >= '0' && c <= '4' || c == '_' || c == 'x':
			symbols = append(symbols, c)
		default:
			if len(symbols) < 58 {
				return nil
			}
		}
		if len(symbols) >= 58 && (c == ' ' || c == '\t') {
			break // what follows is a person's text
		}
	}
	if len(symbols) < 58 || len(symbols) > 61 {
		return nil
	}
	return symbols
}

func playMinutes(r *bufio.Reader, p Player) error {
	for {
		line, err := r.ReadBytes('\n')
		if symbols := minuteLine(bytes.TrimRight(line, "\r\n")); symbols != nil {
			p.Telegram(symbols)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
