package logbook

import "time"

// aggregateBlock is the content of a batch of aggregates.
type aggregateBlock struct {
	resolution Resolution
	// first and last are the batches of rows that were aggregated, all those of rows in between included.
	first, last int64
	buckets     []*bucket // by source and start
}

// encodeAggregates writes a block, source after source, so that one of them can be read without the others.
func encodeAggregates(b aggregateBlock) []byte {
	e := newEncoder()
	e.count(int(b.resolution))
	e.int(b.first)
	e.int(b.last - b.first)
	sections := bySource(b.buckets)
	e.count(len(sections))
	for _, section := range sections {
		s := &encoder{}
		s.count(len(section))
		var before aggregateState
		for _, a := range section {
			s.aggregate(&a.Aggregate, &before)
		}
		e.int(section[0].source)
		e.count(len(s.b))
		e.b = append(e.b, s.b...)
	}
	return e.b
}

func bySource(buckets []*bucket) (sections [][]*bucket) {
	for begin := 0; begin < len(buckets); {
		end := begin
		for end < len(buckets) && buckets[end].source == buckets[begin].source {
			end++
		}
		sections = append(sections, buckets[begin:end])
		begin = end
	}
	return sections
}

// aggregateState is the aggregate before, which the next is the difference from.
type aggregateState struct {
	start, tai, phase int64
	least             [len(figures)]int64
}

// fewRows is below what count the 5 % and 95 % quantiles by nearest rank are the extremes, so that they need no room.
const fewRows = 20

// The first byte of an aggregate.
const (
	aggregateInLeap = 1 << iota
	aggregatePhase
)

func (e *encoder) aggregate(a *Aggregate, before *aggregateState) {
	start, tai := a.Start.Unix(), int64(a.TAIMinusUTC)
	e.bits(a.InLeap, a.PhaseSeconds.Valid)
	e.int((start - before.start) / 60)
	e.int(tai - before.tai)
	before.start, before.tai = start, tai
	e.int(a.Rows)
	e.int(a.SelectedRows)
	e.count(len(a.States))
	for i, s := range a.States {
		e.word(s.State)
		if i > 0 { // the first has what the others leave
			e.int(s.Rows)
		}
	}
	if a.PhaseSeconds.Valid {
		phase := figures[figPhase].nearest(a.PhaseSeconds.V)
		e.int(phase - before.phase)
		e.int(int64(a.PhaseTime.Sub(a.Start)))
		before.phase = phase
	}
	var present, varied, partial uint64
	for i := range figures {
		if s := figures[i].in(&a.Figures); s != nil && s.Count > 0 {
			present |= 1 << i
			if s.Min != s.Max {
				varied |= 1 << i
			}
			if s.Count != a.Rows {
				partial |= 1 << i
			}
		}
	}
	e.uint(present)
	e.uint(varied)
	e.uint(partial)
	for i := range figures {
		if present&(1<<i) != 0 {
			e.summary(&figures[i], figures[i].in(&a.Figures), a.Rows, &before.least[i])
		}
	}
}

// in gives the summary of the figure, or nil for what is not aggregated.
func (f *figure) in(all *Figures) *Summary {
	if f.summary == nil {
		return nil
	}
	return f.summary(all)
}

func (e *encoder) summary(f *figure, s *Summary, rows int64, before *int64) {
	least := f.nearest(s.Min)
	e.int(least - *before)
	*before = least
	if s.Count != rows {
		e.int(s.Count)
	}
	if s.Min == s.Max {
		return
	}
	middle, most := f.nearest(s.P50), f.nearest(s.Max)
	e.uint(uint64(middle - least))
	e.uint(uint64(most - middle))
	e.int(f.nearest(s.Mean) - middle)
	if s.Count >= fewRows {
		e.uint(uint64(f.nearest(s.P05) - least))
		e.uint(uint64(most - f.nearest(s.P95)))
	}
}

// decodeBlock reads what a block is about.
func decodeBlock(d *decoder) aggregateBlock {
	b := aggregateBlock{resolution: Resolution(d.uint()), first: d.int()}
	b.last = b.first + d.int()
	if b.resolution != Minute && b.resolution != Hour {
		d.fail()
	}
	return b
}

// aggregates calls f for each aggregate in content; wanted says which sources matter. The aggregate is f's to keep.
func (rr *rowReader) aggregates(content []byte, wanted func(sourceKey) bool, f func(*Aggregate)) error {
	d := decode(content)
	block := decodeBlock(d)
	for range d.count() {
		number, size := d.int(), d.count()
		s, err := rr.source(number)
		if err != nil {
			return err
		}
		section := decoder{b: d.b[:size], names: rr.names}
		d.b = d.b[size:]
		if !wanted(s.key) {
			continue
		}
		var before aggregateState
		for range section.count() {
			a := section.aggregate(&before)
			a.Resolution, a.Source, a.Driver, a.Receiver = block.resolution, s.key.name, s.key.driver, s.key.receiver
			if section.bad {
				return malformed
			}
			f(a)
		}
		if err := section.done(); err != nil {
			return err
		}
		rr.names = section.names
	}
	return d.done()
}

func (d *decoder) aggregate(before *aggregateState) *Aggregate {
	bits := d.uint()
	before.start += d.int() * 60
	before.tai += d.int()
	a := &Aggregate{InLeap: bits&aggregateInLeap != 0, Start: time.Unix(before.start, 0).UTC(),
		TAIMinusUTC: int32(before.tai), Rows: d.int(), SelectedRows: d.int()}
	rest := a.Rows
	for i := range d.count() {
		s := StateRows{State: d.word()}
		if i > 0 {
			s.Rows = d.int()
			rest -= s.Rows
		}
		a.States = append(a.States, s)
	}
	if len(a.States) > 0 {
		a.States[0].Rows = rest
	}
	if bits&aggregatePhase != 0 {
		before.phase += d.int()
		a.PhaseSeconds = some(figures[figPhase].value(before.phase))
		a.PhaseTime = a.Start.Add(time.Duration(d.int()))
	}
	present, varied, partial := d.uint(), d.uint(), d.uint()
	for i := range figures {
		if present&(1<<i) == 0 {
			continue
		}
		s := figures[i].in(&a.Figures)
		if s == nil {
			d.fail()
			return a
		}
		d.summary(&figures[i], s, varied&(1<<i) != 0, partial&(1<<i) != 0, a.Rows, &before.least[i])
	}
	if present&^knownFigures != 0 {
		d.fail()
	}
	return a
}

func (d *decoder) summary(f *figure, s *Summary, varied, partial bool, rows int64, before *int64) {
	*before += d.int()
	least, middle, most, mean := *before, *before, *before, *before
	if s.Count = rows; partial {
		s.Count = d.int()
	}
	low, high := least, most
	if varied {
		middle += int64(d.uint())
		most = middle + int64(d.uint())
		mean = middle + d.int()
		if low, high = least, most; s.Count >= fewRows {
			low += int64(d.uint())
			high -= int64(d.uint())
		}
	}
	s.Min, s.Max, s.Mean = f.value(least), f.value(most), f.value(mean)
	s.P05, s.P50, s.P95 = f.value(low), f.value(middle), f.value(high)
}
