// Package pps is the driver for a pulse per second: on a PPS device of the kernel (RFC 2783) or on a GPIO line.
//
// A pulse says precisely when a second begins, and not which. The driver finds the regular beat among what arrives,
// counts what is missing and what does not belong, and yields one phase sample for each pulse on the beat. Which second
// it is, and whether the companion that knows it can be trusted, is for the engine to find out.
package pps

import (
	"fmt"
	"time"

	"timestation/refclock"
	"timestation/refclock/edge"
)

// noise is what a stamp taken in an interrupt is expected to scatter by, 1σ; the engine learns the real figure.
const noise = 3 * time.Microsecond

// Config is the pps driver's part of a [[refclock]] section: a device, or a line and perhaps its chip.
type Config struct {
	Device string  `mapstructure:"device" help:"a PPS device of the kernel such as /dev/pps0, as dtoverlay=pps-gpio makes one; leave it out and name a line to read a GPIO line directly"`
	Line   string  `mapstructure:"line" help:"the GPIO line that carries the pulse, by the kernel's name such as GPIO18, or by its number together with chip"`
	Chip   string  `mapstructure:"chip" help:"the GPIO chip the line is on, such as gpiochip0; not needed where line is a name"`
	Bias   string  `mapstructure:"bias" help:"the resistor inside the chip for a GPIO line: pull-up, pull-down or disabled; left as it is when left out"`
	Edge   string  `mapstructure:"edge" help:"which edge begins the second: assert (the same as rising) or clear (falling)"`
	With   string  `mapstructure:"with" help:"the name of the source that knows which second a pulse is: the receiver whose pulse this is"`
	Width  float64 `mapstructure:"width_seconds" help:"how long the pulse lasts, if that is half a second or more; 0 expects a shorter one, and anything else is taken for a wrong edge"`
	Delay  float64 `mapstructure:"delay_seconds" help:"how much later than the second the pulse is stamped: 5e-9 a metre of cable, and the receiver's own"`
	// DelayLimit includes how long the processor takes to enter the interrupt.
	DelayLimit float64 `mapstructure:"delay_limit_seconds" help:"how far the real delay may ever be from delay_seconds, the machine's interrupt latency included; it is added in full to every error bound"`
}

// DefaultConfig takes the assert edge. The limit of 10 µs holds 20 m of cable, 0.1 µs, and the interrupt latency of a
// Raspberry Pi that is not overloaded, some µs: no stamp of this kind is earlier than the pulse.
func DefaultConfig() Config { return Config{Edge: "assert", DelayLimit: 10e-6} }

// Validate names the first key that cannot be.
func (c Config) Validate() error {
	switch {
	case c.Device == "" && c.Line == "":
		return fmt.Errorf(`device: is missing, and so is line; name the PPS device, for instance "/dev/pps0", or the GPIO line, for instance line = "GPIO18"`)
	case c.Device != "" && (c.Line != "" || c.Chip != ""):
		return fmt.Errorf("line: stands beside device; the pulse comes from one of them, leave out the other")
	case c.Device != "" && c.Bias != "":
		return fmt.Errorf("bias: is for a GPIO line; the kernel has set up %s, leave it out", c.Device)
	case c.With == "":
		return fmt.Errorf(`with: is missing; name the source that knows which second a pulse is, for instance with = "gps0"`)
	case !(c.Width >= 0 && c.Width < 1):
		return fmt.Errorf("width_seconds: %v is not between 0 and 1; leave it out unless the pulse is long", c.Width)
	case !(c.Delay > -0.5 && c.Delay < 0.5):
		return fmt.Errorf("delay_seconds: %v is not within half a second; a cable takes 5e-9 a metre", c.Delay)
	case !(c.DelayLimit > 0 && c.DelayLimit <= 0.1):
		return fmt.Errorf("delay_limit_seconds: %v is not above 0 and up to 0.1; 1e-5 suits a Raspberry Pi", c.DelayLimit)
	}
	if _, err := c.leading(); err != nil {
		return err
	}
	if c.Line != "" {
		return c.lineOptions().Validate()
	}
	return nil
}

// leading tells whether the second begins with the assert edge.
func (c Config) leading() (assert bool, err error) {
	switch c.Edge {
	case "assert", "rising":
		return true, nil
	case "clear", "falling":
		return false, nil
	}
	return false, fmt.Errorf(`edge: %q is not known; write "assert" or "clear"`, c.Edge)
}

func (c Config) lineOptions() edge.Options {
	return edge.Options{Chip: c.Chip, Line: c.Line, Bias: edge.Bias(c.Bias), Consumer: "timestation pps"}
}

// where names the device for messages.
func (c Config) where() string {
	if c.Device != "" {
		return c.Device
	}
	return c.lineOptions().String()
}

func init() {
	refclock.Register(refclock.Registration{
		Name:        "pps",
		Help:        "A pulse per second on a PPS device or a GPIO line.",
		ReferenceID: "PPS",
	}, DefaultConfig(), func(c Config, env refclock.Environment) (refclock.Driver, error) {
		return New(c, env, edge.Open), nil
	})
}
