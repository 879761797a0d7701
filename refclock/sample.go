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
	// HalfWidth is an error that the scatter does not show, anywhere within ± it, of an absolute sample: it comes from one
	// fit with those before it, until it is fitted anew.
	HalfWidth time.Duration
	// Systematic is the limit of the error that all samples of this source share, such as an unknown delay. It is added
	// in full to every bound and never averaged away.
	Systematic time.Duration
	Leap       LeapNotice
	// Unsure: UTC may be wrong by whole leap seconds, as a receiver's is until it has heard its almanac. The engine uses
	// such a sample only where something else knows the time to a second.
	Unsure bool
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
	// Authenticated: the answer was signed with a shared key or under NTS.
	Authenticated bool
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
	// Alarms are what the source itself warns of; each stands until a Signal comes without it.
	Alarms []Alarm `json:"alarms,omitempty"`
	// At most one of these is set: by satellite receivers, pulses, long-wave receivers and NTP servers.
	GNSS   *GNSS   `json:"gnss,omitempty"`
	Pulses *Pulses `json:"pulses,omitempty"`
	Radio  *Radio  `json:"radio,omitempty"`
	Server *Server `json:"server,omitempty"`
}

// Alarm is something a driver wants a person to know; the engine raises it as an alert about the source.
type Alarm struct {
	// Code is a stable name such as jamming or antenna-open.
	Code string `json:"code"`
	// Critical: the time of this source should not be trusted while it stands.
	Critical bool   `json:"critical,omitempty"`
	Text     string `json:"text"`
	Mend     string `json:"mend,omitempty"`
}

// Pulses is how a pulse per second arrives.
type Pulses struct {
	// JitterSeconds is the scatter of the distance between pulses, 1σ, over the last minutes.
	JitterSeconds float64 `json:"jitter_seconds"`
	// WidthSeconds is the length of the pulse where both edges are seen; 0 where not.
	WidthSeconds float64 `json:"width_seconds,omitempty"`
	Seen         uint64  `json:"seen"`
	// Missing and Extra count seconds without a pulse, and pulses where none was due.
	Missing uint64 `json:"missing"`
	Extra   uint64 `json:"extra"`
	// Histogram counts the pulses of the last minutes by their distance from the regular second; its bins are
	// HistogramStepSeconds wide and the middle one is around 0.
	Histogram            []uint32 `json:"histogram,omitempty"`
	HistogramStepSeconds float64  `json:"histogram_step_seconds,omitempty"`
}

// Radio is how a long-wave time code arrives.
type Radio struct {
	// Marks are the second marks of the current minute, from second 0 on.
	Marks []Mark `json:"marks"`
	// Fields is the telegram as decoded last: minute, hour, day, … in the code's own order.
	Fields []Field `json:"fields,omitempty"`
	// Confidence is the odds against the published minute being wrong, as log10; 0 before the first.
	Confidence float64 `json:"confidence"`
	// Quality is how well each of the last minutes was heard, oldest first, from 0 to 1.
	Quality []float64 `json:"quality,omitempty"`
	// Coasting: nothing is decoded at the moment, and the decoder goes by its phase-locked oscillator.
	Coasting bool `json:"coasting,omitempty"`
}

// Mark is one second of a time code.
type Mark struct {
	// Symbol is "0", "1", "M" (minute mark) or another letter of the code; "?" where it cannot be told.
	Symbol string `json:"symbol"`
	// Confidence is the probability that Symbol is right.
	Confidence float64 `json:"confidence"`
}

// Field is a part of a telegram.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Server is how an NTP server answers.
type Server struct {
	Address       string `json:"address"`
	Stratum       uint8  `json:"stratum"`
	ReferenceID   string `json:"reference_id,omitempty"`
	Authenticated bool   `json:"authenticated"`
	// Protection is none, the digest of a symmetric key, or NTS with its AEAD.
	Protection     string  `json:"protection,omitempty"`
	Interleaved    bool    `json:"interleaved,omitempty"`
	KernelStamps   bool    `json:"kernel_stamps,omitempty"`
	DelaySeconds   float64 `json:"delay_seconds"`
	RootDelay      float64 `json:"root_delay_seconds"`
	RootDispersion float64 `json:"root_dispersion_seconds"`
	PollSeconds    float64 `json:"poll_seconds"`
	// Reach is the last eight polls, newest in the lowest bit: 1 is an answer (RFC 5905, section 13).
	Reach uint8 `json:"reach"`
	// Kiss is the last kiss code, such as RATE.
	Kiss string `json:"kiss,omitempty"`
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
	// LeapSeconds is GPS − UTC as the receiver itself has heard it; nil while it has not.
	LeapSeconds *int `json:"leap_seconds,omitempty"`
	// Jamming, Spoofing and Antenna are the receiver's own words, such as ok, warning, critical; open, short. Empty where
	// it does not say.
	Jamming  string `json:"jamming,omitempty"`
	Spoofing string `json:"spoofing,omitempty"`
	Antenna  string `json:"antenna,omitempty"`
	// Firmware and Protocol name the receiver and what it speaks, such as "NMEA" or "UBX".
	Firmware string `json:"firmware,omitempty"`
	Protocol string `json:"protocol,omitempty"`
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
