package longwave

import (
	"math"
	"time"
)

// bitError is how often a bit in a log of bits is taken to be wrong.
const bitError = 0.015

// maxGap is how many minutes a log of bits may leave out without saying so, for a single telegram to be believed.
const maxGap = 24 * 60

// How much of a telegram must have been read for a new time, and for one that follows the last.
const (
	enoughBits = 35
	fewBits    = 20
)

// followsNats is how much likelier than any other a telegram is that follows the last one.
const followsNats = 5

// MinuteDecoder decodes logs that hold bits, one telegram a line: there is no clock behind them, and minutes may be
// missing between the lines.
type MinuteDecoder struct {
	plan    *plan
	publish func(Minute)
	seconds int64 // of all lines so far
	time    int64 // UTC minute at which the last telegram began; held counts the lines that agreed
	held    int
	pending *pendingMinute
	zone    bool // contrary to the rule
	length  int  // of the last line: logs write the minute's mark, or do not
}

type pendingMinute struct {
	at       int64 // UTC minute at which the telegram began
	contrary bool
	certain  bool // no other telegram comes near
	minute   Minute
}

// NewMinutes makes a decoder for dates within the bounds. The minutes it publishes count their Bin and Decided in
// seconds, one a symbol.
func NewMinutes(code *Code, notBefore, notAfter time.Time, publish func(Minute)) *MinuteDecoder {
	return &MinuteDecoder{plan: newPlan(code, notBefore, notAfter), publish: publish}
}

// Telegram takes one line.
func (d *MinuteDecoder) Telegram(symbols []byte) {
	code := d.plan.code
	if usual := len(symbols) == 60 || len(symbols) == 61 || len(symbols) == 59 && len(code.Shapes[d.plan.fixed[59]].On) == 0; !usual {
		symbols = nil // a second was lost, or one too many: nobody knows where
	}
	evidence, read := d.weigh(symbols)
	begin := d.seconds
	length := int64(60)
	now := hypothesis{phase: 0, minute: -1}
	fits := func(minute int64, contrary bool) float64 {
		h := hypothesis{phase: 0, minute: minute - 1, contrary: contrary}
		found, expected, _ := d.plan.fit(evidence, h, 0, 60)
		if expected <= 0 {
			return 0
		}
		return found / expected
	}
	confidence := 0.0
	known, agree := false, false
	var found *pendingMinute
	r := result{score: math.Inf(-1)}
	if read >= enoughBits {
		r = d.plan.searchPhases(evidence, []int{0})
	}
	next := hypothesis{minute: d.time, contrary: d.zone}
	switch {
	case d.held > 0 && read >= fewBits && fits(d.time+1, d.zone) > 0.75 && d.plan.score(evidence, next, 0, 60)+followsNats > r.score:
		now = hypothesis{minute: d.time + 1, contrary: d.zone}
		confidence, known = math.Min(6+float64(d.held), 12), true
	case read >= enoughBits && fits(r.start(), r.contrary) > 0.9:
		now = hypothesis{minute: r.start(), contrary: r.contrary}
		gap := now.minute - d.time
		certain := r.odds > 5 && r.contrary == d.zone
		// A telegram without a fault, later on the same day, needs no second one.
		known = d.held > 0 && gap > 0 && gap <= maxGap && certain
		// Otherwise two must agree.
		if p := d.pending; p != nil {
			gap := now.minute - p.at
			agree = gap == 1 && p.contrary == r.contrary || gap > 0 && gap <= maxGap && certain && p.certain && p.contrary == r.contrary
		}
		confidence = math.Max(r.odds/math.Ln10, 0) + 3
		found = &pendingMinute{at: now.minute, contrary: now.contrary, certain: certain}
	}
	bit := func(i int) bool { return i > 0 && i < len(symbols) && symbols[i] == '1' }
	if len(symbols) == d.length+1 && known && (now.minute+1)%60 == 0 && (code.LeapBit == 0 || bit(code.LeapBit)) {
		length++ // an inserted second
	} else if len(symbols) > 0 {
		d.length = min(len(symbols), 60)
	}
	d.seconds += length
	if now.minute < 0 {
		// Nothing to be read: the clock runs on, for a while.
		d.time++
		if d.held > 0 {
			d.held--
		}
		return
	}
	announced := now.minute + int64(code.LeadMinutes)
	at := time.Unix(announced*60, 0).UTC()
	m := Minute{
		Bin: float64(begin + int64(code.LeadMinutes)*length), UTC: at, Decided: d.seconds, Confidence: confidence,
		Summer: code.told(at) != now.contrary, Change: d.changing(symbols), Leap: bit(code.LeapBit), Call: bit(code.CallBit), State: Locked,
	}
	if !known {
		// Two telegrams must agree before the first is believed.
		p := d.pending
		found.minute = m
		d.pending = found
		if !agree {
			return
		}
		p.minute.Decided = d.seconds
		p.minute.Confidence = 6
		m.Confidence = 6
		d.publish(p.minute)
	}
	d.pending = nil
	d.time, d.zone = now.minute, now.contrary
	d.held = min(d.held+1, 10)
	d.publish(m)
}

// changing tells whether a line announces a change of summer time.
func (d *MinuteDecoder) changing(symbols []byte) bool {
	i := d.plan.changeBit
	if i == 0 || i >= len(symbols) {
		return false
	}
	y, ok := d.plan.code.Digits(i, symbols[i])
	return ok && y == d.plan.changeOne
}

// weigh makes evidence of a line's symbols.
func (d *MinuteDecoder) weigh(symbols []byte) (all []evidence, read int) {
	code := d.plan.code
	all = make([]evidence, 60)
	for i := range all {
		if i >= len(symbols) || code.Digits == nil {
			continue
		}
		shape, ok := code.Digits(i, symbols[i])
		if !ok {
			continue
		}
		e := &all[i]
		read++
		mean := 0.0
		var like [maxSymbols]float64
		for k := range code.Shapes {
			like[k] = bitError
			if Symbol(k) == shape {
				like[k] = 1
			}
			mean += code.Shapes[k].Weight * like[k]
		}
		for k := range code.Shapes {
			e.of[k] = math.Log(like[k] / mean)
			e.expected += code.Shapes[k].Weight * like[k] / mean * e.of[k]
		}
		for m, mix := range code.Mixes {
			p := 0.0
			for k, w := range mix {
				p += w * like[k] / mean
			}
			e.of[len(code.Shapes)+m] = math.Log(max(p, bitError))
		}
	}
	return all, read
}
