package remote

import (
	"slices"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// drift is by how much this machine's clock may run fast or slow, in seconds per second: what a crystal does.
const drift = 100e-6

// exchange is what one question to the station told: its time lay between those at which question and answer were sent
// and received here.
type exchange struct {
	// middle is halfway between sending and receiving on this machine's own scale, trip the time between them.
	middle refclock.Stamp
	trip   time.Duration
	// instant is what the station said; zero while it does not know the time.
	instant refclock.Instant
}

// ahead is the station's time minus this machine's scale, as TAI nanoseconds.
func (e exchange) ahead() int64 { return e.instant.TAI - int64(e.middle) }

// error is how far ahead may be wrong at a later stamp, whichever way the question or the answer was delayed.
func (e exchange) error(at refclock.Stamp) time.Duration {
	return e.trip/2 + time.Duration(at.Sub(e.middle).Seconds()*drift*1e9)
}

// keep is how many exchanges are remembered.
const keep = 32

// exchanges are the last ones, the newest last. All of them agree with each other within their errors.
type exchanges []exchange

// add takes one more. Those that it contradicts are forgotten: the station's time was moved.
func (x exchanges) add(e exchange) exchanges {
	if e.instant.IsZero() {
		return nil
	}
	x = slices.DeleteFunc(x, func(old exchange) bool {
		d := time.Duration(old.ahead() - e.ahead())
		return d.Abs() > old.error(e.middle)+e.error(e.middle)
	})
	if len(x) == keep {
		x = slices.Delete(x, 0, 1)
	}
	return append(x, e)
}

// best is the one that is least wrong at a stamp. There must be one.
func (x exchanges) best(at refclock.Stamp) exchange {
	return slices.MinFunc(x, func(a, b exchange) int { return int(a.error(at) - b.error(at)) })
}

// model makes a status of what the station said of itself in the newest exchange, which is the last of x if it knew the
// time: the station's own bound, and what the way here adds.
func model(snap status.Snapshot, x exchanges, now refclock.Stamp) *status.Status {
	s := &status.Status{
		Generation: snap.Generation, State: snap.State, Reason: snap.Reason, Vote: snap.Vote, Unseen: snap.Unseen,
		MaxErrorGrowth: snap.MaxErrorGrowthPPM * 1e-6, Uncertainty95Growth: snap.MaxErrorGrowthPPM * 1e-6,
		MaxErrorLimit: time.Duration(snap.MaxErrorLimitSeconds * 1e9),
		Stratum:       snap.Stratum, Selected: snap.Selected, Demonstration: snap.Demonstration,
		Sources: snap.Sources, Alerts: snap.Alerts, Epoch: now,
	}
	copy(s.ReferenceID[:], snap.ReferenceID)
	if snap.TemperatureCelsius != nil {
		s.TemperatureCelsius, s.TemperatureKnown = *snap.TemperatureCelsius, true
	}
	if len(x) == 0 || snap.TAIMinusUTCSeconds == nil || snap.MaxErrorSeconds == nil || snap.Uncertainty95Seconds == nil {
		return s
	}
	newest, best := x[len(x)-1], x.best(now)
	tai := *snap.TAIMinusUTCSeconds
	s.EpochInstant = refclock.Instant{TAI: int64(now) + best.ahead(), TAIMinusUTC: tai, InLeap: newest.instant.InLeap}
	// The growth is the station's own, which pages show; this machine's drift until the model ends is in the bound from the
	// beginning.
	way := best.error(now.Add(status.Validity)) + time.Duration(now.Sub(newest.middle).Seconds()*snap.MaxErrorGrowthPPM*1e3)
	s.MaxError = time.Duration(*snap.MaxErrorSeconds*1e9) + way
	s.Uncertainty95 = time.Duration(*snap.Uncertainty95Seconds*1e9) + way
	if snap.FrequencyPPM != nil {
		s.FrequencyPPM = *snap.FrequencyPPM
	}
	s.Leap = leap(snap.Leap)
	instant := func(u *refclock.UTC) refclock.Instant {
		if u == nil {
			return refclock.Instant{}
		}
		return u.Instant(tai)
	}
	s.LeapAt, s.Since, s.ReferenceTime = instant(snap.LeapAt), instant(snap.StateSince), instant(snap.ReferenceTime)
	return s
}

func leap(word string) refclock.LeapNotice {
	for _, l := range []refclock.LeapNotice{refclock.LeapNone, refclock.LeapInsert, refclock.LeapDelete} {
		if status.LeapText(l) == word {
			return l
		}
	}
	return refclock.LeapUnknown
}
