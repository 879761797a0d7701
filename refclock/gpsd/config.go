// Package gpsd takes time from gpsd, and from whatever else feeds time to other programs on this machine: "gpsd" reads
// its JSON over TCP (gpsd_json(5)), "shm" the shared memory of ntpd's driver 28, "sock" the samples of chrony's SOCK
// refclock.
package gpsd

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"timestation/refclock"
)

// How late gpsd says a solution is, against the second it is of. With TOFF it stamps the first byte of the receiver's
// burst, which gpsd_json(5) has 10 to 700 ms late; without, what is stamped is the arrival of a report that gpsd sends
// when the burst is over. Until somebody has measured it the middle is assumed, and half the range is in every bound.
const (
	uncalibratedDelay = 350 * time.Millisecond
	uncalibratedLimit = 350 * time.Millisecond
	arrivalDelay      = 500 * time.Millisecond
	arrivalLimit      = 500 * time.Millisecond
)

// What samples are expected to scatter by, 1σ; the engine learns the real figures.
const (
	sentenceNoise = 20 * time.Millisecond
	arrivalNoise  = 50 * time.Millisecond
	pulseNoise    = 3 * time.Microsecond
)

// pulseLimit is the default limit for pulses: gpsd stamps them in the kernel, or in a thread that waits for the line to
// change, which a loaded machine wakes up late.
const pulseLimit = 100 * time.Microsecond

// Config is the gpsd driver's part of a [[refclock]] section.
type Config struct {
	Address string `mapstructure:"address" help:"where gpsd listens"`
	Device  string `mapstructure:"device" help:"which of gpsd's receivers, such as /dev/ttyACM0; needed where it has several"`
	Pulses  bool   `mapstructure:"pulses" help:"take gpsd's pulses instead of its sentences; gpsd must run on this machine, for its stamps are of its clock"`
	With    string `mapstructure:"with" help:"for pulses: the name of the source that knows which second a pulse is; gpsd is believed when it is left out"`
	Trust   string `mapstructure:"trust" help:"when UTC counts without another source beside it where gpsd does not say GPS − UTC: after 13 min of fix, which is how long the satellites take to send it, or at once"`
	// DelaySeconds is nil until somebody has measured it.
	DelaySeconds *float64 `mapstructure:"delay_seconds" help:"how late gpsd's stamp is, measured; while it is not set, 0.35 s is assumed of sentences (0.5 s where gpsd is elsewhere), and as much is added to every error bound"`
	// DelayLimitSeconds is nil where the default for what is measured is meant.
	DelayLimitSeconds *float64 `mapstructure:"delay_limit_seconds" help:"how far the real delay may ever be from delay_seconds; it is added in full to every error bound (0.05 for sentences, 0.0001 for pulses when left out)"`
}

// DefaultConfig is gpsd's own port on this machine.
func DefaultConfig() Config { return Config{Address: "localhost:2947", Trust: trustAlmanac} }

const (
	trustAlmanac = "after 13 min"
	trustAtOnce  = "at once"
)

// Validate names the first key that cannot be.
func (c Config) Validate() error {
	host, port, err := net.SplitHostPort(c.Address)
	switch {
	case err != nil || host == "" || port == "":
		return fmt.Errorf(`address: %q is not host:port; gpsd on this machine is "localhost:2947"`, c.Address)
	case c.Pulses && !c.local():
		return fmt.Errorf("pulses: gpsd stamps them with the clock of its own machine, %s; run gpsd on this one", host)
	case c.With != "" && !c.Pulses:
		return fmt.Errorf("with: sentences know their second themselves; leave it out, or add pulses = true")
	case c.Trust != trustAlmanac && c.Trust != trustAtOnce:
		return fmt.Errorf("trust: %q is not known; write %q or %q", c.Trust, trustAlmanac, trustAtOnce)
	}
	return validateDelay(c.DelaySeconds, c.DelayLimitSeconds)
}

func validateDelay(delay, limit *float64) error {
	if delay != nil && !(*delay > -1 && *delay < 1) {
		return fmt.Errorf("delay_seconds: %v is not between -1 and 1; leave it out if you have not measured it", *delay)
	}
	if limit != nil && !(*limit > 0 && *limit <= 1) {
		return fmt.Errorf("delay_limit_seconds: %v is not above 0 and up to 1", *limit)
	}
	return nil
}

// local tells whether gpsd runs on this machine, so that its stamps are of the same clock.
func (c Config) local() bool {
	host, _, err := net.SplitHostPort(c.Address)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// allowance is how late a stamp is taken to be, how wrong that may be, and what it scatters by.
type allowance struct{ delay, limit, noise time.Duration }

// of fills in what the configuration says; measured is the limit where only the delay is given.
func (a allowance) of(delay, limit *float64, measured time.Duration) allowance {
	if delay != nil {
		a.delay, a.limit = refclock.Seconds(*delay), measured
	}
	if limit != nil {
		a.limit = refclock.Seconds(*limit)
	}
	return a
}

func (c Config) sentences() allowance {
	return allowance{uncalibratedDelay, uncalibratedLimit, sentenceNoise}.of(c.DelaySeconds, c.measuredLimit(), 50*time.Millisecond)
}

func (c Config) arrivals() allowance {
	return allowance{arrivalDelay, arrivalLimit, arrivalNoise}.of(c.DelaySeconds, c.measuredLimit(), 50*time.Millisecond)
}

func (c Config) pulses() allowance {
	return allowance{0, pulseLimit, pulseNoise}.of(c.DelaySeconds, c.DelayLimitSeconds, pulseLimit)
}

// measuredLimit counts only where there is a delay that it can be the limit of.
func (c Config) measuredLimit() *float64 {
	if c.DelaySeconds == nil {
		return nil
	}
	return c.DelayLimitSeconds
}

func init() {
	refclock.Register(refclock.Registration{
		Name:        "gpsd",
		Help:        "A receiver that gpsd reads, by gpsd's JSON over TCP.",
		ReferenceID: "GPS",
	}, DefaultConfig(), func(c Config, env refclock.Environment) (refclock.Driver, error) {
		return &driver{config: c, env: env, dial: dial}, nil
	})
}
