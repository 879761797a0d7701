package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"timestation/app/station"
	"timestation/logbook"
)

func logbookCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "logbook",
		Short:   "Look after the log: verify",
		Long:    "What concerns the log as a file and not what it says; for that there are export and report.",
		Example: "  timestation logbook verify",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(verifyCommand())
	return c
}

func verifyCommand() *cobra.Command {
	var data, head string
	var asJSON bool
	c := &cobra.Command{
		Use:   "verify",
		Short: "Say whether the log is whole, or name the first batch that is not",
		Long: `Checks every batch of the log against the hash chain, and prints the head of the chain. Write that down elsewhere: given
back with --head months later, it proves that nothing before it was changed since. Without one, somebody who can write
the file could have made the whole chain anew. It works while the station runs. The exit code is 1 if the log is not
whole, or the head is not in it.`,
		Example: `  timestation logbook verify
  timestation logbook verify --data /mnt/copy --head 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if b, err := hex.DecodeString(head); err != nil || len(b) != sha256.Size && head != "" {
				return usageError{fmt.Errorf("--head: %q is not a hash; give the 64 hexadecimal digits that verify printed", head)}
			}
			r, err := logbook.OpenReader(station.DataDir(data))
			if err != nil {
				return err
			}
			defer r.Close()
			v, err := logbook.Verify(cmd.Context(), r, head)
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(v)
			} else {
				err = printVerified(cmd.OutOrStdout(), v)
			}
			if err == nil && !v.Whole() {
				err = silent(exitFailed)
			}
			return err
		},
	}
	c.Flags().StringVar(&head, "head", "", "a head that was printed earlier, which has to be in the chain")
	c.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	dataFlag(c, &data)
	return c
}

func printVerified(w io.Writer, v logbook.Report) error {
	state := "whole"
	if !v.Whole() {
		state = "NOT WHOLE: " + v.Fault
	}
	_, err := fmt.Fprintf(w, "%s\n  batches  %d (%d condensed for their age)\n  rows     %d, events %d, aggregates %d, "+
		"hours of clients %d\n", state, v.Batches, v.Dropped, v.Rows, v.Events, v.Aggregates, v.ClientHours)
	if err == nil && v.Rows > 0 {
		_, err = fmt.Fprintf(w, "  from     %s\n  to       %s\n", v.From, v.To)
	}
	if err == nil && v.FoundBatch != 0 {
		_, err = fmt.Fprintf(w, "  --head   found: it is batch %d; nothing up to it was changed since\n", v.FoundBatch)
	}
	if err == nil && v.Head != "" {
		_, err = fmt.Fprintf(w, "  head     %s\n           batch %d; write it down elsewhere, and check with --head later\n",
			v.Head, v.HeadBatch)
	}
	return err
}
