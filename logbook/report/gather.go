package report

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"timestation/engine/status"
	"timestation/logbook"
	"timestation/logbook/stability"
)

// Spans longer than these are read as minutes or hours, though the rows may still be there: a page has no place for more,
// and a Raspberry Pi no memory.
const (
	mostRaw    = 62 * 24 * time.Hour
	mostMinute = 2 * 366 * 24 * time.Hour
)

// point is what the station said of itself at one row, or in one minute or hour.
type point struct {
	ns int64 // POSIX
	// rows is how many there were, and of these in each state.
	rows, synchronised, holdover, unsynchronised int64
	// within is how many rows are known to have been inside the wanted bound.
	within int64
	// bound is the greatest error bound stated, in seconds; NaN if none was.
	bound float64
	// offset is the followed source minus the station's time, in seconds: of an aggregate the mean, with the least and the
	// greatest; NaN while none was followed.
	offset, offsetMin, offsetMax float64
	// frequency in ppm and temperature in °C; NaN if not known.
	frequency, temperature float64
	// seconds is how long the point stands for.
	seconds float64
}

// state is the worst of the point's.
func (p *point) state() status.State {
	switch {
	case p.unsynchronised > 0:
		return status.Unsynchronised
	case p.holdover > 0:
		return status.Holdover
	}
	return status.Synchronised
}

// source is what the log says of one source.
type source struct {
	name, driver, receiver string
	first, last            time.Time
	rows, selected         int64
	worstBound             float64 // seconds
	frequency              float64 // ppm, the last
}

// gap is a time without rows.
type gap struct {
	from time.Time
	long time.Duration
}

// findings are what the log says of the span.
type findings struct {
	options     Options
	first, last time.Time // of the log
	resolution  logbook.Resolution
	// interval is that of rows; spacing that of points: the same, or a minute, or an hour.
	interval, spacing time.Duration
	// full is how many rows a whole minute or hour has at least: one fewer than the most, because the interval need not
	// divide it.
	full int64

	points  []point
	sources []*source
	gaps    []gap
	events  []logbook.Event
	// versions and configurations are what was in force: all that the log names up to the end of the span.
	versions, configurations []string

	phase  analysis
	shares shares
}

// analysis is the free-running phase of one source.
type analysis struct {
	source string
	stability.Analysis
	// ppm is the mean frequency that was taken out.
	ppm  float64
	grid stability.Grid
}

func (f *findings) gather(ctx context.Context, log Log) (err error) {
	o := f.options
	if f.resolution, err = log.Resolve(ctx, logbook.Query{From: o.From, To: o.To, Resolution: logbook.Auto}); err != nil {
		return err
	}
	switch span := o.To.Sub(o.From); {
	case span > mostMinute:
		f.resolution = logbook.Hour
	case span > mostRaw:
		f.resolution = max(f.resolution, logbook.Minute)
	}
	if f.resolution == logbook.Raw {
		err = f.readRows(ctx, log)
	} else {
		err = f.readAggregates(ctx, log)
	}
	if err != nil || len(f.points) == 0 {
		return err
	}
	f.measureSpacing()
	if err := f.readEvents(ctx, log); err != nil {
		return err
	}
	return f.readPhase(ctx, log)
}

func (f *findings) readRows(ctx context.Context, log Log) error {
	for row, err := range log.Rows(ctx, f.options.From, f.options.To, "") {
		if err != nil {
			return err
		}
		if !row.Known {
			continue
		}
		at := row.UTC.Time()
		if row.Source == logbook.StationName && row.Driver == "" {
			p := point{ns: at.UnixNano(), rows: 1, bound: or(row.MaxErrorSeconds.V, row.MaxErrorSeconds.Valid),
				frequency:   or(row.FrequencyPPM.V, row.FrequencyPPM.Valid),
				temperature: or(row.TemperatureCelsius.V, row.TemperatureCelsius.Valid)}
			p.count(row.State, 1)
			if p.unsynchronised == 0 && p.bound <= f.options.Bound.Seconds() {
				p.within = 1
			}
			p.setOffset(math.NaN(), math.NaN(), math.NaN())
			f.points = append(f.points, p)
			continue
		}
		s := f.source(row.Source, row.Driver, row.Receiver)
		s.saw(at, 1, row.MaxErrorSeconds.V)
		if row.FrequencyPPM.Valid {
			s.frequency = row.FrequencyPPM.V
		}
		if row.Selected.V {
			s.selected++
			// The rows of one moment follow that of the station.
			if n := len(f.points); row.OffsetSeconds.Valid && n > 0 && f.points[n-1].ns == at.UnixNano() {
				f.points[n-1].setOffset(row.OffsetSeconds.V, row.OffsetSeconds.V, row.OffsetSeconds.V)
			}
		}
	}
	return nil
}

