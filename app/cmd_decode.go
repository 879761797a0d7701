package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"timestation/refclock"
	"timestation/refclock/gps"
)

func decodeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "decode",
		Short: "Decode a recording of a receiver: what it said, when, and what was wrong with it",
		Long: `Decodes what a receiver has sent, from a file, with the same code that the station uses. Results go to standard output,
a summary to standard error.`,
		Example: "  timestation decode gps drive.log --json | jq .utc\n  timestation decode dcf77 levels.txt --rate 1000",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(decodeGPSCommand())
	c.AddCommand(decodeLongwaveCommands()...)
	return c
}

func decodeGPSCommand() *cobra.Command {
	var asJSON bool
	var notBefore string
	c := &cobra.Command{
		Use:   "gps FILE",
		Short: "NMEA 0183 and u-blox UBX, mixed as they may be: one line a fix",
		Long: `Reads what a satellite receiver has sent: NMEA 0183 (GPS, GLONASS, Galileo, BeiDou, QZSS, NavIC), u-blox's UBX, or both,
with garbage, half lines and other binary messages between them. FILE may be - for standard input. Every solution that
the receiver gives a time or a fix for is one line, in the order of the file. With --json a line is an object:

  utc              RFC 3339 with nanoseconds; null where the receiver does not say it for certain
  fix              none, 2d, 3d, or time (a stationary receiver that solves for time alone), as the receiver says it: a
                   position by dead reckoning counts, though the station would take no time from it
  satellites_used  how many satellites the solution used
  satellites       those in view: constellation, prn, elevation, azimuth, cn0_dbhz, used
  leap_seconds     GPS − UTC where the receiver has heard it; else null (NMEA never says it)
  lat, lon, alt_m  degrees (WGS 84) and metres above mean sea level; null where not said

A receiver whose week number has run over says a date 1024 weeks ago. The station repairs that, because no date can be
earlier than its own build. A recording is as old as it is, so here dates are left as they are said, unless --not-before
names a date that all of it is later than; the summary says where that seems to be needed. Years of two digits are taken
as 1980 to 2079.

The summary on standard error counts messages by type, checksum errors and repairs.`,
		Example: "  timestation decode gps recording.log\n  timestation decode gps recording.ubx --json | jq .utc\n" +
			"  cat /dev/ttyACM0 | timestation decode gps -",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var bound time.Time
			if notBefore != "" {
				var err error
				if bound, err = time.Parse(time.DateOnly, notBefore); err != nil {
					return usageError{fmt.Errorf("--not-before: %q is not a date; write for instance 2019-04-07", notBefore)}
				}
			}
			return decodeGPS(cmd, args[0], bound, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a fix")
	c.Flags().StringVar(&notBefore, "not-before", "", "date that all of the recording is later than, such as 2019-04-07: repairs week numbers that have run over (default: none)")
	return c
}

func decodeGPS(cmd *cobra.Command, path string, notBefore time.Time, asJSON bool) error {
	in, done, err := openRecording(cmd, path)
	if err != nil {
		return err
	}
	defer done()
	buffered := bufio.NewWriterSize(cmd.OutOrStdout(), 1<<16)
	print := printFix(buffered)
	if asJSON {
		print = printFixJSON(buffered)
	}
	live := path == "-" // whoever pipes a receiver in wants to see it now
	summary, err := gps.ReadRecording(in, notBefore, func(s gps.Solution) error {
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		if err := print(s); err != nil || !live {
			return err
		}
		return buffered.Flush()
	})
	done()
	if err := errors.Join(err, buffered.Flush()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	printSummary(cmd.ErrOrStderr(), summary)
	if len(summary.Messages) == 0 {
		return fmt.Errorf("%s: there is no intact NMEA or UBX message in it; is it a receiver's recording?", path)
	}
	return nil
}

// openRecording opens a file, or standard input for "-", and shows how far it has been read where that is worth it: on a
// terminal that the results do not go to.
func openRecording(cmd *cobra.Command, path string) (in io.Reader, done func(), err error) {
	if path == "-" {
		return cmd.InOrStdin(), func() {}, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("%w; name a file that a receiver's output was written to", err)
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s: it is a folder; name a file in it", path)
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	const long = 4 << 20
	if info.Size() < long || !term.IsTerminal(int(os.Stderr.Fd())) || term.IsTerminal(int(os.Stdout.Fd())) {
		return file, func() { file.Close() }, nil
	}
	bar := progressbar.NewOptions64(info.Size(), progressbar.OptionSetWriter(cmd.ErrOrStderr()),
		progressbar.OptionSetDescription("decoding"), progressbar.OptionShowBytes(true),
		progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	return io.TeeReader(file, bar), func() { bar.Finish(); file.Close() }, nil
}

// fixRecord is one line of decode gps --json, but for its last key, satellites.
type fixRecord struct {
	UTC            *refclock.UTC `json:"utc"`
	Fix            refclock.Fix  `json:"fix"`
	SatellitesUsed int           `json:"satellites_used"`
	LeapSeconds    *int          `json:"leap_seconds"`
	Latitude       *float64      `json:"lat"`
	Longitude      *float64      `json:"lon"`
	AltitudeM      *float64      `json:"alt_m"`
}

// printFixJSON prints objects. Most of a line is its satellites, which a receiver lists once a second at most: they are
// put into words anew only when they have changed.
func printFixJSON(w io.Writer) func(gps.Solution) error {
	var listed []refclock.Satellite
	list := []byte("[]")
	return func(s gps.Solution) error {
		line, err := json.Marshal(fixRecord{s.UTC, s.Fix, s.SatellitesUsed, s.LeapSeconds, s.Latitude, s.Longitude, s.AltitudeM})
		if err != nil {
			return err
		}
		if !slices.Equal(s.Satellites, listed) {
			if list, err = json.Marshal(s.Satellites); err != nil {
				return err
			}
			listed = s.Satellites
		}
		line = append(line[:len(line)-1], `,"satellites":`...)
		line = append(append(line, list...), "}\n"...)
		_, err = w.Write(line)
		return err
	}
}

func printFix(w io.Writer) func(gps.Solution) error {
	first := true
	return func(s gps.Solution) error {
		if first {
			first = false
			fmt.Fprintf(w, "%-30s  %-4s  %4s  %4s  %4s  %11s  %12s  %9s\n", "UTC", "fix", "used", "view", "leap", "latitude", "longitude", "altitude")
		}
		number := func(f *float64, format string) string {
			if f == nil {
				return "-"
			}
			return fmt.Sprintf(format, *f)
		}
		at, leap := "-", "-"
		if s.UTC != nil {
			at = s.UTC.String()
		}
		if s.LeapSeconds != nil {
			leap = fmt.Sprint(*s.LeapSeconds)
		}
		_, err := fmt.Fprintf(w, "%-30s  %-4s  %4d  %4d  %4s  %11s  %12s  %9s\n", at, s.Fix, s.SatellitesUsed, len(s.Satellites), leap,
			number(s.Latitude, "%.6f°"), number(s.Longitude, "%.6f°"), number(s.AltitudeM, "%.1f m"))
		return err
	}
}

func printSummary(w io.Writer, s gps.Summary) {
	fmt.Fprintf(w, "%d fixes or times\n", s.Solutions)
	total := uint64(0)
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(s.Messages)) {
		total += s.Messages[kind]
		kinds = append(kinds, fmt.Sprintf("%s %d", kind, s.Messages[kind]))
	}
	fmt.Fprintf(w, "%d sentences and packets: %s\n", total, strings.Join(kinds, ", "))
	fmt.Fprintf(w, "%d checksum errors\n", s.ChecksumErrors)
	if s.Repaired > 0 {
		fmt.Fprintf(w, "%d rollover repairs: up to %d weeks were added to the receiver's dates\n", s.Repaired, s.RolloverWeeks)
	} else {
		fmt.Fprintln(w, "0 rollover repairs")
	}
	if s.Firmware != "" {
		fmt.Fprintf(w, "receiver: %s\n", s.Firmware)
	}
	for _, r := range s.Remarks {
		fmt.Fprintf(w, "note: %s\n", r)
	}
}
