package gps

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"go.bug.st/serial"

	"timestation/refclock"
)

// Found is a receiver that was heard.
type Found struct {
	Device string
	// Baud is the line speed at which its messages are intact.
	Baud int
	// Text describes it in a few words, such as "NMEA 0183, fix with 9 satellites".
	Text string
}

// Why Listen found no receiver.
var (
	ErrSilent  = errors.New("nothing is heard")
	ErrNotNMEA = errors.New("bytes arrive, but no NMEA or UBX messages at any usual baud rate")
)

// usualBauds in the order in which they are tried: what most modules start with, what u-blox 9 and 10 start with, what
// people set, what old receivers use, what multi-band receivers need.
var usualBauds = []int{9600, 38400, 115200, 4800, 57600, 19200, 230400, 460800, 921600}

// When a baud rate is given up. At the wrong one most bytes come out as anything but printable characters. The middle of a
// binary packet looks the same, so in the first round a rate is given up quickly, which finds NMEA within a burst or two,
// and in the later ones only when a whole second has gone by, in which the beginning of a burst was heard.
const (
	garbledAfter = 32  // bytes, when a quarter of them cannot be in a sentence
	foreignAfter = 400 // bytes without a message, though all could be: text of another kind
	patience     = 1200 * time.Millisecond
)

// Listen listens on a port for up to d (3 s are good: receivers talk once a second) and tries the usual baud rates in turn.
// Its errors are those of opening the port, ErrSilent, ErrNotNMEA and the end of ctx.
func Listen(ctx context.Context, device string, d time.Duration) (Found, error) {
	return listen(ctx, device, d, openTunable)
}

// Heard is what a receiver on a port delivers.
type Heard struct {
	Found
	// Signal is the last one of the driver.
	Signal refclock.Signal
	// Samples is how many seconds the receiver has told with certainty, UTC the last of them, and After how long after its
	// second by the local clock each one's burst began, on average and 1σ. Before the first they are zero.
	Samples        int
	UTC            refclock.UTC
	After, Scatter time.Duration
}

// Listening takes so long at most where nothing at all is heard, and so long more when the line speed is known.
const (
	quietFor  = 3 * time.Second
	decodeFor = 4 * time.Second
)

// Observe finds out what a port delivers, within d (15 s are enough for any line speed; most take 5 s). now reads the local
// clock. Its errors are those of Listen.
func Observe(ctx context.Context, device string, d time.Duration, now func() refclock.Stamp) (Heard, error) {
	return observe(ctx, device, d, now, openTunable)
}

func observe(ctx context.Context, device string, d time.Duration, now func() refclock.Stamp,
	open func(string, int) (tunable, error)) (h Heard, err error) {
	port, err := open(device, usualBauds[0])
	if err != nil {
		return h, err
	}
	defer port.Close()
	began := time.Now()
	s := search{device: device, port: port}
	for !s.found() {
		switch took := time.Since(began); {
		case ctx.Err() != nil:
			return h, ctx.Err()
		case took >= d, took >= quietFor && !s.heard:
			_, err := s.result()
			return h, err
		}
		if err := s.step(refclock.Stamp(time.Since(began))); err != nil {
			return h, err
		}
	}
	// The leap second table does not matter: the samples are turned back into UTC.
	env := refclock.Environment{TAIMinusUTC: func(refclock.UTC) int32 { return 37 }}
	config := DefaultConfig()
	config.Baud, config.DelaySeconds = s.attempt.baud, new(float64)
	notes := &notebook{}
	decoder := NewDecoder(config, env, notes)
	found := time.Now()
	for time.Since(found) < decodeFor && ctx.Err() == nil {
		n, err := port.Read(s.buffer[:])
		if err != nil {
			return h, lost(device, err)
		}
		decoder.Receive(s.buffer[:n], now())
	}
	s.attempt.decoder = decoder
	decoder.signal()
	h.Signal, h.Samples, h.UTC = notes.signal, len(notes.after), notes.utc
	h.After, h.Scatter = spread(notes.after)
	h.Found, err = s.result()
	return h, err
}

// notebook is a sink that keeps what Observe tells.
type notebook struct {
	signal refclock.Signal
	utc    refclock.UTC
	after  []time.Duration
}

func (n *notebook) Signal(s refclock.Signal) { n.signal = s }

func (n *notebook) Sample(s refclock.Sample) {
	if s.Kind == refclock.Absolute {
		n.utc = s.Instant.UTC()
		n.after = append(n.after, time.Duration(int64(s.Stamp)-n.utc.Seconds*1e9-int64(n.utc.Nanoseconds)))
	}
}

