package report

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// axis is a vertical axis from low to high, linear or logarithmic.
type axis struct {
	low, high float64
	log       bool
	unit      string // empty: seconds
}

// logarithmic is the ratio of the greatest bound to the least from which a linear axis would hide the small ones.
const logarithmic = 30

func (v *valuePlot) axis() axis {
	low, high := math.Inf(1), math.Inf(-1)
	for _, value := range v.values {
		if !math.IsNaN(value) && !math.IsInf(value, 0) {
			low, high = min(low, value), max(high, value)
		}
	}
	if v.threshold > 0 {
		low, high = min(low, v.threshold), max(high, v.threshold)
	}
	switch {
	case low > high:
		return axis{low: 0, high: 1, unit: v.unit}
	case v.unit == "" && low > 0 && high/low > logarithmic:
		return axis{low: math.Pow(10, math.Floor(math.Log10(low))), high: math.Pow(10, math.Ceil(math.Log10(high))), log: true}
	case v.unit == "":
		return axis{low: 0, high: 1.08 * max(high, 1e-9)}
	}
	const least = 1e-4 // ppm or °C: what moves less is a straight line
	margin := max(0.08*(high-low), least, math.Abs(high)*1e-5)
	return axis{low: low - margin, high: high + margin, unit: v.unit}
}

func (a axis) at(v float64) float64 {
	share := (v - a.low) / (a.high - a.low)
	if a.log {
		share = math.Log10(v/a.low) / math.Log10(a.high/a.low)
	}
	return frameBottom - share*(frameBottom-frameTop)
}

func (a axis) ticks() (ticks []float64) {
	if a.log {
		for e := math.Round(math.Log10(a.low)); e <= math.Round(math.Log10(a.high)); e++ {
			ticks = append(ticks, math.Pow(10, e))
		}
		return ticks
	}
	step := a.step()
	for k := math.Ceil(a.low / step); k*step <= a.high; k++ {
		ticks = append(ticks, k*step)
	}
	return ticks
}

// step is 1, 2 or 5 times a power of ten, so that three to seven fit.
func (a axis) step() float64 {
	third := (a.high - a.low) / 3
	step := math.Pow(10, math.Floor(math.Log10(third)))
	for _, k := range []float64{5, 2} {
		if k*step <= third {
			return k * step
		}
	}
	return step
}

func (a axis) label(v float64) string {
	if a.unit == "" {
		if v == 0 {
			return "0"
		}
		for _, u := range []struct {
			name string
			size float64
		}{{"s", 1}, {"ms", 1e-3}, {"µs", 1e-6}, {"ns", 1e-9}} {
			if v >= u.size*0.9995 || u.size == 1e-9 {
				return fmt.Sprintf("%.4g %s", v/u.size, u.name)
			}
		}
	}
	decimals := max(0, int(-math.Floor(math.Log10(a.step())+1e-9)))
	return strings.Replace(fmt.Sprintf("%.*f %s", decimals, v, a.unit), "-", "−", 1)
}

// tick is a moment on the time axis.
type tick struct {
	at    time.Time
	label string
}

// timeTicks are at most ten round moments: of the day if the span is short, else of the calendar.
func timeTicks(from, to time.Time) (ticks []tick) {
	const most = 10
	from, to = from.UTC(), to.UTC()
	span := to.Sub(from)
	for _, step := range []time.Duration{time.Second, 10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute,
		time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour} {
		if span/step >= most {
			continue
		}
		for t := from.Truncate(step); !t.After(to); t = t.Add(step) {
			label := t.Format("15:04")
			switch {
			case t.Equal(t.Truncate(24 * time.Hour)):
				label = t.Format("2 Jan")
			case step < time.Minute:
				label = t.Format("15:04:05")
			}
			if !t.Before(from) {
				ticks = append(ticks, tick{t, label})
			}
		}
		return ticks
	}
	days, months, layout := 0, 120, "2006"
	for _, s := range []struct{ days, months int }{{1, 0}, {2, 0}, {7, 0}, {14, 0}, {0, 1}, {0, 3}, {0, 12}} {
		if span/(time.Duration(s.days+30*s.months)*24*time.Hour) < most {
			days, months, layout = s.days, s.months, "2 Jan"
			if s.months > 0 {
				layout = "Jan 2006"
			}
			break
		}
	}
	t := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, time.UTC)
	if months > 0 {
		t = time.Date(from.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	}
	for ; !t.After(to); t = t.AddDate(0, months, days) {
		if !t.Before(from) {
			ticks = append(ticks, tick{t, t.Format(layout)})
		}
	}
	return ticks
}
