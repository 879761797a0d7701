package station

import (
	"context"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"timestation/display"
	"timestation/engine/status"
	"timestation/logbook"
)

// log is what a history is read from.
type log interface {
	Resolve(ctx context.Context, q logbook.Query) (logbook.Resolution, error)
	Rows(ctx context.Context, from, to time.Time, source string) iter.Seq2[logbook.Row, error]
	Aggregates(ctx context.Context, from, to time.Time, source string, r logbook.Resolution) iter.Seq2[logbook.Aggregate, error]
	Events(ctx context.Context, from, to time.Time, source string) iter.Seq2[logbook.Event, error]
}

// mostRows and mostMinutes are how many moments of the log are read one by one before the next coarser resolution takes
// over: what keeps the answer for a year as quick as that for a day.
const (
	mostRows    = 8000
	mostMinutes = 7*24*60 + 1
)

// readHistory makes plots of a stretch of the log; interval is how far apart its rows are.
func readHistory(ctx context.Context, l log, span display.Span, interval time.Duration) (display.History, error) {
	h := display.History{From: span.From, To: span.To, Points: []display.Point{}}
	length := span.To.Sub(span.From)
	if length <= 0 {
		return h, nil
	}
	resolution, err := l.Resolve(ctx, logbook.Query{From: span.From, To: span.To, Resolution: logbook.Auto})
	if err != nil {
		return h, err
	}
	least := interval
	if length > mostRows*interval {
		resolution = max(resolution, logbook.Minute)
	}
	if length > mostMinutes*time.Minute {
		resolution = logbook.Hour
	}
	switch resolution {
	case logbook.Minute:
		least = time.Minute
	case logbook.Hour:
		least = time.Hour
	}
	g := newGathering(span, least)
	if resolution == logbook.Raw {
		err = g.readRows(ctx, l, interval)
	} else {
		err = g.readAggregates(ctx, l, resolution)
	}
	if err != nil {
		return h, err
	}
	h.StepSeconds, h.Points = g.width.Seconds(), g.finish()
	h.Deviations, err = g.deviations(ctx, l, least)
	return h, err
}

// gathering joins what the log has to points.
type gathering struct {
	from, to time.Time
	width    time.Duration
	steps    []*step
	phases   map[string]*phase
}

// step is a point in the making.
type step struct {
	state                  status.State
	frequency, temperature mean
	bound                  *float64
	// offsets are those of the sources that were followed.
	offsets map[string]*offsets
}

type offsets struct {
	mean
	low, high float64
	followed  int64
}

type mean struct {
	sum float64
	n   int64
}

func (m *mean) add(value float64, n int64) {
	if n > 0 && !math.IsNaN(value) && !math.IsInf(value, 0) {
		m.sum += value * float64(n)
		m.n += n
	}
}

func (m mean) value() *float64 {
	if m.n == 0 {
		return nil
	}
	v := m.sum / float64(m.n)
	return &v
}

// newGathering lays out the steps: none is shorter than what there is one of every least.
func newGathering(span display.Span, least time.Duration) *gathering {
	length := span.To.Sub(span.From)
	points := time.Duration(min(max(span.Points, 2), 4000))
	width := max((length+points-1)/points, least)
	width = (width + least - 1) / least * least
	return &gathering{from: span.From, to: span.To, width: width, steps: make([]*step, (length+width-1)/width),
		phases: map[string]*phase{}}
}

// at is the step of a moment, nil outside of the span.
func (g *gathering) at(t time.Time) *step {
	i := int(t.Sub(g.from) / g.width)
	if t.Before(g.from) || i >= len(g.steps) {
		return nil
	}
	if g.steps[i] == nil {
		g.steps[i] = &step{offsets: map[string]*offsets{}}
	}
	return g.steps[i]
}

func (g *gathering) readRows(ctx context.Context, l log, interval time.Duration) error {
	for row, err := range l.Rows(ctx, g.from, g.to, "") {
		if err != nil {
			return err
		}
		at := row.UTC.Time()
		s := g.at(at)
		if s == nil || !row.Known {
			continue
		}
		if isStation(row.Source, row.Driver) {
			s.stood(status.State(row.State))
			s.frequency.add(row.FrequencyPPM.V, count(row.FrequencyPPM.Valid))
			s.temperature.add(row.TemperatureCelsius.V, count(row.TemperatureCelsius.Valid))
			s.bounded(row.MaxErrorSeconds.V, row.MaxErrorSeconds.Valid)
			continue
		}
		if v := row.OffsetSeconds; v.Valid && row.Selected.V {
			s.follow(row.Source, logbook.Summary{Count: 1, Min: v.V, Max: v.V, Mean: v.V}, 1)
		}
		// A sample that was there at the row before already is not another measurement.
		if age := time.Duration(row.AgeSeconds.V * 1e9); row.PhaseSeconds.Valid && age <= interval {
			g.phase(row.Source).add(at, at.Add(-age), row.PhaseSeconds.V)
		}
	}
	return nil
}

