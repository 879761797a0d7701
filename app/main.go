// Command timestation is a room's time authority: it decodes reference clocks, works out the time and how sure it is,
// serves it over authenticated NTP, shows it on the wall and keeps the history. Each command is in a file of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit codes of every command.
const (
	exitFailed = 1
	// exitUsage is wrong use or a wrong configuration.
	exitUsage = 2
)

// usageError marks an error as wrong use or a wrong configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// silent is an exit code whose reason has been printed already.
type silent int

func (s silent) Error() string { return fmt.Sprintf("exit code %d", int(s)) }

func main() {
	runtime.LockOSThread() // the window, if there is one, must live on the first thread
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(execute(ctx, os.Args[1:]))
}

// execute runs a command line and gives its exit code.
func execute(ctx context.Context, args []string) int {
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var quiet silent
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &quiet):
		return int(quiet)
	}
	fmt.Fprintln(os.Stderr, "timestation: "+oneLine(err))
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "timestation",
		Short: "A room's time authority: GPS to authenticated NTP, on the wall and in the log",
		Long: `Timestation turns a Raspberry Pi with a screen into a room's time authority. It decodes a GPS receiver itself, works
out what time it is and how sure it is, serves that over authenticated NTP, shows it as a studio clock and keeps the
history. When it does not know the time, it says so everywhere at once.

New here?  timestation demo     a whole station on a receiver recording, nothing to plug in
Then       timestation init     looks at this machine and writes a configuration
           timestation doctor   says what will stand in the way, and the mend
           timestation run      the station`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	for _, command := range []func() *cobra.Command{
		runCommand, demoCommand, initCommand, doctorCommand, statusCommand, exportCommand, reportCommand,
		logbookCommand, decodeCommand, receiversCommand, keysCommand, tokenCommand, simulateCommand, acceptJumpCommand, alertsCommand, displayCommand, versionCommand,
	} {
		c := command()
		for _, c := range append(c.Commands(), c) {
			args := c.Args
			c.Args = func(cmd *cobra.Command, given []string) error {
				if err := args(cmd, given); err != nil {
					return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
				}
				return nil
			}
		}
		root.AddCommand(c)
	}
	root.Args = func(cmd *cobra.Command, given []string) error {
		if len(given) > 0 {
			return usageError{fmt.Errorf("%q is not a command; see timestation --help", given[0])}
		}
		return nil
	}
	return root
}

// newLog writes for a person on standard error; systemd's journal adds the time.
func newLog() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey && len(groups) == 0 {
				return slog.Attr{} // the system clock may be wrong: an invented time in a log is worse than none
			}
			return a
		},
	}))
}
