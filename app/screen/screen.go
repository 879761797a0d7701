// Package screen keeps the display as a child process of the station, so that nothing that goes wrong in drawing, in a
// graphics driver or in memory takes the time service with it.
package screen

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"time"

	"timestation/engine/status"
)

const (
	// again is how long to wait before a display that ended is started again. One that keeps ending, more often than patient
	// times, is waited for longer each time, up to longestAgain.
	again        = 500 * time.Millisecond
	patient      = 5
	longestAgain = time.Minute
	// settled is how long a display must have run for its end to count as the first.
	settled = time.Minute
	// grace is how long a display has to end when it is asked to.
	grace = time.Second
	// MostMemory is what a display may take, in bytes of its own: several times what it needs on the largest screen.
	MostMemory = 1 << 30
	// alertCode is of a display that does not stay.
	alertCode = "screen-failing"
)

// Alerts is where a display that does not stay is told of.
type Alerts interface {
	Raise(status.Alert)
	Clear(code, source string)
}

// Child is the display as a process.
type Child struct {
	// Command makes the process, not yet started.
	Command func() *exec.Cmd
	// Memory is what it may take, in bytes; MostMemory where it is 0.
	Memory uint64
	Alerts Alerts
	Log    *slog.Logger
}

// Run keeps the display running until ctx ends, whatever ends it: on a wall that somebody closed by mistake, too.
func (c Child) Run(ctx context.Context) {
	defer c.Alerts.Clear(alertCode, "display")
	for wait, ends := again, 0; ctx.Err() == nil; {
		began := time.Now()
		err := c.once(ctx)
		ran := time.Since(began)
		if ctx.Err() != nil {
			return
		}
		if ends++; ran >= settled {
			wait, ends = again, 1
		}
		if err != nil {
			c.Log.Error("the screen's process ended and is started again", "reason", err, "ran", ran.Round(time.Millisecond))
			c.Alerts.Raise(status.Alert{
				Code: alertCode, Source: "display", Severity: status.Warning,
				Text: fmt.Sprintf("The screen's process ended (%v) and is started again; time is served all the while.", err),
				Mend: "look for its last words in the log (journalctl -u timestation)",
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if ends > patient {
			wait = min(2*wait, longestAgain)
		}
	}
}

// once runs the display once. nil means that somebody closed it.
func (c Child) once(ctx context.Context) error {
	cmd := c.Command()
	// The display ends when this pipe does, however the station ends.
	leash, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	defer leash.Close()
	ended := make(chan error, 1)
	started := make(chan error, 1)
	go confined(func() error {
		if err := cmd.Start(); err != nil {
			started <- err
			return err
		}
		err := limit(cmd.Process.Pid, cmp.Or(c.Memory, MostMemory))
		if err != nil {
			c.Log.Warn("the screen's memory is not limited", "reason", err)
		}
		started <- nil
		ended <- cmd.Wait()
		return nil
	})
	if err := <-started; err != nil {
		return fmt.Errorf("the display cannot be started: %w", err)
	}
	calm := time.AfterFunc(settled, func() { c.Alerts.Clear(alertCode, "display") })
	defer calm.Stop()
	select {
	case err = <-ended:
	case <-ctx.Done():
		leash.Close()
		select {
		case err = <-ended:
		case <-time.After(grace):
			_ = cmd.Process.Kill() // it may have ended just now
			select {
			case err = <-ended:
			case <-time.After(grace):
				err = errors.New("it does not end; its graphics driver hangs")
			}
		}
	}
	return err
}

// Leash is the display's side: the context it gives ends when the station's end of the pipe does.
func Leash(ctx context.Context, stdin io.Reader) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, stdin) // whatever ends it
		cancel(errors.New("the station has ended"))
	}()
	return ctx
}
