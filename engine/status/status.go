// Package status holds the leaf types that every surface of the station reads: one immutable [Status], made by the
// engine a few times a second, which answers for any local time stamp what time it was and how sure the station is.
package status

import (
	"sync/atomic"
	"time"

	"timestation/refclock"
)

// Validity is how long a published Status may be used. A hung engine therefore falls silent within it.
const Validity = 2 * time.Second

// State is what the station claims to know.
type State string

const (
	// Synchronised: at least one source agrees and is being heard.
	Synchronised State = "synchronised"
	// Holdover: no source is heard, the oscillator carries the time and the bound grows.
	Holdover State = "holdover"
	// Unsynchronised: the station does not know the time, and says so.
	Unsynchronised State = "unsynchronised"
)

// Stratum16 is the stratum of a server that does not know the time (RFC 5905, figure 11); it is 0 in the packet.
const Stratum16 = 16

// Status is a model of the station's time from Epoch on. It is never changed once published.
type Status struct {
	// Generation counts publications.
	Generation uint64
	// Epoch is the local time stamp at which the model was made, and EpochInstant the station's time then.
	Epoch        refclock.Stamp
	EpochInstant refclock.Instant
	// Rate is how many seconds true time gains on CLOCK_REALTIME in one of its seconds.
	Rate float64
	// FrequencyPPM is how many parts per million the oscillator runs fast against true time.
	FrequencyPPM float64
	// Uncertainty95 is the statistical error at Epoch that 95 % of readings stay within; MaxError adds the systematic
	// limits of the source. Both grow by their growth, in seconds per second, from Epoch on.
	Uncertainty95       time.Duration
	MaxError            time.Duration
	Uncertainty95Growth float64
	MaxErrorGrowth      float64
	// MaxErrorLimit is the bound beyond which the station no longer claims to know the time.
	MaxErrorLimit time.Duration

	State State
	// Reason says in words why the state is not Synchronised.
	Reason string
	// Vote says in words how the sources voted; Unseen what no vote of theirs can find out.
	Vote, Unseen string
	// Since is when the state began, and ReferenceTime when the selected source was last heard.
	Since         refclock.Instant
	ReferenceTime refclock.Instant
	Stratum       uint8
	ReferenceID   [4]byte
	RootDelay     time.Duration
	// Selected is the name of the source that is followed, empty when there is none.
	Selected string

	// Leap announces what LeapAt, the first instant of the inserted second (or the one that follows 23:59:58 when a
	// second is deleted), brings.
	Leap   refclock.LeapNotice
	LeapAt refclock.Instant
	// LastLeap and LastLeapAt are the same of the last leap second that is over; LeapAt's TAI−UTC is that before it. They
	// are set for at least two days after it, for listeners that spread it.
	LastLeap   refclock.LeapNotice
	LastLeapAt refclock.Instant

	// TemperatureCelsius is that of the sensor nearest to the oscillator, while TemperatureKnown.
	TemperatureCelsius float64
	TemperatureKnown   bool

	Sources []Source
	Alerts  []Alert
	// Demonstration marks a station that plays a recording; every surface says so.
	Demonstration bool

	// published is when by the monotonic clock, publishedAt by CLOCK_REALTIME.
	published   time.Time
	publishedAt refclock.Stamp
}

// SourceState is how the station judges a source.
type SourceState string

const (
	// Selected: the station follows it.
	Selected SourceState = "selected"
	// Agreeing: a truechimer that is not the one followed.
	Agreeing SourceState = "agreeing"
	// Falseticker: outvoted.
	Falseticker SourceState = "falseticker"
	// Compared: compare_only; watched, never followed.
	Compared SourceState = "compared"
	// Settling: heard with valid time, but not for long enough.
	Settling SourceState = "settling"
	// Unusable: heard without valid time.
	Unusable SourceState = "unusable"
	// Silent: nothing heard for a while, or the device is lost.
	Silent SourceState = "silent"
)

