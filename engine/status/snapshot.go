package status

import "timestation/refclock"

// Snapshot is a Status evaluated at one moment, as /api/status gives it: SI units, named in the keys.
type Snapshot struct {
	Generation uint64 `json:"generation"`
	State      State  `json:"state"`
	Reason     string `json:"reason,omitempty"`
	// Vote is how the sources voted, Unseen what their vote cannot find out, in words.
	Vote   string `json:"vote,omitempty"`
	Unseen string `json:"unseen,omitempty"`
	// UTC is absent before the station ever knew the time.
	UTC *refclock.UTC `json:"utc,omitempty"`
	Estimate
	MaxErrorLimitSeconds float64       `json:"max_error_limit_seconds"`
	MaxErrorGrowthPPM    float64       `json:"max_error_growth_ppm"`
	Stratum              uint8         `json:"stratum"`
	ReferenceID          string        `json:"reference_id"`
	Leap                 string        `json:"leap"`
	LeapAt               *refclock.UTC `json:"leap_at,omitempty"`
	ReferenceTime        *refclock.UTC `json:"reference_time,omitempty"`
	StateSince           *refclock.UTC `json:"state_since,omitempty"`
	Selected             string        `json:"selected,omitempty"`
	Demonstration        bool          `json:"demonstration"`
	TemperatureCelsius   *float64      `json:"temperature_celsius,omitempty"`
	Sources              []Source      `json:"sources"`
	Alerts               []Alert       `json:"alerts"`
}

// Estimate is what the station says of its own time. All of it is absent before the station ever knew the time: a bound
// of nothing would read as a perfect one.
type Estimate struct {
	TAIMinusUTCSeconds *int32 `json:"tai_minus_utc_seconds,omitempty"`
	// OffsetSeconds is the station's time minus CLOCK_REALTIME.
	OffsetSeconds        *float64 `json:"offset_seconds,omitempty"`
	FrequencyPPM         *float64 `json:"frequency_ppm,omitempty"`
	Uncertainty95Seconds *float64 `json:"uncertainty95_seconds,omitempty"`
	MaxErrorSeconds      *float64 `json:"max_error_seconds,omitempty"`
}

// Snapshot evaluates the model at a local stamp.
func (s *Status) Snapshot(stamp refclock.Stamp) Snapshot {
	r := s.At(stamp)
	snap := Snapshot{
		Generation:           s.Generation,
		State:                r.State,
		Reason:               s.Reason,
		Vote:                 s.Vote,
		Unseen:               s.Unseen,
		MaxErrorLimitSeconds: s.MaxErrorLimit.Seconds(),
		MaxErrorGrowthPPM:    s.MaxErrorGrowth * 1e6,
		Stratum:              r.Stratum,
		ReferenceID:          s.ReferenceIDText(),
		Leap:                 LeapText(r.Leap),
		ReferenceTime:        known(s.ReferenceTime),
		StateSince:           known(s.Since),
		Selected:             s.Selected,
		Demonstration:        s.Demonstration,
		Sources:              append([]Source{}, s.Sources...),
		Alerts:               append([]Alert{}, s.Alerts...),
	}
	if snap.Reason == "" {
		snap.Reason = r.Reason
	}
	if s.TemperatureKnown {
		snap.TemperatureCelsius = &s.TemperatureCelsius
	}
	if r.Known {
		snap.UTC = known(r.Instant)
		snap.Estimate = Estimate{
			TAIMinusUTCSeconds:   &r.Instant.TAIMinusUTC,
			OffsetSeconds:        pointer(r.Offset.Seconds()),
			FrequencyPPM:         &s.FrequencyPPM,
			Uncertainty95Seconds: pointer(r.Uncertainty95.Seconds()),
			MaxErrorSeconds:      pointer(r.MaxError.Seconds()),
		}
	}
	if r.Leap == refclock.LeapInsert || r.Leap == refclock.LeapDelete {
		snap.LeapAt = known(s.LeapAt)
	}
	return snap
}

// ReferenceIDText is the reference ID without its padding.
func (s *Status) ReferenceIDText() string {
	n := 0
	for n < len(s.ReferenceID) && s.ReferenceID[n] != 0 {
		n++
	}
	return string(s.ReferenceID[:n])
}

// LeapText is the word for a leap notice.
func LeapText(l refclock.LeapNotice) string {
	switch l {
	case refclock.LeapNone:
		return "none"
	case refclock.LeapInsert:
		return "insert"
	case refclock.LeapDelete:
		return "delete"
	}
	return "unknown"
}

func known(i refclock.Instant) *refclock.UTC {
	if i.IsZero() {
		return nil
	}
	u := i.UTC()
	return &u
}

func pointer(v float64) *float64 { return &v }
