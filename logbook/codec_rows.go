package logbook

// knownFigures are the presence bits that mean something to this program.
const knownFigures = 1<<len(figures) - 1

// The first byte of a row.
const (
	rowSameMoment = 1 << iota // as the row before
	rowSelectedKnown
	rowSelected
	rowLeap
)

// encodeRows writes rows; numbers gives each its source's. Every figure is the difference from the last row of the same
// source.
func encodeRows(rows []Row, numbers []int64) []byte {
	e := newEncoder()
	e.count(len(rows))
	var last Moment
	before := map[int64]*[len(figures)]int64{}
	for i := range rows {
		r := &rows[i]
		same := i > 0 && r.Moment == last
		e.bits(same, r.Selected.Valid, r.Selected.V, r.Leap != "")
		if !same {
			e.moment(r.Moment, last)
			last = r.Moment
		}
		e.int(numbers[i])
		e.word(r.State)
		if r.Leap != "" {
			e.word(r.Leap)
		}
		previous := before[numbers[i]]
		if previous == nil {
			previous = new([len(figures)]int64)
			before[numbers[i]] = previous
		}
		e.figures(r, previous)
	}
	return e.b
}

func (e *encoder) figures(r *Row, previous *[len(figures)]int64) {
	var steps [len(figures)]int64
	present := uint64(0)
	for i := range figures {
		if v, ok := figures[i].of(r); ok {
			steps[i] = v
			present |= 1 << i
		}
	}
	e.uint(present)
	for i := range figures {
		if present&(1<<i) != 0 {
			e.int(steps[i] - previous[i]) // wraps, and back again when it is read
			previous[i] = steps[i]
		}
	}
}

// sourceSeries is what rowReader knows of one source.
type sourceSeries struct {
	number int64
	key    sourceKey
	steps  [len(figures)]int64
}

// rowReader yields the rows of contents. It is used again and again, so that reading costs no memory.
type rowReader struct {
	// lookup says whose rows have a number.
	lookup func(number int64) (sourceKey, error)
	series []*sourceSeries
	names  map[string]string
	row    Row
}

// rows calls f for each row in content, with its source's number. The row is valid until f returns.
func (rr *rowReader) rows(content []byte, f func(number int64, r *Row)) error {
	d := decode(content)
	d.names = rr.names
	for _, s := range rr.series {
		s.steps = [len(figures)]int64{}
	}
	var last Moment
	for range d.count() {
		bits := d.uint()
		if bits&rowSameMoment == 0 {
			last = d.moment(last)
		}
		s, err := rr.source(d.int())
		if err != nil {
			return err
		}
		rr.row = Row{Moment: last, Source: s.key.name, Driver: s.key.driver, Receiver: s.key.receiver, State: d.word()}
		r := &rr.row
		if bits&rowSelectedKnown != 0 {
			r.Selected = some(bits&rowSelected != 0)
		}
		if bits&rowLeap != 0 {
			r.Leap = d.word()
		}
		present := d.uint()
		if present&^knownFigures != 0 {
			return malformed
		}
		for i := range figures {
			if present&(1<<i) != 0 {
				s.steps[i] += d.int()
				figures[i].set(r, figures[i].value(s.steps[i]))
			}
		}
		if d.bad {
			return malformed
		}
		f(s.number, r)
	}
	rr.names = d.names
	return d.done()
}

func (rr *rowReader) source(number int64) (*sourceSeries, error) {
	for _, s := range rr.series { // a handful
		if s.number == number {
			return s, nil
		}
	}
	key, err := rr.lookup(number)
	if err != nil {
		return nil, err
	}
	s := &sourceSeries{number: number, key: key}
	rr.series = append(rr.series, s)
	return s, nil
}