// Source is one source as the station sees it.
type Source struct {
	Name     string      `json:"name"`
	Driver   string      `json:"driver"`
	Receiver string      `json:"receiver,omitempty"`
	State    SourceState `json:"state"`
	// Explanation says the decision in words.
	Explanation string `json:"explanation"`
	// OffsetSeconds is the source's last sample minus the station's time; JitterSeconds the learned scatter, 1σ.
	OffsetSeconds   float64 `json:"offset_seconds"`
	JitterSeconds   float64 `json:"jitter_seconds"`
	MaxErrorSeconds float64 `json:"max_error_seconds"`
	FrequencyPPM    float64 `json:"frequency_ppm"`
	// BiasSeconds is the constant error that was learned against a better source and is taken off; 0 where none is.
	BiasSeconds float64 `json:"bias_seconds,omitempty"`
	// PhaseSeconds is the source's last sample minus the free-running oscillator, from an origin that is fixed when the
	// station starts: what the stability of either is judged by, untouched by any steering. It means something from the
	// first sample on.
	PhaseSeconds float64 `json:"phase_seconds"`
	// AgeSeconds is how long ago the last sample came; -1 before the first.
	AgeSeconds float64         `json:"age_seconds"`
	Samples    uint64          `json:"samples"`
	Signal     refclock.Signal `json:"signal"`
}

// Severity orders alerts.
type Severity string

// The severities, mildest first.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	Critical Severity = "critical"
)

// Alert is something a person should know.
type Alert struct {
	// Code is a stable name such as source-lost, Source the source or room it is about.
	Code     string   `json:"code"`
	Source   string   `json:"source,omitempty"`
	Severity Severity `json:"severity"`
	// Text says what is wrong, Mend what to do.
	Text string `json:"text"`
	Mend string `json:"mend,omitempty"`
	// Since is the station's time when it was raised; before the station ever knew the time it is the zero UTC.
	Since refclock.UTC `json:"since"`
	// Flapping: it came and went too often, so it is held until it has been away for a while; the text says so.
	Flapping bool `json:"flapping,omitempty"`
	// Escalated: it stood for longer than the station waits for somebody to acknowledge it.
	Escalated bool `json:"escalated,omitempty"`
	// AcknowledgedBy is who has seen it, empty while nobody has, and AcknowledgedAt when.
	AcknowledgedBy string       `json:"acknowledged_by,omitempty"`
	AcknowledgedAt refclock.UTC `json:"acknowledged_at,omitzero"`
	// Cleared is when it ended; only in the history of alerts.
	Cleared refclock.UTC `json:"cleared,omitzero"`
}

// Reading is what the station says of one local time stamp.
type Reading struct {
	Instant refclock.Instant
	// Known is false before the station ever had a time; Instant then means nothing.
	Known bool
	State State
	// Reason is a short name of why State is Unsynchronised: no-source, bound-exceeded, expired.
	Reason        string
	Uncertainty95 time.Duration
	MaxError      time.Duration
	Stratum       uint8
	Leap          refclock.LeapNotice
	// Offset is the station's time minus CLOCK_REALTIME read as UTC.
	Offset time.Duration
}

// Synchronised reports whether the station claims to know the time, holdover included.
func (r Reading) Synchronised() bool { return r.State != Unsynchronised }

// The names of the reasons in Reading.Reason.
const (
	ReasonNoSource      = "no-source"
	ReasonBoundExceeded = "bound-exceeded"
	ReasonExpired       = "expired"
)

