package guard

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"timestation/refclock"
)

const (
	// certain is how many standard deviations a drift must show: with the few windows the noise is learned from, the
	// tails are wider than a Gaussian's.
	certain = 8
	// steps is how many increments a drift must consist of, and uneven the share of the whole that one may have: a jump
	// is not a drift.
	steps  = 4
	uneven = 0.5
	// finest is the share of the stated limits below which a source's scatter is never taken to be: its limits say that
	// it may wander, and a good hour is no promise.
	finest = 1.0 / 200
	// calmBlocks is for how many blocks nothing may be seen of a drift for its alarm to end.
	calmBlocks = 60
	// rateWindow is the number of blocks a lone source's rate is taken over.
	rateWindow = 15
)

// The windows, in blocks, over which departures and slopes are looked for: short ones see a strong drift soon, long ones
// a weak one.
var (
	boundWindows = []int{1, 4, 16, widest}
	slopeWindows = []int{4, 8, 16, 32, widest}
)

const widest = 64

// DriftKind is how sure a drift alarm is.
type DriftKind string

const (
	// RateBreak: a lone source's rate against the oscillator changed by more than the oscillator is assumed to wander. It
	// cannot be told which of the two it was; one slower than that is not seen at all.
	RateBreak DriftKind = "rate-break"
	// Suspected: two sources part steadily, beyond noise, within their limits.
	Suspected DriftKind = "suspected"
	// Beyond: two sources are further apart than their stated limits together: one of them is wrong.
	Beyond DriftKind = "beyond-limits"
)

// DriftAlarm is one drift that has been seen. It goes into the state file as it is.
type DriftAlarm struct {
	Kind DriftKind `json:"kind"`
	// A and B are the two sources; B is empty for a RateBreak.
	A string `json:"a"`
	B string `json:"b,omitempty"`
	// Suspect is the one of them that left its own past, or that others contradict; empty when it cannot be told.
	Suspect string `json:"suspect,omitempty"`
	// Since is the station's time when the drift began, as far as it can be seen.
	Since refclock.UTC `json:"since"`
	// LevelSeconds was A − B before, DepartureSeconds how far that has moved since. Of a RateBreak there are none.
	LevelSeconds     float64 `json:"level_seconds"`
	DepartureSeconds float64 `json:"departure_seconds"`
	// Rate is how much A gains on B (or on the oscillator), in seconds per second.
	Rate float64 `json:"rate"`
	// LimitSeconds is what the stated limits of both allow.
	LimitSeconds float64 `json:"limit_seconds"`

	began int64  // block; 0 after a restart
	calm  int    // blocks without a sign of it
	next  string // whom the last blocks named, and how many of them
	named int
}

// Explain says the matter in one sentence.
func (a DriftAlarm) Explain() string {
	if a.Kind == RateBreak {
		return fmt.Sprintf("the rate of %s against the oscillator changed by %.3g ppm about %s; alone, it cannot be told which "+
			"of the two it was", a.A, a.Rate*1e6, a.Since)
	}
	text := fmt.Sprintf("%s and %s have drifted apart by %s since about %s", a.A, a.B, amount(math.Abs(a.DepartureSeconds)), a.Since)
	if a.Kind == Beyond {
		text += fmt.Sprintf(" and are further apart than their limits allow (%s)", amount(a.LimitSeconds))
	}
	if a.Suspect == "" {
		return text + "; it cannot be told which of them is wrong"
	}
	return text + "; " + a.Suspect + " is the one that left its course"
}

// Tracked is what the comparison must know of a source.
type Tracked struct {
	Source string
	// Receiver is the hardware: sources that share one are not compared, what leads one astray leads both.
	Receiver string
	// Systematic is the limit of the error its samples share.
	Systematic time.Duration
	// CompareOnly: a trusted reference. It is taken to be right where nothing else decides.
	CompareOnly bool
}

// Drift compares the rates of the sources with each other, where the oscillator does not come in, and with the
// oscillator, which tells whose rate has changed. A drift of all sources together, or of a lone one that is no faster
// than the oscillator may wander, cannot be seen by anybody. It is pure and for one goroutine.
type Drift struct {
	wander float64 // s/s
	series map[string]*series
	block  int64 // the last that was judged
	alarms []DriftAlarm
}

