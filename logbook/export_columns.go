package logbook

import (
	"database/sql"
	"fmt"
	"io"
	"strconv"
	"strings"

	"timestation/refclock"
)

// kind is what a column holds.
type kind int

const (
	kindMoment kind = iota
	kindText
	kindInteger
	kindReal
	kindBoolean
)

// value is one field of a table. Only the part that its column's kind names is set.
type value struct {
	// known is false where there is no such figure.
	known   bool
	moment  refclock.UTC
	text    string
	integer int64
	real    float64
	boolean bool
}

// column is one column of a table made of T. The name says the unit.
type column[T any] struct {
	name string
	kind kind
	of   func(*T) value
}

// rowColumns are the columns of every table of rows. time_utc is empty where the station did not know the time; local_ns
// is what the local clock said, in nanoseconds since 1970. What a figure means for a source and for the station, the table
// in figures.go says.
var rowColumns = []column[Row]{
	{"time_utc", kindMoment, func(r *Row) value { return value{known: r.Known, moment: r.UTC} }},
	{"local_ns", kindInteger, func(r *Row) value { return value{known: true, integer: int64(r.Local)} }},
	{"tai_minus_utc_seconds", kindInteger, func(r *Row) value { return value{known: r.Known, integer: int64(r.TAIMinusUTC)} }},
	{"source", kindText, func(r *Row) value { return text(r.Source) }},
	{"driver", kindText, func(r *Row) value { return text(r.Driver) }},
	{"receiver", kindText, func(r *Row) value { return text(r.Receiver) }},
	{"state", kindText, func(r *Row) value { return text(r.State) }},
	{"offset_seconds", kindReal, func(r *Row) value { return decimal(r.OffsetSeconds) }},
	{"phase_seconds", kindReal, func(r *Row) value { return decimal(r.PhaseSeconds) }},
	{"frequency_ppm", kindReal, func(r *Row) value { return decimal(r.FrequencyPPM) }},
	{"jitter_seconds", kindReal, func(r *Row) value { return decimal(r.JitterSeconds) }},
	{"uncertainty95_seconds", kindReal, func(r *Row) value { return decimal(r.Uncertainty95Seconds) }},
	{"max_error_seconds", kindReal, func(r *Row) value { return decimal(r.MaxErrorSeconds) }},
	{"age_seconds", kindReal, func(r *Row) value { return decimal(r.AgeSeconds) }},
	{"stratum", kindInteger, func(r *Row) value { return integer(r.Stratum) }},
	{"leap", kindText, func(r *Row) value { return text(r.Leap) }},
	{"selected", kindBoolean, func(r *Row) value { return value{known: r.Selected.Valid, boolean: r.Selected.V} }},
	{"satellites_used", kindInteger, func(r *Row) value { return integer(r.SatellitesUsed) }},
	{"satellites_in_view", kindInteger, func(r *Row) value { return integer(r.SatellitesInView) }},
	{"cn0_mean_dbhz", kindReal, func(r *Row) value { return decimal(r.CN0MeanDBHz) }},
	{"temperature_celsius", kindReal, func(r *Row) value { return decimal(r.TemperatureCelsius) }},
	{"smear_seconds", kindReal, func(r *Row) value { return decimal(r.SmearSeconds) }},
}

// aggregateColumns are the columns of every table of minutes or hours: seven for each figure, of which count says how many
// rows had it. states is such as "synchronised 220, holdover 5", in rows.
var aggregateColumns = append([]column[Aggregate]{
	{"time_utc", kindMoment, func(a *Aggregate) value { return value{known: true, moment: refclock.UTC{Seconds: a.Start.Unix()}} }},
	{"resolution", kindText, func(a *Aggregate) value { return text(a.Resolution.String()) }},
	{"tai_minus_utc_seconds", kindInteger, func(a *Aggregate) value { return count(int64(a.TAIMinusUTC)) }},
	{"in_leap", kindBoolean, func(a *Aggregate) value { return value{known: true, boolean: a.InLeap} }},
	{"source", kindText, func(a *Aggregate) value { return text(a.Source) }},
	{"driver", kindText, func(a *Aggregate) value { return text(a.Driver) }},
	{"receiver", kindText, func(a *Aggregate) value { return text(a.Receiver) }},
	{"rows", kindInteger, func(a *Aggregate) value { return count(a.Rows) }},
	{"states", kindText, func(a *Aggregate) value { return text(statesText(a.States)) }},
	{"selected_rows", kindInteger, func(a *Aggregate) value { return count(a.SelectedRows) }},
	{"phase_time_utc", kindMoment, func(a *Aggregate) value {
		return value{known: a.PhaseSeconds.Valid,
			moment: refclock.UTC{Seconds: a.PhaseTime.Unix(), Nanoseconds: int32(a.PhaseTime.Nanosecond())}}
	}},
	{"phase_seconds", kindReal, func(a *Aggregate) value { return decimal(a.PhaseSeconds) }},
}, summaryColumns()...)

