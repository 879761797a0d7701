package clock

import (
	"errors"
	"math"
	"time"

	"timestation/refclock"
)

// model is Linux's clock as kernel/time/ntp.c and timekeeping.c keep it, on an oscillator that runs fast by drift. Its
// fields are 64 bits wide on all machines, as clock_adjtime64's are.
type model struct {
	drift float64 // the oscillator's, as a fraction, fast positive

	// truth is UTC as POSIX counts it, raw, realtime, mono and boot as the kernel's clocks, all in ns; what is below 1 ns
	// is in the rests.
	truth, raw, realtime, mono, boot int64
	rawRest, realRest                float64

	frequency, tick, offset, constant, adjust int64 // offset in ns, adjust in µs
	maxError, estError                        int64
	status                                    int32
	state                                     int
	nextLeap                                  int64 // seconds; 0 is never
	tai                                       int32

	denied  bool
	asked   int // while denied
	written []Timex
}

const (
	timeOK = iota
	timeIns
	timeDel
	timeOOP
	timeWait
	timeError
)

func newModel(truth refclock.UTC, drift float64, wrongBy time.Duration) *model {
	ns := truth.Seconds*1e9 + int64(truth.Nanoseconds)
	return &model{
		drift: drift, truth: ns, realtime: ns + int64(wrongBy), raw: 5e9, mono: 5e9, boot: 5e9,
		tick: regularTick, constant: 2, status: StaUnsync, maxError: mostError, estError: mostError,
	}
}

// run lets true time go on by d, second by second of REALTIME as the kernel does.
func (m *model) run(d time.Duration) {
	const most = 10 * time.Millisecond // a tick
	for d > 0 {
		part := min(d, most)
		before := m.realtime / 1e9
		m.truth += int64(part)
		whole, rest := math.Modf(float64(part)*(1+m.drift) + m.rawRest)
		m.raw, m.rawRest = m.raw+int64(whole), rest
		rate := (float64(m.frequency)/frequencyUnit + float64(m.tick-regularTick)*100) * 1e-6
		if m.adjust != 0 {
			rate += math.Copysign(500e-6, float64(m.adjust))
		}
		rate += float64(m.chunk()) * 1e-9
		// MONOTONIC and REALTIME follow the oscillator at the kernel's rate.
		whole, rest = math.Modf(float64(part)*(1+m.drift)*(1+rate) + m.realRest)
		m.realtime, m.mono, m.boot, m.realRest = m.realtime+int64(whole), m.mono+int64(whole), m.boot+int64(whole), rest
		for before++; before <= m.realtime/1e9; before++ {
			if leap := m.overflow(before); leap != 0 {
				m.realtime += leap * 1e9
				m.tai -= int32(leap)
				break
			}
		}
		d -= part
	}
}

// chunk is what the loop takes out of its offset in the next second.
func (m *model) chunk() int64 { return m.offset >> (2 + m.constant) }

// overflow is second_overflow: what happens as second begins.
func (m *model) overflow(second int64) (leap int64) {
	switch m.state {
	case timeOK:
		if m.status&StaIns != 0 {
			m.state, m.nextLeap = timeIns, second-second%86400+86400
		} else if m.status&StaDel != 0 {
			m.state, m.nextLeap = timeDel, second-second%86400+86399
		}
	case timeIns:
		if m.status&StaIns == 0 {
			m.state, m.nextLeap = timeOK, 0
		} else if second == m.nextLeap {
			leap, m.state = -1, timeOOP
		}
	case timeDel:
		if m.status&StaDel == 0 {
			m.state, m.nextLeap = timeOK, 0
		} else if second == m.nextLeap {
			leap, m.state, m.nextLeap = 1, timeWait, 0
		}
	case timeOOP:
		m.state, m.nextLeap = timeWait, 0
	case timeWait:
		if m.status&(StaIns|StaDel) == 0 {
			m.state = timeOK
		}
	}
	if m.maxError += mostPPM; m.maxError > mostError {
		m.maxError = mostError
		m.status |= StaUnsync
	}
	m.offset -= m.chunk()
	if a := m.adjust; a > -500 && a < 500 {
		m.adjust = 0
	} else {
		m.adjust -= int64(math.Copysign(500, float64(a)))
	}
	return leap
}

