package logbook

import (
	"cmp"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"time"
)

// Resolution says what a span of the log is read as.
type Resolution int

const (
	// Raw is every row, as long as it is kept (Config.RawDays).
	Raw Resolution = iota
	// Minute and Hour are aggregates, by UTC minutes (kept for Config.MinuteDays) and hours (kept for ever).
	Minute
	Hour
	// Auto is the finest that still reaches back to the beginning of the span; Reader.Resolve says which.
	Auto
)

var resolutionNames = []string{"raw", "minute", "hour", "auto"}

func (r Resolution) String() string { return resolutionNames[r] }

// ParseResolution reads what String writes; the error lists what there is.
func ParseResolution(name string) (Resolution, error) {
	if i := slices.Index(resolutionNames, name); i >= 0 {
		return Resolution(i), nil
	}
	return 0, fmt.Errorf("resolution: %q is not known; use one of: raw, minute, hour, auto", name)
}

// bucket is how long an aggregate is, and block the time whose aggregates are stored together.
func (r Resolution) bucket() time.Duration {
	if r == Minute {
		return time.Minute
	}
	return time.Hour
}

func (r Resolution) block() time.Duration {
	if r == Minute {
		return time.Hour
	}
	return 24 * time.Hour
}

// Summary is what is left of the values of one figure.
type Summary struct {
	// Count is how many rows had the figure; without any, nothing else means anything.
	Count          int64
	Min, Max, Mean float64
	// P05, P50 and P95 are quantiles by nearest rank: the smallest value that at least that share of the values do not
	// exceed, computed of the rows themselves. Quantiles of quantiles would be a guess: a summary that was made of others
	// (History) has NaN here.
	P05, P50, P95 float64
}

// Figures are the summaries of a Row's figures; the units are the Row's.
type Figures struct {
	OffsetSeconds, FrequencyPPM, JitterSeconds, Uncertainty95Seconds, MaxErrorSeconds Summary
	Stratum, SatellitesUsed, SatellitesInView, CN0MeanDBHz, TemperatureCelsius        Summary
	SmearSeconds                                                                      Summary
}

// Aggregate is a UTC minute or hour of one source, or of the station.
type Aggregate struct {
	// Source is the source's name, or StationName; Driver and Receiver are empty for the station.
	Source, Driver, Receiver string
	Resolution               Resolution
	// Start is when the minute or hour began. The same may come again after the clock was set back: once for each pass.
	Start time.Time
	// TAIMinusUTC is in seconds, of the first row; InLeap that one of the rows was inside an inserted leap second.
	TAIMinusUTC int32
	InLeap      bool
	// Rows is how many there were, and States how many of them were in each state, in the order of first appearance.
	Rows   int64
	States []StateRows
	// SelectedRows is in how many rows the station followed the source.
	SelectedRows int64
	// PhaseSeconds is the first row's that had one, at PhaseTime: phases are decimated, not averaged.
	PhaseSeconds sql.Null[float64]
	PhaseTime    time.Time
	Figures
}

// StateRows is how many rows of an aggregate were in a state.
type StateRows struct {
	State string
	Rows  int64
}

// gatherer makes aggregates of rows, in whatever order they come. Rows without a known time are passed over.
type gatherer struct {
	resolution Resolution
	buckets    map[bucketKey]*bucket
	// bucketOf is when the bucket of a row begins, in POSIX seconds; History has its own.
	bucketOf func(*Row) int64
}

type bucketKey struct {
	source int64
	start  int64 // POSIX seconds
}

type bucket struct {
	source int64
	Aggregate
	values [len(figures)][]int64
}

func newGatherer(r Resolution) *gatherer {
	length := int64(r.bucket() / time.Second)
	return &gatherer{resolution: r, buckets: map[bucketKey]*bucket{},
		bucketOf: func(r *Row) int64 { return floor(r.UTC.Seconds, length) }}
}

// add takes a row of the source with that number.
func (g *gatherer) add(source int64, r *Row) {
	if !r.Known {
		return
	}
	key := bucketKey{source, g.bucketOf(r)}
	b := g.buckets[key]
	if b == nil {
		b = &bucket{source: source, Aggregate: Aggregate{Source: r.Source, Driver: r.Driver, Receiver: r.Receiver,
			Resolution: g.resolution, Start: time.Unix(key.start, 0).UTC(), TAIMinusUTC: r.TAIMinusUTC}}
		g.buckets[key] = b
	}
	b.Rows++
	b.InLeap = b.InLeap || r.UTC.InLeap
	if r.Selected.V {
		b.SelectedRows++
	}
	if i := slices.IndexFunc(b.States, func(s StateRows) bool { return s.State == r.State }); i >= 0 {
		b.States[i].Rows++
	} else {
		b.States = append(b.States, StateRows{r.State, 1})
	}
	if r.PhaseSeconds.Valid && !b.PhaseSeconds.Valid {
		b.PhaseSeconds, b.PhaseTime = r.PhaseSeconds, r.UTC.Time()
	}
	for i := range figures {
		if v, ok := figures[i].of(r); ok && figures[i].summary != nil {
			b.values[i] = append(b.values[i], v)
		}
	}
}

// finish gives the aggregates by source and start, and forgets the rows.
func (g *gatherer) finish() []*bucket {
	all := make([]*bucket, 0, len(g.buckets))
	for _, b := range g.buckets {
		for i := range figures {
			if len(b.values[i]) > 0 {
				*figures[i].summary(&b.Figures) = summarise(&figures[i], b.values[i])
			}
		}
		b.values = [len(figures)][]int64{}
		all = append(all, b)
	}
	clear(g.buckets)
	slices.SortFunc(all, func(a, b *bucket) int {
		return cmp.Or(cmp.Compare(a.source, b.source), a.Start.Compare(b.Start))
	})
	return all
}

func summarise(f *figure, values []int64) Summary {
	slices.Sort(values)
	n := len(values)
	// Summed as differences from the least, which are small where the values themselves may be years.
	sum := 0.0
	for _, v := range values {
		sum += float64(uint64(v - values[0]))
	}
	rank := func(percent int) float64 { return f.value(values[(percent*n+99)/100-1]) }
	return Summary{Count: int64(n), Min: f.value(values[0]), Max: f.value(values[n-1]),
		Mean: f.value(values[0] + saturated(math.Round(sum/float64(n)))), P05: rank(5), P50: rank(50), P95: rank(95)}
}

// floor is the greatest multiple of step that is not above v; below the least there is, it is v.
func floor(v, step int64) int64 {
	if v < math.MinInt64+step {
		return v
	}
	m := v % step
	if m < 0 {
		m += step
	}
	return v - m
}
