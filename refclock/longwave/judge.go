package longwave

import (
	"math"
	"slices"
	"time"
)

// recent sums what the last seconds said.
func (t *track) recent(count int) (agreement, pulse float64) {
	for n := max(t.next-count, 0); n < t.next; n++ {
		agreement += t.last[n%len(t.last)].agreement
		pulse += t.last[n%len(t.last)].pulse
	}
	return
}

// look compares the pulses' strength at the held phase with that at any other one, over the last half minute, in units of
// what it is when the signal is heard.
func (t *track) look() {
	var level [binsASecond]float64
	mean := 0.0
	for f := range level {
		if t.weight[f] > 0.5 {
			level[f] = t.level[f] / t.weight[f]
		}
		mean += level[f] / binsASecond
	}
	here, there, off := math.Inf(-1), math.Inf(-1), 0
	for f := range level {
		m := 0.0
		for o, x := range t.template {
			m += x * (level[(f+o)%binsASecond] - mean)
		}
		if f <= 5 || f >= binsASecond-5 {
			if m > here {
				here, off = m, min(f, binsASecond-f)
			}
		} else if f > 8 && f < binsASecond-8 {
			there = max(there, m)
		}
	}
	if t.strength == 0 || !t.suspect && here > there && here > 0.5*t.strength {
		t.strength += (here - t.strength) / 20
		if t.strength < here && t.next < 120 {
			t.strength = here
		}
	}
	t.here = here / max(t.strength, 1e-3)
	excess := there - max(here, 0)
	t.elsewhere = excess / max(t.strength, 1e-3)
	// What noise alone does to a sum under the template; its neighbouring bins hang together.
	const together = 1.7
	scatter := 0.0
	for f := range level {
		d := level[f] - level[(f+1)%binsASecond]
		scatter += d * d / 2 / binsASecond
	}
	square := 0.0
	for _, x := range t.template {
		square += x * x
	}
	noise := 5 * together * math.Sqrt(scatter*square)
	if excess < noise {
		t.elsewhere = min(t.elsewhere, 0.05)
	}
	t.displaced = off > 1 && here > noise && t.here > 0.4
}

// judge decides whether the minute may be published.
func (t *track) judge(n int) {
	age := n - t.start
	if age == 0 {
		t.pending = true
	}
	agreement, _ := t.recent(60)
	if n%5 == 0 {
		t.look()
	}
	switch {
	case agreement < -8 && t.here > 0.4 || t.elsewhere > 0.4:
		if !t.suspect && !t.silent && (agreement < -15 || t.elsewhere > 0.4) {
			// What came before the samples were lost, if they were, is of no more use.
			t.d.since = max(t.d.since, t.d.history.end()-60*binsASecond)
		}
		t.doubt()
	case t.suspect && t.elsewhere < 0:
		// What was lost may have come to a whole minute.
		if agreement, pulse := t.recent(120); agreement > 10 && pulse > 5 && t.minutes[0] > slices.Max(t.minutes[1:])+minuteSure {
			t.suspect = false
		}
	}
	if !t.pending || age < publishAfter || t.silent {
		return
	}
	recent, beat := t.recent(age + 10)
	enough := 6.0
	if t.displaced {
		// Pulses that are cut short agree with every 0. Some ms of samples were lost, and who knows how many seconds with them.
		if enough = max(enough, 0.7*t.usual); t.published == 0 {
			enough = math.Inf(1)
		}
	}
	switch {
	case t.suspect:
	case recent > enough && beat > 6 && t.elsewhere < 0.1 && t.minuteAgrees():
		t.pending = false
		t.good = n
		t.published++
		t.usual += (recent - t.usual) / min(float64(t.published), 4)
		t.publish(Locked, math.Min(t.odds+recent/math.Ln10, 12))
	case t.displaced && recent <= enough:
	case age >= publishBefore && recent > -3 && t.elsewhere < 0.3:
		t.pending = false
		wrong := math.Pow(10, -t.odds) + dislocation*float64(n-t.good) + math.Erfc(0.5*binsASecond/(t.uncertainty(n)*math.Sqrt2))
		t.publish(Coasting, -math.Log10(wrong))
	}
}

// minuteAgrees: the seconds that tell the minute tell no other one.
func (t *track) minuteAgrees() bool {
	p := t.d.plan
	held, other := 0.0, math.Inf(-1)
	for k, i := range p.minute {
		if i < t.next-t.start {
			held += t.e[i].of[t.symbols[p.minute[k]]]
		}
	}
	for v := range 60 {
		x := 0.0
		for k, i := range p.minute {
			if i < t.next-t.start {
				x += t.e[i].of[p.byMinute[v][k]]
			}
		}
		other = math.Max(other, x)
	}
	return held > other-5
}

// followChange begins or ends summer time, before the first telegram that tells it: by the rule, unless what was announced in
// the hour before is clearly against it.
func (t *track) followChange() {
	p := t.d.plan
	told := t.minute + int64(p.code.LeadMinutes)
	t.wasContrary = t.contrary
	switch _, ruled := slices.BinarySearch(p.changes, told); {
	case p.changeBit > 0 && ruled && t.change < -believedAgainstRule,
		!ruled && told%60 == 0 && t.change > believedAgainstRule:
		t.zone, t.contrary = 0, !t.contrary
	case ruled:
		t.zone, t.contrary = 0, false
	}
}

// uncertainty is the 1σ of the phase at a second, in bins.
func (t *track) uncertainty(n int) float64 {
	ahead := 0.0
	if len(t.points) > 0 {
		ahead = math.Max(0, float64(n)-t.points[len(t.points)-1].n)
	}
	const wander = 1e-6 // of the sample clock, relative
	drift := (t.slope + wander) * ahead * binsASecond
	return math.Sqrt(t.sigma*t.sigma + drift*drift)
}

func (t *track) publish(state State, confidence float64) {
	t.publishMinute(t.start, t.minute, state, confidence)
}

func (t *track) publishMinute(start int, minute int64, state State, confidence float64) {
	at := time.Unix(minute*60, 0).UTC()
	p := t.d.plan
	t.confidence = confidence
	t.d.publish(Minute{
		Bin: t.at(start), UTC: at, Decided: t.d.history.end(), Confidence: confidence,
		Summer: p.code.told(at) != t.wasContrary, Change: t.change > believed, Leap: t.leap > believed, Call: t.call > called, State: state,
	})
}
