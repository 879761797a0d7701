package receiver

import (
	"context"
	"time"

	"timestation/refclock"
	"timestation/refclock/edge"
)

const (
	// tick is how often the line's time is carried on where no edge comes.
	tick = 100 * time.Millisecond
	// datesAhead is how many years beyond the build a received date may lie.
	datesAhead = 20
)

type driver struct {
	transmitter Transmitter
	config      Config
	env         refclock.Environment
	open        func(edge.Options) (edge.Line, error)
}

// New makes a transmitter's driver; open is [edge.Open], and something else in tests.
func New(t Transmitter, c Config, env refclock.Environment, open func(edge.Options) (edge.Line, error)) refclock.Driver {
	return &driver{transmitter: t, config: c, env: env, open: open}
}

// Run implements [refclock.Driver].
func (d *driver) Run(ctx context.Context, out refclock.Sink) error {
	line, err := d.open(d.config.options("timestation " + d.transmitter.Code.Name))
	if err != nil {
		return err
	}
	defer line.Close()
	active, err := line.Active()
	if err != nil {
		return err
	}
	l := NewListener(d.transmitter, d.config, d.env, d.env.NotBefore.AddDate(datesAhead, 0, 0), active, out)
	beat := time.NewTicker(tick)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-line.Edges():
			if !ok {
				return line.Err()
			}
			l.Edge(e)
		case <-beat.C:
			l.Advance()
		}
	}
}
