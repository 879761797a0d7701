package longwave

import (
	"context"
	"io"
	"time"
)

// The years that a code's two digits can be told apart in.
const (
	FirstYear = 2000
	LastYear  = 2099
)

// PlacedMinute is a minute of a recording, by its samples.
type PlacedMinute struct {
	Minute
	// Sample is where second 0 began, DecidedAt how many samples had been read when that was known.
	Sample    float64
	DecidedAt int64
	// Line is the number of the scope line, with a fraction; -1 in other formats.
	Line float64
}

// Decode decodes a recording and tells how much time it holds. An empty format is recognised; rate, in samples a second,
// is that of levels.
func Decode(ctx context.Context, r io.Reader, format Format, code *Code, rate float64, notBefore, notAfter time.Time, take func(PlacedMinute)) (time.Duration, error) {
	const scopeRate = 1000 // samples a second that scope lines count
	var (
		bins, before int64        // bins since the last gap, and before it
		line         float64 = -1 // number of the line at the last gap
		perBin               = rate / binsASecond
		bits         *MinuteDecoder
		seconds      int64
	)
	place := func(m Minute) {
		p := PlacedMinute{Minute: m, Sample: (float64(before) + m.Bin) * perBin, Line: -1}
		p.DecidedAt = int64(float64(before+m.Decided) * perBin)
		if line >= 0 {
			p.Line = line + m.Bin/binsASecond
		}
		take(p)
	}
	decoder := New(code, notBefore, notAfter, place)
	count := func(v uint8) {
		bins++
		decoder.Bin(v)
	}
	folder := NewFolder(rate, count)
	err := Play(&contextReader{ctx, r}, format, Player{
		Level: folder.Add,
		Bin: func(v uint8) {
			perBin = scopeRate / binsASecond
			count(v)
		},
		Gap: func(number int64) {
			if bins > 0 {
				decoder = New(code, notBefore, notAfter, place)
			}
			before, bins, line = before+bins, 0, float64(number)
		},
		Telegram: func(symbols []byte) {
			if bits == nil {
				bits = NewMinutes(code, notBefore, notAfter, func(m Minute) {
					take(PlacedMinute{Minute: m, Sample: m.Bin, DecidedAt: m.Decided, Line: -1})
				})
			}
			bits.Telegram(symbols)
			seconds = bits.seconds
		},
	})
	return time.Duration(before+bins)*BinMilliseconds*time.Millisecond + time.Duration(seconds)*time.Second, err
}

// contextReader ends reading when its context does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
