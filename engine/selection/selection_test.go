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
		{"compare_only has no vote", []Candidate{gps, watcher}, "", "gps", map[string]status.SourceState{"watcher": status.Compared}},
		{"compare_only alone is not followed", []Candidate{watcher}, "", "", nil},
	} {
		got := Select(test.in, test.followed)
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
		if got := Select(in, ""); got.Selected == "" {
			t.Fatalf("round %d: a truthful majority was not followed: %+v", round, in)
		}
	}
}
