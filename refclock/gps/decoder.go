package gps

import (
	"fmt"
	"time"

	"github.com/adrianmo/go-nmea"

	"timestation/refclock"
)

const (
	// idleGap is the silence that ends a burst. Within one, u-blox and MediaTek pause for up to some 30 ms while they
	// compute and a USB adapter holds bytes for 16 ms; between bursts at one a second the line is idle for 400 ms and
	// more, but at 4800 baud with every sentence enabled. Where no gap is left (that, or ten solutions a second), the
	// first sentence of a new second is the beginning.
	idleGap = 100 * time.Millisecond
	// gapHabit is how long a gap is remembered: a receiver that leaves one only after its shorter bursts is stamped at
	// those alone, for the first sentence with a time may come late in the burst.
	gapHabit = 5 * time.Second
	// hiddenBytes may sit in a UART's FIFO before a read can see them: the 16550A and, as Linux sets them up, the
	// Raspberry Pi's PL011 and mini UART interrupt after at most 16.
	hiddenBytes = 16
	// bitsPerByte: a start bit, eight data bits, a stop bit.
	bitsPerByte = 10
	// silence is when the screen says that something is missing: five bursts.
	silence = 5 * time.Second
	// signalInterval is the least time between two signals of an unchanged state; quietInterval is after how long there
	// is one though no burst has ended.
	signalInterval = 450 * time.Millisecond
	quietInterval  = 2 * time.Second
)

// Decoder turns what a receiver sends, and when it was read, into samples and signals. It does no I/O and reads no
// clock. A Decoder is for one opening of a port and one goroutine.
type Decoder struct {
	baud              int
	assumed, limit    time.Duration
	notBefore         time.Time
	taiMinusUTC       func(refclock.UTC) int32
	out               refclock.Sink
	scanner           scanner
	parser            *nmea.SentenceParser
	sky               sky
	epoch             epoch
	sentences         uint64
	state             refclock.SourceState
	text              string
	fix               refclock.Fix
	place             place
	satellites, weeks int
	hadFix            bool
	lastSampled       refclock.UTC

	// last is when the last read returned; every read with bytes empties the port. lastByte is when one last had bytes.
	last, lastByte refclock.Stamp
	opened         bool
	// idle: the line has been silent for idleGap, so the next byte begins a burst. fresh: the burst that began at start
	// has not told its time yet. blind: how old the bytes of this read are is not known. flowing: an epoch has been seen
	// to begin since then.
	idle, fresh, blind, flowing bool
	start                       refclock.Stamp

	// age is how long the port has been open; it stands still where the program does, and clock steps do not touch it.
	// The others are the ages at which something last happened.
	age, byteAge, sentenceAge, gapAge, epochAge, sampleAge, signalAge time.Duration
	gapped, sampled, dirty                                            bool
}

// NewDecoder makes a decoder that delivers to out. Of env it uses TAIMinusUTC and NotBefore.
func NewDecoder(config Config, env refclock.Environment, out refclock.Sink) *Decoder {
	d := &Decoder{
		baud: config.Baud, taiMinusUTC: env.TAIMinusUTC, out: out, parser: newParser(),
		state: refclock.Waiting, text: fmt.Sprintf("listening at %d baud", config.Baud),
		fix: refclock.NoFix, notBefore: env.NotBefore,
	}
	if d.notBefore.Before(firstGPSDay) {
		d.notBefore = firstGPSDay
	}
	d.assumed, d.limit = config.delay()
	return d
}

// Receive takes what one read gave, all that was there, and the local stamp at which it returned. It must be called at
// least every 50 ms, with no bytes where there were none: only silence that was watched tells where a burst begins.
func (d *Decoder) Receive(p []byte, at refclock.Stamp) {
	d.follow(at)
	if len(p) == 0 {
		if !d.idle && at.Sub(d.lastByte) >= idleGap {
			d.idle = true
			d.endEpoch()
		}
	} else {
		d.take(p, at)
	}
	d.last = at
	d.watch()
	if d.dirty && d.age-d.signalAge >= quietInterval {
		d.signal()
	}
}

