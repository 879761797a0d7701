package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"timestation/app/web"
	"timestation/engine/status"
)

func alertsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "alerts",
		Short: "What a person should know of the running station",
		Long: `Lists the alerts that stand, each with what is wrong, since when and the mend; and notes that you have seen one. An
alert ends when its cause is gone, not when it is acknowledged.`,
		Example: "  timestation alerts list\n  timestation alerts ack source-lost gps --token-file ./token",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(alertsListCommand(), alertsAckCommand())
	return c
}

func alertsListCommand() *cobra.Command {
	var address string
	var asJSON bool
	c := &cobra.Command{
		Use:     "list",
		Short:   "The alerts that stand, the worst first",
		Example: "  timestation alerts list\n  timestation alerts list --json | jq -r .code",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := fetchStatus(cmd.Context(), address)
			if err != nil {
				return err
			}
			var r web.Report
			if err := json.Unmarshal(body, &r); err != nil {
				return fmt.Errorf("%s answered, but not as a Timestation does (%w)", address, err)
			}
			out := cmd.OutOrStdout()
			lines := json.NewEncoder(out)
			for _, a := range r.Alerts {
				if asJSON {
					if err := lines.Encode(a); err != nil {
						return err
					}
					continue
				}
				fmt.Fprintf(out, "%s %-8s %s\n", alertMark(a.Severity), a.Severity, alertName(a))
				fmt.Fprintf(out, "    %s\n    Mend: %s\n    since %s%s\n", a.Text, a.Mend, sinceWords(a), seenWords(a))
			}
			if len(r.Alerts) == 0 && !asJSON {
				fmt.Fprintln(out, "no alert stands")
			}
			return nil
		},
	}
	c.Flags().StringVar(&address, "station", standardStation, "address of the station's web page")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object an alert")
	return c
}

func alertsAckCommand() *cobra.Command {
	var o operator
	c := &cobra.Command{
		Use:     "ack CODE [SOURCE]",
		Short:   "Note that you have seen an alert; it stands until its cause is gone",
		Example: "  timestation alerts ack source-lost gps",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			q := web.Request{Code: args[0]}
			if len(args) == 2 {
				q.Source = args[1]
			}
			done, err := o.post(cmd.Context(), "/api/alerts/ack", q)
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), done)
			}
			return err
		},
	}
	o.register(c)
	return c
}

// alertName is what ack wants to hear.
func alertName(a status.Alert) string {
	if a.Source == "" {
		return a.Code
	}
	return a.Code + " " + a.Source
}

func sinceWords(a status.Alert) string {
	if a.Since.Seconds == 0 {
		return "before the time was known"
	}
	return a.Since.String()
}

func seenWords(a status.Alert) string {
	if a.AcknowledgedBy == "" {
		return ""
	}
	return ", acknowledged by " + a.AcknowledgedBy
}