// NewDrift makes an empty comparison; wanderPPM is how far the oscillator's frequency is assumed to move unseen.
func NewDrift(wanderPPM float64) *Drift {
	return &Drift{wander: wanderPPM * 1e-6, series: map[string]*series{}}
}

// Add takes a sample: at the oscillator's count raw (ns) the source's TAI was ahead of that count by phase seconds, counted
// from any fixed origin that all sources share. frequency is how many seconds TAI gains on the oscillator in one of its
// seconds, 0 while unknown.
func (d *Drift) Add(source string, raw int64, phase, frequency float64) {
	if math.IsNaN(phase) || math.IsInf(phase, 0) {
		return
	}
	s := d.series[source]
	if s == nil {
		s = &series{}
		d.series[source] = s
	}
	s.add(raw, phase, frequency)
}

// Forget drops what is known of a source, alarms too: its time was corrected, or a person has dealt with it.
func (d *Drift) Forget(source string) {
	delete(d.series, source)
	d.alarms = slices.DeleteFunc(d.alarms, func(a DriftAlarm) bool { return a.A == source || a.B == source })
}

// Restart drops the phases but not the alarms: the oscillator's count has a hole, as after a suspend.
func (d *Drift) Restart() { clear(d.series) }

// Alarms gives what stands, oldest first. The state file keeps it.
func (d *Drift) Alarms() []DriftAlarm { return slices.Clone(d.alarms) }

// Restore takes back what Alarms gave before a restart.
func (d *Drift) Restore(alarms []DriftAlarm) {
	d.alarms = nil
	for _, a := range alarms {
		a.began, a.calm = 0, 0
		d.alarms = append(d.alarms, a)
	}
}

// Alone says in one sentence what cannot be seen because too few independent sources are heard; empty when two are, or
// none.
func (d *Drift) Alone(sources []Tracked) string {
	alone := ""
	for _, a := range sources {
		if !d.heard(a) {
			continue
		}
		for _, b := range sources {
			if independent(a, b) && d.heard(b) {
				return ""
			}
		}
		alone = cmp.Or(alone, a.Source)
	}
	if alone == "" {
		return ""
	}
	return fmt.Sprintf("%s is alone: a drift of up to %.3g ppm (%s an hour) cannot be told from the oscillator's own",
		alone, d.wander*1e6, amount(d.wander*3600))
}

// Compare judges the sources that are being heard. It is called with every publication and does its work once a minute;
// now is the station's time, raw the oscillator's count. An alarm about a source that is not among them stands as it is. It
// reports whether an alarm began, changed its kind or its suspect, or ended.
func (d *Drift) Compare(now refclock.UTC, raw int64, sources []Tracked) bool {
	block := blockOf(raw)
	if block <= d.block {
		return false
	}
	d.block = block
	for _, s := range d.series {
		s.closeUntil(block)
	}
	before := slices.Clone(d.alarms)
	for i, a := range sources {
		accompanied := false
		for j, b := range sources {
			if !independent(a, b) || !d.heard(a) || !d.heard(b) {
				continue
			}
			accompanied = true
			if i < j {
				d.comparePair(now, a, b)
			}
		}
		if !accompanied && d.heard(a) {
			d.compareAlone(now, a)
		}
	}
	d.attribute(sources)
	d.alarms = slices.DeleteFunc(d.alarms, func(a DriftAlarm) bool { return a.calm >= calmBlocks })
	return !slices.EqualFunc(d.alarms, before, func(a, b DriftAlarm) bool {
		return a.Kind == b.Kind && a.A == b.A && a.B == b.B && a.Suspect == b.Suspect
	})
}

func independent(a, b Tracked) bool {
	return a.Source != b.Source && (a.Receiver == "" || a.Receiver != b.Receiver)
}

// heard tells whether a source has a block that is not older than the widest window.
func (d *Drift) heard(t Tracked) bool {
	s := d.series[t.Source]
	return s != nil && len(s.values) > 0 && d.block-(s.first+int64(len(s.values))) < widest
}

