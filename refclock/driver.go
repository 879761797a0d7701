package refclock

import (
	"context"
	"fmt"
	"log/slog"
	"sort"
	"time"
)

// Driver is one source. Run opens the device, delivers until ctx ends (it then returns nil or ctx.Err()) or the device
// is lost (it returns one line: what, where, the mend). Supervise calls it again.
type Driver interface {
	Run(ctx context.Context, out Sink) error
}

// Sink takes what drivers deliver. Its methods never block for long and may be called from any goroutine.
type Sink interface {
	Sample(Sample)
	Signal(Signal)
}

// Config is the part of a [[refclock]] section that one driver owns: a pointer to a plain struct whose fields carry
// the tags `mapstructure:"key"` and `help:"…"`, filled with the defaults.
type Config interface {
	// Validate names the key and the reason of the first impossible value.
	Validate() error
}

// Environment is what a driver may know of the station.
type Environment struct {
	// Name is the source's name in the configuration.
	Name string
	Log  *slog.Logger
	// TAIMinusUTC is the station's leap table: seconds at that UTC, for receivers that do not say.
	TAIMinusUTC func(UTC) int32
	// NotBefore is when the program was built: no received date can be earlier.
	NotBefore time.Time
	// Now reads the local clock.
	Now func() Stamp
	// UTC is the station's own time, false while it is not known: for the dates of certificates, never for a sample.
	UTC func() (UTC, bool)
	// Position is where the antenna is in degrees, WGS 84, nil where nobody has said.
	Position *Position
}

// Position is a place on the Earth in degrees, WGS 84, north and east positive.
type Position struct{ Latitude, Longitude float64 }

// Registration is how a driver makes itself known.
type Registration struct {
	// Name is the value of driver = "…".
	Name string
	// Help is one sentence for the reference and `timestation init`.
	Help string
	// ReferenceID is what an NTP reply carries while this driver's sources are selected: up to four ASCII characters
	// (RFC 5905, figure 12).
	ReferenceID string
	// Recording: what it yields is no clock's time. A station that may follow it is a demonstration, and says so everywhere.
	Recording bool

	// Register fills in the rest: a configuration with the defaults, and the driver for one.
	NewConfig func() Config
	New       func(Config, Environment) (Driver, error)
}

var registry = map[string]Registration{}

// Register makes a driver known by its own types; called from a driver's init. Each source's configuration begins as a
// copy of defaults and is valid when build gets it. A name taken twice is a mistake of the programmer.
func Register[C any, P interface {
	*C
	Config
}](r Registration, defaults C, build func(C, Environment) (Driver, error)) {
	if _, taken := registry[r.Name]; taken {
		panic("refclock: driver registered twice: " + r.Name)
	}
	r.NewConfig = func() Config {
		c := defaults
		return P(&c)
	}
	r.New = func(c Config, env Environment) (Driver, error) {
		config, ok := c.(P)
		if !ok {
			return nil, fmt.Errorf("%s: configured with a %T", r.Name, c)
		}
		if err := config.Validate(); err != nil {
			return nil, err
		}
		return build(*config, env)
	}
	registry[r.Name] = r
}

// Lookup finds a driver by name.
func Lookup(name string) (Registration, bool) {
	r, ok := registry[name]
	return r, ok
}

// Drivers lists what is registered, by name.
func Drivers() []Registration {
	var all []Registration
	for _, r := range registry {
		all = append(all, r)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// The waits between attempts to open a device that is not there.
const (
	firstRetry = 500 * time.Millisecond
	lastRetry  = 30 * time.Second
	// steady is how long a driver must have run for the waits to begin anew.
	steady = time.Minute
)

// Supervise runs a driver until ctx ends: it starts it again with growing waits when it fails, turns a panic into a
// failure, and tells the sink that the source is lost meanwhile.
func Supervise(ctx context.Context, name string, d Driver, log *slog.Logger, out Sink) {
	named := namedSink{name, out}
	wait := firstRetry
	for ctx.Err() == nil {
		began := time.Now()
		err := runGuarded(ctx, d, named)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = fmt.Errorf("%s: the driver stopped by itself; it is started again", name)
		}
		if time.Since(began) > steady {
			wait = firstRetry
		}
		log.Warn("source lost", "source", name, "reason", err, "retry_in", wait)
		named.Signal(Signal{State: Lost, Text: err.Error()})
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(wait*2, lastRetry)
	}
}

func runGuarded(ctx context.Context, d Driver, out Sink) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the driver crashed (%v); it is started again, please report this", p)
		}
	}()
	return d.Run(ctx, out)
}

type namedSink struct {
	name string
	out  Sink
}

func (n namedSink) Sample(s Sample) {
	s.Source = n.name
	n.out.Sample(s)
}

func (n namedSink) Signal(s Signal) {
	s.Source = n.name
	n.out.Signal(s)
}
