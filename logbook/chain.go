package logbook

import (
	"crypto/sha256"
	"encoding/binary"
)

// batchKind says what the content of a batch is. The numbers are the file's.
type batchKind int64

const (
	batchSources batchKind = 1 + iota // sourceKeys and their numbers
	batchRows
	batchEvents
	batchClients
	batchMinutes // aggregates
	batchHours
	batchDropped // which batches have given up their content
)

var batchNames = map[batchKind]string{batchSources: "sources", batchRows: "rows", batchEvents: "events",
	batchClients: "clients", batchMinutes: "minutes", batchHours: "hours", batchDropped: "dropped"}

type hash [sha256.Size]byte

// link is the chain after a batch: SHA-256 over the chain before it (zeros before the first), its number and its kind (8
// bytes each, most significant first), and the SHA-256 of its content.
func link(before hash, seq int64, kind batchKind, digest hash) hash {
	b := make([]byte, 0, 2*sha256.Size+16)
	b = append(b, before[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(seq))
	b = binary.BigEndian.AppendUint64(b, uint64(kind))
	return sha256.Sum256(append(b, digest[:]...))
}

// span is a run of batches by their numbers, both ends included.
type span struct{ first, last int64 }

// dropNote is the content of a batch that says which others gave up theirs.
type dropNote struct {
	Moment
	kind    batchKind
	batches []span // ascending
}

func encodeDropNote(n dropNote) []byte {
	e := newEncoder()
	e.moment(n.Moment, Moment{})
	e.int(int64(n.kind))
	e.count(len(n.batches))
	last := int64(0)
	for _, s := range n.batches {
		e.int(s.first - last)
		e.int(s.last - s.first)
		last = s.last
	}
	return e.b
}

func decodeDropNote(content []byte) (dropNote, error) {
	d := decode(content)
	n := dropNote{Moment: d.moment(Moment{}), kind: batchKind(d.int())}
	last := int64(0)
	for range d.count() {
		s := span{first: last + d.int()}
		s.last = s.first + d.int()
		last = s.last
		n.batches = append(n.batches, s)
	}
	return n, d.done()
}