// comparePair looks at the difference of two sources' phases, in which the oscillator cancels.
func (d *Drift) comparePair(now refclock.UTC, a, b Tracked) {
	sa, sb := d.series[a.Source], d.series[b.Source]
	first := max(sa.first, sb.first)
	if d.block-first < perEstimate {
		return
	}
	r := stretch(first, d.block-1, func(n int64) float64 { return sa.at(n) - sb.at(n) })
	limit := (a.Systematic + b.Systematic).Seconds()
	kind := DriftKind("")
	if parts(r, finest*limit) {
		kind = Suspected
	}
	if isBeyond(r, limit) {
		kind = Beyond
	}
	i := d.find(a.Source, b.Source)
	switch {
	case kind == "" && i < 0:
		return
	case i < 0:
		block, level, slope := r.onset()
		d.alarms = append(d.alarms, DriftAlarm{
			Kind: kind, A: a.Source, B: b.Source, Since: ago(now, r.len()-block),
			LevelSeconds: level, Rate: slope / blockSeconds, began: first + int64(block),
		})
		i = len(d.alarms) - 1
	}
	alarm := &d.alarms[i]
	alarm.LimitSeconds = limit
	if latest := r.mean(r.len()-4, r.len()); !math.IsNaN(latest) {
		sign := 1.0
		if alarm.A != a.Source {
			sign = -1
		}
		alarm.DepartureSeconds = sign*latest - alarm.LevelSeconds
		alarm.calm++
	}
	if kind != "" {
		alarm.calm = 0
	}
	if kind == Beyond {
		alarm.Kind = Beyond
	}
}

// isBeyond tells whether the sources are further apart than limit, beyond doubt.
func isBeyond(r record, limit float64) bool {
	for _, m := range boundWindows {
		excess := math.Abs(r.mean(r.len()-m, r.len())) - limit
		if excess > 0 && excess > certain*max(r.noise(m), 1e-9) {
			return true
		}
	}
	return false
}

// parts tells whether the difference grows steadily and by more than its own wander explains: r's noise is taken as that
// of a random walk, which is the worst that it can be. floor is the least noise assumed, in seconds.
func parts(r record, floor float64) bool {
	for _, m := range slopeWindows {
		var means [steps + 1]float64
		for k := range means {
			end := r.len() - (steps-k)*m
			means[k] = r.mean(end-m, end)
		}
		whole := means[steps] - means[0]
		even := true
		for k := range steps {
			share := (means[k+1] - means[k]) / whole
			even = even && share > 0 && share < uneven
		}
		// Of a random walk that shows the noise n, means m blocks apart differ by √6 n.
		if even && math.Abs(whole) > certain*math.Sqrt(6*steps)*max(r.noise(m), floor, 1e-9) {
			return true
		}
	}
	return false
}

// compareAlone looks for a break in the rate of a source against the oscillator.
func (d *Drift) compareAlone(now refclock.UTC, a Tracked) {
	const m = rateWindow
	s := d.series[a.Source]
	r := stretch(s.first, d.block-1, s.at)
	end := r.len()
	rate := r.mean(end-m, end) - r.mean(end-2*m, end-m)
	past := r.mean(end-4*m, end-3*m) - r.mean(end-5*m, end-4*m)
	change := (rate - past) / (m * blockSeconds)
	// Windows that were half silent have their middle elsewhere: the rate itself would look like a change.
	whole := r.heard(end-5*m, end) >= 0.9
	broke := whole && math.Abs(change) > d.wander+certain*2*r.noise(m)/(m*blockSeconds)
	i := d.find(a.Source, "")
	switch {
	case i < 0 && !broke:
		return
	case i < 0:
		d.alarms = append(d.alarms, DriftAlarm{Kind: RateBreak, A: a.Source, Since: ago(now, 2*m), Rate: change})
		return
	}
	alarm := &d.alarms[i]
	if alarm.calm++; broke {
		alarm.calm = 0
		if math.Abs(change) > math.Abs(alarm.Rate) {
			alarm.Rate = change // the windows have come to lie wholly before and after it
		}
	}
}

func (d *Drift) find(a, b string) int {
	return slices.IndexFunc(d.alarms, func(x DriftAlarm) bool { return x.A == a && x.B == b || x.A == b && x.B == a })
}

// ago is the time some blocks before now.
func ago(now refclock.UTC, blocks int) refclock.UTC {
	if now != (refclock.UTC{}) {
		now.Seconds -= int64(blocks) * blockSeconds
		now.InLeap = false
	}
	return now
}
