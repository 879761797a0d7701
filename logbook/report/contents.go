package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"timestation/logbook"
	"timestation/logbook/stability"
)

// mostLines is how many alerts, events or gaps are told one by one; the rest are counted.
const mostLines = 100

func (f *findings) document() *Document {
	o := f.options
	name := o.Station
	if name == "" {
		name = "Timestation"
	}
	d := &Document{
		Title:    "How good the time was: " + name,
		Subtitle: fmt.Sprintf("%s to %s (UTC), %s", utc(o.From), utc(o.To), long(o.To.Sub(o.From))),
	}
	for _, part := range []func() Section{f.summary, f.timeSection, f.oscillator, f.stability, f.worst, f.gapSection,
		f.alerts, f.eventSection, f.traceability, f.method} {
		if s := part(); len(s.Blocks) > 0 {
			d.Sections = append(d.Sections, s)
		}
	}
	return d
}

func (f *findings) summary() Section {
	s := Section{Heading: "In short"}
	h := f.shares
	bound := size(f.options.Bound.Seconds())
	s.text(fmt.Sprintf("For %s of the span the station knew UTC and stated an error of at most %s. "+
		"It claimed to know the time for %s, for %s it said that it did not, and for %s nothing was recorded.",
		percent(h.within, h.span), bound, percent(h.synchronised+h.holdover, h.span), percent(h.unsynchronised, h.span),
		percent(h.lost, h.span)))
	t := Table{Head: []string{"share of the span", "", "time"}, Widths: []float64{0.6, 0.18, 0.22}, Right: []bool{false, true, true}}
	for _, row := range []struct {
		name    string
		seconds float64
	}{
		{"inside the wanted bound of ±" + bound, h.within},
		{"knew the time, but within a greater bound only", max(0, h.synchronised+h.holdover-h.within)},
		{"did not know the time, and said so", h.unsynchronised},
		{"not recorded", h.lost},
	} {
		t.Rows = append(t.Rows, []string{row.name, percent(row.seconds, h.span), long(duration(row.seconds))})
	}
	s.table(t)
	t = Table{Widths: []float64{0.6, 0.4}, Right: []bool{false, true}}
	t.Rows = [][]string{
		{"synchronised to a source", percent(h.synchronised, h.span)},
		{"holdover: the oscillator alone carried the time", percent(h.holdover, h.span)},
		{"greatest bound stated while the time was known", "±" + size(h.worst)},
	}
	if !math.IsNaN(h.offset95) {
		t.Rows = append(t.Rows, []string{"95 % of the followed source's samples were within", "±" + size(h.offset95)})
	}
	s.table(t)
	return s
}

func (f *findings) timeSection() Section {
	s := Section{Heading: "The time"}
	var line stability.Timeline
	line.Gap = f.spacing * 3 / 2
	var b valuePlot
	b.title = "error bound that the station stated for its own time"
	b.sentence = fmt.Sprintf("The true time was to be no further away than this. Dashed: the wanted bound, %s.",
		size(f.options.Bound.Seconds()))
	b.threshold, b.gap = f.options.Bound.Seconds(), line.Gap
	most := f.greatestDrawn()
	hidden := 0
	for _, p := range f.points {
		drawn := p.bound
		// A bound that is exceeded is drawn in any case.
		if p.bound > most && math.Abs(p.offset) <= p.bound {
			drawn = math.NaN()
			if !math.IsNaN(p.offset) {
				hidden++
			}
		}
		line.TimesNS = append(line.TimesNS, p.ns)
		line.OffsetSeconds = append(line.OffsetSeconds, p.offset)
		line.BoundSeconds = append(line.BoundSeconds, drawn)
		b.add(p.ns, p.bound, p.state())
	}
	s.plot(b.svg(f.options.From, f.options.To))
	what := "offset of the followed source: its samples minus the station's time"
	if f.resolution != logbook.Raw {
		what = fmt.Sprintf("offset of the followed source, mean of each %s: source minus station", f.resolution)
	}
	s.plot(stability.TimelinePlot(what, line))
	if hidden > 0 {
		s.text(fmt.Sprintf("Of this plot, bounds above %s are left out (%s), or the offsets would be a line; the plot before has them. "+
			"No offset exceeded one of those.", size(most), counted(hidden, "row", "rows")))
	}
	return s
}