// follow keeps account of the time since the last read.
func (d *Decoder) follow(at refclock.Stamp) {
	if !d.opened {
		d.opened, d.last, d.lastByte = true, at, at
		d.signal()
	}
	since := at.Sub(d.last)
	d.blind = since < 0 || since > idleGap
	if d.blind {
		// The program was held up or the clock was set: nobody knows how old the bytes are that come now, nor whether the
		// line was idle.
		d.idle, d.fresh, d.flowing = false, false, false
		d.last, d.lastByte = at, at
	}
	d.age += min(max(since, 0), time.Second)
}

// take reckons when each byte came and looks for sentences. The last byte came before the read returned and the others
// one byte's time apart before it, but none before the last read, which left nothing in the port except what the UART's
// FIFO may hide. (USB receivers hand over a burst faster than any baud rate: there this last limit counts.)
func (d *Decoder) take(p []byte, at refclock.Stamp) {
	perByte := bitsPerByte * time.Second / time.Duration(d.baud)
	earliest := d.last.Add(-hiddenBytes * perByte)
	stamp := func(i int) refclock.Stamp { return max(earliest, at.Add(-time.Duration(len(p)-i)*perByte)) }
	if d.idle {
		d.idle, d.fresh, d.start = false, true, stamp(0)
	}
	d.lastByte, d.byteAge, d.dirty = at, d.age, true
	for i, b := range p {
		if sentence, start, whole := d.scanner.push(b, stamp(i)); whole {
			d.sentence(sentence, start)
		}
	}
}

func (d *Decoder) sentence(text string, start refclock.Stamp) {
	d.sentences++
	d.sentenceAge = d.age
	parsed, err := d.parser.Parse(text)
	if err != nil {
		return // one of the many sentences that do not matter here, or one with fields that mean nothing
	}
	switch s := parsed.(type) {
	case report:
		d.report(s, start)
	case active:
		d.sky.use(s)
	case inView:
		d.sky.add(s, d.age)
	}
}

// report takes a sentence that carries a time, and begins a new epoch with each new time.
func (d *Decoder) report(r report, start refclock.Stamp) {
	// A sentence may be late: a gap ended its epoch, but not its second.
	if d.epoch.open && d.epoch.same(r.time) || r.time.Valid && r.time == d.epoch.time {
		d.epoch.add(r)
		d.epoch.open, d.fresh = true, false
		return
	}
	next := epoch{open: true, satellites: -1, anchor: start}
	if d.fresh {
		next.anchor, next.anchored = d.start, true
		d.gapped, d.gapAge = true, d.age
	} else if d.flowing && d.epoch.time.Valid {
		next.anchored = !d.gapped || d.age-d.gapAge > gapHabit
	}
	if d.epoch.open {
		next.contradictory = !d.blind && d.epoch.contradicts(r.time, start)
		d.epoch.contradictory = d.epoch.contradictory || next.contradictory
		d.endEpoch()
	}
	next.add(r)
	d.epoch, d.fresh, d.flowing = next, false, !d.blind
}

// endEpoch judges what the sentences of an epoch said together.
func (d *Decoder) endEpoch() {
	e := &d.epoch
	dimensions, told := d.sky.endBurst(d.age)
	if !e.open {
		return
	}
	e.open, d.epochAge = false, d.age
	d.judgeFix(dimensions)
	if !told && e.satellites >= 0 {
		d.satellites = e.satellites
	} else {
		d.satellites = len(d.sky.used)
	}
	utc, weeks, reason, lasting := e.moment(d.notBefore)
	if reason == "" && d.sampled && utc == d.lastSampled {
		reason = repeated
	}
	switch {
	case reason == "":
		d.sample(utc, weeks)
	case reason == noFix:
		d.become(refclock.Receiving, d.whyNoFix())
	case lasting || !d.sampled || d.age-d.sampleAge >= silence:
		d.become(refclock.Receiving, reason)
	}
	if d.age-d.signalAge >= signalInterval {
		d.signal()
	}
}

