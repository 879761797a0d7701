package report

import (
	"fmt"
	"strings"
	"time"

	"timestation/logbook"
)

// origins says whose UTC a driver brings.
var origins = map[string]string{
	"gps":      "UTC as the navigation satellites broadcast it (GPS: UTC(USNO))",
	"gpsd":     "UTC as the navigation satellites broadcast it (GPS: UTC(USNO)), through gpsd",
	"pps":      "the second pulse of a receiver, numbered by another source",
	"dcf77":    "UTC(PTB) by the transmitter DCF77",
	"msf60":    "UTC(NPL) by the transmitter MSF",
	"wwvb":     "UTC(NIST) by the transmitter WWVB",
	"jjy":      "UTC(NICT) by the transmitters JJY",
	"upstream": "an NTP server, whose own traceability is not known here",
}

func (f *findings) traceability() Section {
	s := Section{Heading: "Traceability"}
	t := Table{Head: []string{"source", "receiver", "brings", "followed", "worst bound", "recorded (UTC)"},
		Widths: []float64{0.11, 0.12, 0.29, 0.11, 0.13, 0.24}, Right: []bool{false, false, false, true, true, false}}
	var rows int64
	for _, p := range f.points {
		rows += p.rows
	}
	for _, source := range f.sources {
		origin, known := origins[source.driver]
		if !known {
			origin = "driver " + source.driver
		}
		receiver, bound := source.receiver, "none"
		if receiver == "" {
			receiver = "its own"
		}
		if source.worstBound > 0 {
			bound = "±" + size(source.worstBound)
		}
		t.Rows = append(t.Rows, []string{source.name, receiver, origin, percent(float64(source.selected), float64(rows)), bound,
			utc(source.first) + " to " + utc(source.last)})
	}
	if len(t.Rows) == 0 {
		s.text("No source was recorded.")
	} else {
		s.table(t)
	}
	s.text("Sources of one receiver have one vote. A bound holds the sample's noise and everything that averaging cannot " +
		"remove: the delay of antenna, cable, receiver and operating system counts in it in full as long as it was not " +
		"measured. The chain from UTC therefore ends in the bounds stated here; this record is no calibration certificate, " +
		"and rests on the configuration being true to the installation.")
	s.text("Program versions that wrote the log: " + listOr(f.versions, "none is named in it") + ". Configurations by their " +
		"hash: " + listOr(f.configurations, "none is named in it") + ". Firmware of the receivers: not recorded.")
	if o := f.options; o.Version != "" {
		s.text("This report was written by Timestation " + o.Version + ".")
	}
	if f.options.Chain != "" {
		s.text(f.options.Chain)
	} else {
		s.text("Whether the log was altered was not looked into for this report.")
	}
	s.text(fmt.Sprintf("The log reaches from %s to %s. In this span %s, not recorded: %s.", utc(f.first), utc(f.last),
		counted(len(f.gaps), "gap", "gaps"), long(duration(f.shares.lost))))
	return s
}

func listOr(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, ", ")
}

func (f *findings) method() Section {
	s := Section{Heading: "How this was counted"}
	rows := fmt.Sprintf("The span was read row by row; a row was written every %s.", long(f.interval))
	if f.resolution != logbook.Raw {
		rows = fmt.Sprintf("The span was read as %ss: least, mean, greatest and quantiles of the rows, of which one was written "+
			"about every %s. The time inside the bound is a lower limit, counted by the quantiles; the stability is that of "+
			"one phase in each %s.", f.resolution, long(f.interval.Round(time.Second)), f.resolution)
	}
	s.text(rows + " A row stands for the time until the next one, at most one and a half intervals; what no row stands for is " +
		"not recorded and never counts as good. Lengths are UTC as POSIX counts it: an inserted leap second has none.")
	s.text("The bound is what the station stated at that moment about its own time: twice the statistical error plus all " +
		"systematic limits. Inside the wanted bound means that the station was synchronised or in holdover and the stated " +
		"bound was no greater than the wanted one. Deviations are overlapping estimators after NIST SP 1065 with 68 % " +
		"confidence; MTIE is the greatest excursion seen.")
	if f.phase.Points > 0 {
		g := f.phase.grid
		s.text(fmt.Sprintf("Phase of %s: %s, %s of %s missing, rows moved by at most %s onto the regular grid.", f.phase.source,
			counted(g.Rows, "value", "values"), grouped(g.Holes), counted(f.phase.Points, "point", "points"), long(g.WorstShift)))
	}
	return s
}
