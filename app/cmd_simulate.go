package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"timestation/engine/simulate"
)

func simulateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "simulate",
		Short: "The station's own time engine in virtual time, on worlds of noise and faults",
		Long: `Plays what would take days in seconds, with the very code that the station runs: its estimator on a trace whose truth is
known, or a whole station with its sources, their faults and what a person does about them.`,
		Example: "  timestation simulate make a --seed 7 --output trace && timestation simulate clock --trace trace\n  timestation simulate station --list",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(simulateClockCommand(), simulateMakeCommand(), simulateStationCommand())
	return c
}

func simulateClockCommand() *cobra.Command {
	var dir, output string
	var options simulate.Options
	var asJSON bool
	c := &cobra.Command{
		Use:   "clock --trace DIR",
		Short: "How well the estimator keeps the time on a trace whose truth is known",
		Long: `Runs the estimator that the station runs over a trace folder and holds it against the truth, second by second.

  freq.txt   line k: the oscillator's whole fractional frequency error over [k, k+1) s, local minus true
  ref.txt    line k: the error of the pulse at second k+1 in seconds, late positive; 1.4e9 is no pulse
  temp.txt   line k: °C (optional)
  net.txt    line k: the delays "up down" in seconds of the NTP exchange begun at second k (optional)
  meta.json  "offset0": the clock's error in seconds at the start (optional)`,
		Example: "  timestation simulate make a --seed 1 --output /tmp/a\n  timestation simulate clock --trace /tmp/a --skip 3600",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return usageError{fmt.Errorf("--trace is missing; name a folder, which `timestation simulate make` writes")}
			}
			if options.Skip < 0 {
				return usageError{fmt.Errorf("--skip: %d is negative; write how many seconds the figures leave out", options.Skip)}
			}
			if options.Source != "" && !simulate.KnownSource(options.Source) {
				return usageError{fmt.Errorf("--source: %q is not known; write pps, dcf77 or ntp", options.Source)}
			}
			trace, err := simulate.ReadTrace(dir)
			if err != nil {
				return fmt.Errorf("--trace: %w", err)
			}
			figures, err := runClock(trace, options, output, cmd.OutOrStdout())
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(figures)
			}
			printFigures(cmd.OutOrStdout(), figures)
			return nil
		},
	}
	c.Flags().StringVar(&dir, "trace", "", "folder that holds the trace")
	c.Flags().StringVar(&options.Source, "source", "", "driver it is heard through:"+sourceList()+" (default: pps, or ntp where there is no ref.txt)")
	c.Flags().IntVar(&options.Skip, "skip", 0, "seconds at the start that the figures leave out")
	c.Flags().StringVar(&output, "output", "", "CSV file to write every second to; an existing one is replaced")
	c.Flags().BoolVar(&asJSON, "json", false, "print the figures as one JSON object")
	return c
}

func sourceList() string {
	var list strings.Builder
	for _, s := range simulate.Sources {
		fmt.Fprintf(&list, " %s (%s)", s.Name, s.Help)
	}
	return list.String()
}

// runClock runs a trace, and writes each second to the file output unless that is empty.
func runClock(trace *simulate.Trace, o simulate.Options, output string, stdout io.Writer) (figures simulate.Figures, err error) {
	if output == "" {
		return simulate.Run(trace, o)
	}
	err = writeTo(output, stdout, func(w io.Writer) error {
		if _, err := fmt.Fprintln(w, "second,known,error_seconds,uncertainty95_seconds,max_error_seconds,frequency_error,verdict"); err != nil {
			return err
		}
		var line []byte
		var failed error
		o.Each = func(s simulate.Second) {
			if failed != nil {
				return
			}
			line = strconv.AppendInt(line[:0], int64(s.Second), 10)
			line = append(line, ',')
			line = strconv.AppendBool(line, s.Known)
			for _, v := range []float64{s.ErrorSeconds, s.UncertaintySeconds, s.MaxErrorSeconds, s.FrequencyError} {
				line = append(line, ',')
				line = strconv.AppendFloat(line, v, 'g', 9, 64)
			}
			line = append(line, ',')
			line = append(line, s.Outcome()...)
			_, failed = w.Write(append(line, '\n'))
		}
		var err error
		if figures, err = simulate.Run(trace, o); err != nil {
			return err
		}
		return failed
	})
	return figures, err
}

func printFigures(w io.Writer, f simulate.Figures) {
	reached := func(s int) string {
		if s < 0 {
			return "never"
		}
		return "after " + (time.Duration(s) * time.Second).String()
	}
	fmt.Fprintf(w, "%s of trace\n", time.Duration(f.Seconds)*time.Second)
	fmt.Fprintf(w, "true error       rms %s, at most %s\n", inUnits(f.RMSSeconds), inUnits(f.MaxSeconds))
	fmt.Fprintf(w, "stays below      1 ms %s, 10 µs %s\n", reached(f.SecondsTo1ms), reached(f.SecondsTo10us))
	fmt.Fprintf(w, "95 %% bound       held %.2f %% of the time, mean %s; the maximum error %.3f %%\n", 100*f.InsideBound,
		inUnits(f.MeanBoundSeconds), 100*f.InsideMax)
	fmt.Fprintf(w, "frequency error  rms %.3g ppm\n", f.FrequencyRMS*1e6)
	if f.Jumped+f.Broke > 0 {
		fmt.Fprintf(w, "not followed     %d samples after a jump, %d after a break in rate\n", f.Jumped, f.Broke)
	}
}

// inUnits says a number of seconds with three digits and a unit that fits.
func inUnits(s float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1, "s"}, {1e-3, "ms"}, {1e-6, "µs"}} {
		if s >= u.size {
			return fmt.Sprintf("%.3g %s", s/u.size, u.name)
		}
	}
	return fmt.Sprintf("%.3g ns", s*1e9)
}

func simulateMakeCommand() *cobra.Command {
	var seed uint64
	var hours float64
	var output string
	c := &cobra.Command{
		Use:   "make SCENARIO --output DIR",
		Short: "Write a trace folder of one of the scenarios the estimator is judged in",
		Long:  "Writes a trace folder for `timestation simulate clock`.\n\nScenarios:" + scenarioList(),
		Example: `  timestation simulate make b --seed 7 --output /tmp/b7
  timestation simulate clock --trace /tmp/b7 --skip 3600`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			s, ok := simulate.FindScenario(args[0])
			if !ok {
				return usageError{fmt.Errorf("%q is no scenario; see timestation simulate make --help", args[0])}
			}
			if output == "" {
				return usageError{fmt.Errorf("--output is missing; name the folder to write")}
			}
			if !(hours >= 0 && hours <= 10000) {
				return usageError{fmt.Errorf("--hours: %g is not from 0 to 10000", hours)}
			}
			if err := s.Make(seed, hours).Write(output); err != nil {
				return fmt.Errorf("--output: %w", err)
			}
			return nil
		},
	}
	c.Flags().Uint64Var(&seed, "seed", 1, "which of the endlessly many traces")
	c.Flags().Float64Var(&hours, "hours", 0, "length of the trace (default: the scenario's own)")
	c.Flags().StringVar(&output, "output", "", "folder to write; files in it are replaced")
	return c
}

func scenarioList() string {
	var list strings.Builder
	for _, s := range simulate.Scenarios {
		fmt.Fprintf(&list, "\n  %-15s %s; --source %s, %g h", s.Name, s.Help, s.Source, s.Hours)
	}
	return list.String()
}
