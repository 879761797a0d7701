package longwave

import (
	"math"
	"slices"
	"time"
)

// Limits of the track.
const (
	// publishAfter is how many seconds of a minute must have been heard before it is published: long enough to notice that
	// samples were lost just before.
	publishAfter = 31
	// publishBefore is when a minute is published as coasting, or not at all.
	publishBefore = 57
	// coastSeconds is how long a time is held without any signal.
	coastSeconds = 4 * 3600
	// believed is the log odds at which an announcement is followed: of a leap second, of a change of summer time.
	believed = 3
	// called is the log odds at which a call for service is told.
	called = 1
	// believedAgainstRule is the same for a change of summer time that the rule does not know, or its absence.
	believedAgainstRule = 7
	// keepQuality is how many minutes' quality is kept.
	keepQuality = 60
	// dislocation is the assumed rate, a second, at which the sample clock jumps unnoticed while nothing is heard.
	dislocation = 1e-6
	// reach is how far around its place the pulse is looked for, in bins.
	reach = 20
	// jitterNoise is how well a minute's phase is known at best, in bins.
	jitterNoise = 0.2
	// minuteSure is how much likelier than any other the minute must be for a doubted time to be used again, in nats.
	minuteSure = 4
	// keepPoints is how many minutes the phase is fitted over.
	keepPoints = 24
)

// heard is what one second said.
type heard struct {
	agreement float64 // log likelihood of the predicted symbol
	pulse     float64 // that there is a pulse at all
}

// point is where a minute's pulses were found.
type point struct {
	n, bin, sigma float64
}

// track follows a time once found.
type track struct {
	d        *Decoder
	channel  *channel
	inverted bool
	grid             // of seconds counted from the acquisition window's beginning
	slope    float64 // 1σ of the period, relative
	sigma    float64 // 1σ of the phase at the last point, in bins
	next     int     // second to be heard
	contrary bool
	// wasContrary is the same for the time at which the minute begins, which the telegram before told.
	wasContrary bool
	// The minute being heard.
	start   int   // its second 0
	minute  int64 // UTC
	symbols []Symbol
	e       [61]evidence
	// The last seconds, newest at next-1.
	last          [128]heard
	level, weight [binsASecond]float64 // of the last half minute, by phase in the second
	template      []float64
	// strength is that of the pulses when they are heard; here is what it is now, of that, and elsewhere how much stronger
	// some other phase is.
	strength, here, elsewhere float64
	displaced                 bool                 // there are pulses now, 20 to 50 ms off the held phase
	profile                   [2*reach + 1]float64 // of the minute's pulses
	points                    []point
	pending                   bool
	published                 int     // minutes, as locked
	usual                     float64 // agreement at these
	odds                      float64 // log10, of the acquisition
	zone                      float64 // evidence for summer time being as predicted
	leap                      float64 // evidence for an announced leap second
	change                    float64 // evidence for an announced change of summer time
	good                      int     // last second at which a minute was published as locked
	suspect                   bool
	minutes                   [60]float64 // evidence since it became so, for each number of minutes that the time may be off by
	silent                    bool        // catching up: nothing is published
	quality                   []float64   // of the last minutes
	confidence                float64     // as last published
	learned                   int
	call                      float64 // evidence for the transmitter's call for service
}

func newTrack(d *Decoder, a *acquisition) *track {
	t := &track{d: d, channel: a.channel, inverted: a.inverted, grid: a.grid, contrary: a.contrary, wasContrary: a.contrary,
		odds: a.odds / math.Ln10, start: a.phase - 60, minute: a.minute, slope: 2 / (a.period * float64(len(a.evidence))), sigma: 1}
	template := d.plan.code.template(t.channel.stretch)
	for o, x := range template {
		if x > 0 {
			t.template = append(t.template, make([]float64, o+1-len(t.template))...)
			t.template[o] = x
		}
	}
	t.begin()
	t.silent = true
	t.channel.strict = true
	t.good = len(a.evidence)
	for t.next < len(a.evidence) {
		t.hear()
	}
	t.silent = false
	t.learn()
	if a.refused == "" {
		t.good = t.next
		t.publishFirst()
		return t
	}
	// The signal faded before the end of the window.
	t.good = 0
	for n := freshSeconds; n <= t.next; n++ {
		agreement := 0.0
		for _, e := range a.evidence[n-freshSeconds : n] {
			agreement += e.beat()
		}
		if agreement > 4 {
			t.good = n
		}
	}
	t.pending = true
	return t
}

