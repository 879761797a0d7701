// Package receiver is the driver of long-wave receivers: a module's output on a GPIO line, decoded as it comes.
package receiver

import (
	"fmt"
	"math"
	"time"

	"timestation/refclock"
	"timestation/refclock/edge"
	"timestation/refclock/longwave"
)

// Transmitter is what the drivers differ in.
type Transmitter struct {
	Code *longwave.Code
	// Name is what a person calls it, Help a sentence for the reference, ReferenceID that of RFC 5905, figure 12.
	Name, Help, ReferenceID string
	// Places are where it stands; of several the nearest is taken.
	Places []refclock.Position
}

// Until a receiver's delay has been measured. A module's filters are some ten Hz wide, and its pulses come later the
// weaker the signal is: 0 to 60 ms are held possible.
const (
	uncalibratedDelay = 30 * time.Millisecond
	uncalibratedLimit = 30 * time.Millisecond
)

// Without the antenna's position the transmitter may be anywhere up to 2000 km away.
const (
	unknownPath      = 3300 * time.Microsecond
	unknownPathLimit = 3300 * time.Microsecond
)

// Config is a long-wave driver's part of a [[refclock]] section.
type Config struct {
	Line string `mapstructure:"line" help:"the GPIO line that the receiver module's output is connected to, by the kernel's name such as GPIO17, or by its number together with chip; which level is the pulse is found out"`
	Chip string `mapstructure:"chip" help:"the GPIO chip the line is on, such as gpiochip0; not needed where line is a name"`
	Bias string `mapstructure:"bias" help:"the resistor inside the chip: pull-up (most modules have an open collector), pull-down or disabled; left as it is when left out"`
	// DelaySeconds is nil until somebody has measured it.
	DelaySeconds *float64 `mapstructure:"delay_seconds" help:"how much later than the second at the antenna the pulse begins, measured; while it is not set, 0.03 s is assumed and 0.03 s is added to every error bound"`
	// DelayLimitSeconds counts only where DelaySeconds is set.
	DelayLimitSeconds float64 `mapstructure:"delay_limit_seconds" help:"how far the real delay may ever be from delay_seconds; it is added in full to every error bound"`
}

// DefaultConfig is an unknown delay on a line with the module's own resistor.
func DefaultConfig() Config { return Config{DelayLimitSeconds: 0.01} }

// Validate names the first key that cannot be.
func (c Config) Validate() error {
	if d := c.DelaySeconds; d != nil && !(*d > -0.5 && *d < 0.5) {
		return fmt.Errorf("delay_seconds: %v is not within half a second; leave it out if you have not measured it", *d)
	}
	if l := c.DelayLimitSeconds; !(l > 0 && l <= 0.5) {
		return fmt.Errorf("delay_limit_seconds: %v is not above 0 and up to 0.5; 0.01 suits a receiver with a steady signal", l)
	}
	return c.options("").Validate()
}

func (c Config) options(consumer string) edge.Options {
	return edge.Options{Chip: c.Chip, Line: c.Line, Bias: edge.Bias(c.Bias), Consumer: consumer}
}

// delay is how late a pulse is stamped, of the path and the receiver, and how wrong that may be.
func (t Transmitter) delay(c Config, position *refclock.Position) (assumed, limit time.Duration) {
	assumed, limit = uncalibratedDelay, uncalibratedLimit
	if c.DelaySeconds != nil {
		assumed, limit = refclock.Seconds(*c.DelaySeconds), refclock.Seconds(c.DelayLimitSeconds)
	}
	if position == nil || len(t.Places) == 0 {
		return assumed + unknownPath, limit + unknownPathLimit
	}
	const groundWave = 299700e3 // m/s, a little below that of light in vacuum
	nearest := math.Inf(1)
	for _, place := range t.Places {
		nearest = min(nearest, distance(*position, place))
	}
	path := nearest / groundWave
	// By the ionosphere the way is longer, by some hundred µs at these distances.
	return assumed + refclock.Seconds(path), limit + refclock.Seconds(0.1*path)
}

// distance along the surface of the Earth, in metres.
func distance(a, b refclock.Position) float64 {
	const radius, degree = 6371e3, math.Pi / 180
	x := math.Sin((a.Latitude - b.Latitude) / 2 * degree)
	y := math.Sin((a.Longitude - b.Longitude) / 2 * degree)
	h := x*x + math.Cos(a.Latitude*degree)*math.Cos(b.Latitude*degree)*y*y
	return 2 * radius * math.Asin(math.Sqrt(min(1, h)))
}

// Register makes the transmitter's driver known under its code's name.
func Register(t Transmitter) {
	refclock.Register(refclock.Registration{
		Name:        t.Code.Name,
		Help:        t.Help,
		ReferenceID: t.ReferenceID,
	}, DefaultConfig(), func(c Config, env refclock.Environment) (refclock.Driver, error) {
		return New(t, c, env, edge.Open), nil
	})
}
