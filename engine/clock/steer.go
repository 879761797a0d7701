package clock

import (
	"errors"
	"fmt"
	"math"
	"time"

	"timestation/refclock"
)

const (
	// updateEvery is how often the kernel is told something new; a change of state is told at once.
	updateEvery = time.Second
	// constant is over how long an offset is taken out: the frequency is off by the offset over this for that long.
	constant = 4 * time.Second
	// stepAbove is the offset beyond which a step that is allowed is made; less is slewed in some seconds.
	stepAbove = time.Millisecond
	// aroundLeap is for how long before and after a leap second nothing is changed: the kernel makes it a tick late, and
	// the two clocks may be on different sides of it.
	aroundLeap = 2 * time.Second
	// rearm is for how long no leap second is announced to the kernel after a step. A step makes it forget when the leap
	// second is due but not that one is (ntp_clear in kernel/time/ntp.c), so that it would never come; only when one of its
	// seconds has begun without the announcement does it look anew.
	// One second and a process that is held up between the reading of the clock and the call are within it.
	rearm = 2500 * time.Millisecond
	day   = 24 * time.Hour
	// trusted is the uncertainty of a frequency that is given to the kernel, 1σ. One that is not known so well is no better
	// than what the kernel ran at before, and would be left there when the station stops; the slew takes out what it makes.
	trusted = 20e-6
)

// Steer keeps the system clock at the station's time: one step at the start and one for each accepted jump, otherwise by
// frequency alone. The kernel's own loop (ADJ_OFFSET) is never used: two loops on one clock fight. It is for one goroutine.
type Steer struct {
	kernel  Kernel
	maxSlew float64 // ppm

	set        Timex // as written last
	last       Reading
	updated    int64   // Raw of the last update
	told       Aim     // of the last update
	base       float64 // the best known rate, ppm
	stepped    bool    // the step of the start has been made or was not needed
	jumps      uint64
	ourStep    time.Duration // made since last
	hasReading bool
	forgetful  bool  // a step made the kernel forget when a leap second is due
	withdrawn  int64 // Raw of the first update since then, which announces none
	taken      bool  // nothing of another program's loop is left
	failed     error // of the last update
}

// Aim is where the system clock should go.
type Aim struct {
	// Synchronised: the station knows the time. Otherwise the clock runs on at its last frequency and is marked so.
	Synchronised bool
	// Now is the station's time at the reading.
	Now refclock.Instant
	// Frequency is how many seconds TAI gains on CLOCK_MONOTONIC_RAW in one of its seconds, FrequencyUncertainty how far
	// off that may be, 1σ.
	Frequency, FrequencyUncertainty float64
	// Uncertainty95 and MaxError are the station's, and Limit the bound beyond which it does not claim to know the time.
	Uncertainty95, MaxError, Limit time.Duration
	// Leap is what LeapAt brings: the start of 23:59:60, or of the 00:00:00 in place of 23:59:59.
	Leap   refclock.LeapNotice
	LeapAt refclock.Instant
	// Jumps counts the jumps that were accepted: each allows one step.
	Jumps uint64
}

// EventKind says what Steer did or found.
type EventKind uint8

// The events.
const (
	// Set: the clock was stepped by us.
	Set EventKind = iota
	// SetByOther: somebody else stepped it.
	SetByOther
	// SteeredByOther: somebody else changed its rate or uses the kernel's loop.
	SteeredByOther
)

// Event is something a person should be able to read of later.
type Event struct {
	Kind EventKind
	// By is how far the clock was stepped.
	By   time.Duration
	Text string
}

// NewSteer takes the clock over: what another program left in the kernel's loop is cancelled, and the rate kept. maxSlewPPM
// bounds how far from its right rate the clock is ever made to run, at most 500. Where the kernel does not permit it,
// Apply says so: a station that may not steer still knows the time.
func NewSteer(kernel Kernel, maxSlewPPM float64) (*Steer, error) {
	s := &Steer{kernel: kernel, maxSlew: math.Min(maxSlewPPM, mostPPM)}
	var now Timex
	if _, err := kernel.Adjust(&now); err != nil {
		return nil, err
	}
	s.set = Timex{Frequency: now.Frequency, Tick: regularTick, Status: StaUnsync, TAI: now.TAI}
	s.base = float64(now.Frequency) / frequencyUnit
	if err := s.takeOver(); err != nil && !errors.Is(err, ErrNotPermitted) {
		return nil, err
	}
	return s, nil
}

