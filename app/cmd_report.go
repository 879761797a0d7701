package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"timestation/app/station"
	"timestation/logbook"
	logreport "timestation/logbook/report" // report is a word of the tests here
)

func reportCommand() *cobra.Command {
	var part span
	var output, data string
	o := logreport.Options{Version: version}
	c := &cobra.Command{
		Use:   "report",
		Short: "A page that shows how good the time was, for an auditor",
		Long: `Makes a page out of the log that can be shown to somebody who was not there: for what share of the time the station stated
an error inside the wanted bound, plots of offset, bound, frequency, temperature and stability, the worst moments, gaps,
alerts and events, and what it all rests on. HTML in one file that asks for nothing else, or PDF. It works while the
station runs. The hash chain of the log is checked on the way, and the page says the result and the head of the chain.`,
		Example: `  timestation report --from 2026-11-01 --to 2026-12-01 --bound 1ms --output november.pdf
  timestation report --name "Studio 2" --source gps0 --output report.html`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.From, o.To, err = part.times(); err != nil {
				return err
			}
			if o.Bound <= 0 {
				return usageError{fmt.Errorf("--bound: %v is not above 0; write for instance 1ms", o.Bound)}
			}
			write := (*logreport.Document).WriteHTML
			switch strings.ToLower(filepath.Ext(output)) {
			case ".html", ".htm":
			case ".pdf":
				write = (*logreport.Document).WritePDF
			case "":
				if output != "" {
					return usageError{fmt.Errorf("--output: %q has no ending; give .html or .pdf", output)}
				}
			default:
				return usageError{fmt.Errorf("--output: %q is neither .html nor .pdf", output)}
			}
			d, err := makeReport(cmd.Context(), station.DataDir(data), o)
			if err != nil {
				return err
			}
			return writeTo(output, cmd.OutOrStdout(), func(w io.Writer) error { return write(d, w) })
		},
	}
	part.flags(c)
	c.Flags().DurationVar(&o.Bound, "bound", time.Millisecond, "the error within which the time was wanted")
	c.Flags().StringVar(&o.Source, "source", "", "whose phase is analysed (default: the source that was followed most)")
	c.Flags().StringVar(&o.Station, "name", "", "what the station is called, for the title")
	c.Flags().StringVar(&output, "output", "", "file to write, .html or .pdf (default: HTML to standard output)")
	dataFlag(c, &data)
	return c
}

func makeReport(ctx context.Context, dir string, o logreport.Options) (*logreport.Document, error) {
	r, err := logbook.OpenReader(dir)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	chain, err := logbook.Verify(ctx, r, "")
	if err != nil {
		return nil, err
	}
	o.Chain = chainWords(chain)
	return logreport.Build(ctx, r, o)
}

// chainWords says what verify found, in sentences.
func chainWords(v logbook.Report) string {
	head := fmt.Sprintf("The head of its hash chain is %s (SHA-256, batch %d).", v.Head, v.HeadBatch)
	if !v.Whole() {
		return "THE LOG IS NOT WHOLE: " + v.Fault + ". What follows was not checked. " + head
	}
	return fmt.Sprintf("The log is whole: %d batches, each chained to the one before. %s A head that was written down "+
		"elsewhere at the time proves that nothing before it was changed since; without one, the chain proves only that nobody changed the "+
		"log in part.", v.Batches, head)
}
