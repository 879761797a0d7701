package logbook

import (
	"testing"
	"time"

	"timestation/refclock"
)

// Rows come by number in the order of writing, whatever the clock did meanwhile, and from any of them on.
func TestRowsAfterComeInTheOrderOfWriting(t *testing.T) {
	dir := t.TempDir()
	b := openBook(t, dir, &alertList{})
	r := openRead(t, dir)
	if last, err := r.LastNumber(t.Context()); err != nil || last != 0 {
		t.Errorf("of an empty log: %d %v", last, err)
	}
	st := newWorld().status
	var want []Row
	for i, offset := range []time.Duration{0, 16 * time.Second, 3 * time.Hour, time.Hour, 32 * time.Second} {
		st.Epoch, st.EpochInstant = refclock.Stamp(1000e9).Add(offset), began.Add(offset)
		rows := rowsOf(&st, st.Epoch)
		for _, row := range rows {
			b.queue.put(row)
		}
		want = append(want, rows...)
		if i%2 == 1 {
			if err := b.flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := b.flush(); err != nil {
		t.Fatal(err)
	}
	all := collect(t, r.RowsAfter(t.Context(), 0))
	if len(all) != len(want) {
		t.Fatalf("%d rows of %d", len(all), len(want))
	}
	last, err := r.LastNumber(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range all {
		if n.Moment != want[i].Moment || n.Source != want[i].Source {
			t.Errorf("row %d is %+v, want %+v", i, n.Row, want[i])
		}
		if n.Number > last || i > 0 && n.Number <= all[i-1].Number || n.Number <= 0 {
			t.Errorf("row %d has the number %d", i, n.Number)
		}
		rest := collect(t, r.RowsAfter(t.Context(), n.Number))
		if len(rest) != len(all)-i-1 || len(rest) > 0 && rest[0].Number != all[i+1].Number {
			t.Errorf("after row %d: %d rows", i, len(rest))
		}
		for first := range r.RowsAfter(t.Context(), n.Number) { // and may be left at any time
			if first.Number != all[i+1].Number {
				t.Errorf("after row %d comes %d", i, first.Number)
			}
			break
		}
	}
}
