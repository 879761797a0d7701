package logbook

import (
	"database/sql"
	"encoding/csv"
	"io"
	"strconv"
)

func init() {
	registerFormat(Format{Name: "csv", Help: "comma-separated values with a header line, for spreadsheets and scripts",
		New: newCSV})
}

// csvHeader names the columns with their units. time_utc is RFC 3339 with nanoseconds, and empty where the station did
// not know the time; local_ns is what the local clock said, in nanoseconds since 1970.
var csvHeader = []string{"time_utc", "local_ns", "tai_minus_utc_seconds", "source", "driver", "receiver", "state",
	"offset_seconds", "frequency_ppm", "jitter_seconds", "uncertainty95_seconds", "max_error_seconds", "age_seconds",
	"stratum", "leap", "selected", "satellites_used", "satellites_in_view", "cn0_mean_dbhz"}

type csvEncoder struct {
	w      *csv.Writer
	fields []string
}

// newCSV writes after RFC 4180, with line feeds alone, as every reader takes them.
func newCSV(w io.Writer) Encoder {
	c := &csvEncoder{w: csv.NewWriter(w), fields: make([]string, 0, len(csvHeader))}
	c.w.Write(csvHeader) // an error stays with the writer, and Close returns it
	return c
}

func (c *csvEncoder) Row(r Row) error {
	utc, tai := "", ""
	if r.Known {
		utc, tai = r.UTC.String(), strconv.Itoa(int(r.TAIMinusUTC))
	}
	selected := ""
	if r.Selected.Valid {
		selected = strconv.FormatBool(r.Selected.V)
	}
	c.fields = append(c.fields[:0], utc, strconv.FormatInt(int64(r.Local), 10), tai, r.Source, r.Driver, r.Receiver, r.State,
		float(r.OffsetSeconds), float(r.FrequencyPPM), float(r.JitterSeconds), float(r.Uncertainty95Seconds),
		float(r.MaxErrorSeconds), float(r.AgeSeconds), integer(r.Stratum), r.Leap, selected, integer(r.SatellitesUsed),
		integer(r.SatellitesInView), float(r.CN0MeanDBHz))
	return c.w.Write(c.fields)
}

func (c *csvEncoder) Close() error {
	c.w.Flush()
	return c.w.Error()
}

// float writes the shortest decimal that reads back as the same number.
func float(v sql.Null[float64]) string {
	if !v.Valid {
		return ""
	}
	return strconv.FormatFloat(v.V, 'g', -1, 64)
}

func integer(v sql.Null[int64]) string {
	if !v.Valid {
		return ""
	}
	return strconv.FormatInt(v.V, 10)
}
