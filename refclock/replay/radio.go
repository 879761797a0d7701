package replay

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"timestation/refclock"
	"timestation/refclock/edge"
	"timestation/refclock/longwave"
	"timestation/refclock/longwave/receiver"
)

const (
	// binsASecond is how many bins a second of a recording has.
	binsASecond = 1000 / longwave.BinMilliseconds
	// placed is how many minutes are decoded before the play, to find where in the recording the seconds begin.
	placed = 30
	// bounds of the dates in recordings.
	firstYear, lastYear = 2000, 2060
)

// radioRecording is what a long-wave receiver gave, from one reset of its recorder to the next.
type radioRecording struct {
	transmitter receiver.Transmitter
	config      Config
	env         refclock.Environment
	bins        []uint8
	// first is when the bins begin, period how long a second of theirs is by the transmitter's clock.
	first, period time.Duration
	// minute is when one of its minutes begins.
	minute time.Duration
}

// newRadio gives what understands recordings of a transmitter.
func newRadio(t receiver.Transmitter) func([]byte, Config, refclock.Environment) (recording, error) {
	return func(content []byte, config Config, env refclock.Environment) (recording, error) {
		runs, err := bins(content, t.Code, config.Rate)
		if err != nil {
			return nil, err
		}
		for _, run := range runs {
			r := &radioRecording{transmitter: t, config: config, env: env, bins: run}
			if r.place() {
				return r, nil
			}
		}
		return nil, fmt.Errorf("no time can be decoded from it; `timestation decode %s` tells more", t.Code.Name)
	}
}

// bins reads a recording, one run for each time that its recorder began anew.
func bins(content []byte, code *longwave.Code, rate float64) (runs [][]uint8, err error) {
	runs = [][]uint8{nil}
	add := func(v uint8) { runs[len(runs)-1] = append(runs[len(runs)-1], v) }
	folder := longwave.NewFolder(rate, add)
	err = longwave.Play(bytes.NewReader(content), "", longwave.Player{
		Level: folder.Add,
		Lost:  folder.Lost,
		Bin:   add,
		Gap:   func(int64) { runs = append(runs, nil) },
		Telegram: func(symbols []byte) {
			for i := range max(60, len(symbols)) {
				second(code, i, symbols, add)
			}
		},
	})
	return runs, err
}

// second makes the pulse of which a log has only the digit.
func second(code *longwave.Code, i int, symbols []byte, add func(uint8)) {
	const active = longwave.BinMilliseconds
	shape, ok := longwave.Symbol(0), false
	if i < len(symbols) {
		shape, ok = code.Digits(i, symbols[i])
	}
	var one [binsASecond]uint8
	if ok {
		for _, on := range code.Shapes[shape].On {
			for o := on[0] / longwave.BinMilliseconds; o < on[1]/longwave.BinMilliseconds; o++ {
				one[o] = active
			}
		}
	}
	mark := i == 59 && len(code.Shapes[len(code.Shapes)-1].On) == 0 // a second without a pulse, of which logs write anything
	for _, v := range one {
		if !ok && !mark {
			v = longwave.Unknown
		}
		add(v)
	}
}

// place decodes the beginning and finds when the bins were.
func (r *radioRecording) place() bool {
	var minutes []longwave.Minute
	decoder := longwave.New(r.transmitter.Code, date(firstYear), date(lastYear), func(m longwave.Minute) { minutes = append(minutes, m) })
	for _, v := range r.bins {
		if decoder.Bin(v); len(minutes) >= placed {
			break
		}
	}
	if len(minutes) == 0 {
		return false
	}
	a, b := minutes[0], minutes[len(minutes)-1]
	r.period = time.Second
	if elapsed := b.UTC.Sub(a.UTC); elapsed >= 5*time.Minute {
		period := time.Duration(float64(elapsed) * binsASecond / (b.Bin - a.Bin))
		if (period - time.Second).Abs() < time.Millisecond { // beyond, minutes are missing in between
			r.period = period
		}
	}
	first := -r.at(a.Bin) % time.Second
	r.first = (first + time.Second) % time.Second
	r.minute = r.at(a.Bin)
	return true
}

func (r *radioRecording) second() (int64, bool) {
	return (60 - int64(r.minute.Round(time.Second)/time.Second)%60) % 60, true
}

// at is when a bin is played.
func (r *radioRecording) at(bin float64) time.Duration {
	return r.first + time.Duration(math.Round(bin/binsASecond*float64(r.period)))
}

func date(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }

// pieces are seconds of bins.
func (r *radioRecording) pieces() (all []piece, length time.Duration) {
	for from := 0; from < len(r.bins); from += binsASecond {
		all = append(all, piece{at: r.at(float64(from)), data: r.bins[from:min(from+binsASecond, len(r.bins))]})
	}
	return all, (r.at(float64(len(r.bins)))/time.Second + 1) * time.Second
}

func (r *radioRecording) decoder(out refclock.Sink) func([]byte, refclock.Stamp) {
	delay, limit := r.config.Delay, r.config.Limit
	config := receiver.Config{DelaySeconds: &delay, DelayLimitSeconds: limit}
	// The recording is played as it was received: there is no way to the transmitter.
	env, t := r.env, r.transmitter
	here := refclock.Position{}
	env.NotBefore, env.Position, t.Places = date(firstYear), &here, []refclock.Position{here}
	var listener *receiver.Listener
	var level bool
	var played int
	var sequence uint32
	return func(data []byte, at refclock.Stamp) {
		switch {
		case len(data) == 0 && listener == nil:
			return
		case len(data) == 0:
			listener.Advance()
			return
		case played%len(r.bins) == 0:
			level = data[0] > longwave.BinMilliseconds/2
			listener, sequence = receiver.NewListener(t, config, env, date(lastYear), level, out), 0
		}
		played += len(data)
		if bytes.IndexByte(data, longwave.Unknown) >= 0 {
			listener.Lost(at, at.Add(time.Duration(len(data))*r.period/binsASecond))
			return
		}
		for i, v := range data {
			for ms, before := uint8(0), level; ms < longwave.BinMilliseconds; ms++ {
				// A level goes on into the bin in which it changes.
				active := before && ms < v || !before && ms >= longwave.BinMilliseconds-v
				if active == level {
					continue
				}
				level = active
				sequence++
				when := at.Add(r.period * time.Duration(i*longwave.BinMilliseconds+int(ms)) / 1000)
				listener.Edge(edge.Edge{Stamp: when, Rising: level, Sequence: sequence})
			}
		}
		listener.Advance()
	}
}
