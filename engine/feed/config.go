// Package feed gives the station's time to another time program on this machine, as a reference clock of its: by the
// socket of chrony's SOCK refclock, or by the shared memory of ntpd's driver 28, which chrony reads too.
//
// Neither way carries an error bound. So a feed says nothing in holdover, nothing while the station's bound is beyond the
// feed's limit, and nothing in a demonstration: who is fed then goes by its own clock, and knows it.
package feed

import (
	"fmt"
	"path/filepath"
)

// The kinds of feed.
const (
	sock = "sock"
	shm  = "shm"
)

const (
	// longestPath is that of struct sockaddr_un, with its final zero.
	longestPath = 107
	largestUnit = 255
)

// Config is one [[feed]] section.
type Config struct {
	Kind            string  `mapstructure:"kind" help:"sock for chrony (refclock SOCK), shm for ntpd and ntpsec (driver 28) or chrony (refclock SHM)"`
	Path            string  `mapstructure:"path" help:"of sock: the socket that chronyd makes, as its refclock line names it"`
	Unit            int     `mapstructure:"unit" help:"of shm: the segment; 0 and 1 are for root alone, and gpsd may be writing to the first ones"`
	MaxErrorSeconds float64 `mapstructure:"max_error_seconds" help:"nothing is fed while the station's own error bound is larger"`
}

// DefaultConfig feeds chrony's socket while the station is sure of the time to 0.1 s.
func DefaultConfig() Config { return Config{Kind: sock, Unit: 2, MaxErrorSeconds: 0.1} }

// Validate names the first impossible value.
func (c Config) Validate() error {
	switch {
	case c.Kind != sock && c.Kind != shm:
		return fmt.Errorf("kind: %q is not known; write %q or %q", c.Kind, sock, shm)
	case c.Kind == sock && (!filepath.IsAbs(c.Path) || len(c.Path) > longestPath):
		return fmt.Errorf(`path: %q is not an absolute path of up to %d characters; write for instance "/run/chrony/timestation.sock", and in chrony.conf: refclock SOCK /run/chrony/timestation.sock`, c.Path, longestPath)
	case c.Kind == shm && c.Path != "":
		return fmt.Errorf("path: is for sock; shm has a unit, leave it out")
	case c.Unit < 0 || c.Unit > largestUnit:
		return fmt.Errorf("unit: %d is not between 0 and %d", c.Unit, largestUnit)
	case !(c.MaxErrorSeconds > 0 && c.MaxErrorSeconds <= 10):
		return fmt.Errorf("max_error_seconds: %v is not above 0 and at most 10; write for instance 0.1", c.MaxErrorSeconds)
	}
	return nil
}

// Target names what is fed; no two feeds may have the same.
func (c Config) Target() string {
	if c.Kind == shm {
		return fmt.Sprintf("shared memory unit %d", c.Unit)
	}
	return c.Path
}