// greatestDrawn is the bound beyond which the plot of offsets would show nothing but the bound.
func (f *findings) greatestDrawn() float64 {
	const times = 5 // the usual one
	var bounds []float64
	for _, p := range f.points {
		if !math.IsNaN(p.bound) {
			bounds = append(bounds, p.bound)
		}
	}
	if len(bounds) == 0 {
		return math.Inf(1)
	}
	slices.Sort(bounds)
	return times * bounds[len(bounds)/2]
}

func (f *findings) oscillator() Section {
	s := Section{Heading: "The oscillator"}
	frequency := valuePlot{title: "frequency of the oscillator against UTC", sentence: "Positive: it runs fast. Parts per million.",
		unit: "ppm", gap: f.spacing * 3 / 2}
	temperature := valuePlot{title: "temperature of the sensor nearest to the oscillator", unit: "°C", gap: f.spacing * 3 / 2,
		sentence: "A crystal's frequency follows it."}
	for _, p := range f.points {
		frequency.add(p.ns, p.frequency, "")
		temperature.add(p.ns, p.temperature, "")
	}
	if frequency.known > 0 {
		s.plot(frequency.svg(f.options.From, f.options.To))
	}
	if temperature.known > 0 {
		s.plot(temperature.svg(f.options.From, f.options.To))
	} else {
		s.text("No temperature was recorded.")
	}
	return s
}

func (f *findings) stability() Section {
	s := Section{Heading: "Stability"}
	p := f.phase
	if p.source == "" {
		s.text("No source was recorded, so that no phase can be analysed.")
		return s
	}
	if p.Points < 3 {
		s.text(fmt.Sprintf("The log holds no free-running phase of %s in this span, or too little of it.", p.source))
		return s
	}
	name := fmt.Sprintf("free-running phase: %s minus oscillator", p.source)
	s.text(fmt.Sprintf("The phase analysed is that of the source %s against the free-running oscillator, which nothing "+
		"steers. The oscillator ran %.4f ppm %s on average, which is taken out: ADEV, MDEV, HDEV and TDEV do not depend on "+
		"it, and MTIE is what is left without it. At short averaging times the source's noise shows, at long ones the "+
		"oscillator's.", p.source, math.Abs(p.ppm), fastOrSlow(p.ppm)))
	s.plot(p.FrequencyPlot(name))
	s.plot(p.TimePlot(name))
	return s
}

// fastOrSlow says how an oscillator runs of which the phase of the source gains so much on it.
func fastOrSlow(ppm float64) string {
	if ppm < 0 {
		return "fast"
	}
	return "slow"
}

func (f *findings) worst() Section {
	s := Section{Heading: "Worst moments"}
	moments, outside := f.worstMoments()
	if outside > 0 {
		s.text(fmt.Sprintf("%s not inside the wanted bound of ±%s; the worst first.", counted(outside, "stretch was", "stretches were"),
			size(f.options.Bound.Seconds())))
	} else {
		s.text(fmt.Sprintf("The stated bound never exceeded ±%s. These are the moments at which it was greatest, at most one of each "+
			"two-hundredth of the span.", size(f.options.Bound.Seconds())))
	}
	t := Table{Head: []string{"from (UTC)", "for", "worst at (UTC)", "state", "bound", "source offset"},
		Widths: []float64{0.2, 0.13, 0.2, 0.17, 0.13, 0.17}, Right: []bool{false, true, false, false, true, true}}
	for _, m := range moments {
		bound, offset := "not known", "none followed"
		if !math.IsNaN(m.bound) {
			bound = "±" + size(m.bound)
		}
		if !math.IsNaN(m.offset) {
			offset = signed(m.offset)
		}
		t.Rows = append(t.Rows, []string{utc(time.Unix(0, m.from)), long(time.Duration(m.until - m.from)), utc(time.Unix(0, m.ns)),
			string(m.state()), bound, offset})
	}
	s.table(t)
	return s
}