func (g *gathering) readAggregates(ctx context.Context, l log, r logbook.Resolution) error {
	for a, err := range l.Aggregates(ctx, g.from, g.to, "", r) {
		if err != nil {
			return err
		}
		s := g.at(a.Start)
		if s == nil {
			continue
		}
		if isStation(a.Source, a.Driver) {
			for _, state := range a.States {
				s.stood(status.State(state.State))
			}
			s.frequency.add(a.FrequencyPPM.Mean, a.FrequencyPPM.Count)
			s.temperature.add(a.TemperatureCelsius.Mean, a.TemperatureCelsius.Count)
			s.bounded(a.MaxErrorSeconds.Max, a.MaxErrorSeconds.Count > 0)
			continue
		}
		if a.OffsetSeconds.Count > 0 && a.SelectedRows > 0 {
			s.follow(a.Source, a.OffsetSeconds, a.SelectedRows)
		}
		if a.PhaseSeconds.Valid {
			g.phase(a.Source).add(a.Start, a.PhaseTime, a.PhaseSeconds.V)
		}
	}
	return nil
}

// isStation tells the station's own rows; a source may have the same name.
func isStation(source, driver string) bool { return source == logbook.StationName && driver == "" }

func count(valid bool) int64 {
	if valid {
		return 1
	}
	return 0
}

// stood keeps the worst state of the step.
func (s *step) stood(state status.State) {
	worse := []status.State{"", status.Synchronised, status.Holdover, status.Unsynchronised}
	if slices.Index(worse, state) > slices.Index(worse, s.state) {
		s.state = state
	}
}

func (s *step) bounded(v float64, valid bool) {
	if valid && !math.IsInf(v, 0) && (s.bound == nil || *s.bound < v) {
		s.bound = &v
	}
}

func (s *step) follow(source string, v logbook.Summary, followed int64) {
	o := s.offsets[source]
	if o == nil {
		o = &offsets{low: v.Min, high: v.Max}
		s.offsets[source] = o
	}
	o.add(v.Mean, v.Count)
	o.low, o.high, o.followed = min(o.low, v.Min), max(o.high, v.Max), o.followed+followed
}

// finish gives the points, each at the middle of its step.
func (g *gathering) finish() []display.Point {
	points := []display.Point{}
	for i, s := range g.steps {
		if s == nil {
			continue
		}
		begin := g.from.Add(time.Duration(i) * g.width)
		p := display.Point{Time: begin.Add(min(g.width, g.to.Sub(begin)) / 2), State: s.state, FrequencyPPM: s.frequency.value(),
			TemperatureCelsius: s.temperature.value(), MaxErrorSeconds: s.bound}
		if o := s.most(); o != nil && o.n > 0 {
			p.OffsetSeconds, p.OffsetLowSeconds, p.OffsetHighSeconds = o.value(), &o.low, &o.high
		}
		points = append(points, p)
	}
	return points
}

// most is the source that was followed for most of the step.
func (s *step) most() *offsets {
	var best *offsets
	var name string
	for source, o := range s.offsets {
		if best == nil || o.followed > best.followed || o.followed == best.followed && source < name {
			best, name = o, source
		}
	}
	return best
}

// restarts are the moments after which phases count from another origin: the station came to know the time.
func restarts(ctx context.Context, l log, from, to time.Time) ([]time.Time, error) {
	const noticed = 2 * time.Second // after the fact, at most: the log looks at the state each second
	var all []time.Time
	for e, err := range l.Events(ctx, from, to, "") {
		if err != nil {
			return nil, err
		}
		if e.Kind == logbook.EventStart || e.Kind == logbook.EventState && strings.Contains(e.Text, "(was "+string(status.Unsynchronised)+")") {
			all = append(all, e.UTC.Time().Add(-noticed))
		}
	}
	return all, nil
}

// deviations is the Allan deviation of every source that was logged throughout.
func (g *gathering) deviations(ctx context.Context, l log, least time.Duration) ([]display.Deviation, error) {
	var names []string
	for name, p := range g.phases {
		if g.throughout(p) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	breaks, err := restarts(ctx, l, g.from, g.to)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []display.Deviation
	for _, name := range names {
		for _, p := range g.phases[name].allan(breaks, least) {
			all = append(all, display.Deviation{Source: name, Tau: p.TauSeconds, Value: p.Deviation, Low: p.Low, High: p.High})
		}
	}
	return all, nil
}

// throughout tells whether a phase was known in every part of the span that has points.
func (g *gathering) throughout(p *phase) bool {
	const parts = 20
	var logged, known [parts]bool
	for i, s := range g.steps {
		if s != nil && s.state != "" {
			logged[i*parts/len(g.steps)] = true
		}
	}
	for _, row := range p.rows {
		if i := int(float64(row.Sub(g.from)) / float64(g.to.Sub(g.from)) * parts); i >= 0 && i < parts {
			known[i] = true
		}
	}
	lacking := 0
	for i := range parts {
		if logged[i] && !known[i] {
			lacking++
		}
	}
	return len(p.rows) >= 3 && lacking <= 1 // a part may hold no more than its edge
}

func (g *gathering) phase(source string) *phase {
	p := g.phases[source]
	if p == nil {
		p = &phase{}
		g.phases[source] = p
	}
	return p
}
