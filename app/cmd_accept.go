package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"timestation/app/web"
)

func acceptJumpCommand() *cobra.Command {
	var o operator
	c := &cobra.Command{
		Use:   "accept-jump [SOURCE]",
		Short: "Let the station follow a source that has jumped",
		Long: `A source that jumps after the station was locked is not followed: a receiver that is spoofed does just that. Once you
have compared it with a clock you trust, this command takes its new time for good; without SOURCE, that of all that are
held back. The station claims no time until it has settled again. What was done, by whom and from where is in the log.`,
		Example: "  timestation accept-jump\n  timestation accept-jump gps --station http://192.168.1.20:8123 --token-file ./token",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var q web.Request
			if len(args) == 1 {
				q.Source = args[0]
			}
			done, err := o.post(cmd.Context(), "/api/accept-jump", q)
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), "accepted: "+done)
			}
			return err
		},
	}
	o.register(c)
	return c
}
