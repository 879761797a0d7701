package report

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"timestation/logbook"
	"timestation/refclock"
)

// world is a log in memory: a week of a station with a GPS receiver and a DCF77 receiver that is compared. On the third
// day the antenna is unplugged for eight hours, on the fifth the power fails for three.
type world struct {
	begin      time.Time
	rows       []logbook.Row
	events     []logbook.Event
	aggregates []logbook.Aggregate
	resolution logbook.Resolution
}

const interval = 16 * time.Second

func some[T any](v T) sql.Null[T] { return sql.Null[T]{V: v, Valid: true} }

func newWorld(days int) *world {
	w := &world{begin: time.Date(2026, time.November, 2, 0, 0, 0, 0, time.UTC)}
	random := rand.New(rand.NewPCG(1, 2))
	bound, phase, hold := 60e-6, 0.0, 0.0
	w.event(0, "start", "station", "version 0.1.0")
	w.event(0, "configuration", "station", "sha256 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef")
	for at := time.Duration(0); at < time.Duration(days)*24*time.Hour; at += interval {
		hour := at.Hours()
		off := hour >= 101 && hour < 104
		silent := hour >= 50 && hour < 58 || hour >= 104 && hour < 104.05
		temperature := 41 + 3*math.Sin(2*math.Pi*hour/24) + 0.05*random.NormFloat64()
		ppm := 12.4 + 0.08*(temperature-41) + 0.002*random.NormFloat64()
		phase -= ppm * 1e-6 * interval.Seconds()
		switch {
		case at == 101*time.Hour:
			w.event(at, "stop", "station", "")
		case at == 104*time.Hour:
			w.event(at, "start", "station", "version 0.1.1")
			phase = 0.25
		case at == 104*time.Hour+3*time.Minute+12*time.Second:
			w.event(at, "state", "", "synchronised (was unsynchronised)")
		case at == 50*time.Hour:
			w.event(at, "alert-raised", "gps0", "source-lost, warning: gps0 has not been heard for 60 s; check antenna and cable")
			w.event(at, "state", "", "holdover (was synchronised): no source is heard")
		case at == 58*time.Hour:
			w.event(at, "alert-cleared", "gps0", "source-lost")
			w.event(at, "state", "", "synchronised (was holdover)")
		}
		if off {
			continue
		}
		noise := 8e-6 * random.NormFloat64()
		state, stratum := "synchronised", int64(1)
		if silent {
			hold += 80e-9 * interval.Seconds() * 5
			state = "holdover"
		} else {
			hold *= 0.9
		}
		stated := bound + hold + 2e-6*random.Float64()
		if hour >= 104 && hour < 104.05 {
			state, stratum, stated = "unsynchronised", 16, 1.2
		}
		m := w.moment(at)
		station := logbook.Row{Moment: m, Source: logbook.StationName, State: state, Stratum: some(stratum), Leap: "none",
			OffsetSeconds: some(0.0021 + 1e-5*hour), FrequencyPPM: some(ppm), MaxErrorSeconds: some(stated),
			TemperatureCelsius: some(temperature)}
		gps := logbook.Row{Moment: m, Source: "gps0", Driver: "gps", Receiver: "u-blox NEO-M8N", State: "silent",
			AgeSeconds: some(100.0), Selected: some(false)}
		if !silent {
			gps.State, gps.AgeSeconds, gps.Selected = "selected", some(0.4), some(true)
			gps.OffsetSeconds, gps.PhaseSeconds = some(noise), some(phase+noise+0.4*ppm*1e-6)
			gps.FrequencyPPM, gps.MaxErrorSeconds = some(ppm), some(45e-6)
		}
		dcf := logbook.Row{Moment: m, Source: "dcf77", Driver: "dcf77", State: "compared", AgeSeconds: some(20.0),
			Selected: some(false), OffsetSeconds: some(2e-3 * random.NormFloat64()), MaxErrorSeconds: some(25e-3)}
		w.rows = append(w.rows, station, gps, dcf)
	}
	return w
}

func (w *world) moment(at time.Duration) logbook.Moment {
	t := w.begin.Add(at)
	u := refclock.UTC{Seconds: t.Unix(), Nanoseconds: int32(t.Nanosecond())}
	return logbook.Moment{UTC: u, Known: true, TAIMinusUTC: 37, Local: refclock.Stamp(t.UnixNano() - 2_100_000)}
}

