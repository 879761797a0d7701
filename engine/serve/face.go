package serve

import (
	"math"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/status"
	"timestation/refclock"
)

const (
	// stepTolerance is by how much CLOCK_REALTIME and the monotonic clock may part before the model counts as void. The
	// two are read one after the other, which takes well under a microsecond; slewing moves both.
	stepTolerance = 100 * time.Microsecond
	// breakTolerance is by how much a new model may differ from the one before and still be the same time scale.
	breakTolerance = time.Millisecond
	// maxWait is how long a request may have waited for its answer; its receive stamp is then no longer trusted.
	maxWait = time.Second
	// maxDispersion is RFC 5905's MAXDISP: a server whose bound is beyond is no server.
	maxDispersion = 16 * time.Second
	// stratumInPacket is how stratum 16 is written (RFC 5905, figure 11).
	stratumInPacket = 0
)

// demonstration is the reference ID of a station that plays a recording, synchronised or not.
var demonstration = [4]byte{'D', 'E', 'M', 'O'}

// face is how one listener tells the station's time. It belongs to one goroutine.
type face struct {
	board     *status.Board
	maxError  time.Duration // 0 is the station's limit alone
	precision int8          // log2 s
	policy    smear
	// stepped asks whether the local clock was set since the status was published.
	stepped func(*status.Status, time.Time) bool
	// broke is told when what was said before no longer fits what is said now: the engine found another time, or the local
	// clock was set.
	broke func()

	// As of the last look:
	status   *status.Status
	smearing smearing
	looked   time.Time      // when that was
	at       refclock.Stamp // the same
	ill      Reason         // why nothing can be answered: Answered or ClockStepped
	base     ntp.Header     // of an answer to what arrived, and leaves, at that moment
	linear   bool           // around that moment the listener's time runs evenly
}

// boundAhead is how long after a look its bound still holds: the answers of a batch leave within it.
const boundAhead = 10 * time.Millisecond

// look takes the newest status and reads the clock, for all that has arrived until now.
//
// What has arrived was stamped before, so a step of the clock that came since the status was published shows here. One
// that comes later does not matter: until the next look, time is counted on from here.
func (f *face) look() {
	s := f.board.Load()
	if s != f.status {
		if f.status != nil && parted(f.status, s) {
			f.broke()
		}
		f.status = s
		f.smearing.learn(s, f.policy)
		f.linear = !f.smearing.known && s.Leap != refclock.LeapInsert && s.Leap != refclock.LeapDelete
	}
	now := time.Now()
	f.ill = Answered
	if f.stepped(s, now) {
		// A process that was stopped between reading one clock and the other sees a step too, but not twice.
		if now = time.Now(); f.stepped(s, now) {
			f.ill = ClockStepped
		}
	}
	f.looked, f.at = now, refclock.Stamp(now.UnixNano())
	if f.linear {
		f.base = f.exactly(f.at, f.at)
		f.base.RootDispersion = f.dispersion(s.At(f.at.Add(boundAhead)))
	}
}

// parted tells whether two models, one after the other, are of different time scales.
func parted(before, after *status.Status) bool {
	if before.EpochInstant.IsZero() || after.EpochInstant.IsZero() {
		return before.EpochInstant != after.EpochInstant
	}
	was := before.At(after.Epoch).Instant
	return was.Sub(after.EpochInstant).Abs() > breakTolerance || was.TAIMinusUTC != after.EpochInstant.TAIMinusUTC
}

// now reads the clock again, counted on from the last look.
func (f *face) now() refclock.Stamp { return f.at.Add(time.Since(f.looked)) }

// fits tells whether what arrived at rx can be answered.
func (f *face) fits(rx refclock.Stamp) Reason {
	switch waited := f.at.Sub(rx); {
	case f.ill != Answered:
		return f.ill
	case waited < 0:
		return ClockStepped
	case waited > maxWait:
		return Late
	}
	return Answered
}

// header is the part of a packet that is about the station: what its time was at rx, what it will be at tx, which is at
// most boundAhead after the last look, and how sure.
func (f *face) header(rx, tx refclock.Stamp) ntp.Header {
	if !f.linear {
		return f.exactly(rx, tx)
	}
	h := f.base
	if h.Transmit != 0 {
		h.Receive, h.Transmit = f.shifted(h.Receive, rx), markOther(f.shifted(h.Receive, tx))
	}
	return h
}

