package guard

import "math"

// clearly is how many times the other's rate change one source's must be for it to be named.
const clearly = 2.5

// attribute finds out, for each alarm, which of the two is wrong: the one whose own rate against the oscillator changed
// when the drift began, and the one that more of the others contradict. Where these do not agree, nobody is named.
func (d *Drift) attribute(sources []Tracked) {
	trusted := map[string]bool{}
	for _, t := range sources {
		trusted[t.Source] = t.CompareOnly
	}
	for i := range d.alarms {
		alarm := &d.alarms[i]
		if alarm.B == "" || alarm.began == 0 && alarm.Suspect != "" {
			continue
		}
		before := alarm.Suspect
		byRate, byCount := d.byRate(*alarm), ""
		switch a, b := d.count(alarm.A), d.count(alarm.B); {
		case a > b:
			byCount = alarm.A
		case b > a:
			byCount = alarm.B
		}
		alarm.Suspect = byRate
		if byRate == "" {
			alarm.Suspect = byCount
		} else if byCount != "" && byCount != byRate {
			alarm.Suspect = ""
		}
		if alarm.Suspect == "" && trusted[alarm.A] != trusted[alarm.B] {
			alarm.Suspect = alarm.A
			if trusted[alarm.A] {
				alarm.Suspect = alarm.B
			}
		}
		alarm.hesitate(before)
	}
}

// sure is for how many blocks in a row the same source must be named before it is said aloud.
const sure = 10

// hesitate keeps the suspect of before until the new one has been named for long enough.
func (a *DriftAlarm) hesitate(before string) {
	now := a.Suspect
	if now != a.next {
		a.next, a.named = now, 0
	}
	if a.named++; a.named < sure && now != before {
		a.Suspect = before
	}
}

// byRate names the source whose rate against the oscillator changed when the drift began, if that is plain. The quieter
// of the two tells how much its own rate changed; what the other one's did follows from the drift between them.
func (d *Drift) byRate(alarm DriftAlarm) string {
	if alarm.began == 0 {
		return ""
	}
	quiet, other, drift := alarm.A, alarm.B, alarm.Rate
	if d.noise(other) < d.noise(quiet) {
		quiet, other, drift = other, quiet, -drift
	}
	s := d.series[quiet]
	if s == nil {
		return ""
	}
	const most = 40 // blocks: over more, the oscillator's own changes count
	r := stretch(s.first, d.block-1, s.at)
	at := int(alarm.began - s.first)
	n := min(most, r.len()-at)
	// The rate is expected to go on changing as it did before: a room warms up and cools down steadily.
	before, earlier := r.slope(at-n, at), r.slope(at-2*n, at-n)
	change := (r.slope(at, at+n) - (2*before - earlier)) / blockSeconds
	mine, its := math.Abs(change), math.Abs(change-drift)
	switch {
	case n < rateWindow || at < 2*n:
		return ""
	case mine > clearly*its:
		return quiet
	case its > clearly*mine:
		return other
	}
	return ""
}

// noise is how much a source's blocks scatter, +∞ when it is not known.
func (d *Drift) noise(source string) float64 {
	if s := d.series[source]; s != nil && len(s.values) > 0 {
		if n := stretch(s.first, d.block-1, s.at).noise(4); !math.IsNaN(n) {
			return n
		}
	}
	return math.Inf(1)
}

// count is how many pair alarms a source is part of.
func (d *Drift) count(source string) (n int) {
	for _, a := range d.alarms {
		if a.B != "" && (a.A == source || a.B == source) {
			n++
		}
	}
	return n
}
