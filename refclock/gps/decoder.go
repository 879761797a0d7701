package gps

import (
	"fmt"
	"time"

	"timestation/refclock"
)

const (
	// idleGap is the silence that ends a burst. Within one, u-blox and MediaTek pause for up to some 30 ms while they
	// compute and a USB adapter holds bytes for 16 ms; between bursts at one a second the line is idle for 400 ms and
	// more, but at 4800 baud with every sentence enabled. Where no gap is left (that, or ten solutions a second), the
	// first message of a new second is the beginning.
	idleGap = 100 * time.Millisecond
	// hurried is the distance of solutions between which there is hardly room for a gap, so that a gap now and then is no habit.
	hurried = 2 * idleGap
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
	// provenAfter is how long a fix must have lasted without a break for a receiver that does not speak of leap seconds to
	// have heard them: GPS sends them once in 12.5 minutes (IS-GPS-200, section 20.3.3.5.1, page 18 of subframe 4).
	provenAfter = 13 * time.Minute
	// onSecond is how far from a whole second a UBX solution may be that was meant to be on it: receivers correct their
	// clock in steps of a millisecond.
	onSecond = 5 * time.Millisecond
)

// Decoder turns what a receiver sends, and when it was read, into samples and signals. It does no I/O and reads no
// clock. A Decoder is for one opening of a port and one goroutine.
type Decoder struct {
	baud              int
	assumed, limit    time.Duration
	atOnce            bool
	notBefore         time.Time
	taiMinusUTC       func(refclock.UTC) int32
	out               refclock.Sink
	scanner           scanner
	receiver          receiver
	epoch             epoch
	sentences         uint64
	state             refclock.SourceState
	text              string
	warned            warnings
	more              []refclock.Alarm
	fix               refclock.Fix
	place             place
	satellites, weeks int
	hadFix            bool
	lastSampled       refclock.UTC
	// onPacket, where it is set, sees every UBX message.
	onPacket func(message uint16, payload []byte)

	// last is when the last read returned; every read with bytes empties the port. lastByte is when one last had bytes.
	last, lastByte refclock.Stamp
	opened         bool
	// idle: the line has been silent for idleGap, so the next byte begins a burst. fresh: the burst that began at start
	// has not told its time yet. blind: how old the bytes of this read are is not known. flowing: an epoch has been seen
	// to begin since then.
	idle, fresh, blind, flowing bool
	start                       refclock.Stamp
	// restart: start is yet to come, with the next message.
	restart bool

	// age is how long the port has been open; it stands still where the program does, and clock steps do not touch it.
	// The others are the ages at which something last happened.
	age, byteAge, sentenceAge, gapAge, epochAge, sampleAge, signalAge time.Duration
	gapped, sampled, dirty                                            bool
	// fixing: there has been a fix without a break since fixAge; proven: for long enough.
	fixing, proven bool
	fixAge         time.Duration
}

// NewDecoder makes a decoder that delivers to out. Of env it uses TAIMinusUTC and NotBefore. config.Baud 0 is for bytes
// that came without the pace of a line.
func NewDecoder(config Config, env refclock.Environment, out refclock.Sink) *Decoder {
	d := &Decoder{
		baud: config.Baud, taiMinusUTC: env.TAIMinusUTC, out: out, receiver: newReceiver(),
		state: refclock.Waiting, text: fmt.Sprintf("listening at %d baud", config.Baud),
		fix: refclock.NoFix, notBefore: bound(env.NotBefore), atOnce: config.Trust == atOnce,
	}
	d.assumed, d.limit = config.delay()
	return d
}