func (w *world) event(at time.Duration, kind, source, text string) {
	w.events = append(w.events, logbook.Event{Moment: w.moment(at), Kind: kind, Source: source, Text: text})
}

func (w *world) Span(context.Context) (first, last time.Time, err error) {
	if len(w.rows) == 0 {
		return first, last, nil
	}
	return w.rows[0].UTC.Time(), w.rows[len(w.rows)-1].UTC.Time(), nil
}

func (w *world) Resolve(context.Context, logbook.Query) (logbook.Resolution, error) {
	return w.resolution, nil
}

func in(t, from, to time.Time) bool {
	return (from.IsZero() || !t.Before(from)) && (to.IsZero() || t.Before(to))
}

func (w *world) Rows(_ context.Context, from, to time.Time, source string) iter.Seq2[logbook.Row, error] {
	return func(yield func(logbook.Row, error) bool) {
		for _, r := range w.rows {
			if in(r.UTC.Time(), from, to) && (source == "" || r.Source == source) && !yield(r, nil) {
				return
			}
		}
	}
}

func (w *world) Aggregates(_ context.Context, from, to time.Time, source string,
	_ logbook.Resolution) iter.Seq2[logbook.Aggregate, error] {
	return func(yield func(logbook.Aggregate, error) bool) {
		for _, a := range w.aggregates {
			if in(a.Start, from, to) && (source == "" || a.Source == source) && !yield(a, nil) {
				return
			}
		}
	}
}

func (w *world) Events(_ context.Context, from, to time.Time, _ string) iter.Seq2[logbook.Event, error] {
	return func(yield func(logbook.Event, error) bool) {
		for _, e := range w.events {
			if in(e.UTC.Time(), from, to) && !yield(e, nil) {
				return
			}
		}
	}
}

// condense makes minutes or hours of the rows, as the log does when they grow old.
func (w *world) condense(r logbook.Resolution, length time.Duration) {
	w.resolution = r
	type key struct {
		source string
		start  time.Time
	}
	var order []key
	groups := map[key][]logbook.Row{}
	for _, row := range w.rows {
		k := key{row.Source, row.UTC.Time().Truncate(length)}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], row)
	}
	for _, k := range order {
		rows := groups[k]
		a := logbook.Aggregate{Source: k.source, Driver: rows[0].Driver, Receiver: rows[0].Receiver, Resolution: r, Start: k.start,
			TAIMinusUTC: 37, Rows: int64(len(rows))}
		states := map[string]int64{}
		for _, row := range rows {
			states[row.State]++
			if row.Selected.V {
				a.SelectedRows++
			}
			if row.PhaseSeconds.Valid && !a.PhaseSeconds.Valid {
				a.PhaseSeconds, a.PhaseTime = row.PhaseSeconds, row.UTC.Time()
			}
			take(&a.OffsetSeconds, row.OffsetSeconds)
			take(&a.MaxErrorSeconds, row.MaxErrorSeconds)
			take(&a.FrequencyPPM, row.FrequencyPPM)
			take(&a.TemperatureCelsius, row.TemperatureCelsius)
		}
		for _, s := range []string{"synchronised", "holdover", "unsynchronised", "selected", "silent", "compared"} {
			if states[s] > 0 {
				a.States = append(a.States, logbook.StateRows{State: s, Rows: states[s]})
			}
		}
		w.aggregates = append(w.aggregates, a)
	}
	w.rows = append([]logbook.Row(nil), w.rows[0], w.rows[len(w.rows)-1]) // for the span
}

// take adds a value; the quantiles are the extremes, as of few rows.
func take(s *logbook.Summary, v sql.Null[float64]) {
	if !v.Valid {
		return
	}
	if s.Count == 0 {
		s.Min, s.Max = v.V, v.V
	}
	s.Count++
	s.Min, s.Max = min(s.Min, v.V), max(s.Max, v.V)
	s.Mean += (v.V - s.Mean) / float64(s.Count)
	s.P05, s.P50, s.P95 = s.Min, s.Max, s.Max
}

func (w *world) String() string { return fmt.Sprintf("%d rows, %d events", len(w.rows), len(w.events)) }