// spread is the mean and the standard deviation.
func spread(all []time.Duration) (mean, scatter time.Duration) {
	if len(all) == 0 {
		return 0, 0
	}
	sum := 0.0
	for _, d := range all {
		sum += (d - all[0]).Seconds()
	}
	sum /= float64(len(all))
	squares := 0.0
	for _, d := range all {
		off := (d - all[0]).Seconds() - sum
		squares += off * off
	}
	return all[0] + refclock.Seconds(sum), refclock.Seconds(math.Sqrt(squares / float64(max(len(all)-1, 1))))
}

// tunable is a port whose speed can be changed.
type tunable interface {
	io.ReadWriteCloser
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
	s := search{device: device, port: port}
	for {
		if err := ctx.Err(); err != nil {
			return Found{}, err
		}
		if time.Since(began) >= d {
			return s.result()
		}
		// The decoder wants stamps of any clock.
		if err := s.step(refclock.Stamp(time.Since(began))); err != nil {
			return Found{}, err
		}
		if s.attempt.bursts >= 2 { // the first may have been joined in the middle
			return s.result()
		}
	}
}

// search looks for the speed of a port.
type search struct {
	device  string
	port    tunable
	turn    int
	attempt *attempt
	heard   bool
	buffer  [ttyBuffer]byte
}

// step reads once, at stamps of any clock, and goes on to the next speed where this one is hopeless.
func (s *search) step(now refclock.Stamp) error {
	if s.attempt != nil && s.attempt.hopeless(s.turn >= len(usualBauds), now) {
		s.attempt = nil
		s.turn++
	}
	if s.attempt == nil {
		baud := usualBauds[s.turn%len(usualBauds)]
		if err := s.port.Tune(baud); err != nil {
			if s.turn < len(usualBauds) {
				s.turn++ // a UART that cannot run so fast
				return nil
			}
			return explain(s.device, baud, err)
		}
		s.attempt = newAttempt(baud, now)
	}
	n, err := s.port.Read(s.buffer[:])
	if err != nil {
		return lost(s.device, err)
	}
	s.heard = s.heard || n > 0
	s.attempt.take(s.buffer[:n], now)
	return nil
}

// found tells whether the speed is known.
func (s *search) found() bool { return s.attempt != nil && s.attempt.decoder.sentences > 0 }

func lost(device string, err error) error {
	return fmt.Errorf("%s: the port is gone (%v); plug the receiver in again", device, err)
}

// attempt listens at one baud rate.
type attempt struct {
	baud         int
	began        refclock.Stamp
	decoder      *Decoder
	bytes, wrong int
	// bursts counts those with intact messages that are over.
	bursts int
	idle   bool
}

func newAttempt(baud int, now refclock.Stamp) *attempt {
	config := DefaultConfig()
	config.Baud = baud
	env := refclock.Environment{TAIMinusUTC: func(refclock.UTC) int32 { return 0 }}
	return &attempt{baud: baud, began: now, decoder: NewDecoder(config, env, deaf{})}
}

// deaf is a sink for a decoder that is asked instead.
type deaf struct{}

func (deaf) Sample(refclock.Sample) {}
func (deaf) Signal(refclock.Signal) {}

// take takes what was read.
func (a *attempt) take(p []byte, at refclock.Stamp) {
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
}

func (a *attempt) hopeless(patient bool, now refclock.Stamp) bool {
	return a.decoder.sentences == 0 && !a.decoder.scanner.promising() && (!patient || now.Sub(a.began) >= patience) &&
		(a.bytes >= garbledAfter && a.wrong*4 >= a.bytes || a.bytes >= foreignAfter)
}

func (s *search) result() (Found, error) {
	if !s.found() {
		if s.heard {
			return Found{}, fmt.Errorf("%s: %w", s.device, ErrNotNMEA)
		}
		return Found{}, fmt.Errorf("%s: %w", s.device, ErrSilent)
	}
	g := s.attempt.decoder.gnss()
	text := spoken(g.Protocol)
	switch {
	case g.Fix != refclock.NoFix:
		text += fmt.Sprintf(", fix with %d satellites", g.SatellitesUsed)
	case len(g.Satellites) > 0:
		text += fmt.Sprintf(", no fix yet, %d satellites in view", len(g.Satellites))
	default:
		text += ", no fix yet"
	}
	return Found{Device: s.device, Baud: s.attempt.baud, Text: text}, nil
}

// spoken is a protocol's name for people.
func spoken(protocol string) string {
	if protocol == "" {
		return "RTCM 3 or another binary protocol" // an intact packet, but of neither NMEA nor UBX
	}
	return strings.ReplaceAll(protocol, "NMEA", "NMEA 0183")
}
