package logbook

import (
	"encoding/binary"
	"slices"
	"time"

	"timestation/refclock"
)

// How the content of a batch is written down. The hash chain is over these very bytes, so there is one way to write
// anything: numbers are varints (encoding/binary; signed ones zigzag), mostly the difference from the one before, and
// texts have their length in front.

// encodingVersion begins every content.
const encodingVersion = 1

// words are the texts that stand in most rows: their number is written in place of them. New ones come last.
var words = []string{"", "synchronised", "holdover", "unsynchronised", "selected", "agreeing", "falseticker", "compared",
	"settling", "unusable", "silent", "unknown", "none", "insert", "delete"}

var wordNumbers = func() map[string]uint64 {
	numbers := make(map[string]uint64, len(words))
	for i, w := range words {
		numbers[w] = uint64(i)
	}
	return numbers
}()

type encoder struct{ b []byte }

func newEncoder() *encoder { return &encoder{[]byte{encodingVersion}} }

func (e *encoder) uint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) int(v int64)   { e.b = binary.AppendVarint(e.b, v) }
func (e *encoder) count(n int)   { e.uint(uint64(n)) }

func (e *encoder) text(s string) {
	e.count(len(s))
	e.b = append(e.b, s...)
}

func (e *encoder) word(s string) {
	if n, ok := wordNumbers[s]; ok {
		e.uint(n)
		return
	}
	e.uint(uint64(len(words) + len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) bits(bits ...bool) {
	var v uint64
	for i, b := range bits {
		if b {
			v |= 1 << i
		}
	}
	e.uint(v)
}

// moment writes m as its difference from last.
func (e *encoder) moment(m, last Moment) {
	e.bits(m.Known, m.UTC.InLeap)
	local := int64(m.Local - last.Local)
	if m.Known {
		utc := posixNS(m.UTC) - posixNS(last.UTC)
		e.int(utc)
		local -= utc // next to nothing while the local clock runs well
	}
	e.int(local)
	e.int(int64(m.TAIMinusUTC - last.TAIMinusUTC))
}

// posixNS is nanoseconds since 1970 as POSIX counts, which repeats within an inserted leap second.
func posixNS(u refclock.UTC) int64 { return u.Seconds*1e9 + int64(u.Nanoseconds) }

// malformed is what a decoder finds in content that no encoder wrote.
const malformed = damage("a batch is malformed")

// decoder reads what an encoder wrote. After a mistake it gives zeros and done says so.
type decoder struct {
	b   []byte
	bad bool
	// names holds the texts that were read, so that each is made once.
	names map[string]string
}

// decode begins to read content.
func decode(content []byte) *decoder {
	d := &decoder{b: content}
	d.bad = d.byte() != encodingVersion
	return d
}

func (d *decoder) fail() {
	d.b, d.bad = nil, true
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail()
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) uint() uint64 {
	if len(d.b) > 0 && d.b[0] < 0x80 {
		v := d.b[0]
		d.b = d.b[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int64 {
	v := d.uint()
	return int64(v>>1) ^ -int64(v&1)
}

// count reads how many things follow; each takes a byte at least, so that a wrong figure cannot ask for much memory.
func (d *decoder) count() int {
	n := d.uint()
	if n > uint64(len(d.b)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) text() string { return d.string(d.count()) }

func (d *decoder) string(n int) string {
	s, ok := d.names[string(d.b[:n])]
	if !ok {
		s = string(d.b[:n])
		if d.names == nil {
			d.names = map[string]string{}
		}
		d.names[s] = s
	}
	d.b = d.b[n:]
	return s
}

func (d *decoder) word() string {
	n := d.uint()
	if n < uint64(len(words)) {
		return words[n]
	}
	if n -= uint64(len(words)); n > uint64(len(d.b)) {
		d.fail()
		return ""
	}
	return d.string(int(n))
}

func (d *decoder) moment(last Moment) Moment {
	bits := d.uint()
	m := Moment{Known: bits&1 != 0}
	local := int64(0)
	if m.Known {
		local = d.int()
		m.UTC = refclock.Instant{TAI: posixNS(last.UTC) + local}.UTC()
		m.UTC.InLeap = bits&2 != 0
	}
	m.Local = last.Local + refclock.Stamp(local+d.int())
	m.TAIMinusUTC = last.TAIMinusUTC + int32(d.int())
	return m
}

// done reports what went wrong, if only that something is left over.
func (d *decoder) done() error {
	if d.bad || len(d.b) > 0 {
		return malformed
	}
	return nil
}

// sourceKey says whose rows have a number. A source whose driver or receiver was changed is another one of the same
// name; the station has neither.
type sourceKey struct{ name, driver, receiver string }

// encodeSources writes down which number stands for which source.
func encodeSources(sources map[int64]sourceKey) []byte {
	e := newEncoder()
	e.count(len(sources))
	for _, id := range sortedKeys(sources) {
		s := sources[id]
		e.int(id)
		e.text(s.name)
		e.text(s.driver)
		e.text(s.receiver)
	}
	return e.b
}

func decodeSources(content []byte, into map[int64]sourceKey) error {
	d := decode(content)
	for range d.count() {
		into[d.int()] = sourceKey{d.text(), d.text(), d.text()}
	}
	return d.done()
}

func sortedKeys[V any](m map[int64]V) []int64 {
	keys := make([]int64, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func encodeEvents(events []Event) []byte {
	e := newEncoder()
	e.count(len(events))
	var last Moment
	for _, v := range events {
		e.moment(v.Moment, last)
		for _, s := range []string{v.Kind, v.Source, v.Text, v.Who, v.From} {
			e.text(s)
		}
		last = v.Moment
	}
	return e.b
}

func decodeEvents(content []byte) ([]Event, error) {
	d := decode(content)
	events := make([]Event, 0, d.count())
	var last Moment
	for range cap(events) {
		e := Event{Moment: d.moment(last)}
		for _, s := range []*string{&e.Kind, &e.Source, &e.Text, &e.Who, &e.From} {
			*s = d.text()
		}
		last = e.Moment
		events = append(events, e)
	}
	return events, d.done()
}

func encodeClients(h ClientHour) []byte {
	e := newEncoder()
	e.moment(h.Moment, Moment{})
	e.int(h.Hour.Unix())
	e.count(len(h.Clients))
	for _, c := range h.Clients {
		e.text(c.Address)
		e.clientCounts(c.ClientCounts)
	}
	e.count(h.OtherAddresses)
	e.clientCounts(h.Others)
	return e.b
}

func (e *encoder) clientCounts(c ClientCounts) {
	e.uint(c.Requests)
	e.uint(c.Answered)
	e.uint(c.Authenticated)
	e.uint(c.Refused)
}

func decodeClients(content []byte) (ClientHour, error) {
	d := decode(content)
	h := ClientHour{Moment: d.moment(Moment{}), Hour: time.Unix(d.int(), 0).UTC()}
	for range d.count() {
		h.Clients = append(h.Clients, ClientCount{d.text(), d.clientCounts()})
	}
	h.OtherAddresses = int(d.uint())
	h.Others = d.clientCounts()
	return h, d.done()
}

func (d *decoder) clientCounts() ClientCounts {
	return ClientCounts{Requests: d.uint(), Answered: d.uint(), Authenticated: d.uint(), Refused: d.uint()}
}