// shifted is a timestamp of the last look, moved to a stamp within maxWait of it.
func (f *face) shifted(t ntp.Timestamp, to refclock.Stamp) ntp.Timestamp {
	d := to.Sub(f.at)
	d += time.Duration(f.status.Rate * float64(d))
	if t += ntp.Timestamp(int64(d) << 32 / 1e9); t == 0 { // that would read as unknown
		t = 1
	}
	return t
}

// dispersion: RootDelay/2 + RootDispersion ≥ MaxError is what a client makes its own bound from (RFC 5905, section 11.1).
func (f *face) dispersion(now status.Reading) ntp.Short {
	if !now.Known {
		return ntp.ShortFromDuration(maxDispersion)
	}
	return ntp.ShortFromDuration(now.MaxError - ntp.ShortFromDuration(f.status.RootDelay).Duration()/2)
}

// exactly is header for any two stamps.
func (f *face) exactly(rx, tx refclock.Stamp) ntp.Header {
	s := f.status
	now := s.At(tx)
	h := ntp.Header{
		Leap:        leapIndicator(s, now),
		Stratum:     now.Stratum,
		Precision:   f.precision,
		RootDelay:   ntp.ShortFromDuration(s.RootDelay),
		ReferenceID: s.ReferenceID,
	}
	if !f.policy.plain() {
		h.Leap = ntp.LeapNone
	}
	h.RootDispersion = f.dispersion(now)
	if now.Known {
		var off time.Duration
		var smeared bool
		h.Receive, _, _ = f.timestamp(s.At(rx).Instant)
		h.Transmit, off, smeared = f.timestamp(now.Instant)
		h.Transmit = markOther(h.Transmit)
		if smeared {
			h.ReferenceID = smearReferenceID(off)
		}
		// A client refuses a reference time that is later than the answer (RFC 5905, section A.5.1.1).
		if reference := s.ReferenceTime; !reference.IsZero() {
			if reference.TAI > now.Instant.TAI {
				reference = now.Instant
			}
			h.Reference, _, _ = f.timestamp(reference)
			h.Reference = markOther(h.Reference)
		}
	}
	if !now.Synchronised() || now.Stratum == 0 || now.Stratum >= status.Stratum16 || now.MaxError > maxDispersion ||
		f.maxError > 0 && now.MaxError > f.maxError {
		h.Leap, h.Stratum, h.ReferenceID = ntp.LeapUnsynchronised, stratumInPacket, [4]byte{}
	}
	if s.Demonstration {
		h.ReferenceID = demonstration
	}
	return h
}

// sent is a stamp of the kernel's as the listener says it; 0 where the station does not know the time.
func (f *face) sent(at refclock.Stamp) ntp.Timestamp {
	r := f.status.At(at)
	if !r.Known || !r.Synchronised() {
		return 0
	}
	t, _, _ := f.timestamp(r.Instant)
	return markOther(t)
}

// timestamp says an instant as the listener's UTC, and how far that is from UTC while a leap second is being smeared.
// Inside a leap second that is not smeared it repeats 23:59:59, as NTP does.
func (f *face) timestamp(i refclock.Instant) (t ntp.Timestamp, off time.Duration, smeared bool) {
	if f.smearing.known {
		var ns int64
		ns, off, smeared = f.policy.utc(i, f.smearing.event)
		return ntp.FromUnix(ns/1e9, int32(ns%1e9)), off, smeared
	}
	u := i.UTC()
	return ntp.FromUnix(u.Seconds, u.Nanoseconds), 0, false
}

// leapIndicator announces a leap second on its own day only (RFC 8633, section 3.7), until it is over.
func leapIndicator(s *status.Status, now status.Reading) ntp.Leap {
	until := s.LeapAt.Sub(now.Instant)
	switch {
	case now.Leap == refclock.LeapInsert && until <= 86400*time.Second:
		return ntp.LeapInsert
	case now.Leap == refclock.LeapDelete && until <= 86399*time.Second:
		return ntp.LeapDelete
	}
	return ntp.LeapNone
}

// measurePrecision gives the smallest step that reading the clock can see, as NTP's precision: log2 s, rounded up (RFC
// 5905, section 7.3).
func measurePrecision() int8 {
	smallest := time.Second
	for last, steps := time.Now(), 0; steps < 20; {
		now := time.Now()
		if d := now.Sub(last); d > 0 {
			smallest, last = min(smallest, d), now
			steps++
		}
	}
	return int8(math.Ceil(math.Log2(smallest.Seconds())))
}
