package stability

import "time"

// timeAxis runs from one time to another, in POSIX nanoseconds.
type timeAxis struct{ first, last int64 }

func (a timeAxis) at(ns int64) float64 {
	if a.last <= a.first {
		return frameLeft
	}
	return frameLeft + (float64(ns)-float64(a.first))/(float64(a.last)-float64(a.first))*(frameRight-frameLeft)
}

// tick is a moment that is labelled: its time of day or its date.
type tick struct {
	ns    int64
	label string
}

// ticks are at most ten round moments: of the clock if they are less than a day apart, else of the calendar.
func (a timeAxis) ticks() []tick {
	const most = 10
	if a.last < a.first {
		return nil
	}
	length := time.Duration(min(uint64(a.last)-uint64(a.first), 1<<62))
	for _, step := range []time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, time.Second,
		5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour,
		6 * time.Hour, 12 * time.Hour} {
		if length/step < most {
			return a.clockTicks(step)
		}
	}
	for _, days := range []int{1, 2, 5, 7, 14} {
		if length/(time.Duration(days)*24*time.Hour) < most {
			return a.calendarTicks(0, days, "2 Jan")
		}
	}
	for _, months := range []int{1, 2, 3, 6, 12, 24, 60, 120} {
		if length/(time.Duration(months)*30*24*time.Hour) < most {
			return a.calendarTicks(months, 0, "Jan 2006")
		}
	}
	return a.calendarTicks(600, 0, "2006")
}

func (a timeAxis) clockTicks(step time.Duration) []tick {
	layout := "15:04"
	switch {
	case step < time.Second:
		layout = "05.000"
	case step < time.Minute:
		layout = "15:04:05"
	}
	var ticks []tick
	// Days are whole multiples of every step, so that the remainder of the count is that of the day.
	past := a.first % int64(step)
	if past < 0 {
		past += int64(step)
	}
	// Counted from first, so that no sum passes the end of the count.
	length := uint64(a.last) - uint64(a.first)
	for after := uint64((int64(step) - past) % int64(step)); after <= length; after += uint64(step) {
		ns := a.first + int64(after)
		at := time.Unix(0, ns).UTC()
		label := at.Format(layout)
		if at.Equal(at.Truncate(24 * time.Hour)) {
			label = at.Format("2 Jan")
		}
		ticks = append(ticks, tick{ns, label})
	}
	return ticks
}

func (a timeAxis) calendarTicks(months, days int, layout string) []tick {
	start := time.Unix(0, a.first).UTC()
	var at time.Time
	if months == 0 {
		at = time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, time.UTC)
	} else {
		month := (int(start.Month()) - 1) / months * months // 0 for a year or more
		at = time.Date(start.Year(), time.Month(1+month), 1, 0, 0, 0, 0, time.UTC)
	}
	var ticks []tick
	// The count of nanoseconds ends in 2262.
	for ; at.Year() < 2262 && at.UnixNano() <= a.last; at = at.AddDate(0, months, days) {
		if ns := at.UnixNano(); ns >= a.first {
			ticks = append(ticks, tick{ns, at.Format(layout)})
		}
	}
	return ticks
}

func (d *drawing) timeTicks(a timeAxis) {
	for _, t := range a.ticks() {
		at := a.at(t.ns)
		d.line(at, frameTop, at, frameBottom, hairline, 1)
		d.text(min(max(at, frameLeft+10), frameRight-10), frameBottom+axisTextGap, "middle", quietInk, t.label)
	}
}
