package scenario

import (
	"math"
	"math/rand/v2"
	"time"

	"timestation/engine/clock"
	"timestation/engine/leap"
	"timestation/refclock"
)

// machine is the computer: its oscillator runs off, and somebody else may set or slew CLOCK_REALTIME. It moves on second
// by second; within one everything is a straight line.
type machine struct {
	config Machine
	random *rand.Rand
	// now is the true time passed since the start, in ns; raw the oscillator's count, mono and real the clocks'.
	now       int64
	raw, mono int64
	real      int64
	slept     int64   // what CLOCK_BOOTTIME counts beyond mono
	frequency float64 // random walk and changes, as a fraction
	slew      float64
	lost      float64 // fractions of ns not yet counted
	lostSlew  float64
}

// boot starts the clocks: the oscillator counts from a few seconds after power-up.
func (m *machine) boot(start refclock.UTC) {
	m.raw, m.mono, m.slept = int64(7*time.Second), int64(7*time.Second), 0
	utc := start
	utc.Seconds += m.now / 1e9
	if m.config.Realtime != nil {
		utc = *m.config.Realtime
	}
	m.real = utc.Seconds*1e9 + int64(utc.Nanoseconds)
	m.slew = 0
}

// advance lets true time pass.
func (m *machine) advance(d time.Duration) {
	t := float64(m.now) * 1e-9
	y := m.frequency + m.config.DailyPPM*1e-6*math.Sin(2*math.Pi*t/86400)
	m.frequency += m.config.Wander * math.Sqrt(d.Seconds()) * m.random.NormFloat64()
	gained := float64(d)*y + m.lost
	whole := math.Floor(gained)
	m.lost = gained - whole
	step := int64(d) + int64(whole)
	slewed := float64(step)*m.slew + m.lostSlew
	wholeSlew := math.Floor(slewed)
	m.lostSlew = slewed - wholeSlew
	m.now += int64(d)
	m.raw += step
	m.mono += step + int64(wholeSlew)
	m.real += step + int64(wholeSlew)
}

// sleep lets true time pass while the machine is suspended: its hardware clock carries CLOCK_REALTIME on.
func (m *machine) sleep(d time.Duration) {
	m.now += int64(d)
	m.real += int64(d)
	m.slept += int64(d)
}

// Read implements clock.Source.
func (m *machine) Read() clock.Reading {
	return clock.Reading{
		Realtime: refclock.Stamp(m.real), Raw: m.raw, Monotonic: m.mono, Boot: m.mono + m.slept, Width: time.Microsecond,
	}
}

// stamp is what CLOCK_REALTIME says d of true time after now; d is small.
func (m *machine) stamp(d time.Duration) refclock.Stamp { return refclock.Stamp(m.real).Add(d) }

// voice is one source as it is at the moment.
type voice struct {
	Source
	silent, lost, unfixed bool
	moved                 time.Duration // by jumps and drift
	rate                  float64
	unsure                bool
	leap                  refclock.LeapNotice
	pulses                uint32
	denied                map[string]bool // constellations
	late                  time.Duration
	twice                 bool
	waiting               []parcel
}

// parcel is a sample on its way to the station.
type parcel struct {
	at     int64 // true time since the start, in ns
	sample refclock.Sample
}

// hand gives the station a sample, at once or when its time has come.
func (v *voice) hand(m *machine, sample refclock.Sample) {
	v.waiting = append(v.waiting, parcel{m.now + int64(v.late), sample})
	if v.twice {
		v.waiting = append(v.waiting, v.waiting[len(v.waiting)-1])
	}
}

// deliver gives the station the samples whose time has come.
func (v *voice) deliver(m *machine, out refclock.Sink) {
	for len(v.waiting) > 0 && v.waiting[0].at <= m.now {
		out.Sample(v.waiting[0].sample)
		v.waiting = v.waiting[1:]
	}
}

// eachSky is how many satellites of a constellation a gnss source uses.
const eachSky = 8

// sky is what a gnss source hears; nil where the scenario does not say.
func (v *voice) sky() *refclock.GNSS {
	if len(v.Constellations) == 0 {
		return nil
	}
	g := &refclock.GNSS{Fix: refclock.NoFix}
	for _, name := range v.Constellations {
		for prn := range eachSky {
			used := !v.denied[name]
			g.Satellites = append(g.Satellites, refclock.Satellite{
				Constellation: name, PRN: prn + 1, Elevation: 40, Azimuth: 45 * prn, CN0: 40, Used: used,
			})
			if used {
				g.SatellitesUsed++
				g.Fix = refclock.Fix3D
			}
		}
	}
	return g
}

// speak gives what a source delivers in the second that begins at the true instant, which is now. table is the true one,
// known what the station's own says.
func (v *voice) speak(m *machine, table *leap.Table, known func(refclock.UTC) int32, true_ refclock.Instant, out refclock.Sink) {
	v.moved += time.Duration(v.rate * 1e9)
	if v.lost {
		out.Signal(refclock.Signal{Source: v.Name, State: refclock.Lost, Text: "the device is gone; plug it in again"})
		return
	}
	if v.silent {
		return
	}
	gnss := v.sky()
	if v.unfixed && v.Kind != "pulse" || gnss != nil && gnss.SatellitesUsed == 0 {
		out.Signal(refclock.Signal{Source: v.Name, State: refclock.Receiving, Text: "no fix; check the antenna", GNSS: gnss})
		return
	}
	signal := refclock.Signal{Source: v.Name, State: refclock.Timing, GNSS: gnss}
	sample := refclock.Sample{
		Source: v.Name, Noise: time.Duration(v.Noise), Systematic: time.Duration(v.Systematic), Leap: v.leap, Unsure: v.unsure,
	}
	off := time.Duration(v.Bias) + v.moved // what the source adds to true time
	noise := time.Duration(float64(v.Noise) * m.random.NormFloat64())
	switch v.Kind {
	case "pulse":
		v.pulses++
		sample.Kind, sample.Stamp = refclock.Phase, m.stamp(noise-off)
		sample.Pulse = &refclock.Pulse{Period: time.Second, Sequence: v.pulses, With: v.With}
	case "server":
		interval := max(int64(time.Duration(v.Interval)/time.Second), 1)
		if (m.now/1e9)%interval != 0 {
			return
		}
		up := time.Duration(v.Delay)/2 + time.Duration(float64(v.Noise)*m.random.ExpFloat64())
		down := time.Duration(v.Delay)/2 + time.Duration(float64(v.Noise)*m.random.ExpFloat64())
		sample.Kind = refclock.Exchange
		utc := true_.Add(up + off).UTC()
		at := utc.Instant(known(utc))
		sample.Exchange = &refclock.ExchangeData{
			T1: m.stamp(0), T2: at, T3: at, T4: m.stamp(up + down),
			Stratum: 1, Authenticated: v.Authenticated,
		}
		sample.Noise = 10 * time.Microsecond
		signal.Server = &refclock.Server{Address: "192.0.2.1:123", Stratum: 1, Authenticated: v.Authenticated}
	case "radio":
		if true_.UTC().Seconds%60 == 59 {
			return
		}
		fallthrough
	default:
		sample.Stamp = m.stamp(noise)
		utc := table.FromTAI(true_.TAI + int64(off)).UTC()
		sample.Instant = utc.Instant(known(utc)) // receivers tell UTC, and the station's own list makes TAI of it
	}
	out.Signal(signal)
	v.hand(m, sample)
}
