package automation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"timestation/display/studio"
	"timestation/engine/status"
	"timestation/refclock/edge"
)

const (
	// debounce is for how long a contact must stand.
	debounce = 30 * time.Millisecond
	// again is how long to wait before a line that is gone is looked for again.
	again = 5 * time.Second
	// lookEvery is how late a lamp may go out after its light did by itself.
	lookEvery = 100 * time.Millisecond
)

// Alerts is where a line that cannot be used is told of.
type Alerts interface {
	Raise(status.Alert)
	Clear(code, source string)
}

// alertCode is of a line that cannot be used.
const alertCode = "gpio-line"

// Output is a GPIO line that is driven.
type Output interface {
	Set(active bool) error
	Close() error
}

// Lines connects lights with GPIO lines: an input line switches a light, an output line follows one.
type Lines struct {
	Lights []studio.LightConfig
	Board  *studio.Board
	Alerts Alerts
	// Done is told what was done, and by which line.
	Done func(what, from string)
	// OpenInput and OpenOutput open lines; where nil, those of the kernel.
	OpenInput  func(edge.Options) (edge.Line, error)
	OpenOutput func(edge.Options) (Output, error)
}

// Options takes a line's name apart: "gpiochip0:17", or "GPIO17" by the line's own name.
func Options(line string) edge.Options {
	o := edge.Options{Line: line, Consumer: "timestation light"}
	if chip, number, ok := strings.Cut(line, ":"); ok {
		o.Chip, o.Line = chip, number
	}
	return o
}

// Run works the lines until ctx ends. A line that cannot be had, or is lost, is an alert and tried again.
func (l Lines) Run(ctx context.Context) {
	if l.OpenInput == nil {
		l.OpenInput = edge.Open
	}
	if l.OpenOutput == nil {
		l.OpenOutput = OpenOutput
	}
	outputs := make([]chan struct{}, len(l.Lights))
	for i := range outputs {
		outputs[i] = make(chan struct{}, 1)
	}
	l.Board.Follow(func(light int, _ bool) {
		if light < len(outputs) {
			select {
			case outputs[light] <- struct{}{}:
			default: // it has yet to look
			}
		}
	})
	var wait sync.WaitGroup
	for i, light := range l.Lights {
		if light.Input != "" {
			wait.Go(func() { l.keep(ctx, light.Input, func() error { return l.input(ctx, i) }) })
		}
		if light.Output != "" {
			wait.Go(func() { l.keep(ctx, light.Output, func() error { return l.output(ctx, i, outputs[i]) }) })
		}
	}
	wait.Wait()
}

// keep runs use again and again.
func (l Lines) keep(ctx context.Context, line string, use func() error) {
	defer l.Alerts.Clear(alertCode, line)
	for ctx.Err() == nil {
		if err := use(); err != nil && ctx.Err() == nil {
			l.Alerts.Raise(status.Alert{
				Code: alertCode, Source: line, Severity: status.Warning,
				Text: "A light's GPIO line cannot be used: " + err.Error() + ".",
				Mend: "correct the [[light]] section's input or output, or free the line; it is tried again every few seconds",
			})
		}
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
}

// input has a light follow its line until the line is lost.
func (l Lines) input(ctx context.Context, i int) error {
	o := Options(l.Lights[i].Input)
	o.ActiveLow, o.Debounce = l.Lights[i].InputActiveLow, debounce
	if o.ActiveLow {
		o.Bias = edge.PullUp // a contact to ground and nothing else is the usual wiring
	}
	line, err := l.OpenInput(o)
	if err != nil {
		return err
	}
	defer line.Close()
	l.Alerts.Clear(alertCode, l.Lights[i].Input)
	active, err := line.Active()
	if err != nil {
		return err
	}
	l.light(i, active)
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-line.Edges():
			if !ok {
				if err := line.Err(); err != nil {
					return err
				}
				return errors.New("it is gone")
			}
			l.light(i, e.Rising)
		}
	}
}

func (l Lines) light(i int, on bool) {
	if l.Board.State().Lights[i].On == on {
		return
	}
	done, err := l.Board.Light(studio.LightOrder{Light: i + 1, On: &on})
	if err == nil {
		l.Done(done, l.Lights[i].Input)
	}
}

// output drives a line as its light is until the line is lost.
func (l Lines) output(ctx context.Context, i int, changed <-chan struct{}) error {
	line, err := l.OpenOutput(Options(l.Lights[i].Output))
	if err != nil {
		return err
	}
	defer line.Close()
	l.Alerts.Clear(alertCode, l.Lights[i].Output)
	// Looked at now and then too: a light that goes out by itself does so when somebody looks.
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		if err := line.Set(l.Board.State().Lights[i].On); err != nil {
			return fmt.Errorf("%s: %w", l.Lights[i].Output, err)
		}
		select {
		case <-ctx.Done():
			return line.Set(false)
		case <-changed:
		case <-look.C:
		}
	}
}
