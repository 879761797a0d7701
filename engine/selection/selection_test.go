package selection

import (
	"math/rand/v2"
	"testing"
	"time"

	"timestation/engine/status"
)

const ms = time.Millisecond

func TestSelect(t *testing.T) {
	gps := Candidate{Name: "gps", Receiver: "ublox", Offset: 0, MaxError: 50 * ms}
	pps := Candidate{Name: "pps", Receiver: "ublox", Offset: 0, MaxError: ms}
	dcf := Candidate{Name: "dcf", Offset: 20 * ms, MaxError: 30 * ms}
	liar := Candidate{Name: "liar", Offset: time.Second, MaxError: ms}
	liar2 := Candidate{Name: "liar2", Offset: time.Second, MaxError: ms}
	watcher := Candidate{Name: "watcher", Offset: 900 * ms, MaxError: ms, CompareOnly: true}
	for _, test := range []struct {
		name     string
		in       []Candidate
		followed string
		want     string
		states   map[string]status.SourceState
	}{
		{"nothing", nil, "", "", nil},
		{"alone", []Candidate{gps}, "", "gps", nil},
		{"best bound", []Candidate{gps, dcf}, "", "dcf", map[string]status.SourceState{"gps": status.Agreeing}},
		{"kept while nearly as good", []Candidate{gps, {Name: "dcf", MaxError: 40 * ms}}, "gps", "gps", nil},
		{"one liar of three", []Candidate{liar, gps, dcf}, "", "dcf", map[string]status.SourceState{"liar": status.Falseticker}},
		{"two that contradict", []Candidate{liar, gps}, "gps", "", map[string]status.SourceState{"gps": status.Falseticker}},
		{"one receiver is one voice", []Candidate{gps, pps, liar}, "gps", "", nil},
		{"two of three lie together", []Candidate{gps, liar, liar2}, "gps", "liar", map[string]status.SourceState{"gps": status.Falseticker}},
		{"a pulse stands by its receiver", []Candidate{gps, pps, {Name: "ntp", Offset: 30 * ms, MaxError: 20 * ms}}, "pps", "", nil},
		{"compare_only has no vote", []Candidate{gps, watcher}, "", "gps", map[string]status.SourceState{"watcher": status.Compared}},
		{"compare_only alone is not followed", []Candidate{watcher}, "", "", nil},
	} {
		got := Select(test.in, test.followed, Policy{})
		if got.Selected != test.want {
			t.Errorf("%s: selected %q, want %q", test.name, got.Selected, test.want)
		}
		for name, state := range test.states {
			if got.Verdicts[name].State != state {
				t.Errorf("%s: %s is %s, want %s", test.name, name, got.Verdicts[name].State, state)
			}
		}
	}
}

// While most sources' bounds hold the truth, what is followed must be one of those that agree with a truthful one, and
// its bound must reach the truth or another member's interval.
func TestTrueMajorityIsNeverOutvoted(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 20000 {
		honest := 2 + random.IntN(4)
		liars := random.IntN(honest)
		var in []Candidate
		for i := range honest {
			bound := time.Duration(1+random.IntN(1000)) * ms
			offset := time.Duration((2*random.Float64() - 1) * float64(bound)) // the truth is 0
			in = append(in, Candidate{Name: string(rune('A' + i)), Offset: offset, MaxError: bound})
		}
		for i := range liars {
			in = append(in, Candidate{Name: string(rune('a' + i)), Offset: time.Duration(random.IntN(10)-5) * 2 * time.Second, MaxError: ms})
		}
		random.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
		if got := Select(in, "", Policy{}); got.Selected == "" {
			t.Fatalf("round %d: a truthful majority was not followed: %+v", round, in)
		}
	}
}

// A policy of two counts receivers, not sources, and no server that anybody could speak for.
func TestPolicy(t *testing.T) {
	gps := Candidate{Name: "gps", Receiver: "ublox", MaxError: 50 * ms}
	pps := Candidate{Name: "pps", Receiver: "ublox", MaxError: ms}
	pool := Candidate{Name: "pool", MaxError: 20 * ms, Unproven: true}
	dcf := Candidate{Name: "dcf", MaxError: 30 * ms}
	for _, test := range []struct {
		name string
		in   []Candidate
		want string
	}{
		{"one receiver", []Candidate{gps, pps}, ""},
		{"a server without a key", []Candidate{gps, pps, pool}, ""},
		{"two receivers", []Candidate{gps, pps, dcf}, "pps"},
	} {
		got := Select(test.in, "", Policy{Voices: 2})
		if got.Selected != test.want || got.Wanting != (test.want == "") {
			t.Errorf("%s: selected %q, wanting %v: %s", test.name, got.Selected, got.Wanting, got.Sentence)
		}
	}
}

func TestTheVoteInWords(t *testing.T) {
	got := Select([]Candidate{
		{Name: "GPS", MaxError: ms},
		{Name: "DCF77", Offset: 3 * ms, MaxError: 5 * ms},
		{Name: "ntp1", Offset: 240 * ms, MaxError: 10 * ms},
		{Name: "lab", Offset: -30 * ms, MaxError: ms, CompareOnly: true},
	}, "", Policy{}).Sentence
	if want := "GPS and DCF77 agree within 3 ms; ntp1 is 240 ms off and ignored; lab, only compared, is 30 ms off"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestNumber(t *testing.T) {
	for _, test := range []struct {
		companion int64
		bound     time.Duration
		want      int64
		ok        bool
	}{
		{1_700_000_000_380_000_000, 390 * ms, 1_700_000_000_000_000_000, true},
		{1_699_999_999_620_000_000, 390 * ms, 1_700_000_000_000_000_000, true},
		{1_700_000_000_000_000_000, 400 * ms, 0, false},
		{-200_000_000, ms, 0, true},
	} {
		if got, ok := Number(test.companion, test.bound, time.Second); ok != test.ok || got != test.want {
			t.Errorf("Number(%d, %v) = %d, %v", test.companion, test.bound, got, ok)
		}
	}
}

// A source that is off by a constant and some scatter: what is left of its limit holds the truth, and is never below the
// reference's own.
func TestBiasHoldsTheTruth(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var b Bias
	const own, reference = 30 * ms, 50 * time.Microsecond
	for second := range 4 * 3600 {
		scatter := time.Duration(0.4e6 * random.NormFloat64())
		b.Learn("gps", reference, -12*ms+scatter, time.Second)
		subtract, limit := b.Correct(own)
		if second < 599 && (subtract != 0 || limit != own) {
			t.Fatalf("believed after %d s", second)
		}
		if left := (-12*ms - subtract).Abs(); left > limit || limit < reference {
			t.Fatalf("after %d s: %v left, limit %v", second, left, limit)
		}
	}
	if _, limit := b.Correct(own); limit > 2*ms {
		t.Errorf("limit after four hours: %v", limit)
	}
	if subtract, limit := b.Correct(20 * time.Microsecond); subtract != 0 || limit != 20*time.Microsecond {
		t.Errorf("a source better than its reference is moved by %v", subtract)
	}
	if b.Learn("other", 0, 0, time.Second); b.Known() {
		t.Error("a bias against another reference was kept")
	}
}
