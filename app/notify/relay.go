package notify

import (
	"context"
	"fmt"
	"sync"
	"time"

	"timestation/app/automation"
	"timestation/engine/status"
	"timestation/refclock/edge"
)

func init() {
	register(Registration{
		Kind: "relay",
		Help: "A GPIO line for a relay: active while the station knows the time, and only then. The dry contact of the relay " +
			"is for the alarm input of whatever the site already watches; a station without power opens it as well.",
		NewSettings: func() Settings { return &relaySettings{} },
		New: func(s Settings, e Environment) (any, error) {
			return &relay{settings: *s.(*relaySettings), env: e, open: automation.OpenOutput}, nil
		},
	})
}

type relaySettings struct {
	Line            string  `mapstructure:"line" help:"The line: \"gpiochip0:17\", or \"GPIO17\" by its own name."`
	MaxErrorSeconds float64 `mapstructure:"max_error_seconds" help:"The time counts as valid up to this error bound; 0: while the station itself says that it knows the time."`
	Holdover        bool    `mapstructure:"holdover" help:"The time counts as valid in holdover too."`
}

func (c *relaySettings) Validate() error {
	if err := c.options().Validate(); err != nil {
		return fmt.Errorf("line: %q is not a GPIO line; write \"gpiochip0:17\" or \"GPIO17\"", c.Line)
	}
	return checkMaxError(c.MaxErrorSeconds)
}

func (c *relaySettings) options() edge.Options {
	o := automation.Options(c.Line)
	o.Consumer = "timestation valid"
	return o
}

func checkMaxError(seconds float64) error {
	if !(seconds >= 0 && seconds <= 1e6) {
		return fmt.Errorf("max_error_seconds: %g is not a bound in seconds; write for instance 0.001", seconds)
	}
	return nil
}

// valid tells whether the station's time is good enough, and why not.
func valid(s status.Snapshot, maxErrorSeconds float64, holdover bool) (bool, string) {
	switch {
	case s.State == status.Unsynchronised || s.MaxErrorSeconds == nil:
		return false, "unsynchronised: " + s.Reason
	case s.State == status.Holdover && !holdover:
		return false, "holdover: " + s.Reason
	case maxErrorSeconds > 0 && *s.MaxErrorSeconds > maxErrorSeconds:
		return false, fmt.Sprintf("the error bound of %.3g s is beyond %g s", *s.MaxErrorSeconds, maxErrorSeconds)
	}
	return true, ""
}

const (
	// relayEvery is how often the relay follows the station; lineAgain how long it waits for a line that is not there.
	relayEvery = 100 * time.Millisecond
	lineAgain  = 5 * time.Second
)

// relay drives a line.
type relay struct {
	settings relaySettings
	env      Environment
	open     func(edge.Options) (automation.Output, error)

	mu     sync.Mutex
	shows  string // what the line says at the moment
	broken error
}

// Follow implements Follower. At the end the line is let go, inactive.
func (r *relay) Follow(ctx context.Context) {
	for ctx.Err() == nil {
		err := r.drive(ctx)
		if ctx.Err() != nil {
			return
		}
		r.note("", err)
		r.env.fails(err)
		select {
		case <-ctx.Done():
		case <-time.After(lineAgain):
		}
	}
}

// drive follows the station until the line fails.
func (r *relay) drive(ctx context.Context) error {
	line, err := r.open(r.settings.options())
	if err != nil {
		return err
	}
	defer line.Close()
	defer line.Set(false)
	look := time.NewTicker(relayEvery)
	defer look.Stop()
	first, was := true, false
	for {
		is, why := valid(r.env.Status(), r.settings.MaxErrorSeconds, r.settings.Holdover)
		if err := line.Set(is); err != nil { // each time, so that a line that is gone is noticed
			return fmt.Errorf("%s: %w", r.settings.Line, err)
		}
		if first || is != was {
			r.env.fails(nil)
			r.env.Log.Info("relay", "line", r.settings.Line, "valid", is, "reason", why)
		}
		first, was = false, is
		shows := r.settings.Line + " is active: the time is valid"
		if !is {
			shows = r.settings.Line + " is inactive: " + why
		}
		r.note(shows, nil)
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
	}
}

func (r *relay) note(shows string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shows, r.broken = shows, err
}

// Test implements Tester: a relay that others act upon is not moved for a test.
func (r *relay) Test(context.Context) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.shows, r.broken
}