// bound is the earliest date that is believed.
func bound(notBefore time.Time) time.Time {
	if notBefore.Before(gpsEpoch) {
		return gpsEpoch
	}
	return notBefore
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

// take reckons when each byte came and looks for messages. The last byte came before the read returned and the others
// one byte's time apart before it, but none before the last read, which left nothing in the port except what the UART's
// FIFO may hide. (USB receivers hand over a burst faster than any baud rate: there this last limit counts.)
func (d *Decoder) take(p []byte, at refclock.Stamp) {
	var perByte time.Duration
	if d.baud > 0 {
		perByte = bitsPerByte * time.Second / time.Duration(d.baud)
	}
	earliest := d.last.Add(-hiddenBytes * perByte)
	stamp := func(i int) refclock.Stamp { return max(earliest, at.Add(-time.Duration(len(p)-i)*perByte)) }
	if d.idle {
		d.idle, d.fresh, d.start, d.restart = false, true, stamp(0), false
	}
	d.lastByte, d.byteAge, d.dirty = at, d.age, true
	d.scanner.scan(p, stamp, d.message)
}

func (d *Decoder) message(f frame) {
	d.sentences++
	d.sentenceAge = d.age
	if d.restart {
		d.restart, d.start = false, f.start
	}
	switch f.protocol {
	case nmea0183:
		if r, ok := d.receiver.sentence(f.sentence, d.age); ok {
			d.report(r, f.start)
		}
		d.heed()
	case ubx:
		message := uint16(f.class)<<8 | uint16(f.id)
		if d.onPacket != nil {
			d.onPacket(message, f.payload)
		}
		if f.class != navPVT>>8 && d.fresh && f.start == d.start {
			// What does not belong to a solution comes when it likes: the pulse's TIM-TP may be a burst of its own, or run into
			// the one that counts, which begins with the next message.
			d.restart = true
		}
		if message == timTP && len(f.payload) >= leastPayload[timTP] {
			d.correct(f)
			return
		}
		if r, ok := d.receiver.moment(message, f.payload); ok {
			d.report(r, f.start)
		}
		if r, ok := d.receiver.packet(message, f.payload, d.age); ok {
			d.report(r, f.start)
		}
		d.heed()
	}
}

// report takes a message that tells which moment it is about, and begins a new epoch with each new moment.
func (d *Decoder) report(r report, start refclock.Stamp) {
	if d.epoch.late(r) {
		return
	}
	// A message may be late: a gap ended its epoch, but not its second.
	if d.epoch.open && d.epoch.holds(r, d.receiver.leap) || d.epoch.isOf(r) {
		d.epoch.add(r)
		d.epoch.open, d.fresh = true, false
		return
	}
	next := epoch{open: true, satellites: -1, anchor: start}
	if d.fresh {
		next.anchor, next.anchored = d.start, true
		d.gapped, d.gapAge = true, d.age
	} else if d.flowing && d.epoch.timed() {
		next.anchored = !d.gapped || d.age-d.gapAge > gapHabit || d.epoch.justBefore(r)
	}
	if d.epoch.open {
		next.contradictory = !d.blind && d.epoch.contradicts(r.time, start)
		d.epoch.contradictory = d.epoch.contradictory || next.contradictory
		d.endEpoch()
	}
	next.add(r)
	d.epoch, d.fresh, d.flowing = next, false, !d.blind
}

// endEpoch judges what the messages of an epoch said together.
func (d *Decoder) endEpoch() {
	e := &d.epoch
	dimensions, told := d.receiver.sky.endBurst(d.age)
	if !e.open {
		return
	}
	e.open, d.epochAge = false, d.age
	byGSA := -1
	if told {
		byGSA = len(d.receiver.sky.used)
	}
	fixed := d.judgeFix(dimensions)
	if n := e.satellitesUsed(byGSA); n >= 0 {
		d.satellites = n
	} else if d.fix == refclock.NoFix {
		d.satellites = 0
	}
	d.prove(fixed)
	s, u, reason := d.measure(fixed)
	switch {
	case reason == "":
		d.out.Sample(s)
		d.lastSampled, d.sampled, d.sampleAge = u, true, d.age
		d.become(refclock.Timing, "")
	case reason == noFix:
		d.become(refclock.Receiving, d.whyNoFix())
	case reason == contradiction || reason == noSuchTime || reason == poorFix || !d.sampled || d.age-d.sampleAge >= silence:
		d.become(refclock.Receiving, reason)
	}
	if d.age-d.signalAge >= signalInterval {
		d.signal()
	}
}

// judgeFix tells whether the epoch has a fix that is good for the time; the reason why not is noFix or poorFix.
func (d *Decoder) judgeFix(dimensions int) (reason string) {
	e := &d.epoch
	if p := e.where(); p != nil {
		d.place = *p
	}
	if d.fix, _ = e.fix(dimensions, d.fix); e.verdict >= isGuess {
		d.fix = refclock.NoFix
	}
	switch {
	case d.fix == refclock.NoFix:
		return noFix
	case e.hasNavigation && e.navigation.fixRank > 0 && !e.navigation.usable:
		return poorFix
	}
	d.hadFix = true
	return ""
}

// prove keeps account of how long there has been a fix.
func (d *Decoder) prove(reason string) {
	if reason != "" {
		d.fixing = false
		return
	}
	if !d.fixing {
		d.fixing, d.fixAge = true, d.age
	}
	d.proven = d.proven || d.age-d.fixAge >= provenAfter
}

// whyNoFix is what the satellites say of why there is no fix.
func (d *Decoder) whyNoFix() string {
	inView, heard := 0, 0
	for _, s := range d.receiver.sky.satellites(d.age) {
		inView++
		if s.CN0 > 0 {
			heard++
		}
	}
	why := fmt.Sprintf("%d of %d satellites in view are heard", heard, inView)
	switch {
	case d.receiver.antenna == "open" || d.receiver.antenna == "short":
		why = fmt.Sprintf("no fix: the receiver says that its antenna line is %s", d.receiver.antenna)
	case !d.receiver.sky.known():
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
		// It may have lost its power, and with it what it knew.
		d.fix, d.fixing, d.proven, d.receiver.leap = refclock.NoFix, false, false, leap{}
		d.become(refclock.Waiting, "nothing is heard: check the receiver's power and that its TX is wired to this port's RX")
	case d.unintelligible(silence):
		d.become(refclock.Receiving,
			fmt.Sprintf("bytes arrive but no NMEA or UBX messages: wrong baud rate? (%d is set; with baud = 0 it is found out)", d.baud))
	case d.sentences > 0 && d.age-d.epochAge >= silence:
		d.become(refclock.Receiving, "the receiver's messages carry no time: enable its RMC sentence or NAV-PVT message")
	}
}

// unintelligible tells whether bytes have come for so long and no message among them.
func (d *Decoder) unintelligible(since time.Duration) bool {
	return d.byteAge > 0 && d.age-d.byteAge < silence && d.age-d.sentenceAge >= since
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

// warnings are what the receiver warns of, to be compared.
type warnings struct {
	jamming, spoofing byte
	antenna           string
}

// heed says at once what the receiver begins to warn of, or ceases to.
func (d *Decoder) heed() {
	r := &d.receiver
	if now := (warnings{worst(r.jamming[:]), worst(r.spoofing[:]), r.antenna}); now != d.warned {
		d.warned = now
		d.signal()
	}
}

func (d *Decoder) signal() {
	d.out.Signal(refclock.Signal{State: d.state, Text: d.text, GNSS: d.gnss(), Alarms: append(d.receiver.alarms(), d.more...)})
	d.signalAge, d.dirty = d.age, false
}

func (d *Decoder) gnss() *refclock.GNSS {
	r := &d.receiver
	g := &refclock.GNSS{
		Fix: d.fix, Satellites: r.sky.satellites(d.age), RolloverWeeks: d.weeks,
		Latitude: d.place.latitude, Longitude: d.place.longitude, AltitudeM: d.place.altitude,
		Jamming: words[worst(r.jamming[:])], Spoofing: words[worst(r.spoofing[:])], Antenna: r.antenna,
		Firmware: r.firmware, Protocol: r.protocol(),
		Sentences: d.sentences, ChecksumErrors: d.scanner.refused,
	}
	if r.leap.known {
		g.LeapSeconds = new(r.leap.seconds)
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
