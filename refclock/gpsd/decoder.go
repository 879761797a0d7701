package gpsd

import (
	"fmt"
	"strings"
	"time"

	"timestation/refclock"
)

const (
	// stale is after how long without a report the last one says nothing any more.
	stale = 5 * time.Second
	// almanac is how long a fix takes to prove that the receiver has heard GPS − UTC: the whole almanac comes in 12.5
	// minutes (IS-GPS-200, section 20.3.3.5).
	almanac = 13 * time.Minute
)

// decoder turns gpsd's reports into samples. Its time comes in as arguments: now is monotonic.
type decoder struct {
	config Config
	env    refclock.Environment
	out    refclock.Sink

	gnss    refclock.GNSS
	devices []string
	// foreign is another receiver of the same gpsd that was heard.
	foreign string
	refused string // what gpsd said in its last ERROR

	mode, status int
	// fixAt is when a fix was last reported, fixSince since when without a break.
	fixAt, fixSince time.Duration
	fixed           bool
	cycle           *cycle
	// Matched TOFFs and pulses so far, and when the last came.
	offsets, pulses uint64
	heardAt         time.Duration
	heard           bool
	lastReport      refclock.UTC // the time of the last TPV
	lastSecond      int64        // of the last pulse
	sequence        uint32
	timedAt         time.Duration // the last sample
	timed           bool
	old             bool // gpsd's date is before the program was built
	told            refclock.Signal
	toldAt          time.Duration
}

func newDecoder(config Config, env refclock.Environment, out refclock.Sink) *decoder {
	d := &decoder{config: config, env: env, out: out}
	d.gnss = refclock.GNSS{Fix: refclock.NoFix, Satellites: []refclock.Satellite{}, Protocol: "gpsd"}
	d.tell(0)
	return d
}

// line takes one line that had been read at a stamp.
func (d *decoder) line(text []byte, at refclock.Stamp, now time.Duration) {
	m, err := parse(text)
	if err != nil {
		d.gnss.ChecksumErrors++
		return
	}
	d.gnss.Sentences++
	switch m.Class {
	case "VERSION":
		d.gnss.Firmware = "gpsd " + m.Release
	case "DEVICES":
		d.devices = nil
		for _, device := range m.Devices {
			d.devices = append(d.devices, device.Path)
		}
	case "ERROR":
		d.refused = m.Text
	case "TPV", "SKY", "TOFF", "PPS":
		if d.ours(m.Device) {
			d.heard, d.heardAt = true, now
			d.report(m, at, now)
		}
	}
	d.tellChange(now)
}

// idle is for when nothing came for a while.
func (d *decoder) idle(now time.Duration) {
	if d.fixed && now-d.fixAt > stale {
		d.fixed = false
	}
	d.tellChange(now)
}

// ours tells whether a report is of the receiver that is meant.
func (d *decoder) ours(device string) bool {
	if d.config.Device != "" {
		if device != d.config.Device {
			d.foreign = device
		}
		return device == d.config.Device
	}
	return len(d.devices) <= 1
}

func (d *decoder) report(m message, at refclock.Stamp, now time.Duration) {
	switch m.Class {
	case "TPV":
		d.fix(m, now)
		d.match(m, now)
		if d.byArrival(now) {
			d.arrival(m, at, now)
		}
	case "SKY":
		if m.Satellites != nil {
			d.gnss.Satellites = m.satellites()
			d.gnss.SatellitesUsed = 0
			for _, s := range d.gnss.Satellites {
				if s.Used {
					d.gnss.SatellitesUsed++
				}
			}
		} else if m.Used != nil {
			d.gnss.SatellitesUsed = *m.Used
		}
	case "TOFF":
		if !d.config.local() {
			return // of the clock of another machine
		}
		if u, clock, ok := m.real(); ok && !d.config.Pulses {
			d.cycle = &cycle{u, clock}
		}
	case "PPS":
		d.pulses++
		if u, clock, ok := m.real(); ok && d.config.Pulses {
			d.pulse(u, clock, now)
		}
	}
}

// fix takes what a TPV says of the receiver.
func (d *decoder) fix(m message, now time.Duration) {
	d.mode, d.status = m.Mode, m.Status
	d.gnss.LeapSeconds = m.LeapSeconds
	if u, ok := m.utc(); ok {
		d.old = u.Time().Before(d.env.NotBefore)
	}
	switch {
	case m.Mode < 2:
		d.gnss.Fix, d.fixed = refclock.NoFix, false
		return
	case m.Status == statusTime:
		d.gnss.Fix = refclock.FixTime
	case m.Mode == 2:
		d.gnss.Fix = refclock.Fix2D
	default:
		d.gnss.Fix = refclock.Fix3D
	}
	if !d.fixed || now-d.fixAt > stale {
		d.fixed, d.fixSince = true, now
	}
	d.fixAt = now
	d.gnss.Latitude, d.gnss.Longitude = m.Latitude, m.Longitude
	if m.AltitudeMSL != nil {
		d.gnss.AltitudeM = *m.AltitudeMSL
	} else if m.Altitude != nil {
		d.gnss.AltitudeM = *m.Altitude
	}
}

// largestGuess is more than gpsd's drivers ever add to the time of a TOFF: 1.1 s, of the Zodiac.
const largestGuess = 1500 * time.Millisecond

// cycle is a TOFF that waits for the report of its solution: when its first byte came, and what time gpsd thinks it was
// then. That has the solution's time and a guess at the delay by the kind of receiver in one (time_offset in gpsd's
// drivers: nothing at all, 0.175 s, 0.845 s, 1.1 s), which is not what this driver means by the delay.
type cycle struct {
	guess refclock.UTC
	clock refclock.Stamp
}

