package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"timestation/app/web"
	"timestation/engine/status"
)

func alertsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "alerts",
		Short: "What a person should know of the running station",
		Long: `Lists the alerts that stand, each with what is wrong, since when and the mend; notes that you have seen one; and tries
the ways that alerts take to people. An alert ends when its cause is gone, not when it is acknowledged. One that nobody
acknowledges in time is escalated: told once more, and to whoever is called only then.`,
		Example: "  timestation alerts list\n  timestation alerts ack source-lost gps --token-file ./token",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(alertsListCommand(), alertsAckCommand(), alertsTestCommand())
	return c
}

func alertsListCommand() *cobra.Command {
	var o operator
	var asJSON, cleared bool
	c := &cobra.Command{
		Use:     "list",
		Short:   "The alerts that stand, the worst first; or the last ones that ended, the newest first",
		Example: "  timestation alerts list\n  timestation alerts list --cleared\n  timestation alerts list --json | jq -r .code",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := o.get(cmd.Context(), "/api/alerts")
			if err != nil {
				return err
			}
			var r web.AlertsReport
			if err := json.Unmarshal(body, &r); err != nil {
				return fmt.Errorf("%s answered, but not as a Timestation does (%w)", o.station, err)
			}
			out := cmd.OutOrStdout()
			lines := json.NewEncoder(out)
			list, none := r.Standing, "no alert stands"
			if cleared {
				list, none = r.Cleared, "no alert has ended yet"
			}
			for _, a := range list {
				if asJSON {
					if err := lines.Encode(a); err != nil {
						return err
					}
					continue
				}
				fmt.Fprintf(out, "%s %-8s %s\n", alertMark(a.Severity), a.Severity, alertName(a))
				fmt.Fprintf(out, "    %s\n    Mend: %s\n    since %s%s%s\n", a.Text, a.Mend, sinceWords(a), endWords(a), seenWords(a))
			}
			if len(list) == 0 && !asJSON {
				fmt.Fprintln(out, none)
			}
			return nil
		},
	}
	o.reach(c)
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object an alert")
	c.Flags().BoolVar(&cleared, "cleared", false, "the last 200 alerts that ended, instead of those that stand")
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

func alertsTestCommand() *cobra.Command {
	const patience = 12 * time.Second // the station gives the far sides 8 s
	o := operator{patience: patience}
	c := &cobra.Command{
		Use:     "test [NAME]",
		Short:   "Send a marked test to the [[notify]] section of that name, or to all, and show what the far sides answer",
		Example: "  timestation alerts test\n  timestation alerts test mail",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var q web.Request
			if len(args) == 1 {
				q.Source = args[0]
			}
			done, err := o.post(cmd.Context(), "/api/alerts/test", q)
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

func endWords(a status.Alert) string {
	switch {
	case a.Cleared.Seconds == 0:
		return ""
	case a.Since.Seconds == 0:
		return ", ended " + a.Cleared.String()
	}
	return " to " + a.Cleared.String()
}

func seenWords(a status.Alert) string {
	if a.AcknowledgedBy == "" && a.Escalated {
		return ", escalated"
	}
	if a.AcknowledgedBy == "" {
		return ""
	}
	return ", acknowledged by " + a.AcknowledgedBy
}
