package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"timestation/app/station"
	"timestation/logbook"
)

func exportCommand() *cobra.Command {
	var from, to, format, output, source, data string
	c := &cobra.Command{
		Use:   "export",
		Short: "Write the offset history to a file",
		Long: `Writes what the logbook holds: one row per source and interval with offset, frequency, error bound and signal. It works
while the station runs. Times are UTC: a date, or RFC 3339.

Formats:` + formatList(),
		Example: "  timestation export --from 2026-11-01 --to 2026-12-01 --format csv --output november.csv\n  timestation export --source gps0 > gps0.csv",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := logbook.Query{Source: source}
			for _, bound := range []struct {
				flag, text string
				into       *time.Time
			}{{"--from", from, &q.From}, {"--to", to, &q.To}} {
				t, err := parseTime(bound.text)
				if err != nil {
					return usageError{fmt.Errorf("%s: %w", bound.flag, err)}
				}
				*bound.into = t
			}
			if _, err := logbook.FindFormat(format); err != nil {
				return usageError{err}
			}
			return export(cmd.Context(), station.DataDir(data), format, q, output, cmd.OutOrStdout())
		},
	}
	c.Flags().StringVar(&from, "from", "", "first moment (default: the beginning of the log)")
	c.Flags().StringVar(&to, "to", "", "moment to stop before (default: its end)")
	c.Flags().StringVar(&format, "format", "csv", "output format")
	c.Flags().StringVar(&source, "source", "", "one source only (default: all)")
	c.Flags().StringVar(&output, "output", "", "file to write (default: standard output); an existing one is replaced")
	c.Flags().StringVar(&data, "data", "", "folder that holds the log (default: the station's)")
	return c
}

func formatList() string {
	var list strings.Builder
	for _, f := range logbook.Formats() {
		fmt.Fprintf(&list, "\n  %s  %s", f.Name, f.Help)
	}
	return list.String()
}

// parseTime reads a date or RFC 3339; nothing is the zero time.
func parseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a UTC time; write for instance 2026-11-22 or 2026-11-22T13:00:00Z", text)
}

func export(ctx context.Context, dir, format string, q logbook.Query, output string, stdout io.Writer) (err error) {
	r, err := logbook.OpenReader(dir)
	if err != nil {
		return err
	}
	defer r.Close()
	out := stdout
	if output != "" {
		// Written beside and renamed, so that a full disk leaves no half file under the name that was asked for.
		f, err := os.Create(output + ".part")
		if err != nil {
			return fmt.Errorf("--output: %w", err)
		}
		defer func() {
			if e := f.Close(); err == nil {
				err = e
			}
			if err == nil {
				err = os.Rename(f.Name(), output)
			} else {
				os.Remove(f.Name())
			}
		}()
		out = f
	}
	buffered := bufio.NewWriter(out)
	if err := logbook.Export(ctx, r, format, q, buffered); err != nil {
		return err
	}
	return buffered.Flush()
}