// publishFirst publishes the last minute around whose beginning the signal agrees.
func (t *track) publishFirst() {
	const before, after = 5, 20 // seconds
	start, minute := t.start, t.minute
	for t.next-start < after {
		start, minute = start-60, minute-1
	}
	if t.next-start > len(t.last)-before || start < before {
		return
	}
	var agreement, pulse float64
	for n := start - before; n < start+after; n++ {
		agreement += t.last[n%len(t.last)].agreement
		pulse += t.last[n%len(t.last)].pulse
	}
	if agreement < 3 || pulse < 3 || t.elsewhere > 0.1 || t.displaced {
		return
	}
	t.pending = start != t.start
	t.confidence = t.odds
	t.publishMinute(start, minute, Locked, t.odds)
}

// begin prepares for the minute that begins at start.
func (t *track) begin() {
	symbols := t.d.plan.encode(t.minute, t.contrary)
	t.symbols = append(t.symbols[:0], symbols[:]...)
	for i := range t.e {
		t.e[i] = evidence{}
	}
}

// advance hears every second that is complete.
func (t *track) advance() {
	for t.at(t.next)+1.5*binsASecond <= float64(t.d.history.end()) {
		t.hear()
	}
}

// hear takes the evidence of the next second.
func (t *track) hear() {
	n := t.next
	for n >= t.start+len(t.symbols) {
		t.close()
	}
	t.next++
	if n < t.start {
		return
	}
	var s second
	t.channel.read(&t.d.history, t.at(n), t.inverted, &s)
	i := n - t.start
	e := &t.e[i]
	t.channel.weigh(&s, e)
	symbol := t.symbols[i]
	t.last[n%len(t.last)] = heard{agreement: e.given[symbol], pulse: e.beat()}
	t.correlate(&s, symbol)
	if i == t.d.plan.code.CallBit && i > 0 {
		t.call = clamp(t.call+e.of[t.d.plan.code.One]-e.of[t.d.plan.code.Zero], -3, 6)
	}
	if k := slices.Index(t.d.plan.minute, i); k >= 0 && len(t.symbols) == 60 {
		held := t.d.plan.civil(t.minute, t.contrary).Minute
		for v := range t.minutes {
			t.minutes[v] += e.of[t.d.plan.byMinute[(held+v)%60][k]]
		}
	}
	if i == t.d.plan.code.LeapBit && i > 0 {
		t.leap = clamp(t.leap+e.of[t.d.plan.code.One]-e.of[t.d.plan.code.Zero], -8, 30)
	}
	if i == t.d.plan.changeBit && i > 0 {
		t.change = clamp(t.change+e.of[t.d.plan.changeOne]-e.of[t.d.plan.changeZero], -15, 30)
	}
	t.judge(n)
}

// correlate adds a second to the profile of phases near by, and to that of all phases.
func (t *track) correlate(s *second, symbol Symbol) {
	if !s.known {
		return
	}
	c := t.channel
	tempered := &c.class[s.class].tempered
	var sums [2*binsASecond + 1]float64
	for o, v := range s.bins {
		x := 0.0
		if v != Unknown {
			x = clamp(tempered[v], -1, 1)
		}
		sums[o+1] = sums[o] + x
	}
	for f := range t.profile {
		at := margin + f - reach
		if int(symbol) < len(c.code.Shapes) {
			on := c.code.Shapes[symbol].On
			for _, part := range on {
				t.profile[f] += sums[at+part[1]/BinMilliseconds+c.stretch] - sums[at+part[0]/BinMilliseconds]
			}
		} else {
			t.profile[f] += sums[at+c.certain] - sums[at]
		}
	}
	const fade = 1 - 1.0/25
	for f := range t.level {
		t.level[f] *= fade
		t.weight[f] *= fade
		if v := s.bins[margin+f]; v != Unknown {
			t.level[f] += float64(v) / full
			t.weight[f]++
		}
	}
}

// close ends a minute: phase and model are refitted, and the next one begins.
func (t *track) close() {
	p := t.d.plan
	zone := 0.0
	for k, i := range p.summer {
		held := t.symbols[i]
		zone += t.e[i].of[held] - t.e[i].of[p.bySummer[0][k]] + t.e[i].of[held] - t.e[i].of[p.bySummer[1][k]]
	}
	t.zone = clamp(t.zone+zone, -20, 20)
	if t.zone < -12 {
		t.contrary, t.zone = !t.contrary, 0
	}
	quality, n := 0.0, 0.0
	for i, y := range t.symbols {
		if int(y) < len(p.code.Shapes) {
			quality += p.code.right(&t.e[i], y)
			n++
		}
	}
	// Guessing is right half of the time.
	t.quality = append(t.quality, clamp(2*quality/n-1, 0, 1))
	if len(t.quality) > keepQuality {
		t.quality = t.quality[1:]
	}
	for v := range t.minutes {
		t.minutes[v] *= 0.7
	}
	t.fit()
	t.profile = [2*reach + 1]float64{}
	t.start += len(t.symbols)
	t.minute++
	t.followChange()
	begin := time.Unix(t.minute*60, 0).UTC()
	if begin.Minute() == 0 {
		t.change = 0
		if p.code.Announced <= time.Hour {
			t.leap = 0
		}
	}
	t.begin()
	end := begin.Add(time.Minute)
	if t.leap > believed && end.Day() == 1 && end.Hour() == 0 && end.Minute() == 0 {
		t.symbols = append(t.symbols, 0)
		copy(t.symbols[p.code.LeapAt+1:], t.symbols[p.code.LeapAt:])
		t.symbols[p.code.LeapAt] = p.code.LeapSymbol
	}
	if t.next-t.learned > 120 && !t.silent {
		t.learn()
	}
}

