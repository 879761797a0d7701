package main

import (
	"errors"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"timestation/app/config"
	"timestation/app/doctor"
	"timestation/app/station"
	"timestation/display/window"
	"timestation/engine/clock"
	"timestation/engine/leap"
)

func doctorCommand() *cobra.Command {
	var path, data string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say what on this machine will stand in the way, and the mend",
		Long: `Looks at the configuration, the serial ports, pulse devices, GPIO lines and groups, a console on the UART, the overlay of a
Raspberry Pi that makes a pulse device, whether the system clock may be steered if it should be, other time programs,
port 123, the key file, the data folder, the leap second table and the screen. Exit code 1 if something will stand in the
way, 0 if not.`,
		Example: "  timestation doctor\n  timestation doctor --config /etc/timestation/timestation.toml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m := doctor.This()
			m.ConfigPath, m.Config, m.ConfigError = loadForDoctor(path)
			m.DataFolder = station.DataDir(data)
			m.LeapExpiry = time.Unix(leap.Embedded().Expires, 0).UTC()
			m.Today = time.Unix(0, int64(clock.Now())).UTC()
			m.Windowed = window.Built
			if doctor.Run(m, cmd.OutOrStdout()) > 0 {
				return silent(exitFailed)
			}
			return nil
		},
	}
	c.Flags().StringVar(&path, "config", "", "configuration file (default: as timestation run finds it)")
	c.Flags().StringVar(&data, "data", "", "folder for the log (default: the station's)")
	return c
}

func loadForDoctor(path string) (string, *config.Config, error) {
	if path == "" {
		found, _, err := config.Find()
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil, nil
		}
		if err != nil {
			return found, nil, err
		}
		path = found
	}
	cfg, err := config.Load(path)
	return path, cfg, err
}
