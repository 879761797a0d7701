package fastpath

import (
	"encoding/binary"
	"math"
	"math/bits"
	"time"

	"timestation/engine/ntp"
)

// Longest is how long a model may be valid: as long as a status.
const Longest = 2 * time.Second

// Model is what the answers say, from At on for as long as it is Valid. It is that of a station that knows the time; one
// that does not, or whose leap indicator or rate changes before Valid is over, is not for the kernel.
type Model struct {
	// At is a moment that has passed, with Go's monotonic reading, as time.Now gives it.
	At time.Time
	// Header is of an answer to what arrives at At, which Receive says. Version, Mode, Poll, Origin, Transmit and
	// RootDispersion are not used.
	Header ntp.Header
	// Rate is how many seconds the timestamps gain on one of CLOCK_MONOTONIC's.
	Rate float64
	// Dispersion is the root dispersion at At, and DispersionGrowth how many seconds it gains in a second.
	Dispersion       time.Duration
	DispersionGrowth float64
	Valid            time.Duration // up to Longest
}

// Fixed point: what is multiplied by up to Longest in nanoseconds (below 2³¹) must stay below 2⁶⁴.
const (
	scaleBits      = 30 // of units of 2⁻³² s for a nanosecond: 4.29 × 2³⁰
	dispersionBits = 40 // of units of 2⁻¹⁶ s: 16 s are 2²⁰ of them
)

// slotLen is the length of a model in the kernel's memory, in octets; the offsets in it follow. It is written in the
// machine's byte order but for what the packet has as it is.
const (
	slotEpoch      = 0  // CLOCK_BOOTTIME at At, ns
	slotValid      = 8  // ns
	slotBase       = 16 // NTP timestamp at At
	slotScale      = 24 // 2⁻³² s for a nanosecond, with scaleBits
	slotDispersion = 32 // 2⁻¹⁶ s at At with dispersionBits, rounded up
	slotGrowth     = 40 // the same for a nanosecond
	slotHead       = 48 // octets 0 to 7 of the packet: leap indicator and mode, stratum, 0, precision, root delay
	slotRefID      = 56 // octets 12 to 15 of the packet, and four of padding
	slotReference  = 64 // octets 16 to 23 of the packet
	slotNumber     = 72 // of the publication; last, so that a half-written slot does not have it yet
	slotLen        = 80
)

type slot [slotLen]byte

// encode writes the model of a publication; epoch is At by CLOCK_BOOTTIME in nanoseconds. One without validity, or out of
// range, answers nothing.
func (m *Model) encode(number uint64, epoch time.Duration) (s slot) {
	put := func(at int, v uint64) { binary.NativeEndian.PutUint64(s[at:], v) }
	put(slotNumber, number)
	if m.Valid <= 0 || m.Dispersion > 16*time.Second || !(math.Abs(m.Rate) < 0.01) ||
		!(m.DispersionGrowth >= 0 && m.DispersionGrowth < 0.01) {
		return s
	}
	header := m.Header
	header.Version, header.Mode, header.Poll = 0, ntp.Server, 0
	packet := header.Append(make([]byte, 0, ntp.HeaderLen))
	put(slotEpoch, uint64(epoch))
	put(slotValid, uint64(min(m.Valid, Longest)))
	put(slotBase, uint64(header.Receive))
	put(slotScale, uint64(math.Round((1+m.Rate)*(1<<32/1e9)*(1<<scaleBits))))
	high, low := bits.Mul64(uint64(max(0, m.Dispersion)), 1<<(16+dispersionBits))
	dispersion, rest := bits.Div64(high, low, 1e9)
	if rest > 0 {
		dispersion++
	}
	put(slotDispersion, dispersion+1<<dispersionBits-1)
	put(slotGrowth, uint64(math.Ceil(m.DispersionGrowth*(1<<16/1e9)*(1<<dispersionBits))))
	copy(s[slotHead:], packet[:8])
	copy(s[slotRefID:], packet[12:16])
	copy(s[slotReference:], packet[16:24])
	return s
}
