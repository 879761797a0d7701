package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"timestation/refclock/dcf77"
	"timestation/refclock/jjy"
	"timestation/refclock/longwave"
	"timestation/refclock/msf60"
	"timestation/refclock/wwvb"
)

// decodeLongwaveCommands are the long-wave time codes that `timestation decode` knows.
func decodeLongwaveCommands() []*cobra.Command {
	return []*cobra.Command{
		decodeLongwaveCommand(dcf77.Code, "DCF77 (Mainflingen, 77.5 kHz)", "telegrams of dcf77logs.de"),
		decodeLongwaveCommand(msf60.Code, "MSF (Anthorn, 60 kHz)", "digits A + 2B, 4 for the minute mark"),
		decodeLongwaveCommand(wwvb.Code, "WWVB (Fort Collins, 60 kHz), its amplitude code", "digits, 2 for a marker"),
		decodeLongwaveCommand(jjy.Code, "JJY (40 and 60 kHz)", "digits, 2 for a marker"),
	}
}

// longwaveFlags are the options of the four commands.
type longwaveFlags struct {
	rate                        float64
	format, notBefore, notAfter string
	asJSON                      bool
}

func decodeLongwaveCommand(code *longwave.Code, transmitter, bits string) *cobra.Command {
	var f longwaveFlags
	c := &cobra.Command{
		Use:   code.Name + " FILE",
		Short: transmitter + ": one line a minute",
		Long: `Decodes what a receiver of ` + transmitter + ` gave, with the decoder that the station uses. FILE may be - for
standard input. It holds one of

  levels   samples, as characters 0 and 1 or as bytes 0 and 1, spaces and line ends ignored, --rate of them a second;
           1 is where the carrier is reduced, but an inverted recording is found out
  scope    a line a second: a number and one character for each 10 ms, which is -, + or _ for inactive, 1 to 9 for some
           ms active, X or | for all of it (numbers left out are seconds that were lost; a number that falls back is a
           recorder that was reset); or a date, a time and one # or _ for each 20 ms
  minutes  a line a minute with a character for each second (` + bits + `), whatever else it says

which is recognised unless --format says it. Samples may be noisy beyond recognition, their clock 500 ppm off. A minute is
printed when it is known, never before:

  sample            at which second 0 of utc began: samples from the beginning of the file, with a fraction. Scope lines
                    count 1000 a second, lost lines included; of minutes, seconds are counted
  utc               RFC 3339
  decided_at        how many samples had been read when that was known
  confidence        the odds against its being wrong, as log10
  summer_time       whether it is in force in the transmitter's country
  change_announced  whether its beginning or end is announced (DCF77: bit 16, "A1"; MSF: bit 53B)
  leap_announced    whether a leap second is announced
  call_bit          whether the transmitter calls for service (DCF77: bit 15, "R")
  state             locked; or coasting, where nothing is decoded and the time is that of the sample clock, calibrated before
  line              of scope lines only: their number, with a fraction`,
		Example: "  timestation decode " + code.Name + " levels.txt --rate 1000 --json\n  timestation decode " + code.Name + " scope.log",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return decodeLongwave(cmd, code, args[0], f)
		},
	}
	c.Flags().Float64Var(&f.rate, "rate", 1000, "samples a second, of levels, from 20")
	c.Flags().StringVar(&f.format, "format", "", "levels, scope or minutes (default: recognised)")
	c.Flags().StringVar(&f.notBefore, "not-before", "2000-01-01", "date that the recording is not earlier than")
	c.Flags().StringVar(&f.notAfter, "not-after", "2060-12-31", "date that the recording is not later than")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON object a minute")
	return c
}

// minuteRecord is one line of decode dcf77 --json.
type minuteRecord struct {
	Sample        float64        `json:"sample"`
	UTC           string         `json:"utc"`
	DecidedAt     int64          `json:"decided_at"`
	Confidence    float64        `json:"confidence"`
	SummerTime    bool           `json:"summer_time"`
	Change        bool           `json:"change_announced"`
	LeapAnnounced bool           `json:"leap_announced"`
	CallBit       bool           `json:"call_bit"`
	State         longwave.State `json:"state"`
	Line          *float64       `json:"line,omitempty"`
}