func (d *Decoder) judgeFix(dimensions int) {
	e := &d.epoch
	if e.place != nil {
		d.place = *e.place
	}
	switch {
	case e.verdict != isFix:
		d.fix = refclock.NoFix
		return
	case dimensions == 3 || dimensions != 2 && e.place != nil && e.place.hasAltitude:
		d.fix = refclock.Fix3D
	default:
		d.fix = refclock.Fix2D
	}
	d.hadFix = true
}

func (d *Decoder) sample(utc refclock.UTC, weeks int) {
	instant := utc.Instant(d.taiMinusUTC(utc))
	d.out.Sample(refclock.Sample{
		Kind:       refclock.Absolute,
		Stamp:      d.epoch.anchor,
		Instant:    instant.Add(d.assumed),
		Noise:      noise,
		Systematic: d.limit,
	})
	d.weeks, d.lastSampled, d.sampled, d.sampleAge = weeks, utc, true, d.age
	d.become(refclock.Timing, "")
}

func (d *Decoder) whyNoFix() string {
	inView, heard := 0, 0
	for _, s := range d.sky.satellites(d.age) {
		inView++
		if s.CN0 > 0 {
			heard++
		}
	}
	why := fmt.Sprintf("%d of %d satellites in view are heard", heard, inView)
	switch {
	case d.sky.views == nil:
		why = "no fix: check the antenna (the receiver does not list its satellites)"
	case inView == 0:
		why = "no satellites in view: check the antenna"
	case heard == 0:
		why = fmt.Sprintf("none of %d satellites in view is heard: check the antenna", inView)
	case !d.hadFix:
		why = "no fix yet: " + why
	}
	if d.hadFix {
		return "fix lost: " + why
	}
	return why
}

// watch says what is missing when nothing usable has come for a while.
func (d *Decoder) watch() {
	switch {
	case d.age-d.byteAge >= silence:
		d.fix = refclock.NoFix
		d.become(refclock.Waiting, "nothing is heard: check the receiver's power and that its TX is wired to this port's RX")
	case d.byteAge > 0 && d.age-d.sentenceAge >= silence:
		d.become(refclock.Receiving,
			fmt.Sprintf("bytes arrive but no NMEA sentences: wrong baud rate? (%d is set; timestation init finds it)", d.baud))
	case d.sentences > 0 && d.age-d.epochAge >= silence:
		d.become(refclock.Receiving, "the receiver's sentences carry no time: enable its RMC sentence")
	}
}

// become changes the state, and says so at once; a change of words alone waits its turn.
func (d *Decoder) become(state refclock.SourceState, text string) {
	changed := d.state != state
	d.dirty = d.dirty || d.text != text
	d.state, d.text = state, text
	if changed {
		d.signal()
	}
}

func (d *Decoder) signal() {
	d.out.Signal(refclock.Signal{State: d.state, Text: d.text, GNSS: d.gnss()})
	d.signalAge, d.dirty = d.age, false
}

func (d *Decoder) gnss() *refclock.GNSS {
	g := &refclock.GNSS{
		Fix: d.fix, Satellites: d.sky.satellites(d.age), RolloverWeeks: d.weeks,
		Latitude: d.place.latitude, Longitude: d.place.longitude, AltitudeM: d.place.altitude,
		Sentences: d.sentences, ChecksumErrors: d.scanner.refused,
	}
	if d.fix != refclock.NoFix {
		g.SatellitesUsed = d.satellites
		return g
	}
	for i := range g.Satellites {
		g.Satellites[i].Used = false
	}
	return g
}
