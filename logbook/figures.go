package logbook

import (
	"database/sql"
	"math"
)

// figure is one number of a Row and how it is kept: as a whole number of steps. A step is never coarser than what was
// measured: every time stamp in the station is whole nanoseconds.
type figure struct {
	// steps is how many make the unit.
	steps float64
	// bound is rounded up: what is read back must still be true.
	bound bool
	get   func(*Row) sql.Null[float64]
	set   func(*Row, float64)
	// summary is nil for what is not aggregated.
	summary func(*Figures) *Summary
}

// figures are the numbers of a row, in the order in which the file has them: new ones come last. What a figure means
// depends on whose row it is:
//
//	               source                                      station
//	offset         its last sample minus the station's time    the station's time minus the local clock
//	frequency      of the oscillator as the source sees it     of the oscillator against true time
//	jitter         learned scatter of a sample, 1σ             -
//	uncertainty95  -                                           95 % of errors stay within (statistical)
//	max error      bound of the sample's error                 bound of the station's error
//	age            of the last sample                          -
//	phase          its last sample minus the raw oscillator    -
//	stratum        -                                           as NTP replies said; 16 is unsynchronised
//	temperature    -                                           of the sensor nearest to the oscillator
//	smear          -                                           how far the time that clients are told is from UTC
//	satellites     used, in view, mean C/N0 of those tracked   -
var figures = [...]figure{
	{1e9, false, func(r *Row) sql.Null[float64] { return r.OffsetSeconds },
		func(r *Row, v float64) { r.OffsetSeconds = some(v) }, func(f *Figures) *Summary { return &f.OffsetSeconds }},
	// The phase is a ramp: its extremes say nothing. Aggregates keep the first, as decimation does.
	figPhase: {1e9, false, func(r *Row) sql.Null[float64] { return r.PhaseSeconds },
		func(r *Row, v float64) { r.PhaseSeconds = some(v) }, nil},
	{1e6, false, func(r *Row) sql.Null[float64] { return r.FrequencyPPM },
		func(r *Row, v float64) { r.FrequencyPPM = some(v) }, func(f *Figures) *Summary { return &f.FrequencyPPM }},
	{1e9, false, func(r *Row) sql.Null[float64] { return r.JitterSeconds },
		func(r *Row, v float64) { r.JitterSeconds = some(v) }, func(f *Figures) *Summary { return &f.JitterSeconds }},
	{1e9, true, func(r *Row) sql.Null[float64] { return r.Uncertainty95Seconds },
		func(r *Row, v float64) { r.Uncertainty95Seconds = some(v) },
		func(f *Figures) *Summary { return &f.Uncertainty95Seconds }},
	{1e9, true, func(r *Row) sql.Null[float64] { return r.MaxErrorSeconds },
		func(r *Row, v float64) { r.MaxErrorSeconds = some(v) }, func(f *Figures) *Summary { return &f.MaxErrorSeconds }},
	{1e3, true, func(r *Row) sql.Null[float64] { return r.AgeSeconds },
		func(r *Row, v float64) { r.AgeSeconds = some(v) }, nil}, // says nothing that the state does not
	{1, false, func(r *Row) sql.Null[float64] { return whole(r.Stratum) },
		func(r *Row, v float64) { r.Stratum = some(int64(v)) }, func(f *Figures) *Summary { return &f.Stratum }},
	{1, false, func(r *Row) sql.Null[float64] { return whole(r.SatellitesUsed) },
		func(r *Row, v float64) { r.SatellitesUsed = some(int64(v)) },
		func(f *Figures) *Summary { return &f.SatellitesUsed }},
	{1, false, func(r *Row) sql.Null[float64] { return whole(r.SatellitesInView) },
		func(r *Row, v float64) { r.SatellitesInView = some(int64(v)) },
		func(f *Figures) *Summary { return &f.SatellitesInView }},
	{100, false, func(r *Row) sql.Null[float64] { return r.CN0MeanDBHz },
		func(r *Row, v float64) { r.CN0MeanDBHz = some(v) }, func(f *Figures) *Summary { return &f.CN0MeanDBHz }},
	{1e3, false, func(r *Row) sql.Null[float64] { return r.TemperatureCelsius },
		func(r *Row, v float64) { r.TemperatureCelsius = some(v) },
		func(f *Figures) *Summary { return &f.TemperatureCelsius }},
	{1e9, false, func(r *Row) sql.Null[float64] { return r.SmearSeconds },
		func(r *Row, v float64) { r.SmearSeconds = some(v) }, func(f *Figures) *Summary { return &f.SmearSeconds }},
}

const figPhase = 1

func whole(v sql.Null[int64]) sql.Null[float64] {
	return sql.Null[float64]{V: float64(v.V), Valid: v.Valid}
}

// of gives the figure of a row in steps; ok is false where it was not known, or is not a number.
func (f *figure) of(r *Row) (steps int64, ok bool) {
	v := f.get(r)
	if !v.Valid || math.IsNaN(v.V) {
		return 0, false
	}
	if f.bound {
		// A step is added only for what is more than a thousandth of it, so that decimals come back as they were.
		v := v.V * f.steps
		return saturated(math.Ceil(v - min(1e-3+math.Abs(v)*1e-15, 1))), true
	}
	return f.nearest(v.V), true
}

func (f *figure) nearest(v float64) int64 { return saturated(math.Round(v * f.steps)) }

func (f *figure) value(steps int64) float64 { return float64(steps) / f.steps }

// saturated keeps what is beyond 292 years of nanoseconds, such as an infinite bound, at the end of the range.
func saturated(v float64) int64 {
	switch {
	case v >= math.MaxInt64:
		return math.MaxInt64
	case v <= math.MinInt64:
		return math.MinInt64
	}
	return int64(v)
}