func summaryColumns() []column[Aggregate] {
	var all []column[Aggregate]
	for _, f := range []struct {
		name string
		of   func(*Figures) *Summary
	}{
		{"offset_seconds", func(f *Figures) *Summary { return &f.OffsetSeconds }},
		{"frequency_ppm", func(f *Figures) *Summary { return &f.FrequencyPPM }},
		{"jitter_seconds", func(f *Figures) *Summary { return &f.JitterSeconds }},
		{"uncertainty95_seconds", func(f *Figures) *Summary { return &f.Uncertainty95Seconds }},
		{"max_error_seconds", func(f *Figures) *Summary { return &f.MaxErrorSeconds }},
		{"stratum", func(f *Figures) *Summary { return &f.Stratum }},
		{"satellites_used", func(f *Figures) *Summary { return &f.SatellitesUsed }},
		{"satellites_in_view", func(f *Figures) *Summary { return &f.SatellitesInView }},
		{"cn0_mean_dbhz", func(f *Figures) *Summary { return &f.CN0MeanDBHz }},
		{"temperature_celsius", func(f *Figures) *Summary { return &f.TemperatureCelsius }},
		{"smear_seconds", func(f *Figures) *Summary { return &f.SmearSeconds }},
	} {
		all = append(all, column[Aggregate]{f.name + "_count", kindInteger, func(a *Aggregate) value {
			return count(f.of(&a.Figures).Count)
		}})
		for _, part := range []struct {
			name string
			of   func(*Summary) float64
		}{
			{"_min", func(s *Summary) float64 { return s.Min }}, {"_max", func(s *Summary) float64 { return s.Max }},
			{"_mean", func(s *Summary) float64 { return s.Mean }}, {"_p05", func(s *Summary) float64 { return s.P05 }},
			{"_p50", func(s *Summary) float64 { return s.P50 }}, {"_p95", func(s *Summary) float64 { return s.P95 }},
		} {
			all = append(all, column[Aggregate]{f.name + part.name, kindReal, func(a *Aggregate) value {
				s := f.of(&a.Figures)
				return value{known: s.Count > 0, real: part.of(s)}
			}})
		}
	}
	return all
}

func statesText(states []StateRows) string {
	words := make([]string, len(states))
	for i, s := range states {
		words[i] = fmt.Sprintf("%s %d", s.State, s.Rows)
	}
	return strings.Join(words, ", ")
}

func text(s string) value               { return value{known: s != "", text: s} }
func count(n int64) value               { return value{known: true, integer: n} }
func integer(v sql.Null[int64]) value   { return value{known: v.Valid, integer: v.V} }
func decimal(v sql.Null[float64]) value { return value{known: v.Valid, real: v.V} }

// field is a column as a table sees it.
type field struct {
	name string
	kind kind
}

// table writes values in the order of its fields.
type table interface {
	write([]value) error
	close() error
}

// registerTable registers a format that holds any table; textual is whether it writes times as text.
func registerTable(name, help string, textual bool, begin func(io.Writer, []field, ExportOptions) table) {
	registerFormat(Format{Name: name, Help: help, textual: textual,
		Rows: func(w io.Writer, o ExportOptions) Encoder[Row] {
			return &tableEncoder[Row]{columns: rowColumns, table: begin(w, fields(rowColumns, o), o)}
		},
		Aggregates: func(w io.Writer, o ExportOptions) Encoder[Aggregate] {
			return &tableEncoder[Aggregate]{columns: aggregateColumns, table: begin(w, fields(aggregateColumns, o), o)}
		},
	})
}

func fields[T any](columns []column[T], o ExportOptions) []field {
	all := make([]field, len(columns))
	for i, c := range columns {
		all[i] = field{c.name, c.kind}
		if o.MJD && c.kind == kindMoment {
			all[i].name = strings.TrimSuffix(c.name, "utc") + "mjd"
		}
	}
	return all
}

// tableEncoder turns rows into the values of a table.
type tableEncoder[T any] struct {
	table   table
	columns []column[T]
	values  []value
}

func (e *tableEncoder[T]) Write(row T) error {
	e.values = e.values[:0]
	for _, c := range e.columns {
		e.values = append(e.values, c.of(&row))
	}
	return e.table.write(e.values)
}

func (e *tableEncoder[T]) Close() error { return e.table.close() }

// appendPlain appends a value as text without any quotes: of a real the shortest decimal that reads back as the same
// number.
func appendPlain(b []byte, k kind, v value, o ExportOptions) []byte {
	switch k {
	case kindMoment:
		if o.MJD {
			return appendMJD(b, v.moment)
		}
		return append(b, v.moment.String()...)
	case kindText:
		return append(b, v.text...)
	case kindInteger:
		return strconv.AppendInt(b, v.integer, 10)
	case kindReal:
		return strconv.AppendFloat(b, v.real, 'g', -1, 64)
	default:
		return strconv.AppendBool(b, v.boolean)
	}
}

// mjdOf1970 is the Modified Julian Date of 1970-01-01.
const mjdOf1970 = 40587

// mjdAndNanoseconds gives the Modified Julian Date and the nanoseconds of the day. Days are POSIX's: inside an inserted
// leap second the count of the second before it is repeated, as ntpd's statistics have it.
func mjdAndNanoseconds(u refclock.UTC) (day, ns int64) {
	day, second := u.Seconds/86400, u.Seconds%86400
	if second < 0 {
		day, second = day-1, second+86400
	}
	return mjdOf1970 + day, second*1e9 + int64(u.Nanoseconds)
}

// appendMJD writes a Modified Julian Date with 15 decimals, which tell every nanosecond apart.
func appendMJD(b []byte, u refclock.UTC) []byte {
	day, ns := mjdAndNanoseconds(u)
	const numerator, denominator = 625, 54 // 10^15 / (86400 × 10^9)
	return fmt.Appendf(b, "%d.%015d", day, (ns*numerator+denominator/2)/denominator)
}
