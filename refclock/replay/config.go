// Package replay plays a recording as if its receiver were here: with the present date, for demonstrations and for trying
// out a configuration, or with the recording's own.
package replay

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"timestation/refclock"
)

// The values of time.
const (
	restamped = "restamped"
	own       = "own"
)

// Config is the replay driver's part of a [[refclock]] section.
type Config struct {
	File   string  `mapstructure:"file" help:"the recording"`
	Format string  `mapstructure:"format" help:"what it holds: gps for the bytes of a satellite receiver, NMEA or UBX or both; dcf77, msf60, wwvb or jjy for what timestation decode reads of such a receiver"`
	Rate   float64 `mapstructure:"rate" help:"samples a second, of a recording of a long-wave receiver's levels"`
	Time   string  `mapstructure:"time" help:"restamped plays it over and over with the present date and time, as this machine's clock has them; own plays it once, with its own"`
	Delay  float64 `mapstructure:"delay_seconds" help:"how long after the second it is of each burst, or pulse, of the recording is played"`
	Limit  float64 `mapstructure:"delay_limit_seconds" help:"what is added in full to every error bound, as for a receiver of this kind"`
}

// DefaultConfig plays a receiver of the usual sort in the present.
func DefaultConfig() Config {
	return Config{Format: "gps", Rate: 1000, Time: restamped, Delay: 0.06, Limit: 0.05}
}

// Validate names the first key that cannot be.
func (c Config) Validate() error {
	switch {
	case c.File == "":
		return fmt.Errorf(`file: is missing; name the recording, for instance "/var/lib/timestation/receiver.log"`)
	case formats[c.Format] == nil:
		return fmt.Errorf("format: %q is not known; write %s", c.Format, formatNames())
	case c.Time != restamped && c.Time != own:
		return fmt.Errorf("time: %q is not known; write %q or %q", c.Time, restamped, own)
	case !(c.Rate >= 20 && c.Rate <= 1e6):
		return fmt.Errorf("rate: %v is not between 20 and 1000000 samples a second; 1000 is usual", c.Rate)
	case !(c.Delay >= 0 && c.Delay < 1):
		return fmt.Errorf("delay_seconds: %v is not between 0 and 1", c.Delay)
	case !(c.Limit > 0 && c.Limit <= 1):
		return fmt.Errorf("delay_limit_seconds: %v is not above 0 and up to 1", c.Limit)
	}
	return nil
}

func formatNames() string {
	var names []string
	for name := range formats {
		names = append(names, fmt.Sprintf("%q", name))
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// largest is how long a recording may be: the driver keeps it in memory.
const largest = 256 << 20

// read reads the recording.
func (c Config) read() ([]byte, error) {
	info, err := os.Stat(c.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: there is no such recording; correct file", c.File)
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: it is not a file; a receiver itself is read by driver = \"gps\"", c.File)
	case err == nil && info.Size() > largest:
		return nil, fmt.Errorf("%s: it is longer than %d MiB; cut it", c.File, largest>>20)
	}
	recording, err := os.ReadFile(c.File)
	if err != nil {
		return nil, fmt.Errorf("%s: it cannot be read: %w", c.File, err)
	}
	return recording, nil
}

func init() {
	refclock.Register(refclock.Registration{
		Name:        "replay",
		Help:        "A recording, played as if its receiver were here.",
		ReferenceID: "RPLY", Recording: true,
	}, DefaultConfig(), func(c Config, env refclock.Environment) (refclock.Driver, error) {
		return &driver{config: c, env: env}, nil
	})
}
