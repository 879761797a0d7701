package refclock

import "time"

// Kind says what a sample measured.
type Kind uint8

const (
	// Absolute: it was Instant when the local clock said Stamp.
	Absolute Kind = iota
	// Phase: a pulse began at Stamp, at a multiple of Period; engine/selection finds out which.
	Phase
	// Exchange: an NTP request and its answer.
	Exchange
	// Correction: what a receiver says of a pulse that follows or preceded (u-blox TIM-TP).
	Correction
)

// LeapNotice is what a source says of the end of the current month.
type LeapNotice uint8

const (
	// LeapUnknown: the source carries no leap information, so it abstains.
	LeapUnknown LeapNotice = iota
	// LeapNone: the source knows that no leap second is due.
	LeapNone
	// LeapInsert: a second 23:59:60 is due.
	LeapInsert
	// LeapDelete: 23:59:59 will be left out.
	LeapDelete
)

// Sample is one measurement of one source.
type Sample struct {
	// Source is the name the configuration gives the source; set by Supervise.
	Source string
	Kind   Kind
	// Stamp is when, by the local clock; of a pulse, its edge.
	Stamp Stamp
	// Instant is the true time at Stamp, of an absolute sample.
	Instant Instant
	// TAIKnown tells that the source itself knew TAI−UTC; otherwise the driver took it from Environment.TAIMinusUTC.
	TAIKnown bool
	// Noise is what the driver expects one sample to scatter by, 1σ. The engine learns the real figure.
	Noise time.Duration
	// Systematic is the limit of the error that all samples of this source share, such as an unknown delay. It is added
	// in full to every bound and never averaged away.
	Systematic time.Duration
	Leap       LeapNotice
	// Pulse, Exchange and Correction carry what those kinds need, and are nil otherwise.
	Pulse      *Pulse
	Exchange   *ExchangeData
	Correction *PulseCorrection
}

// Pulse describes a pulse.
type Pulse struct {
	Period   time.Duration
	Sequence uint32
	// With names the source that knows which second it is.
	With string
}

// ExchangeData is one NTP exchange (RFC 5905, section 8).
type ExchangeData struct {
	T1, T4         Stamp   // local clock
	T2, T3         Instant // server's clock
	RootDelay      time.Duration
	RootDispersion time.Duration
	ReferenceID    uint32
	Stratum        uint8
}

// PulseCorrection is to be added to the stamp of the pulse at Second.
type PulseCorrection struct {
	Second       Instant
	Quantisation time.Duration
}

// SourceState is how a driver stands with its hardware.
type SourceState string

const (
	// Waiting: nothing has been heard yet.
	Waiting SourceState = "waiting"
	// Receiving: data arrives, but no time that may be used (no fix, no telegram).
	Receiving SourceState = "receiving"
	// Timing: data arrives with valid time.
	Timing SourceState = "timing"
	// Lost: the device is gone or cannot be opened.
	Lost SourceState = "lost"
)

// Signal is how well a source is heard; one is sent whenever it changed, at most a few times a second.
type Signal struct {
	Source string      `json:"source"`
	State  SourceState `json:"state"`
	// Text is what is wrong and the mend, in one line, where the state is not Timing.
	Text string `json:"text,omitempty"`
	// GNSS is set by satellite receivers.
	GNSS *GNSS `json:"gnss,omitempty"`
}

// Fix is the quality of a satellite fix.
type Fix string

// The fixes a receiver reports; FixTime is a stationary receiver that solves for time alone.
const (
	NoFix   Fix = "none"
	Fix2D   Fix = "2d"
	Fix3D   Fix = "3d"
	FixTime Fix = "time"
)

// GNSS is what a satellite receiver says of its reception.
type GNSS struct {
	Fix            Fix         `json:"fix"`
	SatellitesUsed int         `json:"satellites_used"`
	Satellites     []Satellite `json:"satellites"`
	// Latitude and Longitude are WGS 84 in degrees, north and east positive; AltitudeM is metres above mean sea level.
	// They mean nothing while Fix is NoFix.
	Latitude  float64 `json:"lat"`
	Longitude float64 `json:"lon"`
	AltitudeM float64 `json:"alt_m"`
	// RolloverWeeks is how many weeks were added to the receiver's date, which had fallen behind the build date.
	RolloverWeeks int `json:"rollover_weeks,omitempty"`
	// ChecksumErrors and Sentences count since the port was opened.
	Sentences      uint64 `json:"sentences"`
	ChecksumErrors uint64 `json:"checksum_errors"`
}

// Satellite is one satellite in view.
type Satellite struct {
	// Constellation is GPS, GLONASS, Galileo, BeiDou, QZSS, NavIC or SBAS.
	Constellation string `json:"constellation"`
	// PRN is the number within the constellation as the receiver's protocol gives it.
	PRN int `json:"prn"`
	// Elevation and Azimuth are in degrees; -1 where the receiver does not know.
	Elevation int `json:"elevation_degrees"`
	Azimuth   int `json:"azimuth_degrees"`
	// CN0 is the carrier-to-noise density in dB-Hz; 0 is not tracked.
	CN0  float64 `json:"cn0_dbhz"`
	Used bool    `json:"used"`
}
