package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"timestation/app/config"
	"timestation/app/screen"
	"timestation/app/station"
	"timestation/display"
	"timestation/display/draw"
	"timestation/display/face"
	"timestation/display/panel"
	"timestation/display/window"
	"timestation/engine/serve"
	"timestation/refclock"
)

// screenFlags are what run and demo say about the screen.
type screenFlags struct {
	headless, windowed bool
	// config is the file that a screen in a process of its own reads.
	config string
}

func (f *screenFlags) register(c *cobra.Command) {
	c.Flags().BoolVar(&f.headless, "headless", false, "no screen: serve and log only")
	c.Flags().BoolVar(&f.windowed, "windowed", false, "a window instead of the full screen")
	c.MarkFlagsMutuallyExclusive("headless", "windowed")
}

func runCommand() *cobra.Command {
	var path, data string
	var screen screenFlags
	c := &cobra.Command{
		Use:   "run",
		Short: "The station, as its configuration says",
		Long: `Runs the station until Ctrl-C or SIGTERM. The configuration is --config FILE, or the first of ./timestation.toml, the
user's configuration folder and /etc/timestation/timestation.toml. A key may be overridden from the environment, as in
TIMESTATION_CLOCK_MAX_ERROR_SECONDS=0.1. SIGHUP reads keys, certificate and leap second list again.

On the screen: F11 or Escape leaves the full screen, Q ends the station.`,
		Example: "  timestation init && timestation run\n  timestation run --config studio.toml --headless",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" {
				found, tried, err := config.Find()
				if errors.Is(err, fs.ErrNotExist) {
					explainNoConfiguration(cmd.ErrOrStderr(), tried)
					return silent(exitUsage)
				}
				if err != nil {
					return usageError{err}
				}
				path = found
			}
			cfg, err := config.Load(path)
			if err != nil {
				return usageError{err}
			}
			options := stationOptions(newLog(), station.DataDir(data))
			options.Log.Info("configuration", "file", path)
			screen.config = path
			return runStation(cmd.Context(), cmd.ErrOrStderr(), cfg, options, screen)
		},
	}
	c.Flags().StringVar(&path, "config", "", "configuration file")
	c.Flags().StringVar(&data, "data", "", "folder for the log (default: /var/lib/timestation, or the user's own)")
	screen.register(c)
	return c
}

func explainNoConfiguration(w io.Writer, tried []string) {
	fmt.Fprintln(w, "timestation: there is no configuration yet. Looked for:")
	for _, t := range tried {
		fmt.Fprintln(w, "  "+t)
	}
	fmt.Fprint(w, `
To see a station at work, with nothing plugged in:
  timestation demo

To set up this machine (listens to its serial ports, writes timestation.toml and a key file):
  timestation init
  timestation run
`)
}

func stationOptions(log *slog.Logger, dataDir string) station.Options {
	return station.Options{Log: log, DataDir: dataDir, Version: version, Built: built()}
}

// runStation runs a station with its screen until ctx ends or the window is closed. It must be called on the first
// thread.
func runStation(ctx context.Context, w io.Writer, cfg *config.Config, options station.Options, screen screenFlags) error {
	s, err := station.Build(cfg, options, drawFace)
	if keyFile := (serve.KeyFileError{}); errors.As(err, &keyFile) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go reloadOnHangup(ctx, s, options.Log)
	go reportToSystemd(ctx, func() uint64 { return s.Status().Generation })

	result := make(chan error, 1)
	go func() {
		defer stop()
		result <- s.Run(ctx)
	}()
	if address := s.WebAddress(); address != "" {
		fmt.Fprintf(w, "Status page: %s  (timestation status --station %s)\n", address, address)
	}
	if !screen.headless && !window.Available() {
		fmt.Fprintln(w, "There is no display, or this build has none: running headless.")
		screen.headless = true
	}
	if !screen.headless {
		if err := showWindow(ctx, s, screen); err != nil {
			// The screen never takes the time service with it.
			options.Log.Error("the screen failed; the station goes on headless", "reason", err)
			screen.headless = true
		}
	}
	if !screen.headless {
		stop()
	}
	return <-result
}

func showWindow(ctx context.Context, s *station.Station, screen screenFlags) error {
	if socket := s.ScreenSocket(); socket != "" {
		return superviseScreen(ctx, s, socket, screen)
	}
	var lateness display.Lateness
	s.ShowLateness(lateness.Figures)
	return window.Run(ctx, s.Wall(), s.Config.Display, window.Options{Name: s.Config.Station.Name, Location: s.Location,
		Position: s.Config.Station.Where(), Exports: s.Exports(), Windowed: screen.windowed, Lateness: &lateness})
}

// superviseScreen keeps the screen as a process of its own until ctx ends.
func superviseScreen(ctx context.Context, s *station.Station, socket string, flags screenFlags) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := []string{"display", "--leash", "--station", "unix:" + socket, "--exports", s.Exports()}
	if flags.config != "" {
		args = append(args, "--config", flags.config)
	}
	if flags.windowed {
		args = append(args, "--windowed")
	}
	screen.Child{
		Alerts: s.ScreenAlerts(), Log: newLog(),
		Command: func() *exec.Cmd {
			cmd := exec.Command(self, args...)
			cmd.Stderr = os.Stderr
			return cmd
		},
	}.Run(ctx)
	return nil
}

func reloadOnHangup(ctx context.Context, s *station.Station, log *slog.Logger) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			if err := s.Reload(ctx); err != nil {
				log.Error("what could not be read again stays as it was", "reason", err)
			} else {
				log.Info("keys, certificate and leap second list read again")
			}
		}
	}
}

// drawFace draws the wall's clock for the web page.
func drawFace(w io.Writer, s *station.Station, second refclock.Instant, width, height int) error {
	size := draw.Size{W: float32(width), H: float32(height)}
	frame := face.At(s.Status(), second, s.Location, s.Config.Station.Name, s.Config.Display.Style())
	studio, _ := panel.Named("studio")
	return draw.SVG(studio.Picture(panel.Input{Frame: frame, Studio: s.Wall().Studio()}, size).Shapes, size, w)
}
