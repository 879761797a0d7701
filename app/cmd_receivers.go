package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"timestation/app/receivers"
)

func receiversCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "receivers",
		Short: "Find what is plugged in, listen to it, and say what each delivers",
		Long: `Looks for serial ports, PPS devices, GPIO chips and a gpsd on this machine, listens to all of them for a few seconds, and
says in a line each what comes from there. Line speeds from 4800 to 921600 baud are found out. It needs no privilege but
the right to read the ports, and changes nothing. With --json each line is an object.

The exit code is 1 if nothing that tells time was heard.`,
		Example: "  timestation receivers\n  timestation receivers --json | jq 'select(.delivers)'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !asJSON {
				fmt.Fprintln(cmd.ErrOrStderr(), "Listening for a few seconds …")
			}
			found := receivers.Look(cmd.Context(), receivers.Machine())
			if err := cmd.Context().Err(); err != nil {
				return fmt.Errorf("receivers was stopped: %w", err)
			}
			delivers := false
			encoder := json.NewEncoder(cmd.OutOrStdout())
			for _, f := range found {
				delivers = delivers || f.Delivers
				if !asJSON {
					fmt.Fprintln(cmd.OutOrStdout(), f)
				} else if err := encoder.Encode(f); err != nil {
					return err
				}
			}
			switch {
			case delivers:
				return nil
			case len(found) == 0:
				return fmt.Errorf("there is no serial port, PPS device, GPIO chip or gpsd on this machine: plug in a GPS receiver by USB, " +
					"or on a Raspberry Pi enable the serial port (sudo raspi-config, Interface Options, Serial Port)")
			}
			return fmt.Errorf("nothing here tells the time yet: plug in a GPS receiver by USB or on the serial pins, and give its antenna a view of the sky")
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a device")
	return c
}