// At says what time it was at a local stamp, and how sure the station is. It is pure and takes no lock. Stamps further
// than Validity from the epoch are answered as unsynchronised.
func (s *Status) At(stamp refclock.Stamp) Reading {
	elapsed := stamp.Sub(s.Epoch)
	since := elapsed.Seconds()
	r := Reading{
		Known:         !s.EpochInstant.IsZero(),
		State:         s.State,
		Uncertainty95: s.Uncertainty95 + seconds(s.Uncertainty95Growth*max(since, 0)),
		MaxError:      s.MaxError + seconds(s.MaxErrorGrowth*max(since, 0)),
		Stratum:       s.Stratum,
		Leap:          s.Leap,
	}
	r.Instant = s.EpochInstant.Add(elapsed + seconds(s.Rate*since))
	r.applyLeap(s)
	r.Offset = time.Duration(r.Instant.TAI - int64(r.Instant.TAIMinusUTC)*1e9 - int64(stamp))
	switch {
	case s.State == Unsynchronised:
		r.Reason = ReasonNoSource
	case elapsed > Validity || elapsed < -Validity:
		r.Reason = ReasonExpired
	case s.MaxErrorLimit > 0 && r.MaxError > s.MaxErrorLimit:
		r.Reason = ReasonBoundExceeded
	default:
		return r
	}
	r.State, r.Stratum, r.Leap = Unsynchronised, Stratum16, refclock.LeapUnknown
	return r
}

// applyLeap moves the reading across a leap second that lies between the epoch and now.
func (r *Reading) applyLeap(s *Status) {
	// The epoch may lie in the leap second itself and the reading after it.
	r.Instant.InLeap = false
	if s.Leap != refclock.LeapInsert && s.Leap != refclock.LeapDelete || r.Instant.TAI < s.LeapAt.TAI {
		return
	}
	r.Leap = refclock.LeapNone
	switch {
	case s.Leap == refclock.LeapDelete:
		r.Instant.TAIMinusUTC = s.EpochInstant.TAIMinusUTC - 1
	case r.Instant.TAI < s.LeapAt.TAI+int64(time.Second):
		r.Instant.InLeap = true
		r.Leap = refclock.LeapInsert
	default:
		r.Instant.TAIMinusUTC = s.EpochInstant.TAIMinusUTC + 1
	}
}

// StampAt is the inverse of At: the local stamp at which the station's time will be i.
func (s *Status) StampAt(i refclock.Instant) refclock.Stamp {
	d := i.Sub(s.EpochInstant)
	return s.Epoch.Add(d - seconds(s.Rate*d.Seconds()))
}

func seconds(s float64) time.Duration { return time.Duration(s * 1e9) }

// Board hands the newest Status from the one writer to any number of readers without a lock.
type Board struct{ current atomic.Pointer[Status] }

// Publish makes s current. s must not be changed any more.
func (b *Board) Publish(s *Status) {
	s.published = bothClocks()
	s.publishedAt = refclock.Stamp(s.published.UnixNano())
	b.current.Store(s)
}

// bothClocks is time.Now without a pause between its readings of CLOCK_REALTIME and the monotonic clock: a process that is
// stopped there would take its own pause for a step of the clock, see [Status.Stepped].
func bothClocks() time.Time {
	now := time.Now()
	for range 3 {
		next := time.Now()
		if d := next.Round(0).Sub(now.Round(0)) - next.Sub(now); d.Abs() < 10*time.Microsecond {
			return next
		}
		now = next
	}
	return now
}

// Load gives the newest Status. One that is older than Validity by the monotonic clock comes back as unsynchronised,
// whatever the local clock was set to meanwhile; before the first it is an empty unsynchronised one.
func (b *Board) Load() *Status {
	s := b.current.Load()
	switch {
	case s == nil:
		return &Status{State: Unsynchronised, Reason: "the station is starting", Stratum: Stratum16}
	case time.Since(s.published) <= Validity:
		return s
	}
	old := *s
	old.State, old.Stratum, old.Selected = Unsynchronised, Stratum16, ""
	old.Reason = "the time engine has stopped; restart the station"
	return &old
}

// Stepped reports whether the local clock was set between the publication of s and now, and by more than tolerance:
// the model is then void for stamps taken since. now must carry Go's monotonic reading, as time.Now does.
func (s *Status) Stepped(now time.Time, tolerance time.Duration) bool {
	if s.published.IsZero() {
		return false
	}
	wall := refclock.Stamp(now.UnixNano()).Sub(s.publishedAt)
	d := wall - now.Sub(s.published)
	return d > tolerance || d < -tolerance
}
