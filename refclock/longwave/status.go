package longwave

import (
	"math"
	"slices"
	"time"

	"timestation/refclock"
)

// Status is what a decoder knows at the moment.
type Status struct {
	// Known: a time is held. Heard: the signal of the last minute or two agrees with it, so that it may be used.
	Known, Heard bool
	// Bin is where the last second that was heard began, UTC what second that was.
	Bin float64
	UTC refclock.UTC
	// Sigma is the uncertainty of Bin, 1σ, in bins.
	Sigma float64
	// Confidence is the odds against the minute last published being wrong, as log10.
	Confidence float64
	// Leap is what the code says of the end of the month; LeapUnknown while it would not say.
	Leap refclock.LeapNotice
	// Call: the transmitter calls for service.
	Call bool
	// Telegram is what is being sent.
	Telegram Civil
}

// Status tells what is known at the moment.
func (d *Decoder) Status() Status {
	t := d.track
	if t == nil || t.next == 0 {
		return Status{}
	}
	n := t.next - 1
	second := n - t.start
	if second < 0 {
		return Status{}
	}
	s := Status{
		Known: true, Heard: t.healthy() && t.confidence > 0, Bin: t.at(n), Sigma: t.uncertainty(n), Confidence: t.confidence, Call: t.call > called,
		Telegram: d.plan.civil(t.minute, t.contrary),
	}
	s.Telegram.Leap, s.Telegram.Change = t.leap > believed, t.change > believed
	s.UTC = refclock.UTC{Seconds: t.minute*60 + int64(second)}
	if second >= 60 {
		s.UTC = refclock.UTC{Seconds: t.minute*60 + 59, InLeap: true}
	}
	now := time.Unix(s.UTC.Seconds, 0).UTC()
	month := time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	if d.plan.code.LeapBit > 0 && month.Sub(now) <= d.plan.code.Announced {
		switch {
		case t.leap > believed:
			s.Leap = refclock.LeapInsert
		case t.leap < -believed:
			s.Leap = refclock.LeapNone
		}
	}
	return s
}

// Marks are the seconds of the current minute so far; none while no time is known.
func (d *Decoder) Marks() (marks []refclock.Mark) {
	t := d.track
	if t == nil {
		return nil
	}
	for i := 0; i < t.next-t.start && i < len(t.symbols); i++ {
		marks = append(marks, d.plan.code.mark(&t.e[i]))
	}
	return marks
}

// Quality is how well each of the last minutes was heard, an hour at most, oldest first, from 0 to 1.
func (d *Decoder) Quality() []float64 {
	if d.track == nil {
		return nil
	}
	return slices.Clone(d.track.quality)
}

// mark says which symbol a second was.
func (c *Code) mark(e *evidence) refclock.Mark {
	best, total := 0, 0.0
	var p [maxSymbols]float64
	for k := range c.Shapes {
		p[k] = c.Shapes[k].Weight * math.Exp(e.of[k])
		total += p[k]
		if p[k] > p[best] {
			best = k
		}
	}
	m := refclock.Mark{Symbol: c.Shapes[best].Letter, Confidence: p[best] / total}
	if m.Confidence < 0.8 || e.pulse == 0 && e.variance == 0 {
		m.Symbol = "?"
	}
	return m
}

// right is the probability that a second was the predicted symbol.
func (c *Code) right(e *evidence, predicted Symbol) float64 {
	total := 0.0
	for k := range c.Shapes {
		total += c.Shapes[k].Weight * math.Exp(e.of[k])
	}
	return c.Shapes[predicted].Weight * math.Exp(e.of[predicted]) / total
}
