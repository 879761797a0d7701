package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"timestation/app/config"
	"timestation/app/demo"
	"timestation/engine/clock"
	"timestation/engine/serve"
	"timestation/logbook"
	"timestation/refclock"
	"timestation/refclock/gps"
	"timestation/refclock/replay"
)

// demoAddresses are where the demonstration answers NTP: ports that need no privilege and are nobody else's.
var demoAddresses = []string{"127.0.0.1:11123", "[::1]:11123"}

// demoChronyAddress is where chronyc may look into the demonstration: chronyc -p 11323 -h 127.0.0.1 tracking.
const demoChronyAddress = "localhost:11323"

// demoKeys is one key of each type, in chrony's syntax. They are public: they protect nothing but show how it is done.
const demoKeys = `# Keys of the demonstration. They are published with the program: use them for nothing else.
1 MD5 ASCII:timestation-demo
2 SHA1 HEX:5f3c1d0a9be27746c8d1e2f30415263748596a7b
3 SHA256 HEX:a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90
4 SHA512 HEX:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
5 AES128 HEX:0f1e2d3c4b5a69788796a5b4c3d2e1f0
6 AES256 HEX:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0
`

func demoCommand() *cobra.Command {
	var data string
	var screen screenFlags
	c := &cobra.Command{
		Use:   "demo",
		Short: "A whole station on a receiver recording, nothing to plug in",
		Long: `Runs the same station as ` + "`timestation run`" + `, but its GPS driver reads a pseudo-terminal on which a real receiver's
recording plays, re-stamped to this machine's clock; a second receiver is a made-up DCF77 module. So it shows everything but proves nothing: screen, status and every
NTP answer (reference ID DEMO) say that it is a demonstration.

NTP answers on 127.0.0.1 and ::1, port 11123, plain and with the keys in the data folder's demo.keys; the status page is
http://127.0.0.1:8123. Without --data the log goes to a temporary folder that is removed at the end.`,
		Example: "  timestation demo\n  timestation demo --headless --data /tmp/demo\n  timestation status\n  chronyd -x -Q -t 8 'server 127.0.0.1 port 11123 iburst'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if data == "" {
				dir, err := os.MkdirTemp("", "timestation-demo-")
				if err != nil {
					return fmt.Errorf("no temporary folder: %w; name a folder with --data", err)
				}
				defer os.RemoveAll(dir)
				data = dir
			}
			ctx, stop := context.WithCancel(cmd.Context())
			defer stop()
			player, err := demo.Start(ctx, demo.Standard(), clock.Now)
			if err != nil {
				return err
			}
			defer player.Close()
			cfg, err := demoConfig(player.Device(), data, clock.Now())
			if err != nil {
				return err
			}
			options := stationOptions(newLog(), data)
			options.Demonstration = true
			options.Built = time.Time{} // the recording plays at this machine's date, whatever it is
			fmt.Fprintf(cmd.ErrOrStderr(), "Demonstration: a receiver recording plays on %s. Log and keys: %s\n", player.Device(), data)
			return runStation(ctx, cmd.ErrOrStderr(), cfg, options, screen)
		},
	}
	c.Flags().StringVar(&data, "data", "", "folder for log and keys (default: a temporary one)")
	screen.register(c)
	return c
}

// writeDemoRadio writes a day of DCF77 that begins when the station will have started.
func writeDemoRadio(name string, now refclock.Stamp) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	const start = 5 * time.Second
	begin := time.Unix(0, int64(now)).UTC().Truncate(time.Second).Add(start)
	return errors.Join(demo.WriteRadio(file, begin, 24*time.Hour), file.Close())
}

// demoConfig is the demonstration's configuration: the defaults, what the player's terminal needs, and a DCF77 module that
// is made up.
func demoConfig(device, data string, now refclock.Stamp) (*config.Config, error) {
	keys := filepath.Join(data, "demo.keys")
	if exists(filepath.Join(data, logbook.FileName)) && !exists(keys) {
		return nil, fmt.Errorf("--data: %s holds the log of a real station, which a recording must not get into; name another folder", data)
	}
	if err := os.MkdirAll(data, 0o755); err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	if err := os.WriteFile(keys, []byte(demoKeys), 0o600); err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	cfg := config.Default()
	cfg.Station.Name = "Demonstration"
	cfg.Origin = "the demonstration's own"
	receiver := gps.DefaultConfig()
	receiver.Device, receiver.Baud = device, demo.Baud
	delay := demo.Delay.Seconds()
	receiver.DelaySeconds = &delay // the player's delay is known: this source is calibrated
	receiver.Trust = "at once"     // and its time is this machine's own
	radio := replay.DefaultConfig()
	radio.File, radio.Format = filepath.Join(data, "demo.dcf77"), "dcf77"
	if err := writeDemoRadio(radio.File, now); err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	cfg.Refclocks = []config.Refclock{
		{Name: "gps0", Driver: "gps", Receiver: "recording", Config: refclock.Config(&receiver)},
		{Name: "dcf77", Driver: "replay", Receiver: "radio", Config: refclock.Config(&radio)},
	}
	cfg.Control.ChronyAddress = demoChronyAddress
	for _, address := range demoAddresses {
		l := serve.DefaultConfig()
		l.Address, l.Keys = address, keys
		cfg.Listeners = append(cfg.Listeners, l)
	}
	return &cfg, cfg.Validate()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
