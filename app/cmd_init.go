package main

import (
	"github.com/spf13/cobra"

	"timestation/app/setup"
)

func initCommand() *cobra.Command {
	var options setup.Options
	c := &cobra.Command{
		Use:   "init",
		Short: "Look at this machine and write a configuration for it",
		Long: `Listens to each serial port for 3 s, looks for pulse devices and GPIO chips, and writes a configuration with working
lines for what it found and commented ones for what it did not, and a fresh key file (mode 0600) beside it. A file that
exists is never overwritten.`,
		Example: "  timestation init\n  sudo timestation init --output /etc/timestation/timestation.toml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return setup.Run(cmd.Context(), options, setup.Machine(), cmd.OutOrStdout())
		},
	}
	c.Flags().StringVar(&options.Output, "output", "", "configuration file to write (default: ./timestation.toml)")
	return c
}