// match makes a sample of the stamp of the TOFF before and the time of this report.
func (d *decoder) match(m message, now time.Duration) {
	u, ok := m.utc()
	if d.cycle == nil || !ok {
		return
	}
	guess := d.cycle.guess.Time().Sub(u.Time())
	if guess >= largestGuess {
		return // the report of an earlier one
	}
	if guess >= 0 {
		d.offsets++
		d.sample(u, d.cycle.clock, d.config.sentences(), now)
	}
	d.cycle = nil
}

// byArrival tells whether the arrival of reports is what there is: TOFF is better and comes with the next cycle, if it
// does.
func (d *decoder) byArrival(now time.Duration) bool {
	return !d.config.Pulses && d.fixed && (!d.config.local() || d.offsets == 0 && now-d.fixSince > stale)
}

// arrival makes a sample of a TPV itself, once for each new time.
func (d *decoder) arrival(m message, at refclock.Stamp, now time.Duration) {
	u, ok := m.utc()
	if !ok || u == d.lastReport {
		return
	}
	d.lastReport = u
	d.sample(u, at, d.config.arrivals(), now)
}

// valid tells whether the time may be used at all.
func (d *decoder) valid(u refclock.UTC, now time.Duration) bool {
	return d.fixed && now-d.fixAt <= stale && d.status != statusSimulated && !u.Time().Before(d.env.NotBefore)
}

// sample yields what the time was, a known delay before the stamp.
func (d *decoder) sample(u refclock.UTC, stamp refclock.Stamp, a allowance, now time.Duration) {
	if !d.valid(u, now) {
		return
	}
	d.timed, d.timedAt = true, now
	d.out.Sample(refclock.Sample{
		Kind: refclock.Absolute, Stamp: stamp, Instant: u.Instant(d.env.TAIMinusUTC(u)).Add(a.delay),
		Noise: a.noise, Systematic: a.limit, Unsure: d.unsure(now),
	})
}

// pulse yields a pulse: with a companion as a phase, otherwise with gpsd's word on its second. The receiver's own
// correction may stand in the fraction.
func (d *decoder) pulse(u refclock.UTC, clock refclock.Stamp, now time.Duration) {
	if u.Seconds == d.lastSecond && u.Nanoseconds == 0 || !d.valid(u, now) {
		return
	}
	d.lastSecond = u.Seconds
	a := d.config.pulses()
	if d.config.With == "" {
		d.sample(u, clock, a, now)
		return
	}
	fraction := time.Duration(u.Nanoseconds)
	if fraction > time.Second/2 {
		fraction -= time.Second
	}
	d.timed, d.timedAt = true, now
	d.sequence++
	d.out.Sample(refclock.Sample{
		Kind: refclock.Phase, Stamp: clock.Add(-fraction - a.delay), Noise: a.noise, Systematic: a.limit,
		Pulse: &refclock.Pulse{Period: time.Second, Sequence: d.sequence, With: d.config.With},
	})
}

// unsure tells whether UTC may be wrong by whole leap seconds.
func (d *decoder) unsure(now time.Duration) bool {
	return d.config.Trust == trustAlmanac && d.gnss.LeapSeconds == nil && now-d.fixSince < almanac
}

// state says how the receiver stands, and what to do where it does not give the time.
func (d *decoder) state(now time.Duration) (refclock.SourceState, string) {
	switch {
	case d.timed && now-d.timedAt <= stale:
		return refclock.Timing, ""
	case d.config.Device == "" && len(d.devices) > 1:
		return refclock.Receiving, fmt.Sprintf("gpsd has %d receivers (%s); say which with device = \"%s\"",
			len(d.devices), strings.Join(d.devices, ", "), d.devices[0])
	case !d.heard || now-d.heardAt > stale:
		return refclock.Waiting, d.whySilent()
	case d.status == statusSimulated:
		return refclock.Receiving, "the receiver says that its signal is simulated"
	case d.old:
		return refclock.Receiving, "gpsd's date is before this program was built: the receiver's week counter has rolled over, update gpsd"
	case !d.fixed:
		return refclock.Receiving, "no fix; check the antenna and its view of the sky"
	case d.config.Pulses && d.pulses == 0:
		return refclock.Receiving, "gpsd has a fix but sends no pulses; give it the PPS device too, for instance: gpsd /dev/ttyAMA0 /dev/pps0"
	}
	return refclock.Receiving, "gpsd has a fix but tells no time"
}

func (d *decoder) whySilent() string {
	switch {
	case d.refused != "":
		return "gpsd refuses: " + d.refused
	case d.config.Device != "" && d.foreign != "":
		return fmt.Sprintf("gpsd reads %s, but nothing from %s; correct device, or plug that receiver in", d.foreign, d.config.Device)
	case d.devices != nil || d.heard:
		return "gpsd reads nothing from the receiver; check its cable and DEVICES in /etc/default/gpsd"
	}
	return "gpsd runs, but has no receiver; name it under DEVICES in /etc/default/gpsd"
}

func (d *decoder) tellChange(now time.Duration) {
	state, text := d.state(now)
	if d.told.State != state || d.told.Text != text || d.heard && now-d.toldAt >= time.Second {
		d.tell(now)
	}
}

func (d *decoder) tell(now time.Duration) {
	state, text := d.state(now)
	gnss := d.gnss
	if !d.fixed {
		gnss.Fix = refclock.NoFix
	}
	d.told = refclock.Signal{State: state, Text: text, GNSS: &gnss}
	if d.status == statusSimulated {
		d.told.Alarms = []refclock.Alarm{{Code: "simulated", Critical: true,
			Text: "the receiver says that its signal is simulated", Mend: "it is of no use for a clock; take the simulator off"}}
	}
	d.toldAt = now
	d.out.Signal(d.told)
}