func (f *findings) readAggregates(ctx context.Context, log Log) error {
	followed := map[int64]logbook.Aggregate{} // the one that was followed most in each minute or hour
	for a, err := range log.Aggregates(ctx, f.options.From, f.options.To, "", f.resolution) {
		if err != nil {
			return err
		}
		if a.Source == logbook.StationName && a.Driver == "" {
			p := point{ns: a.Start.UnixNano(), rows: a.Rows, bound: or(a.MaxErrorSeconds.Max, a.MaxErrorSeconds.Count > 0),
				frequency:   or(a.FrequencyPPM.Mean, a.FrequencyPPM.Count > 0),
				temperature: or(a.TemperatureCelsius.Mean, a.TemperatureCelsius.Count > 0)}
			for _, s := range a.States {
				p.count(s.State, s.Rows)
			}
			// The rows beyond the bound may all be among the synchronised ones: never count more than is certain.
			p.within = max(0, insideRows(a.MaxErrorSeconds, f.options.Bound.Seconds())-p.unsynchronised)
			p.setOffset(math.NaN(), math.NaN(), math.NaN())
			f.points = append(f.points, p)
			continue
		}
		s := f.source(a.Source, a.Driver, a.Receiver)
		s.saw(a.Start, a.Rows, a.MaxErrorSeconds.Max)
		s.selected += a.SelectedRows
		if a.FrequencyPPM.Count > 0 {
			s.frequency = a.FrequencyPPM.Mean
		}
		if ns := a.Start.UnixNano(); a.OffsetSeconds.Count > 0 && a.SelectedRows > followed[ns].SelectedRows {
			followed[ns] = a
		}
	}
	slices.SortFunc(f.points, func(a, b point) int { return int(min(max(a.ns-b.ns, -1), 1)) })
	for i := range f.points {
		if a, ok := followed[f.points[i].ns]; ok {
			f.points[i].setOffset(a.OffsetSeconds.Mean, a.OffsetSeconds.Min, a.OffsetSeconds.Max)
		}
	}
	return nil
}

// insideRows is how many of a summary's rows certainly were at or below a limit.
func insideRows(s logbook.Summary, limit float64) int64 {
	share := 0.0
	switch {
	case s.Max <= limit:
		share = 1
	case s.P95 <= limit:
		share = 0.95
	case s.P50 <= limit:
		share = 0.5
	case s.P05 <= limit:
		share = 0.05
	}
	return int64(share * float64(s.Count))
}

func (p *point) count(state string, rows int64) {
	switch status.State(state) {
	case status.Synchronised:
		p.synchronised += rows
	case status.Holdover:
		p.holdover += rows
	default:
		p.unsynchronised += rows
	}
}

func (p *point) setOffset(mean, least, greatest float64) {
	p.offset, p.offsetMin, p.offsetMax = mean, least, greatest
}

func (f *findings) source(name, driver, receiver string) *source {
	for _, s := range f.sources {
		if s.name == name && s.driver == driver && s.receiver == receiver {
			return s
		}
	}
	s := &source{name: name, driver: driver, receiver: receiver}
	f.sources = append(f.sources, s)
	return s
}

func (s *source) saw(at time.Time, rows int64, bound float64) {
	if s.first.IsZero() || at.Before(s.first) {
		s.first = at
	}
	if at.After(s.last) {
		s.last = at
	}
	s.rows += rows
	s.worstBound = max(s.worstBound, bound)
}

// measureSpacing finds the usual interval of rows.
func (f *findings) measureSpacing() {
	if f.resolution != logbook.Raw {
		f.spacing = time.Minute
		if f.resolution == logbook.Hour {
			f.spacing = time.Hour
		}
		for _, p := range f.points {
			f.full = max(f.full, p.rows-1)
		}
		f.full = max(f.full, 1)
		var full, rows int64
		for _, p := range f.points {
			if p.rows >= f.full {
				full, rows = full+1, rows+p.rows
			}
		}
		f.interval = time.Duration(float64(f.spacing) * float64(full) / float64(rows))
		return
	}
	var distances []int64
	for i := 1; i < len(f.points); i++ {
		if d := f.points[i].ns - f.points[i-1].ns; d > 0 {
			distances = append(distances, d)
		}
	}
	f.interval = 16 * time.Second // of a single row nobody knows; this is the default
	if len(distances) > 0 {
		slices.Sort(distances)
		f.interval = time.Duration(distances[len(distances)/2])
	}
	f.spacing = f.interval
}

func (f *findings) readEvents(ctx context.Context, log Log) error {
	// All of them: a station starts before it knows the time, so the events that name its version and configuration have
	// none, and belong to no span.
	for e, err := range log.Events(ctx, time.Time{}, time.Time{}, "") {
		if err != nil {
			return err
		}
		if e.Known && !f.options.To.IsZero() && !e.UTC.Time().Before(f.options.To) {
			continue
		}
		switch {
		case e.Kind == logbook.EventVersion:
			f.versions = distinct(f.versions, e.Text)
		case e.Kind == logbook.EventStart && strings.HasPrefix(e.Text, "version "):
			f.versions = distinct(f.versions, strings.TrimPrefix(e.Text, "version "))
		case e.Kind == logbook.EventConfiguration:
			f.configurations = distinct(f.configurations, e.Text)
		}
		if e.Known && !e.UTC.Time().Before(f.options.From) {
			f.events = append(f.events, e)
		}
	}
	return nil
}

func distinct(list []string, text string) []string {
	if slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}

// or is v, or NaN where it is not known.
func or(v float64, known bool) float64 {
	if !known {
		return math.NaN()
	}
	return v
}