// takeOver cancels what a loop or an adjtime(3) of another program would still do.
func (s *Steer) takeOver() error {
	for _, t := range []Timex{
		{Modes: AdjSingleShot}, // adjtime(3): nothing more to do
		{Modes: AdjStatus | AdjOffset, Status: StaPLL | StaUnsync}, // an offset is taken only while the loop is on
		{Modes: AdjStatus | AdjTick | AdjFrequency, Status: StaUnsync, Tick: regularTick, Frequency: s.set.Frequency},
	} {
		if _, err := s.kernel.Adjust(&t); err != nil {
			return err
		}
	}
	s.taken = true
	return nil
}

// Apply looks at what happened to the clock and moves it towards aim; r is a reading of this moment. It is called with
// every publication. What it returns as events has happened; on an error the clock runs on as it was. A kernel that refuses
// is asked again once a second, and the error stands meanwhile.
func (s *Steer) Apply(aim Aim, r Reading) (events []Event, err error) {
	by, foreign := s.noticeStep(aim, r)
	if foreign {
		s.forgetful, s.withdrawn = true, 0
		events = append(events, Event{SetByOther, by, fmt.Sprintf("another program or person set the system clock by %v; "+
			"it is slewed back, or set when a jump is accepted", by.Round(time.Microsecond))})
	}
	s.last, s.hasReading = r, true
	changed := foreign || aim.Synchronised != s.told.Synchronised || aim.Leap != s.told.Leap || aim.Jumps != s.told.Jumps
	if s.updated != 0 && !changed && time.Duration(r.Raw-s.updated) < updateEvery || s.nearLeap(aim) {
		return events, s.failed
	}
	s.updated, s.told = r.Raw, aim
	more, err := s.update(aim, r)
	s.failed = err
	return append(events, more...), err
}

// update tells the kernel what is new.
func (s *Steer) update(aim Aim, r Reading) (events []Event, err error) {
	var now Timex
	if _, err := s.kernel.Adjust(&now); err != nil {
		return nil, err
	}
	text := s.foreign(now)
	if !s.taken {
		text = "" // what was there before is nobody's fault
	}
	if text != "" {
		events = append(events, Event{Kind: SteeredByOther, Text: text})
	}
	if text != "" || !s.taken {
		if err := s.takeOver(); err != nil {
			return events, err
		}
	}
	offset := aim.offset(r)
	if aim.Synchronised && (!s.stepped || aim.Jumps != s.jumps) {
		if offset.Abs() > stepAbove {
			if err := s.step(offset); err != nil {
				return events, err
			}
			s.forgetful, s.withdrawn = true, 0
			events = append(events, Event{Set, offset, fmt.Sprintf("the system clock was set by %v", offset.Round(time.Microsecond))})
			offset = 0
		}
		s.stepped, s.jumps = true, aim.Jumps
	}
	return events, s.write(aim, r, now, offset)
}

// offset is how far the system clock is behind. In 23:59:60 both repeat the count of 23:59:59.
func (a Aim) offset(r Reading) time.Duration {
	u := a.Now.UTC()
	return refclock.Stamp(u.Seconds*1e9 + int64(u.Nanoseconds)).Sub(r.Realtime)
}

// noticeStep tells whether the clock was set since the last reading by somebody else, and how far.
func (s *Steer) noticeStep(aim Aim, r Reading) (by time.Duration, foreign bool) {
	if !s.hasReading {
		return 0, false
	}
	by = r.Realtime.Sub(s.last.Realtime) - time.Duration(r.Monotonic-s.last.Monotonic) - s.ourStep
	s.ourStep = 0
	tolerance := stepTolerance + r.Width + s.last.Width
	if suspended := (r.Boot - s.last.Boot) - (r.Monotonic - s.last.Monotonic); suspended > int64(time.Millisecond) {
		return 0, false // the clock goes on while MONOTONIC does not
	}
	if leap := s.leapStep(aim); leap != 0 && !outside(int64(by-leap), tolerance) {
		return 0, false
	}
	return by, outside(int64(by), tolerance)
}

// leapStep is the step that the kernel makes about now on our behalf.
func (s *Steer) leapStep(aim Aim) time.Duration {
	if passed := aim.Now.Sub(s.told.LeapAt); passed < -aroundLeap || passed > aroundLeap+time.Second {
		return 0
	}
	switch {
	case s.set.Status&StaIns != 0:
		return -time.Second
	case s.set.Status&StaDel != 0:
		return time.Second
	}
	return 0
}

// nearLeap tells whether a leap second is so near that the clock is left alone.
func (s *Steer) nearLeap(aim Aim) bool {
	if s.set.Status&(StaIns|StaDel) == 0 {
		return false
	}
	to := s.told.LeapAt.Sub(aim.Now)
	return to < aroundLeap && to > -aroundLeap-time.Second
}

