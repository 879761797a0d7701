package discipline

import "math"

const (
	// jumpAfter is how many samples in a row must be refused before the source is taken to have jumped.
	jumpAfter = 30
	// returnAfter is how many samples in a row must agree with the holdover before an estranged source is heard again.
	returnAfter = 30
	// alike is within how many standard deviations of the holdover it must be to agree with it, and tellApart how many the
	// oscillator would have had to wander if the source had stayed where it was: later nothing but another source, or a
	// person, can say that it is right again.
	alike, tellApart = 3, 5
	// steadyAfter is how many samples of a source whose rate seemed to break must agree with the holdover, and relapse how many
	// of them one that does not is worth: it is heard again then, for there was no break. One that disagreed jumpAfter times in
	// a row has left.
	steadyAfter, relapse = 600, 20
	// calmWander is the random walk FM, in 1/√s, that an oscillator may always show without being called broken.
	calmWander = 1e-8
	// breakPrior is how large a break is thought to be, 1σ, and breakLeast the least that counts.
	breakPrior, breakLeast = 2e-6, 1e-7
	// breakEvidence is how much likelier a break must be than none, as a natural logarithm. Were the models exact, false
	// alarms would be rarer than e^-breakEvidence for each rival (Ville's inequality).
	breakEvidence = 16
	// breakWidth is how many times the scatter of its samples the source must have moved: less may be a delay that wanders.
	breakWidth = 4
	// rivals is how many breaks are considered at a time, each begun at another moment.
	rivals = 10
)

// run follows a source's outliers.
type run struct {
	length    int
	positive  int
	estranged Verdict
	agreeing  int
	// steady counts the agreeing samples since a break, strange those in a row that disagreed; left is set once they were many.
	steady, strange int
	left            bool
	away            float64 // the farthest the source was since it is estranged, in s, with its sign
	// sizes are those of the last outliers in the run, in s.
	sizes [jumpAfter]float64
}

// judge says whether a sample is regular, and reports a jump when so many in a row lie on one side that they are no
// outliers.
func (r *run) judge(v *voice, innovation, p, half float64) Verdict {
	if r.estranged != Accepted {
		if !r.returned(innovation, p, v.law.variance()+half*half/3) {
			return r.estranged
		}
		*r = run{}
	}
	if v.law.outlying(innovation, p, half) < 0.5 {
		r.length, r.positive = 0, 0
		return Accepted
	}
	r.sizes[r.length%jumpAfter] = math.Abs(innovation)
	r.length++
	if innovation > 0 {
		r.positive++
	}
	if r.length < jumpAfter {
		return Refused
	}
	if v.samples <= openingLength {
		return Refused
	}
	if r.positive == r.length || r.positive == 0 {
		r.estranged = Jumped
		return Jumped
	}
	if few := r.length / 8; r.positive > few && r.positive < r.length-few {
		// They lie to both sides: it is the scatter that has grown.
		v.law = firstLaw(median(r.sizes[:]) / 0.6745)
		r.length, r.positive = 0, 0
	}
	return Refused
}

// returned tells whether an estranged source is back, by its innovation against a holdover of variance p.
func (r *run) returned(innovation, p, scatter float64) bool {
	if math.Abs(innovation) > math.Abs(r.away) {
		r.away = innovation
	}
	if innovation*innovation > alike*alike*(p+scatter) {
		r.agreeing, r.steady = 0, max(r.steady-relapse, 0)
		r.strange++
		r.left = r.left || r.strange >= jumpAfter
		return false
	}
	r.steady, r.strange = r.steady+1, 0
	back := r.away - innovation
	if r.agreeing++; back*back < tellApart*tellApart*(p+scatter/returnAfter) {
		r.agreeing = 0
	}
	return r.agreeing >= returnAfter || r.estranged == Broke && !r.left && r.steady >= steadyAfter
}

// share is how much may be learned from this sample: many outliers in a row are something else than noise.
func (r *run) share() float64 {
	if r.length < 2 {
		return 1
	}
	return 1 / float64(r.length*r.length)
}

