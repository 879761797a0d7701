// Package engine is the loop that turns samples into the station's published time: it maps stamps to the oscillator,
// lets each source's estimator follow them, votes, and publishes a *status.Status several times a second.
package engine

import (
	"fmt"
	"time"
)

// Config is the [clock] section.
type Config struct {
	Discipline       string  `mapstructure:"discipline" help:"What is done to the system clock; \"none\": the station keeps its own time and never touches it."`
	MaxErrorSeconds  float64 `mapstructure:"max_error_seconds" help:"Beyond this error bound the station no longer claims to know the time."`
	AssumedWanderPPM float64 `mapstructure:"assumed_wander_ppm" help:"How far the oscillator may drift off unseen, in parts per million: the bound grows by it while no source is heard."`
}

// DefaultConfig suits a Raspberry Pi's crystal in a room, and leaves room for a GPS that is not calibrated.
func DefaultConfig() Config {
	return Config{Discipline: "none", MaxErrorSeconds: 1, AssumedWanderPPM: 5}
}

// Validate names the first impossible value.
func (c Config) Validate() error {
	switch {
	case c.Discipline == "system":
		return fmt.Errorf(`discipline: steering the system clock is not part of this version; write "none", and let chrony take the time from the station's NTP server`)
	case c.Discipline != "none":
		return fmt.Errorf(`discipline: %q is not known; write "none"`, c.Discipline)
	case !(c.MaxErrorSeconds > 0 && c.MaxErrorSeconds <= 10):
		return fmt.Errorf("max_error_seconds: %v is not above 0 and at most 10; write for instance 1.0", c.MaxErrorSeconds)
	case !(c.AssumedWanderPPM >= 0.001 && c.AssumedWanderPPM <= 500):
		return fmt.Errorf("assumed_wander_ppm: %v is not between 0.001 and 500; a Pi's crystal wants 5", c.AssumedWanderPPM)
	}
	return nil
}

// SourceConfig is what the engine must know of one configured source.
type SourceConfig struct {
	Name, Driver string
	// Receiver names the hardware behind the source; sources that share one are one voice.
	Receiver string
	// ReferenceID is up to four ASCII characters.
	ReferenceID string
	CompareOnly bool
}

const (
	// readEvery is how often the local clocks are read together; publishEvery how often the model is renewed.
	readEvery    = 100 * time.Millisecond
	publishEvery = 200 * time.Millisecond
	// silentAfter is how long a source may be quiet before it counts as silent, or four of its usual intervals.
	silentAfter     = 10 * time.Second
	silentIntervals = 4
	// grace is for how long a source that was just good may say that it has no time: one garbled burst is no outage.
	grace = 5 * time.Second
	// coldFor is for how long after the first lock a receiver may still correct itself by a jump: its almanac, and in it
	// GPS − UTC, takes 12.5 min to arrive (IS-GPS-200, section 20.3.3.5). Later a jump is not followed.
	coldFor = 15 * time.Minute
	// patience is how long after the start nobody needs to be told that there is no time yet.
	patience = time.Minute
	// queue is how many samples and signals may wait for the loop.
	queue = 1024
)