// foreign says what in the kernel is not as we left it; empty when all is.
func (s *Steer) foreign(now Timex) string {
	switch {
	case now.Status&(StaPLL|StaFLL|StaPPSFreq|StaPPSTime) != 0 || now.Offset != 0:
		return "another program uses the kernel's own loop on the system clock; stop it (systemd-timesyncd, chrony, ntpd)"
	case now.Frequency != s.set.Frequency || now.Tick != s.set.Tick:
		return fmt.Sprintf("another program changed the system clock's rate from %.3f to %.3f ppm; stop it (systemd-timesyncd, "+
			"chrony, ntpd)", s.set.ppm(), now.ppm())
	}
	return ""
}

func (t Timex) ppm() float64 {
	return float64(t.Frequency)/frequencyUnit + float64(t.Tick-regularTick)*1e6/regularTick
}

// step sets the clock by adding to it: the time between reading and setting does not count.
func (s *Steer) step(offset time.Duration) error {
	t := Timex{Modes: AdjSetOffset | AdjNano, Seconds: int64(offset / time.Second), Fraction: int64(offset % time.Second)}
	if t.Fraction < 0 {
		t.Seconds, t.Fraction = t.Seconds-1, t.Fraction+int64(time.Second)
	}
	if _, err := s.kernel.Adjust(&t); err != nil {
		return err
	}
	s.ourStep += offset
	return nil
}

// write tells the kernel the rate, and what it may say of its own error.
func (s *Steer) write(aim Aim, r Reading, now Timex, offset time.Duration) error {
	excursion := 0.0
	bound := aim.MaxError + offset.Abs()
	s.set.Status = StaUnsync
	if aim.Synchronised {
		if aim.FrequencyUncertainty <= trusted {
			s.base = aim.Frequency * 1e6
		}
		excursion = math.Max(-s.maxSlew, math.Min(s.maxSlew, offset.Seconds()/constant.Seconds()*1e6))
		if bound <= aim.Limit {
			s.set.Status = s.leapFlag(aim, r, offset)
		}
	}
	ppm := math.Max(-mostPPM, math.Min(mostPPM, s.base+excursion))
	s.set.Frequency = int64(math.Round(ppm * frequencyUnit))
	s.set.MaxError, s.set.EstError = mostError, mostError
	if aim.Synchronised {
		s.set.MaxError = micro(bound)
		s.set.EstError = micro(aim.Uncertainty95/2 + offset.Abs())
	}
	s.set.Modes = AdjFrequency | AdjTick | AdjStatus | AdjMaxError | AdjEstError
	t := s.set
	if _, err := s.kernel.Adjust(&t); err != nil {
		return err
	}
	if s.forgetful && s.withdrawn == 0 {
		s.withdrawn = r.Raw
	}
	if aim.Synchronised && now.TAI != aim.Now.TAIMinusUTC {
		_, err := s.kernel.Adjust(&Timex{Modes: AdjTAI, Constant: int64(aim.Now.TAIMinusUTC)})
		return err
	}
	return nil
}

// leapFlag tells the kernel of a leap second, which it makes at the end of the day its own clock is in: so never before
// that day has begun there too.
func (s *Steer) leapFlag(aim Aim, r Reading, offset time.Duration) int32 {
	left := aim.LeapAt.Sub(aim.Now)
	if left <= 0 || offset.Abs() > aroundLeap {
		return 0
	}
	if s.forgetful {
		if s.withdrawn == 0 || time.Duration(r.Raw-s.withdrawn) < rearm {
			return 0
		}
		s.forgetful = false
	}
	const second = int64(time.Second)
	ends := aim.LeapAt.TAI - int64(aim.LeapAt.TAIMinusUTC)*second // of the day, as the kernel counts
	if aim.Leap == refclock.LeapDelete {
		ends += second
	}
	if begins := ends - int64(day); int64(r.Realtime) < begins+int64(aroundLeap) || int64(r.Realtime) >= ends {
		return 0
	}
	switch aim.Leap {
	case refclock.LeapInsert:
		return StaIns
	case refclock.LeapDelete:
		return StaDel
	}
	return 0
}

// Release lets go: the clock runs on at its right rate, and nobody vouches for it any more. No leap second is left behind.
func (s *Steer) Release() error {
	ppm := math.Max(-mostPPM, math.Min(mostPPM, s.base))
	_, err := s.kernel.Adjust(&Timex{
		Modes: AdjFrequency | AdjTick | AdjStatus, Status: StaUnsync, Tick: regularTick,
		Frequency: int64(math.Round(ppm * frequencyUnit)),
	})
	return err
}

// micro gives µs, rounded up and as the kernel bounds them.
func micro(d time.Duration) int64 {
	return min(int64((d+time.Microsecond-1)/time.Microsecond), mostError)
}