// set is do_settimeofday or timekeeping_inject_offset by anybody.
func (m *model) setBy(d time.Duration) {
	m.realtime += int64(d)
	m.adjust, m.offset, m.nextLeap = 0, 0, 0 // ntp_clear
	m.status |= StaUnsync
	m.maxError, m.estError = mostError, mostError
}

// suspend stops everything but BOOTTIME, and REALTIME comes back from a clock chip.
func (m *model) suspend(d time.Duration) {
	m.truth += int64(d)
	m.boot += int64(d)
	m.realtime += int64(d)
}

func (m *model) Adjust(t *Timex) (int, error) {
	if m.denied {
		m.asked++
	}
	if t.Modes != 0 && m.denied {
		return 0, ErrNotPermitted
	}
	invalid := errors.New("EINVAL")
	if t.Modes == AdjSingleShot {
		m.adjust = t.Offset
	} else {
		limit := int64(1e6)
		if t.Modes&AdjNano != 0 {
			limit = 1e9
		}
		if t.Modes&AdjSetOffset != 0 {
			if t.Fraction < 0 || t.Fraction >= limit {
				return 0, invalid
			}
			m.setBy(time.Duration(t.Seconds*1e9 + t.Fraction*(1e9/limit)))
		}
		if t.Modes&AdjTick != 0 && (t.Tick < 9000 || t.Tick > 11000) {
			return 0, invalid
		}
		m.process(*t)
	}
	if t.Modes != 0 {
		m.written = append(m.written, *t)
	}
	*t = Timex{
		Modes: t.Modes, Offset: m.offset, Frequency: m.frequency, MaxError: m.maxError, EstError: m.estError,
		Status: m.status, Constant: m.constant, Seconds: m.realtime / 1e9, Fraction: m.realtime % 1e9, Tick: m.tick, TAI: m.tai,
	}
	if m.status&StaUnsync != 0 {
		return timeError, nil
	}
	return m.state, nil
}

// process is process_adjtimex_modes, in its order.
func (m *model) process(t Timex) {
	if t.Modes&AdjStatus != 0 {
		if m.status&StaPLL != 0 && t.Status&StaPLL == 0 {
			m.state, m.status, m.nextLeap = timeOK, StaUnsync, 0
		}
		const readOnly = 0xff00
		m.status = m.status&readOnly | t.Status&^readOnly
	}
	if t.Modes&AdjNano != 0 {
		m.status |= StaNano
	}
	if t.Modes&AdjMicro != 0 {
		m.status &^= StaNano
	}
	clamp := func(v, most int64) int64 { return max(-most, min(most, v)) }
	if t.Modes&AdjFrequency != 0 {
		m.frequency = clamp(t.Frequency, mostPPM*frequencyUnit)
	}
	if t.Modes&AdjMaxError != 0 {
		m.maxError = clamp(t.MaxError, mostError)
	}
	if t.Modes&AdjEstError != 0 {
		m.estError = clamp(t.EstError, mostError)
	}
	if t.Modes&AdjTimeConst != 0 {
		m.constant = t.Constant
	}
	if t.Modes&AdjTAI != 0 && t.Constant >= 0 && t.Constant <= 100000 {
		m.tai = int32(t.Constant)
	}
	if t.Modes&AdjOffset != 0 && m.status&StaPLL != 0 {
		unit := int64(1000)
		if m.status&StaNano != 0 {
			unit = 1
		}
		m.offset = clamp(t.Offset*unit, 500e6)
	}
	if t.Modes&AdjTick != 0 {
		m.tick = t.Tick
	}
}

// Read is exact: the width of real readings is System's own concern.
func (m *model) Read() Reading {
	return Reading{Realtime: refclock.Stamp(m.realtime), Raw: m.raw, Monotonic: m.mono, Boot: m.boot}
}

// off is how wrong REALTIME is.
func (m *model) off() time.Duration { return time.Duration(m.realtime - m.truth) }
