package replay

import (
	"context"
	"fmt"
	"time"

	"timestation/refclock"
	"timestation/refclock/dcf77"
	"timestation/refclock/jjy"
	"timestation/refclock/msf60"
	"timestation/refclock/wwvb"
)

// piece is a part of a recording that is played at one moment.
type piece struct {
	// at is when, from the whole second in or before which the recording's time begins.
	at   time.Duration
	data []byte
}

// recording is one that has been understood.
type recording interface {
	// pieces are in the order of their times; length is when the recording may begin anew.
	pieces() (all []piece, length time.Duration)
	// second is the second of a minute that its first one is; false where any will do.
	second() (int64, bool)
	// decoder makes one. It is fed what is played, by the stamps of the local clock, and
	// nothing (nil) every step while there is silence.
	decoder(out refclock.Sink) (feed func(data []byte, at refclock.Stamp))
}

// formats understand recordings, by name.
var formats = map[string]func([]byte, Config, refclock.Environment) (recording, error){
	"gps": newGPS, "dcf77": newRadio(dcf77.Transmitter), "msf60": newRadio(msf60.Transmitter),
	"wwvb": newRadio(wwvb.Transmitter), "jjy": newRadio(jjy.Transmitter),
}

// step is how often a decoder hears of silence.
const step = 20 * time.Millisecond

// driver plays one recording.
type driver struct {
	config Config
	env    refclock.Environment
}

// Run implements [refclock.Driver].
func (d *driver) Run(ctx context.Context, out refclock.Sink) error {
	content, err := d.config.read()
	if err != nil {
		return err
	}
	r, err := formats[d.config.Format](content, d.config, d.env)
	if err != nil {
		return fmt.Errorf("%s: %w", d.config.File, err)
	}
	// The scene is laid once by the local clock; from then on only time passes.
	began, stamp := time.Now(), d.env.Now()
	first := (stamp/1e9 + 1) * 1e9 // the second that the recording's first one becomes
	if second, ok := r.second(); ok {
		// Its minutes become minutes.
		first += refclock.Stamp((second-int64(first)/1e9%60+60)%60) * 1e9
	}
	elapsed := func() time.Duration { return time.Since(began) }
	sink := out
	if d.config.Time == restamped {
		sink = &restamper{Sink: out, env: d.env, present: func(at refclock.Stamp) int64 {
			// What the first second's time plus what has passed makes of a stamp, whatever the clock was set to since.
			return int64(stamp) + int64(elapsed()) + int64(at.Sub(d.env.Now()))
		}}
	}
	feed := r.decoder(sink)
	for round := time.Duration(0); ; {
		length, over := d.play(ctx, r, feed, elapsed, first.Add(round).Sub(stamp))
		if !over {
			return nil
		}
		if d.config.Time == own {
			out.Signal(refclock.Signal{State: refclock.Receiving, Text: "the recording is over; start the station again, or set time = \"restamped\" to play it for ever"})
			<-ctx.Done()
			return nil
		}
		round += length
	}
}

// play plays a recording once, its first second at a time by elapsed; over is false where ctx ended it.
func (d *driver) play(ctx context.Context, r recording, feed func([]byte, refclock.Stamp), elapsed func() time.Duration, begin time.Duration) (length time.Duration, over bool) {
	all, length := r.pieces()
	delay := refclock.Seconds(d.config.Delay)
	// until lets time pass in silence.
	until := func(due time.Duration) bool {
		for now := elapsed(); now < due; now = elapsed() {
			if !sleep(ctx, min(step, due-now)) {
				return false
			}
			if heard := elapsed(); heard < due {
				feed(nil, d.stampOf(heard, elapsed))
			}
		}
		return ctx.Err() == nil
	}
	for _, p := range all {
		due := begin + p.at + delay
		if !until(due) {
			return 0, false
		}
		feed(p.data, d.stampOf(due, elapsed))
	}
	return length, until(begin + length)
}

// stampOf is the local clock's reading at a time of elapsed, which is now or was just now.
func (d *driver) stampOf(at time.Duration, elapsed func() time.Duration) refclock.Stamp {
	return d.env.Now().Add(at - elapsed())
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

// restamper moves samples into the present by whole seconds.
type restamper struct {
	refclock.Sink
	env refclock.Environment
	// present is the time in the play, as POSIX nanoseconds, at a stamp.
	present func(refclock.Stamp) int64
	shift   int64 // seconds, of the last sample
}

// Sample implements [refclock.Sink].
func (r *restamper) Sample(s refclock.Sample) {
	s.Leap, s.Unsure, s.TAIKnown = refclock.LeapUnknown, false, false
	switch s.Kind {
	case refclock.Absolute:
		u := s.Instant.UTC()
		away := r.present(s.Stamp) - (u.Seconds*1e9 + int64(u.Nanoseconds))
		r.shift = (away + 5e8) / 1e9
		if away < -5e8 {
			r.shift = (away - 5e8) / 1e9
		}
		s.Instant = r.move(s.Instant)
	case refclock.Correction:
		if r.shift == 0 || s.Correction == nil {
			return
		}
		c := *s.Correction
		c.Second = r.move(c.Second)
		s.Correction = &c
	}
	r.Sink.Sample(s)
}

func (r *restamper) move(i refclock.Instant) refclock.Instant {
	u := i.UTC()
	u.Seconds, u.InLeap = u.Seconds+r.shift, false
	return u.Instant(r.env.TAIMinusUTC(u))
}
