package logbook

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"timestation/refclock"
)

// Report is what Verify found.
type Report struct {
	// Fault says what is wrong with the first batch that is not whole, in words; it is empty when all are. Nothing after it
	// was looked at.
	Fault string `json:"fault,omitempty"`
	// FaultBatch is that batch's number.
	FaultBatch int64 `json:"fault_batch,omitempty"`
	// Head is the hash of the whole chain up to the last batch that was whole, and HeadBatch its number. Written down
	// elsewhere it proves later that nothing before it was changed since.
	Head      string `json:"head"`
	HeadBatch int64  `json:"head_batch"`
	// FoundBatch is the batch whose hash was asked for; 0 when it is not in the chain.
	FoundBatch int64 `json:"found_batch,omitempty"`
	// From and To are the times of the first and the last row that is there.
	From refclock.UTC `json:"from"`
	To   refclock.UTC `json:"to"`
	// Batches counts all; Dropped are those that gave up their content for their age.
	Batches int64 `json:"batches"`
	Dropped int64 `json:"dropped_batches"`
	// Rows, Events, Aggregates and ClientHours are what there is in the batches.
	Rows        int64 `json:"rows"`
	Events      int64 `json:"events"`
	Aggregates  int64 `json:"aggregates"`
	ClientHours int64 `json:"client_hours"`
}

// Whole reports whether nothing is wrong, the hash that was asked for being found included.
func (r Report) Whole() bool { return r.Fault == "" }

// Verify checks every batch against the hash chain, and whether what was dropped has a note in the chain that says so. head
// is a hash in hexadecimal that an earlier Report gave; it has to be in the chain; empty is none. The error is a file
// that cannot be read, or a head that is no hash. It works while the station runs, on the state of when it began; memory
// does not grow with the log. The package's documentation says what is proved.
func Verify(ctx context.Context, r *Reader, head string) (Report, error) {
	var wanted hash
	if head != "" {
		b, err := hex.DecodeString(strings.TrimSpace(head))
		if err != nil || len(b) != sha256.Size {
			return Report{}, fmt.Errorf("head: %q is not a hash; give the 64 hexadecimal digits that verify printed", head)
		}
		copy(wanted[:], b)
	}
	v := verifier{head: wanted, reader: r.rowReader()}
	if err := v.read(ctx, r); err != nil {
		return v.Report, r.explain(err)
	}
	v.Head = hex.EncodeToString(v.chain[:])
	if v.Fault == "" && head != "" && v.FoundBatch == 0 {
		v.Fault = "the chain is whole in itself, but the hash that was given is not in it: the log was changed or replaced " +
			"since, or cut off before it"
	}
	return v.Report, nil
}

type verifier struct {
	Report
	head   hash
	reader *rowReader
	chain  hash
	// missing are batches without content that no note has explained yet, ascending; kinds are theirs.
	missing []missing
	// unchecked is the first of the batches without content since the last one whose hash could be compared.
	unchecked int64
}

type missing struct {
	span
	kind batchKind
}

// chainedBatch is a row of the table.
type chainedBatch struct {
	seq                    int64
	kind                   batchKind
	first                  sql.Null[int64]
	content, digest, chain sql.RawBytes
}

