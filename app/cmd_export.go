package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"timestation/app/station"
	"timestation/logbook"
)

func exportCommand() *cobra.Command {
	var part span
	var format, output, source, resolution, data string
	var mjd bool
	c := &cobra.Command{
		Use:   "export",
		Short: "Write the history to a file, in six formats",
		Long: `Writes what the logbook holds: one row per source and interval with offset, phase, frequency, error bound and signal, or
minutes or hours of them. It works while the station runs. Times are UTC: a date, or RFC 3339.

Formats:` + formatList() + `

For ntpviz, put files named loopstats.1 and peerstats.1 into a folder of their own, and name it with its -d.`,
		Example: `  timestation export --from 2026-11-01 --to 2026-12-01 --output november.csv
  timestation export --source gps0 --format jsonl | jq .offset_seconds
  timestation export --resolution hour --format parquet --output hours.parquet
  timestation export --format loopstats --output stats/loopstats.1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q, o := logbook.Query{Source: source}, logbook.ExportOptions{MJD: mjd}
			var err error
			if q.From, q.To, err = part.times(); err != nil {
				return err
			}
			f, err := logbook.FindFormat(format)
			if err != nil {
				return usageError{fmt.Errorf("--%w", err)}
			}
			if q.Resolution, err = logbook.ParseResolution(resolution); err != nil {
				return usageError{fmt.Errorf("--%w", err)}
			}
			if err := f.Validate(q, o); err != nil {
				return usageError{fmt.Errorf("--%w", err)}
			}
			return export(cmd.Context(), station.DataDir(data), format, q, o, output, cmd.OutOrStdout())
		},
	}
	part.flags(c)
	c.Flags().StringVar(&format, "format", "csv", "output format")
	c.Flags().StringVar(&source, "source", "", "one source only (default: all)")
	c.Flags().StringVar(&resolution, "resolution", logbook.Raw.String(), "raw: every row; minute, hour: their least, greatest, mean "+
		"and quantiles; auto: the finest that reaches back to --from")
	c.Flags().BoolVar(&mjd, "mjd", false, "write times as Modified Julian Dates (csv, jsonl)")
	c.Flags().StringVar(&output, "output", "", "file to write (default: standard output); an existing one is replaced")
	dataFlag(c, &data)
	return c
}

// dataFlag adds the flag of every command on the log.
func dataFlag(c *cobra.Command, data *string) {
	c.Flags().StringVar(data, "data", "", "folder that holds the log (default: the station's)")
}

func formatList() string {
	var list strings.Builder
	for _, f := range logbook.Formats() {
		fmt.Fprintf(&list, "\n  %-11s %s", f.Name, f.Help)
	}
	return list.String()
}

func export(ctx context.Context, dir, format string, q logbook.Query, o logbook.ExportOptions, output string,
	stdout io.Writer) error {
	r, err := logbook.OpenReader(dir)
	if err != nil {
		return err
	}
	defer r.Close()
	return writeTo(output, stdout, func(w io.Writer) error {
		if output != "" && term.IsTerminal(int(os.Stderr.Fd())) {
			progress, done, err := progressOf(ctx, r, q, os.Stderr)
			if err != nil {
				return err
			}
			o.Progress = progress
			return errors.Join(logbook.Export(ctx, r, format, q, o, w), done())
		}
		return logbook.Export(ctx, r, format, q, o, w)
	})
}

// progressOf shows how far an export is. Rows come by time, so that their time says it: nobody has to count them first.
func progressOf(ctx context.Context, r *logbook.Reader, q logbook.Query, w io.Writer) (progress func(time.Time),
	done func() error, err error) {
	first, last, err := r.Span(ctx)
	if err != nil {
		return nil, nil, err
	}
	if q.From.After(first) {
		first = q.From
	}
	if !q.To.IsZero() && q.To.Before(last) {
		last = q.To
	}
	const steps = 1000
	bar := progressbar.NewOptions(steps, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("exporting"),
		progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetElapsedTime(true))
	shown := 0
	return func(t time.Time) {
		if length := last.Sub(first); length > 0 {
			step := int(float64(steps) * float64(t.Sub(first)) / float64(length))
			if step = min(max(step, 0), steps-1); step > shown { // the last is done's
				shown = step
				bar.Set(step) // it cannot be drawn: the file matters more
			}
		}
	}, bar.Finish, nil
}