func (f *findings) gapSection() Section {
	s := Section{Heading: "Gaps in the record"}
	if len(f.gaps) == 0 {
		s.text("None: there is a row for every interval of the span.")
		return s
	}
	s.text(fmt.Sprintf("%s without rows, %s together: the station was off, did not yet know the time after a start, or could "+
		"not write its log. Nothing is claimed for them.", counted(len(f.gaps), "stretch", "stretches"), long(duration(f.shares.lost))))
	t := Table{Head: []string{"from (UTC)", "length"}, Widths: []float64{0.6, 0.4}, Right: []bool{false, true}}
	for _, g := range f.gaps[:min(len(f.gaps), mostLines)] {
		t.Rows = append(t.Rows, []string{utc(g.from), long(g.long)})
	}
	s.table(t)
	s.more(len(f.gaps))
	return s
}

// alerts pairs what was raised with what was cleared.
func (f *findings) alerts() Section {
	s := Section{Heading: "Alerts"}
	type alert struct{ from, until, source, text string }
	var all []*alert
	standing := map[[2]string]*alert{}
	for _, e := range f.events {
		at := utc(e.UTC.Time())
		switch e.Kind {
		case logbook.EventAlertRaised:
			code, _, _ := strings.Cut(e.Text, ",")
			a := &alert{from: at, until: "standing", source: e.Source, text: e.Text}
			all, standing[[2]string{code, e.Source}] = append(all, a), a
		case logbook.EventAlertCleared:
			code, _, _ := strings.Cut(e.Text, ",")
			a := standing[[2]string{code, e.Source}]
			if a == nil {
				a = &alert{from: "before", source: e.Source, text: e.Text}
				all = append(all, a)
			}
			a.until = at
			delete(standing, [2]string{code, e.Source})
		}
	}
	if len(all) == 0 {
		s.text("None was raised or cleared.")
		return s
	}
	t := Table{Head: []string{"raised (UTC)", "cleared (UTC)", "about", "alert"}, Widths: []float64{0.2, 0.2, 0.12, 0.48},
		Right: make([]bool, 4)}
	for _, a := range all[:min(len(all), mostLines)] {
		t.Rows = append(t.Rows, []string{a.from, a.until, a.source, a.text})
	}
	s.table(t)
	s.more(len(all))
	return s
}

func (f *findings) eventSection() Section {
	s := Section{Heading: "Events"}
	t := Table{Head: []string{"UTC", "kind", "about", "what"}, Widths: []float64{0.2, 0.15, 0.12, 0.53}, Right: make([]bool, 4)}
	others := 0
	for _, e := range f.events {
		if e.Kind == logbook.EventAlertRaised || e.Kind == logbook.EventAlertCleared {
			continue
		}
		if others++; others > mostLines {
			continue
		}
		text := e.Text
		if e.Who != "" {
			text += fmt.Sprintf(" (by %s from %s)", e.Who, e.From)
		}
		t.Rows = append(t.Rows, []string{utc(e.UTC.Time()), e.Kind, e.Source, text})
	}
	if others == 0 {
		s.text("None.")
		return s
	}
	s.table(t)
	s.more(others)
	return s
}

func (s *Section) more(n int) {
	if n > mostLines {
		s.text(fmt.Sprintf("The first %d of %d; the log has the rest.", mostLines, n))
	}
}

func duration(seconds float64) time.Duration { return time.Duration(seconds * 1e9) }
