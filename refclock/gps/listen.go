package gps

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.bug.st/serial"

	"timestation/refclock"
)

// Found is a receiver that was heard.
type Found struct {
	Device string
	// Baud is the line speed at which its sentences are intact.
	Baud int
	// Text describes it in a few words, such as "NMEA 0183, fix with 9 satellites".
	Text string
}

// Why Listen found no receiver.
var (
	ErrSilent  = errors.New("nothing is heard")
	ErrNotNMEA = errors.New("bytes arrive, but no NMEA sentences at any usual baud rate")
)

// usualBauds in the order in which they are tried: what most modules start with, what u-blox 9 and 10 start with, what
// people set, what old receivers use.
var usualBauds = []int{9600, 38400, 115200, 4800, 57600}

// When a baud rate is given up. At the wrong one most bytes come out as anything but printable characters; binary
// packets between the sentences look the same, so each rate gets another turn.
const (
	garbledAfter = 32  // bytes, when a quarter of them cannot be in a sentence
	foreignAfter = 400 // bytes without a sentence, though all could be: text of another kind
)

// Listen listens on a port for up to d (3 s are good: receivers talk once a second) and tries the usual baud rates in turn.
// Its errors are those of opening the port, ErrSilent, ErrNotNMEA and the end of ctx.
func Listen(ctx context.Context, device string, d time.Duration) (Found, error) {
	return listen(ctx, device, d, func(device string, baud int) (tunable, error) {
		port, err := openSerial(device, baud)
		return tunedPort{port}, err
	})
}

// tunable is a port whose speed can be changed.
type tunable interface {
	io.ReadCloser
	Tune(baud int) error
}

type tunedPort struct{ serial.Port }

func (p tunedPort) Tune(baud int) error {
	return errors.Join(p.SetMode(&serial.Mode{BaudRate: baud}), p.ResetInputBuffer())
}

func listen(ctx context.Context, device string, d time.Duration, open func(string, int) (tunable, error)) (Found, error) {
	port, err := open(device, usualBauds[0])
	if err != nil {
		return Found{}, err
	}
	defer port.Close()
	began := time.Now()
	buffer := make([]byte, ttyBuffer)
	heard := false
	for turn := 0; ; turn++ {
		a := newAttempt(usualBauds[turn%len(usualBauds)])
		if err := port.Tune(a.baud); err != nil {
			return Found{}, explain(device, a.baud, err)
		}
		for !a.hopeless() {
			if err := ctx.Err(); err != nil {
				return Found{}, err
			}
			if time.Since(began) >= d {
				return a.result(device, heard)
			}
			n, err := port.Read(buffer)
			if err != nil {
				return Found{}, fmt.Errorf("%s: the port is gone (%v); plug the receiver in again", device, err)
			}
			heard = heard || n > 0
			// The decoder wants stamps of any clock.
			if a.take(buffer[:n], refclock.Stamp(time.Since(began))) {
				return a.result(device, heard)
			}
		}
	}
}

// attempt listens at one baud rate.
type attempt struct {
	baud         int
	decoder      *Decoder
	bytes, wrong int
	// bursts counts those with intact sentences that are over.
	bursts int
	idle   bool
}

func newAttempt(baud int) *attempt {
	config := DefaultConfig()
	config.Baud = baud
	env := refclock.Environment{TAIMinusUTC: func(refclock.UTC) int32 { return 0 }}
	return &attempt{baud: baud, decoder: NewDecoder(config, env, deaf{})}
}

// deaf is a sink for a decoder that is asked instead.
type deaf struct{}

func (deaf) Sample(refclock.Sample) {}
func (deaf) Signal(refclock.Signal) {}

// take takes what was read, and tells whether enough was heard: the first burst may have been joined in the middle.
func (a *attempt) take(p []byte, at refclock.Stamp) (over bool) {
	a.bytes += len(p)
	for _, b := range p {
		if (b < ' ' || b > '~') && b != '\r' && b != '\n' {
			a.wrong++
		}
	}
	a.decoder.Receive(p, at)
	if a.decoder.idle && !a.idle && a.decoder.sentences > 0 {
		a.bursts++
	}
	a.idle = a.decoder.idle
	return a.bursts >= 2
}

func (a *attempt) hopeless() bool {
	return a.decoder.sentences == 0 &&
		(a.bytes >= garbledAfter && a.wrong*4 >= a.bytes || a.bytes >= foreignAfter)
}

func (a *attempt) result(device string, heard bool) (Found, error) {
	if a.decoder.sentences == 0 {
		if heard {
			return Found{}, fmt.Errorf("%s: %w", device, ErrNotNMEA)
		}
		return Found{}, fmt.Errorf("%s: %w", device, ErrSilent)
	}
	text := "NMEA 0183"
	switch g := a.decoder.gnss(); {
	case g.Fix != refclock.NoFix:
		text += fmt.Sprintf(", fix with %d satellites", g.SatellitesUsed)
	case len(g.Satellites) > 0:
		text += fmt.Sprintf(", no fix yet, %d satellites in view", len(g.Satellites))
	default:
		text += ", no fix yet"
	}
	return Found{Device: device, Baud: a.baud, Text: text}, nil
}