func (f longwaveFlags) bounds() (from, to time.Time, err error) {
	date := func(flag, text string) (time.Time, error) {
		t, err := time.Parse(time.DateOnly, text)
		switch {
		case err != nil:
			return t, usageError{fmt.Errorf("%s: %q is not a date; write for instance 2024-03-31", flag, text)}
		case t.Year() < longwave.FirstYear || t.Year() > longwave.LastYear:
			return t, usageError{fmt.Errorf("%s: %s is not between the years %d and %d", flag, text, longwave.FirstYear, longwave.LastYear)}
		}
		return t, nil
	}
	if from, err = date("--not-before", f.notBefore); err != nil {
		return
	}
	if to, err = date("--not-after", f.notAfter); err != nil {
		return
	}
	if to.Before(from) {
		err = usageError{fmt.Errorf("--not-after: %s is before --not-before %s", f.notAfter, f.notBefore)}
	}
	return
}

func decodeLongwave(cmd *cobra.Command, code *longwave.Code, path string, f longwaveFlags) error {
	from, to, err := f.bounds()
	if err != nil {
		return err
	}
	if !(f.rate >= 20 && f.rate <= 1e6) {
		return usageError{fmt.Errorf("--rate: %v is not between 20 and 1000000 samples a second", f.rate)}
	}
	switch longwave.Format(f.format) {
	case "", longwave.Levels, longwave.Scope, longwave.Minutes:
	default:
		return usageError{fmt.Errorf("--format: %q is not one of levels, scope, minutes", f.format)}
	}
	in, done, err := openRecording(cmd, path)
	if err != nil {
		return err
	}
	defer done()
	out := bufio.NewWriterSize(cmd.OutOrStdout(), 1<<16)
	print := printMinutes(out, f.asJSON)
	printed := 0
	var failed error
	take := func(m longwave.PlacedMinute) {
		if failed == nil {
			printed++
			failed = print(m)
			if path == "-" { // whoever pipes a receiver in wants to see it now
				failed = errors.Join(failed, out.Flush())
			}
		}
	}
	heard, err := longwave.Decode(cmd.Context(), in, longwave.Format(f.format), code, f.rate, from, to, take)
	done()
	if err := errors.Join(err, failed, out.Flush()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%d minutes published, of %s\n", printed, heard.Round(time.Second))
	return nil
}

func printMinutes(w io.Writer, asJSON bool) func(longwave.PlacedMinute) error {
	if asJSON {
		encoder := json.NewEncoder(w)
		return func(m longwave.PlacedMinute) error {
			r := minuteRecord{
				Sample: m.Sample, UTC: m.UTC.Format(time.RFC3339), DecidedAt: m.DecidedAt, Confidence: m.Confidence,
				SummerTime: m.Summer, Change: m.Change, LeapAnnounced: m.Leap, CallBit: m.Call, State: m.State,
			}
			if m.Line >= 0 {
				r.Line = &m.Line
			}
			return encoder.Encode(r)
		}
	}
	first := true
	return func(m longwave.PlacedMinute) error {
		if first {
			first = false
			fmt.Fprintf(w, "%-20s  %15s  %12s  %10s  %-8s  %s\n", "UTC", "sample", "decided at", "confidence", "state", "says")
		}
		says := ""
		for _, flag := range []struct {
			set  bool
			word string
		}{{m.Summer, "summer time"}, {m.Change, "change of summer time announced"}, {m.Leap, "leap second announced"}, {m.Call, "call for service"}} {
			if flag.set {
				if says != "" {
					says += ", "
				}
				says += flag.word
			}
		}
		_, err := fmt.Fprintf(w, "%-20s  %15.1f  %12d  %10.1f  %-8s  %s\n", m.UTC.Format(time.RFC3339), m.Sample, m.DecidedAt, m.Confidence, m.State, says)
		return err
	}
}
