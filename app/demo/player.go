package demo

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"timestation/refclock"
)

// Delay is how long after the second each burst begins: in the range of a modern receiver, whose solution takes that
// long. The demonstration's configuration tells it to the driver as delay_seconds, as one would who had measured it.
const Delay = 60 * time.Millisecond

// Baud is the speed of the make-believe line: what u-blox 9 receivers start with. A burst of the recording, some 1300
// bytes, takes a third of a second.
const Baud = 38400

// chunk is how many bytes are written at once: as many as a UART's FIFO gathers before it interrupts.
const chunk = 16

// Player plays a recording, until it is closed or its context ends.
type Player struct {
	device string
	stop   context.CancelFunc
	done   chan struct{}
}

// Start opens a pseudo-terminal and plays the recording on it for ever, as if it were happening now by the local clock
// that now reads. Bytes that nobody reads are lost, as on a real line. Where there are no pseudo-terminals the error is
// errors.ErrUnsupported, and a clock that cannot be right, as on a Raspberry Pi that was never set, is refused.
func Start(ctx context.Context, recording []byte, now func() refclock.Stamp) (*Player, error) {
	bursts, err := split(recording)
	if err != nil {
		return nil, err
	}
	if at := utc(now()); at.Year() < earliestYear {
		return nil, fmt.Errorf("this machine's clock says %s, and the demonstration plays in the present; set it, for instance "+
			"with: sudo date --set '2026-11-22 12:00'", at.Format(time.DateOnly))
	}
	line, device, err := openTerminal()
	if err != nil {
		return nil, fmt.Errorf("a pseudo-terminal for the demonstration cannot be opened: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	p := &Player{device: device, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		defer line.Close()
		play(ctx, line, bursts, now)
	}()
	return p, nil
}

// earliestYear is that of the recording: the present is later.
const earliestYear = 2020

// Device is the path of the terminal, to be given to the gps driver.
func (p *Player) Device() string { return p.device }

// Close ends the playing and takes the terminal away: to its reader it is as if a receiver were pulled out.
func (p *Player) Close() {
	p.stop()
	<-p.done
}

// utc is the local clock's reading, taken for the true time: that is what makes it a demonstration.
func utc(stamp refclock.Stamp) time.Time { return time.Unix(0, int64(stamp)).UTC() }

// play sends a burst a second. It asks the clock anew for each, so it neither drifts nor minds a clock that is set.
func play(ctx context.Context, line io.Writer, bursts []burst, now func() refclock.Stamp) {
	for i := 0; ; i = (i + 1) % len(bursts) {
		at := utc(now())
		second := at.Add(-Delay).Truncate(time.Second).Add(time.Second)
		if !sleep(ctx, second.Add(Delay).Sub(at)) || !send(ctx, line, bursts[i], second) {
			return
		}
	}
}

// send writes a burst as a UART would receive it: each chunk when its last byte is due.
func send(ctx context.Context, line io.Writer, b burst, second time.Time) bool {
	const bitsPerByte = 10
	var text strings.Builder
	for _, sentence := range b.sentences {
		text.WriteString(restamp(sentence, second))
	}
	began := time.Now()
	for data, sent := []byte(text.String()), 0; sent < len(data); {
		n := min(chunk, len(data)-sent)
		due := time.Duration(sent+n) * bitsPerByte * time.Second / Baud
		if !sleep(ctx, due-time.Since(began)) {
			return false
		}
		// A full terminal refuses the bytes, and they are lost.
		_, _ = line.Write(data[sent : sent+n])
		sent += n
	}
	return true
}

// sleep waits, and tells whether there is anything to go on for.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
