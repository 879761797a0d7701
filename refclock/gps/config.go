// Package gps is the driver for satellite receivers on a serial port that speak NMEA 0183, u-blox's UBX or both.
//
// A receiver tells the time in a burst of messages some time after each UTC second. The driver stamps the first byte of
// each burst, takes date, time and validity from the messages in it, and yields one absolute sample a second. What a
// timing receiver says of its next pulse becomes a correction.
package gps

import (
	"fmt"
	"time"

	"timestation/refclock"
)

// How late the first byte of a burst leaves the receiver is known only once it has been measured against a better clock.
// gpsd_json(5) has 10 to 700 ms for it (TOFF), and one and the same SiRF wanders by 170 ms in a day (gpsd's Time Service
// HOWTO, "1PPS quality issues"). So until calibrated anything from 0 to 0.7 s is held possible: the middle is assumed, and
// half the range stands in full in every bound.
const (
	uncalibratedDelay = 350 * time.Millisecond
	uncalibratedLimit = 350 * time.Millisecond
)

// noise is what the first byte of a burst is expected to scatter by, 1σ: a receiver's solution takes a few ms more or
// less with the number of satellites, the port hands bytes over in steps of up to 16 ms (an FTDI adapter's latency
// timer; 16 bytes of a UART's FIFO at 9600 baud). The engine learns the real figure.
const noise = 20 * time.Millisecond

// The rates a UART of a Raspberry Pi and common USB adapters can be set to.
const (
	slowestBaud = 1200
	fastestBaud = 4000000
)

// Config is the gps driver's part of a [[refclock]] section.
type Config struct {
	Device string `mapstructure:"device" help:"the serial port of the receiver, such as /dev/serial0, /dev/ttyACM0 or COM3"`
	Baud   int    `mapstructure:"baud" help:"the line speed the receiver is set to, in bits a second; 0 finds it out, from 4800 to 921600"`
	// DelaySeconds is nil until somebody has measured it.
	DelaySeconds *float64 `mapstructure:"delay_seconds" help:"how long after the UTC second the first byte of the receiver's sentences leaves it, measured; while it is not set, 0.35 s is assumed and 0.35 s is added to every error bound"`
	// DelayLimitSeconds counts only where DelaySeconds is set.
	DelayLimitSeconds float64 `mapstructure:"delay_limit_seconds" help:"how far the real delay may ever be from delay_seconds; it is added in full to every error bound"`
	Trust             string  `mapstructure:"trust" help:"when UTC counts without another source beside it, of a receiver that does not tell its leap seconds (NMEA has none): 'after 13 min' of fix, which is how long the satellites take to send them, or 'at once'"`
	Configure         string  `mapstructure:"configure" help:"'none' leaves the receiver as it is; 'timing' sets a u-blox, until it loses power, to tell time, leap seconds, interference and the error of its next pulse, and a timing receiver to find its position, from which it must not be moved then, and to solve for time alone"`
}

// The values of trust and configure.
const (
	afterFix  = "after 13 min"
	atOnce    = "at once"
	asItIs    = "none"
	forTiming = "timing"
	automatic = 0 // baud
)

// DefaultConfig finds the line speed out, takes an unknown delay, and leaves the receiver as it is.
func DefaultConfig() Config {
	return Config{Baud: automatic, DelayLimitSeconds: 0.05, Trust: afterFix, Configure: asItIs}
}

// Validate names the first key that cannot be.
func (c Config) Validate() error {
	if c.Device == "" {
		return fmt.Errorf(`device: is missing; name the receiver's serial port, for instance "/dev/serial0" (timestation init finds it)`)
	}
	if c.Baud != automatic && (c.Baud < slowestBaud || c.Baud > fastestBaud) {
		return fmt.Errorf("baud: %d is not between %d and %d; write 0 to have it found out", c.Baud, slowestBaud, fastestBaud)
	}
	if c.Trust != afterFix && c.Trust != atOnce {
		return fmt.Errorf("trust: %q is neither %q nor %q; leave it out if you are not sure", c.Trust, afterFix, atOnce)
	}
	if c.Configure != asItIs && c.Configure != forTiming {
		return fmt.Errorf("configure: %q is neither %q nor %q; leave it out if you are not sure", c.Configure, asItIs, forTiming)
	}
	if d := c.DelaySeconds; d != nil && !(*d >= 0 && *d < 1) {
		return fmt.Errorf("delay_seconds: %v is not between 0 and 1; leave it out if you have not measured it", *d)
	}
	if l := c.DelayLimitSeconds; !(l > 0 && l <= 1) {
		return fmt.Errorf("delay_limit_seconds: %v is not above 0 and up to 1; 0.05 suits a receiver whose delay is steady", l)
	}
	return nil
}

// delay is how late the first byte is taken to be, and how wrong that may be.
func (c Config) delay() (assumed, limit time.Duration) {
	if c.DelaySeconds == nil {
		return uncalibratedDelay, uncalibratedLimit
	}
	return refclock.Seconds(*c.DelaySeconds), refclock.Seconds(c.DelayLimitSeconds)
}

func init() {
	refclock.Register(refclock.Registration{
		Name:        "gps",
		Help:        "A satellite receiver on a serial port that speaks NMEA 0183 or u-blox's UBX.",
		ReferenceID: "GPS",
	}, DefaultConfig(), func(c Config, env refclock.Environment) (refclock.Driver, error) {
		return &driver{config: c, env: env, open: openTunable}, nil
	})
}
