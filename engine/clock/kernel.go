package clock

import "errors"

// Kernel is the kernel's own clock discipline, clock_adjtime(2) on CLOCK_REALTIME. It is an interface so that whatever
// steers can be tried on a model: a test never has the machine's.
type Kernel interface {
	// Adjust does what t.Modes says, fills t with what is in force then, and gives the clock's state (TIME_OK …).
	Adjust(t *Timex) (state int, err error)
}

// Timex is the part of struct timex that steering needs, in the widths of 64-bit machines (adjtimex(2)).
type Timex struct {
	// Modes says what is to be done: Adj… bits.
	Modes uint32
	// Offset is what the kernel's own loop has still to correct, ns or µs after StatusNano.
	Offset int64
	// Frequency is in 2⁻¹⁶ ppm, fast positive, at most 500 ppm.
	Frequency int64
	// MaxError and EstError are in µs.
	MaxError, EstError int64
	// Status is Sta… bits.
	Status int32
	// Constant is the loop's, or with AdjTAI the new TAI − UTC.
	Constant int64
	// Seconds and Fraction (ns with AdjNano) are what AdjSetOffset adds; Fraction is never negative.
	Seconds, Fraction int64
	// Tick is µs per kernel tick, 10000 regularly.
	Tick int64
	// TAI is TAI − UTC in seconds.
	TAI int32
}

// The bits of Timex.Modes (include/uapi/linux/timex.h).
const (
	AdjOffset     = 0x0001
	AdjFrequency  = 0x0002
	AdjMaxError   = 0x0004
	AdjEstError   = 0x0008
	AdjStatus     = 0x0010
	AdjTimeConst  = 0x0020
	AdjTAI        = 0x0080
	AdjSetOffset  = 0x0100
	AdjMicro      = 0x1000
	AdjNano       = 0x2000
	AdjTick       = 0x4000
	AdjSingleShot = 0x8001
)

// The bits of Timex.Status that a program may set, and StaNano, which it may not.
const (
	StaPLL      = 0x0001
	StaPPSFreq  = 0x0002
	StaPPSTime  = 0x0004
	StaFLL      = 0x0008
	StaIns      = 0x0010
	StaDel      = 0x0020
	StaUnsync   = 0x0040
	StaFreqHold = 0x0080
	StaNano     = 0x2000
)

const (
	// regularTick is Timex.Tick as it should be: 10 ms, whatever the kernel's own tick is (USER_HZ is 100).
	regularTick = 10000
	// frequencyUnit is Timex.Frequency of 1 ppm, and mostPPM the most the kernel takes (MAXFREQ).
	frequencyUnit = 1 << 16
	mostPPM       = 500
	// mostError is the kernel's largest MaxError in µs; from there on it is unsynchronised (NTP_PHASE_LIMIT).
	mostError = 16_000_000
)

// ErrNotPermitted: this process may not steer the system clock.
var ErrNotPermitted = errors.New(`the system clock cannot be steered: the kernel does not permit it; give the service ` +
	`AmbientCapabilities=CAP_SYS_TIME in a drop-in (systemctl edit timestation), or write discipline = "none"`)