// learn refits the noise model to the last minutes.
func (t *track) learn() {
	t.learned = t.next
	sample := t.d.sample[:0]
	for n := max(0, t.next-240); n < t.next; n++ {
		sample = append(sample, second{})
		t.channel.read(&t.d.history, t.at(n), t.inverted, &sample[len(sample)-1])
	}
	t.d.sample = sample
	t.channel.learn(sample)
}

// fit takes where the minute's pulses were, and fits phase and period to the last minutes.
func (t *track) fit() {
	best := 0
	for f, x := range t.profile {
		if x > t.profile[best] {
			best = f
		}
	}
	mean := 0.0
	for _, x := range t.profile {
		mean += x / float64(len(t.profile))
	}
	if top := t.profile[best]; top-mean > 8 && top > 4 && best > 0 && best < 2*reach {
		left, right := t.profile[best-1], t.profile[best+1]
		offset := float64(best - reach)
		if side := top - math.Min(left, right); side > 0 {
			offset += clamp((right-left)/(2*side), -0.5, 0.5)
		}
		n := float64(t.start) + float64(len(t.symbols))/2
		// The sharper the peak, the better its place is known.
		curvature := math.Max(2*top-left-right, 0.05)
		t.points = append(t.points, point{n, t.at(0) + n*t.period + offset, jitterNoise + 1/math.Sqrt(curvature)})
	}
	for len(t.points) > keepPoints {
		t.points = t.points[1:]
	}
	if len(t.points) < 2 {
		return
	}
	// A line through the points; the period from the acquisition counts as far as it is known.
	last := t.points[len(t.points)-1].n
	var w, x, y, xx, xy float64
	for _, p := range t.points {
		u := 1 / (p.sigma * p.sigma)
		dx, dy := p.n-last, p.bin-(t.origin+p.n*t.period)
		w, x, y, xx, xy = w+u, x+u*dx, y+u*dy, xx+u*dx*dx, xy+u*dx*dy
	}
	// In bins a second; a change of more than some ppm a minute is not expected.
	prior := math.Max(t.slope, 5e-6) * binsASecond
	xx += 1 / (prior * prior)
	det := w*xx - x*x
	if det <= 0 {
		return
	}
	phase, slope := (xx*y-x*xy)/det, (w*xy-x*y)/det
	at := t.origin + last*t.period + phase
	t.period += slope
	t.origin = at - last*t.period
	t.sigma = math.Sqrt(xx / det)
	t.slope = math.Sqrt(w/det) / binsASecond
}

// doubt stops publishing until the track has been confirmed.
func (t *track) doubt() {
	if !t.suspect {
		t.minutes = [60]float64{}
	}
	t.suspect = true
}

// healthy: the last minutes were heard.
func (t *track) healthy() bool { return !t.suspect && t.next-t.good < 150 }

// over: the time is no longer known.
func (t *track) over() bool {
	return t.next-t.good > coastSeconds || t.uncertainty(t.next) > 0.1*binsASecond
}

// agrees tells whether an acquisition means the same time.
func (t *track) agrees(a *acquisition) bool {
	bin := a.at(a.phase)
	n := math.Round((bin - t.origin) / t.period)
	if math.Abs(bin-t.at(int(n))) > 0.3*binsASecond {
		return false
	}
	return int64(n)-int64(t.start) == (a.hypothesis.start()-t.minute)*60
}

// confirmed takes over what a fresh acquisition found.
func (t *track) confirmed(a *acquisition) {
	t.suspect = false
	t.channel = a.channel
	t.channel.strict = true
	t.learn()
	t.odds = math.Max(t.odds, math.Min(a.odds/math.Ln10, 12))
}

func sameTime(a, b *acquisition) bool {
	x, y := a.at(a.phase), b.at(b.phase)
	minutes := float64(b.hypothesis.start() - a.hypothesis.start())
	return math.Abs(y-x-minutes*60*a.period) < 0.3*binsASecond
}
