package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"timestation/app/scenario"
	"timestation/assets"
)

func simulateStationCommand() *cobra.Command {
	var asJSON, list bool
	c := &cobra.Command{
		Use:   "station SCRIPT",
		Short: "A whole station in virtual time, from a small scenario file",
		Long: `Plays a scenario: an oscillator, sources with their noise and faults, and what a person does, second by second through
the engine the station runs, and prints what the station says of it. Expectations in the file are checked; the exit code
is 1 if one was not met. SCRIPT is a file, or one of the scenarios that are built in (--list).

What an [[event]] may do: to a source silence, lose, unfix, deny (a constellation), jump (by), drift (rate), delay (by), repeat,
announce (leap), sure, and return, which ends most of them; to the machine step-clock (by), slew-clock (rate), warm (rate),
suspend and power-cut (for); and what a person does, accept-jump and acknowledge (code). An [[expect]] checks state, selected,
alert, no_alert, acknowledged, constellations, error_below and second.`,
		Example: "  timestation simulate station --list\n  timestation simulate station antenna-cut\n  timestation simulate station my.toml --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := cmd.OutOrStdout()
			if list || len(args) == 0 {
				return listScenarios(out)
			}
			s, err := openScenario(args[0])
			if err != nil {
				return usageError{err}
			}
			if !asJSON {
				fmt.Fprintln(out, s.Title)
			}
			summary, err := s.Run(cmd.Context(), func(l scenario.Line) {
				if asJSON {
					l.JSON(out)
				} else {
					l.Print(out)
				}
			})
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(out).Encode(summary)
			} else {
				fmt.Fprintf(out, "Claimed to know the time for %d s; its bound held in %.4f %% of them, its worst error was %.3g s.\n",
					summary.ClaimedSeconds, 100*summary.InsideBound, summary.WorstErrorSeconds)
			}
			if err == nil && summary.Failed > 0 {
				return fmt.Errorf("%d expectation(s) of %s were not met", summary.Failed, args[0])
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line: the timeline, then the summary")
	c.Flags().BoolVar(&list, "list", false, "name the scenarios that are built in")
	return c
}

// scenarioFolder is where the built-in ones are among the assets.
const scenarioFolder = "scenarios"

func listScenarios(out io.Writer) error {
	entries, err := assets.Scenarios.ReadDir(scenarioFolder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".toml")
		s, err := openScenario(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-22s %s\n", name, s.Title)
	}
	return nil
}

// openScenario reads a file, or a built-in scenario by its name.
func openScenario(name string) (*scenario.Scenario, error) {
	text, err := assets.Scenarios.ReadFile(path.Join(scenarioFolder, name+".toml"))
	if err != nil {
		if text, err = os.ReadFile(name); err != nil {
			return nil, fmt.Errorf("%s is neither a file nor a built-in scenario (timestation simulate station --list): %w", name, err)
		}
	}
	s, err := scenario.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}
