package logbook

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"testing/quick"
	"time"

	"timestation/refclock"
)

func encodedRows(rows []Row) (content []byte, lookup func(int64) (sourceKey, error)) {
	var keys []sourceKey
	numbers := make([]int64, len(rows))
	for i, r := range rows {
		key := sourceKey{r.Source, r.Driver, r.Receiver}
		n := slices.Index(keys, key)
		if n < 0 {
			n, keys = len(keys), append(keys, key)
		}
		numbers[i] = int64(n)
	}
	return encodeRows(rows, numbers), func(n int64) (sourceKey, error) {
		if n < 0 || n >= int64(len(keys)) {
			return sourceKey{}, malformed
		}
		return keys[n], nil
	}
}

func decodedRows(t testing.TB, content []byte, lookup func(int64) (sourceKey, error)) (rows []Row) {
	t.Helper()
	reader := &rowReader{lookup: lookup}
	for range 2 { // the second time on what the first left
		rows = nil
		if err := reader.rows(content, func(_ int64, r *Row) { rows = append(rows, *r) }); err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

// Whatever is written comes back: to the step, and of a bound never less.
func TestRowsComeBack(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	float := func() float64 {
		switch random.IntN(12) {
		case 0:
			return math.Inf(1)
		case 1:
			return -1e7 * random.Float64()
		case 2:
			return 1.7e9
		}
		return random.NormFloat64() * math.Pow(10, float64(random.IntN(9)-6))
	}
	var rows []Row
	for range 2000 {
		r := Row{Moment: Moment{Local: refclock.Stamp(random.Int64()), TAIMinusUTC: int32(random.IntN(40)), Known: random.IntN(5) > 0},
			Source: []string{"gps", "dcf77", StationName}[random.IntN(3)], State: []string{"silent", "", "unheard of"}[random.IntN(3)],
			Leap: []string{"", "none", "ü"}[random.IntN(3)]}
		if r.Known {
			r.UTC = refclock.Instant{TAI: random.Int64() - random.Int64()}.UTC()
			r.UTC.InLeap = random.IntN(9) == 0
		}
		if random.IntN(2) == 0 && len(rows) > 0 {
			r.Moment = rows[len(rows)-1].Moment
		}
		if random.IntN(2) == 0 {
			r.Selected = some(random.IntN(2) == 0)
		}
		for i := range figures {
			if random.IntN(3) > 0 {
				figures[i].set(&r, float())
			}
		}
		rows = append(rows, r)
	}
	content, lookup := encodedRows(rows)
	got := decodedRows(t, content, lookup)
	if len(got) != len(rows) {
		t.Fatalf("%d rows, want %d", len(got), len(rows))
	}
	for i := range rows {
		want, have := rows[i], got[i]
		for j := range figures {
			f := &figures[j]
			w, h := f.get(&want), f.get(&have)
			tolerance := 0.501 / f.steps
			if f.bound {
				tolerance = 1 / f.steps
			}
			limit := math.MaxInt64 / f.steps
			if w.V = min(max(w.V, -limit), limit); w.Valid != h.Valid || math.Abs(w.V-h.V) > tolerance+1e-15*math.Abs(w.V) {
				t.Fatalf("row %d, figure %d: %v became %v", i, j, w, h)
			}
			if f.bound && h.V < w.V-1.1e-3/f.steps-1e-14*math.Abs(w.V) {
				t.Fatalf("row %d, figure %d: a bound of %v became %v", i, j, w.V, h.V)
			}
			f.set(&want, 0)
			f.set(&have, 0)
		}
		if !reflect.DeepEqual(want, have) {
			t.Fatalf("row %d: %+v became %+v", i, want, have)
		}
	}
}

func TestEventsComeBack(t *testing.T) {
	if err := quick.Check(func(kind, source, text, who, from string, local int64) bool {
		events := []Event{{Moment: Moment{Local: refclock.Stamp(local)}, Kind: kind},
			{Moment: Moment{Local: refclock.Stamp(local), Known: true, UTC: began.UTC(), TAIMinusUTC: 37}, Kind: kind, Source: source,
				Text: text, Who: who, From: from}}
		got, err := decodeEvents(encodeEvents(events))
		return err == nil && slices.Equal(got, events)
	}, nil); err != nil {
		t.Error(err)
	}
}

func TestClientsComeBack(t *testing.T) {
	h := ClientHour{Moment: Moment{Known: true, UTC: began.UTC(), Local: 7}, Hour: time.Unix(3600, 0).UTC(),
		Clients:        []ClientCount{{"192.168.1.7", ClientCounts{4, 3, 2, 1}}, {"fe80::1%eth0", ClientCounts{9, 0, 0, 9}}},
		OtherAddresses: 5, Others: ClientCounts{1 << 60, 2, 3, 4}}
	got, err := decodeClients(encodeClients(h))
	if err != nil || !reflect.DeepEqual(got, h) {
		t.Errorf("%+v became %+v, %v", h, got, err)
	}
}

// Quantiles are by nearest rank, of few values and of many.
func TestAggregatesComeBack(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 19, 20, 21, 225} {
		gather := newGatherer(Minute)
		for i := range n {
			r := Row{Moment: Moment{Known: true, UTC: refclock.UTC{Seconds: 120, Nanoseconds: int32(i)}, TAIMinusUTC: 37},
				Source: "gps", State: []string{"selected", "agreeing", "rare"}[i%3], OffsetSeconds: some(float64((i*11)%n+1) * 1e-6),
				PhaseSeconds: some(1e-3), Selected: some(i%3 == 0)}
			if i > 0 {
				r.JitterSeconds = some(5e-9)
			}
			gather.add(1, &r)
		}
		made := gather.finish()
		a := made[0].Aggregate
		rank := func(q float64) float64 { return math.Ceil(q*float64(n)-1e-9) * 1e-6 }
		s := a.OffsetSeconds
		for _, c := range []struct {
			name      string
			got, want float64
		}{{"min", s.Min, 1e-6}, {"max", s.Max, float64(n) * 1e-6}, {"mean", s.Mean, float64(n+1) / 2 * 1e-6},
			{"p5", s.P05, rank(0.05)}, {"p50", s.P50, rank(0.5)}, {"p95", s.P95, rank(0.95)}} {
			if math.Abs(c.got-c.want) > 0.51e-9 {
				t.Errorf("%d values: %s is %v, want %v", n, c.name, c.got, c.want)
			}
		}
		if a.Rows != int64(n) || a.JitterSeconds.Count != int64(n-1) || a.SelectedRows != int64(n+2)/3 {
			t.Errorf("%d values: %+v", n, a)
		}
		reader := rowReader{lookup: func(int64) (sourceKey, error) { return sourceKey{name: "gps"}, nil }}
		var got []*Aggregate
		err := reader.aggregates(encodeAggregates(aggregateBlock{resolution: Minute, first: 3, last: 9, buckets: made}),
			func(sourceKey) bool { return true }, func(a *Aggregate) { got = append(got, a) })
		if err != nil || len(got) != 1 || !reflect.DeepEqual(*got[0], a) {
			t.Errorf("%d values: %+v became %+v, %v", n, a, got, err)
		}
	}
}

// A batch may hold anything once the card rots: reading it must end, with an error or with something to read.
func FuzzDecode(f *testing.F) {
	s := newSimulation(f, f.TempDir(), DefaultConfig())
	rows := slices.Concat(s.interval(), s.interval())
	content, _ := encodedRows(rows)
	f.Add(content)
	gather := newGatherer(Hour)
	for i := range rows {
		gather.add(int64(i%3), &rows[i])
	}
	f.Add(encodeAggregates(aggregateBlock{resolution: Hour, buckets: gather.finish()}))
	f.Add(encodeEvents([]Event{{Moment: rows[0].Moment, Kind: "kind", Text: "text"}}))
	f.Add(encodeClients(ClientHour{Clients: []ClientCount{{"::1", ClientCounts{1, 2, 3, 4}}}}))
	f.Add(encodeDropNote(dropNote{kind: batchRows, batches: []span{{1, 2}}}))
	f.Add(encodeSources(map[int64]sourceKey{1: {"gps", "gps", "hat"}}))
	f.Fuzz(func(t *testing.T, content []byte) {
		reader := rowReader{lookup: func(n int64) (sourceKey, error) { return sourceKey{name: "x"}, nil }}
		gather := newGatherer(Minute)
		_ = reader.rows(content, gather.add)
		gather.finish()
		_ = reader.aggregates(content, func(sourceKey) bool { return true }, func(*Aggregate) {})
		_, _ = decodeClients(content)
		_, _ = decodeDropNote(content)
		_ = decodeSources(content, map[int64]sourceKey{})
		if events, err := decodeEvents(content); err == nil {
			if again, err := decodeEvents(encodeEvents(events)); err != nil || !slices.Equal(again, events) {
				t.Errorf("%+v became %+v, %v", events, again, err)
			}
		}
	})
}
