package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"timestation/app/config"
	"timestation/app/screen"
	"timestation/app/web"
	"timestation/display"
	"timestation/display/remote"
	"timestation/display/studio"
	"timestation/display/window"
	"timestation/engine/clock"
)

// displayFlags are those of the command itself, without its subcommands.
type displayFlags struct {
	station, config, tokenFile, exports string
	windowed, leash                     bool
}

func displayCommand() *cobra.Command {
	var f displayFlags
	c := &cobra.Command{
		Use:   "display",
		Short: "The wall of a station, here or in another room; and what stands on it",
		Long: `Shows the wall of a running station on this machine's screen: the same time, bound, lights and messages. What the way
over the network adds stands in the bound. Without contact there is no time on the wall, and it says so.

How it looks is this machine's own business: the [display] section of --config FILE, else the defaults.

The subcommands work what stands on the wall; they need a token (--token-file), as every order does.`,
		Example: "  timestation display --station http://studio.local:8123\n  timestation display light 1 on\n" +
			"  timestation display message \"Guest arrives 14:20 at gate B\" --for 20m\n  timestation display page trust",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return showRemote(cmd.Context(), f) },
	}
	c.Flags().StringVar(&f.station, "station", standardStation, "address of the station's web page")
	c.Flags().StringVar(&f.config, "config", "", "file with a [display] section")
	c.Flags().StringVar(&f.tokenFile, "token-file", "", "file with a token, so that somebody at this screen may act; without it the screen only shows")
	c.Flags().StringVar(&f.exports, "exports", "", "folder for the pictures that are saved at the screen (default: timestation-exports in the home folder)")
	c.Flags().BoolVar(&f.windowed, "windowed", false, "a window instead of the full screen")
	c.Flags().BoolVar(&f.leash, "leash", false, "end when standard input does")
	if err := c.Flags().MarkHidden("leash"); err != nil {
		panic(err)
	}
	c.AddCommand(lightCommand(), messageCommand(), textCommand(), timerCommand(), pageCommand())
	return c
}

// patience is how long the screen waits for the station's name and zone before it shows that it has no contact.
const patience = 3 * time.Second

func showRemote(ctx context.Context, f displayFlags) error {
	cfg, token := display.DefaultConfig(), ""
	var err error
	if f.config != "" {
		if cfg, err = config.LoadDisplay(f.config); err != nil {
			return usageError{err}
		}
	}
	if f.tokenFile != "" {
		if token, err = web.ReadToken(f.tokenFile); err != nil {
			return usageError{fmt.Errorf("--%s", strings.Replace(err.Error(), "_", "-", 1))}
		}
	}
	st, err := remote.New(f.station, token, clock.Now)
	if err != nil {
		return usageError{fmt.Errorf("--station: %w", err)}
	}
	if f.leash {
		ctx = screen.Leash(ctx, os.Stdin)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go st.Run(ctx)
	var late display.Lateness
	st.ReportLateness(late.Figures)
	for began := time.Now(); st.Identity().Timezone == "" && time.Since(began) < patience; {
		time.Sleep(10 * time.Millisecond)
	}
	loc := time.Local
	if zone := st.Identity().Timezone; zone != "" {
		if loc, err = time.LoadLocation(zone); err != nil {
			loc = time.Local // the station's zone data is newer than ours
		}
	}
	if f.exports == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			home = os.TempDir() // a picture is not worth going without a clock
		}
		f.exports = filepath.Join(home, "timestation-exports")
	}
	who := st.Identity()
	return window.Run(ctx, st, cfg, window.Options{Name: who.Name, Location: loc, Position: who.Where(), Exports: f.exports,
		Windowed: f.windowed, Lateness: &late})
}

// orderCommand makes a subcommand that sends one order.
func orderCommand(use, short, example string, args cobra.PositionalArgs, path string, order func(args []string) (any, error)) *cobra.Command {
	var o operator
	c := &cobra.Command{
		Use: use, Short: short, Example: example, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := order(args)
			if err != nil {
				return usageError{err}
			}
			text, err := json.Marshal(body)
			if err != nil {
				return err
			}
			done, err := o.send(cmd.Context(), path, text)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), done)
			return nil
		},
	}
	o.reach(c)
	return c
}

func number(what, text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not the number of a %s", text, what)
	}
	return n, nil
}

func lightCommand() *cobra.Command {
	return orderCommand("light NUMBER on|off|toggle", "Switch an on-air light", "  timestation display light 1 on", cobra.ExactArgs(2), "/api/display/light",
		func(args []string) (any, error) {
			n, err := number("light", args[0])
			if err != nil {
				return nil, err
			}
			order := studio.LightOrder{Light: n}
			switch on := args[1] == "on"; args[1] {
			case "on", "off":
				order.On = &on
			case "toggle":
				order.Toggle = true
			default:
				return nil, fmt.Errorf("%q is none of on, off, toggle", args[1])
			}
			return order, nil
		})
}

func messageCommand() *cobra.Command {
	var order studio.MessageOrder
	var stay time.Duration
	var priority string
	c := orderCommand("message TEXT", "Put up a message; with --id and an empty TEXT, take it away",
		"  timestation display message --priority urgent \"Leave the building\"", cobra.ExactArgs(1), "/api/display/message",
		func(args []string) (any, error) {
			order.Text, order.Seconds, order.Priority = args[0], stay.Seconds(), studio.Priority(priority)
			return order, nil
		})
	c.Flags().StringVar(&order.ID, "id", "", "what it can be replaced or taken away by")
	c.Flags().StringVar(&priority, "priority", string(studio.Notice), "notice, warning or urgent")
	c.Flags().DurationVar(&stay, "for", 0, "how long it stands (default: until it is taken away)")
	return c
}

func textCommand() *cobra.Command {
	return orderCommand("text now|next TEXT", "Say what is on air, or what follows", "  timestation display text next \"14:10 News\"", cobra.ExactArgs(2), "/api/display/text",
		func(args []string) (any, error) {
			switch args[0] {
			case "now":
				return studio.TextOrder{Now: &args[1]}, nil
			case "next":
				return studio.TextOrder{Next: &args[1]}, nil
			}
			return nil, fmt.Errorf("%q is neither now nor next", args[0])
		})
}

func timerCommand() *cobra.Command {
	var length time.Duration
	var at string
	c := orderCommand("timer NUMBER start|stop|toggle|reset|restart|set", "Set, start and stop a timer",
		"  timestation display timer 3 start --length 90s\n  timestation display timer 2 set --at 20:00", cobra.ExactArgs(2), "/api/display/timer",
		func(args []string) (any, error) {
			n, err := number("timer", args[0])
			if err != nil {
				return nil, err
			}
			order := studio.TimerOrder{Timer: n, At: at, Do: args[1]}
			if args[1] == "set" {
				order.Do = ""
			}
			if length != 0 {
				seconds := length.Seconds()
				order.Seconds = &seconds
			}
			return order, nil
		})
	c.Flags().DurationVar(&length, "length", 0, "count down from there")
	c.Flags().StringVar(&at, "at", "", "count down to the next such time of day, as 20:00 or 19:59:30; hour is the next full hour")
	return c
}

func pageCommand() *cobra.Command {
	return orderCommand("page [NAME]", "Call up a page; without a name, go back to the display's own rotation", "  timestation display page trust",
		cobra.MaximumNArgs(1), "/api/display/page", func(args []string) (any, error) {
			return web.PageOrder{Page: strings.Join(args, "")}, nil
		})
}