// watch looks for a break in rate. It holds how well the bank foretells the samples against rivals, each of which thinks
// that the rate broke at the moment the rival was begun.
type watch struct {
	// calm is a filter that follows soon whatever an oscillator may do.
	calm   member
	rivals []rival
}

// rival is a filter to which the rate was unknown when it began, from a state of the bank that is kept.
type rival struct {
	member
	// How much better it foretold the samples since than the bank and the calm filter did, as natural logarithms.
	overBank, overCalm float64
	raw, tai           int64
	rate               float64 // of the bank when it began
	bank               []member
}

// begin starts the watch at a state of the bank.
func (w *watch) begin(c moments) {
	*w = watch{calm: member{q: calmWander * calmWander, x: c.x, y: c.y, pxx: c.pxx, pxy: c.pxy, pyy: c.pyy}}
}

func (w *watch) advance(s *step) {
	w.calm.advance(s)
	for i := range w.rivals {
		w.rivals[i].advance(s)
	}
}

// rebase counts the phases from x seconds later.
func (w *watch) rebase(x float64) {
	w.calm.x -= x
	for i := range w.rivals {
		w.rivals[i].x -= x
	}
}

// observe takes a measurement that the bank foretold with the given density; near is the evidence around what it foretold.
func (w *watch) observe(l *law, near *expansion, density, z, late, half float64) {
	calm := math.Log(w.calm.weighed(l, near, z, late, half))
	bank := math.Log(density)
	for i := range w.rivals {
		m := &w.rivals[i]
		likely := math.Log(m.weighed(l, near, z, late, half))
		m.overBank += likely - bank
		m.overCalm += likely - calm
	}
}

// weighed gives the measurement to the member and tells how likely it was, roughly where that will do.
func (m *member) weighed(l *law, near *expansion, z, late, half float64) float64 {
	innovation, p := z-m.x-late*m.y, m.spread(late)
	density, score, information, ok := near.at(innovation, p, 1)
	if !ok {
		density, score, information = l.evidence(innovation, p, half)
	}
	m.observe(late, score, information)
	return density
}

// broken tells whether the rate of the source broke, and how far the source has moved since, in s, ahead positive; the
// filter is then taken back to before it.
func (f *Filter) broken(v *voice) (moved float64, is bool) {
	w := &f.watch
	if !f.Settled() {
		return 0, false
	}
	for i := range w.rivals {
		r := &w.rivals[i]
		change := r.y - w.rivals[0].rate
		moved := change * seconds(f.raw-r.raw)
		if min(r.overBank, r.overCalm) > breakEvidence*v.colour.excess() && math.Abs(change) > breakLeast &&
			math.Abs(moved) > breakWidth*math.Sqrt(v.law.widest) {
			f.takeBack()
			return moved, true
		}
	}
	// A new rival replaces the oldest after a share of the time in which the frequency is found.
	n := len(w.rivals)
	if n > 0 && seconds(f.raw-w.rivals[n-1].raw) < math.Max(1.5, math.Sqrt(w.calm.pxx/w.calm.pyy)/4) {
		return 0, false
	}
	c := f.state
	fresh := rival{raw: f.raw, tai: f.tai, rate: c.y}
	fresh.member = member{q: calmWander * calmWander, x: c.x, y: c.y, pxx: c.pxx, pxy: c.pxy, pyy: c.pyy + breakPrior*breakPrior}
	if n < rivals {
		fresh.bank = append(fresh.bank, f.bank...)
		w.rivals = append(w.rivals, fresh)
		return 0, false
	}
	fresh.bank = append(w.rivals[0].bank[:0], f.bank...)
	copy(w.rivals, w.rivals[1:])
	w.rivals[n-1] = fresh
	return 0, false
}

// takeBack restores the oldest state that is kept.
func (f *Filter) takeBack() {
	r := f.watch.rivals[0]
	f.raw, f.tai, f.bank = r.raw, r.tai, r.bank
	f.state = combined(f.bank)
	f.reach = f.state.reach(f.bank)
	f.watch.begin(f.state)
	if f.trend.last.raw > f.raw && f.before != nil {
		f.trend = *f.before
	}
}
