// Package engine is the loop that turns samples into the station's published time: it maps stamps to the oscillator,
// lets each source's estimator follow them, votes, and publishes a *status.Status several times a second.
package engine

import (
	"fmt"
	"time"
)

// Config is the [clock] section.
type Config struct {
	Discipline       string  `mapstructure:"discipline" help:"What is done to the system clock. \"none\": the station keeps its own time and never touches it; \"system\": it is set once at the start and steered from then on, on a machine that has no other time daemon and gives the capability CAP_SYS_TIME."`
	MaxErrorSeconds  float64 `mapstructure:"max_error_seconds" help:"Beyond this error bound the station no longer claims to know the time."`
	AssumedWanderPPM float64 `mapstructure:"assumed_wander_ppm" help:"How far the oscillator may drift off unseen, in parts per million: the bound grows by it while no source is heard."`
	RequiredSources  int     `mapstructure:"required_sources" help:"How many independent sources must agree before the station claims to know the time. All sources of one receiver count once; from 2 on, NTP servers without a key or NTS do not count."`
	JumpLimitSeconds float64 `mapstructure:"jump_limit_seconds" help:"Once the time has been known for 15 minutes, a source that jumps by more than this is not followed; a smaller jump is followed with a warning."`
	AcceptJumps      string  `mapstructure:"accept_jumps" help:"Who may release a station whose sources have jumped. \"person\": only somebody, with timestation accept-jump or over HTTP with the token; \"agreement\": also two independent sources that agree on the new time."`
	LeapFile         string  `mapstructure:"leap_file" help:"A leap-seconds.list, checked against its own signature line and expiry; the newest of it, the system's and the built-in one is used."`
	LeapSecond       string  `mapstructure:"leap_second" help:"A leap second that you know of and no list does yet, as \"insert 2027-06-30\" or \"delete 2027-06-30\": one vote beside those of the sources."`
}

// The values of Config.AcceptJumps.
const (
	byPerson    = "person"
	byAgreement = "agreement"
)

// DefaultConfig suits a Raspberry Pi's crystal in a room, and leaves room for a GPS that is not calibrated.
func DefaultConfig() Config {
	return Config{
		Discipline: "none", MaxErrorSeconds: 1, AssumedWanderPPM: 5,
		RequiredSources: 1, JumpLimitSeconds: 0.01, AcceptJumps: byPerson,
	}
}

// Validate names the first impossible value.
func (c Config) Validate() error {
	switch {
	case c.Discipline != "none" && c.Discipline != "system":
		return fmt.Errorf(`discipline: %q is not known; write "none" or "system"`, c.Discipline)
	case !(c.MaxErrorSeconds > 0 && c.MaxErrorSeconds <= 10):
		return fmt.Errorf("max_error_seconds: %v is not above 0 and at most 10; write for instance 1.0", c.MaxErrorSeconds)
	case !(c.AssumedWanderPPM >= 0.001 && c.AssumedWanderPPM <= 500):
		return fmt.Errorf("assumed_wander_ppm: %v is not between 0.001 and 500; a Pi's crystal wants 5", c.AssumedWanderPPM)
	case c.RequiredSources < 1 || c.RequiredSources > 9:
		return fmt.Errorf("required_sources: %d is not between 1 and 9; 2 wants every lock to have a witness", c.RequiredSources)
	case !(c.JumpLimitSeconds > 0 && c.JumpLimitSeconds <= 10):
		return fmt.Errorf("jump_limit_seconds: %v is not above 0 and at most 10; write for instance 0.01", c.JumpLimitSeconds)
	case c.AcceptJumps != byPerson && c.AcceptJumps != byAgreement:
		return fmt.Errorf(`accept_jumps: %q is not known; write "person" or "agreement"`, c.AcceptJumps)
	}
	if _, err := parseLeapSecond(c.LeapSecond); err != nil {
		return fmt.Errorf("leap_second: %w", err)
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
	// returnAfter is for how long a source that nothing checks must have been consistent before the station claims the time
	// again that it had lost.
	returnAfter = 30 * time.Second
	// refusedAfter is how many samples in a row outside of what a source's past allows make it lose its vote.
	refusedAfter = 5
	// settledAfter is for how long sources that contradicted each other must have agreed before they are believed.
	settledAfter = 5 * time.Minute
	// backAfter is how many samples at its old time make a source that had jumped believable again.
	backAfter = 10
	// saveEvery is how often what was learned is written to disk: the frequency of a crystal in a room moves little in it.
	saveEvery = 10 * time.Minute
	// learnEvery is how often the biases between sources and their drifts are looked at.
	learnEvery = time.Second
	// coldFor is for how long after the first lock a receiver may still correct itself by a jump: its almanac, and in it
	// GPS − UTC, takes 12.5 min to arrive (IS-GPS-200, section 20.3.3.5). Later a jump is not followed.
	coldFor = 15 * time.Minute
	// patience is how long after the start nobody needs to be told that there is no time yet.
	patience = time.Minute
	// radioPatience is the same of a long-wave time code, which takes two minutes to tell the time at best.
	radioPatience = 5 * time.Minute
	// queue is how many samples and signals may wait for the loop.
	queue = 1024
)