func (v *verifier) read(ctx context.Context, r *Reader) error {
	rows, err := r.db.QueryContext(ctx, `SELECT seq, kind, first_utc_ns, content, digest, chain FROM batch ORDER BY seq`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var b chainedBatch
		if err := rows.Scan(&b.seq, &b.kind, &b.first, &b.content, &b.digest, &b.chain); err != nil {
			return err
		}
		fault, err := v.check(&b)
		if err != nil {
			return err
		}
		if fault != "" {
			v.FaultBatch, v.Fault = b.seq, fault
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if len(v.missing) > 0 {
		m := v.missing[0]
		v.FaultBatch = m.first
		v.Fault = fmt.Sprintf("batch %d (%s) has no content, and no note in the chain says that it was dropped", m.first,
			batchNames[m.kind])
	}
	return nil
}

// check looks at one batch; the fault is in words, and the error is one of reading.
func (v *verifier) check(b *chainedBatch) (fault string, err error) {
	where := fmt.Sprintf("batch %d (%s%s)", b.seq, batchNames[b.kind], v.after())
	if b.seq != v.HeadBatch+1 {
		return fmt.Sprintf("batch %d is missing%s", v.HeadBatch+1, v.after()), nil
	}
	digest := hash(sha256.Sum256(b.content))
	if b.content == nil {
		if len(b.digest) != sha256.Size {
			return where + " has neither content nor digest", nil
		}
		copy(digest[:], b.digest)
	}
	chain := link(v.chain, b.seq, b.kind, digest)
	if b.content == nil {
		v.drop(b)
	} else {
		if string(b.chain) != string(chain[:]) {
			if v.unchecked != 0 {
				return fmt.Sprintf("%s, or one of those before it from %d on whose content was dropped, is not what was written",
					where, v.unchecked), nil
			}
			return where + " is not what was written", nil
		}
		v.unchecked = 0
		if fault, err := v.content(b); fault != "" || err != nil {
			return where + " " + fault, err
		}
	}
	v.chain, v.HeadBatch = chain, b.seq
	v.Batches++
	if chain == v.head {
		v.FoundBatch = b.seq
	}
	return "", nil
}

// after says where in time we are.
func (v *verifier) after() string {
	if v.To == (refclock.UTC{}) {
		return ""
	}
	return ", after " + v.To.String()
}

func (v *verifier) drop(b *chainedBatch) {
	v.Dropped++
	if v.unchecked == 0 {
		v.unchecked = b.seq
	}
	if n := len(v.missing); n > 0 && v.missing[n-1].last == b.seq-1 && v.missing[n-1].kind == b.kind {
		v.missing[n-1].last = b.seq
		return
	}
	v.missing = append(v.missing, missing{span{b.seq, b.seq}, b.kind})
}

// content reads what is in a batch: that its hash is right does not say that the columns beside it are.
func (v *verifier) content(b *chainedBatch) (fault string, err error) {
	first := sql.Null[int64]{}
	at := func(m Moment) {
		if t := posixNS(m.UTC); m.Known && (!first.Valid || t < first.V) {
			first = some(t)
		}
	}
	switch b.kind {
	case batchRows:
		err = v.reader.rows(b.content, func(_ int64, r *Row) {
			v.Rows++
			at(r.Moment)
			v.time(r.Moment)
		})
	case batchEvents:
		var events []Event
		events, err = decodeEvents(b.content)
		for _, e := range events {
			v.Events++
			at(e.Moment)
		}
	case batchMinutes, batchHours:
		err = v.reader.aggregates(b.content, func(sourceKey) bool { return true }, func(a *Aggregate) {
			v.Aggregates++
			at(Moment{Known: true, UTC: utcOf(a.Start)})
		})
	case batchClients:
		var h ClientHour
		h, err = decodeClients(b.content)
		v.ClientHours++
		first = some(h.Hour.UnixNano())
	case batchDropped:
		var note dropNote
		note, err = decodeDropNote(b.content)
		at(note.Moment)
		v.explained(note)
	case batchSources:
		err = decodeSources(b.content, map[int64]sourceKey{})
	default:
		return "is of no known kind", nil
	}
	var wrong damage
	if errors.As(err, &wrong) {
		return "cannot be read: " + wrong.Error(), nil
	}
	if err == nil && first != b.first {
		return "is filed under a time that is not its first", nil
	}
	return "", err
}

func utcOf(t time.Time) refclock.UTC {
	return refclock.UTC{Seconds: t.Unix(), Nanoseconds: int32(t.Nanosecond())}
}

func (v *verifier) time(m Moment) {
	if !m.Known {
		return
	}
	if v.From == (refclock.UTC{}) {
		v.From = m.UTC
	}
	v.To = m.UTC
}

// explained takes the batches that a note names off those that miss their content.
func (v *verifier) explained(n dropNote) {
	for _, s := range n.batches {
		i, _ := slices.BinarySearchFunc(v.missing, s.first, func(m missing, seq int64) int { return cmp.Compare(m.last, seq) })
		for ; i < len(v.missing) && v.missing[i].first <= s.last; i++ {
			m := v.missing[i]
			if m.kind != n.kind {
				continue
			}
			var left []missing
			if m.first < s.first {
				left = append(left, missing{span{m.first, s.first - 1}, m.kind})
			}
			if m.last > s.last {
				left = append(left, missing{span{s.last + 1, m.last}, m.kind})
			}
			v.missing = slices.Replace(v.missing, i, i+1, left...)
			i += len(left) - 1
		}
	}
}
