package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"timestation/app/web"
	"timestation/display/draw"
	"timestation/engine/status"
	"timestation/refclock"
)

// standardStation is where a station's web page is unless it was configured otherwise.
const standardStation = "http://127.0.0.1:8123"

func statusCommand() *cobra.Command {
	var o operator
	var asJSON bool
	c := &cobra.Command{
		Use:   "status",
		Short: "What the running station knows: time, bound, sources, alerts",
		Long: `Asks a running station over HTTP and prints its snapshot. With --json it is the object of /api/status, whose keys
name their units.`,
		Example: "  timestation status\n  timestation status --json | jq .max_error_seconds\n  timestation status --station http://192.168.1.20:8123\n" +
			"  timestation status --station https://studio2.example.org:8123 --token-file ./viewer.token",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := o.get(cmd.Context(), "/api/status")
			if err != nil {
				return err
			}
			if asJSON {
				_, err = cmd.OutOrStdout().Write(body)
				return err
			}
			var r web.Report
			if err := json.Unmarshal(body, &r); err != nil {
				return fmt.Errorf("%s answered, but not as a Timestation does (%w)", o.station, err)
			}
			printStatus(cmd.OutOrStdout(), r)
			return nil
		},
	}
	o.reach(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print the snapshot as JSON")
	return c
}

func printStatus(w io.Writer, r web.Report) {
	fmt.Fprintf(w, "%s: %s", r.Name, strings.ToUpper(string(r.State)))
	if r.Demonstration {
		fmt.Fprint(w, " (DEMONSTRATION: a recording plays)")
	}
	if r.Reason != "" {
		fmt.Fprintf(w, ": %s", r.Reason)
	}
	fmt.Fprintln(w)
	if r.MaxErrorSeconds != nil && r.OffsetSeconds != nil && r.FrequencyPPM != nil {
		fmt.Fprintf(w, "  time          %s, within %s\n", r.UTC, draw.FormatBound(seconds(*r.MaxErrorSeconds)))
		fmt.Fprintf(w, "  system clock  %s\n", offsetWords(*r.OffsetSeconds))
		fmt.Fprintf(w, "  oscillator    %+.3f ppm\n", *r.FrequencyPPM)
	}
	fmt.Fprintf(w, "  stratum       %d, reference %s, leap %s\n", r.Stratum, r.ReferenceID, r.Leap)
	if r.Vote != "" {
		fmt.Fprintf(w, "  vote          %s\n", r.Vote)
	}
	if r.Unseen != "" {
		fmt.Fprintf(w, "  unseen        %s\n", r.Unseen)
	}
	for _, s := range r.Sources {
		fmt.Fprintf(w, "  source %s: %s, %s\n", s.Name, s.State, s.Explanation)
		if s.AgeSeconds >= 0 {
			fmt.Fprintf(w, "    offset %s, jitter %s, bound %s\n",
				signed(s.OffsetSeconds), magnitude(s.JitterSeconds), draw.FormatBound(seconds(s.MaxErrorSeconds)))
		}
		if heard := signalWords(s.Signal); heard != "" {
			fmt.Fprintf(w, "    %s\n", heard)
		}
	}
	for _, l := range r.Listeners {
		fmt.Fprintf(w, "  listener %s: %d requests, %d answered (%d with a key)\n", l.Address, l.Requests, l.Answered, l.Authenticated)
	}
	for _, a := range r.Alerts {
		fmt.Fprintf(w, "  %s %s: %s Mend: %s\n", alertMark(a.Severity), a.Severity, a.Text, a.Mend)
	}
}

// signalWords says how a source is received.
func signalWords(s refclock.Signal) string {
	switch {
	case s.GNSS != nil:
		g := s.GNSS
		text := fmt.Sprintf("fix %s, %d satellites used of %d in view", g.Fix, g.SatellitesUsed, len(g.Satellites))
		if used := constellations(g.Satellites); used != "" {
			text += " (" + used + ")"
		}
		return text
	case s.Pulses != nil:
		return fmt.Sprintf("%d pulses, jitter %s, %d missing, %d extra", s.Pulses.Seen, magnitude(s.Pulses.JitterSeconds), s.Pulses.Missing, s.Pulses.Extra)
	case s.Radio != nil:
		return fmt.Sprintf("odds against the telegram being wrong 10^%.0f", s.Radio.Confidence)
	case s.Server != nil:
		v := s.Server
		return fmt.Sprintf("%s, stratum %d, round trip %s, protection %s", v.Address, v.Stratum, magnitude(v.DelaySeconds), v.Protection)
	}
	return ""
}

// constellations counts the satellites in use, as in "GPS 8, Galileo 5".
func constellations(all []refclock.Satellite) string {
	count := map[string]int{}
	for _, s := range all {
		if s.Used {
			count[s.Constellation]++
		}
	}
	var text []string
	for _, name := range slices.Sorted(maps.Keys(count)) {
		text = append(text, fmt.Sprintf("%s %d", name, count[name]))
	}
	return strings.Join(text, ", ")
}

func alertMark(s status.Severity) string {
	if s == status.Critical {
		return "■"
	}
	return "▲"
}

func seconds(s float64) time.Duration { return time.Duration(s * 1e9) }

func signed(s float64) string {
	if s < 0 {
		return "−" + magnitude(-s)
	}
	return "+" + magnitude(s)
}

func magnitude(s float64) string {
	switch {
	case s >= 1:
		return fmt.Sprintf("%.3f s", s)
	case s >= 1e-3:
		return fmt.Sprintf("%.3f ms", s*1e3)
	}
	return fmt.Sprintf("%.1f µs", s*1e6)
}

// offsetWords says how the system clock stands; offset is the station's time minus it.
func offsetWords(offset float64) string {
	if offset < 0 {
		return magnitude(-offset) + " fast"
	}
	return magnitude(offset) + " slow"
}
