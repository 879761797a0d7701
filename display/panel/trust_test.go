package panel

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"timestation/display"
	"timestation/display/draw"
	"timestation/display/face"
	"timestation/display/words"
	"timestation/engine/status"
	"timestation/refclock"
)

// judged is a station with a source in every state.
func judged() *status.Status {
	now := refclock.Date(2026, time.November, 22, 13, 8, 37, 0).Instant(37)
	s := &status.Status{
		Epoch: 5, EpochInstant: now, State: status.Synchronised, MaxError: time.Millisecond, MaxErrorGrowth: 1e-6, MaxErrorLimit: 11 * time.Millisecond,
		Stratum: 1, Vote: "gps0 and dcf0 agree within 2.1 ms; ntp1 is 240 ms off and ignored",
	}
	for i, state := range []status.SourceState{status.Selected, status.Agreeing, status.Falseticker, status.Compared, status.Settling,
		status.Unusable, status.Silent} {
		s.Sources = append(s.Sources, status.Source{Name: []string{"gps0", "dcf0", "ntp1", "ntp2", "msf0", "gps1", "pps0"}[i], Driver: "upstream", State: state, OffsetSeconds: 1e-3 * float64(i),
			MaxErrorSeconds: 5e-3, AgeSeconds: 60})
	}
	return s
}

func inputOf(s *status.Status, l words.Language) Input {
	second := s.EpochInstant
	return Input{Frame: face.At(s, second, time.UTC, "", face.Style{Theme: draw.Dark, Language: l})}
}

func pictureOf(t *testing.T, name string, in Input, size draw.Size) Picture {
	t.Helper()
	p, ok := Named(name)
	if !ok {
		t.Fatalf("there is no page %s", name)
	}
	return p.Picture(in, size)
}

var wall = draw.Size{W: 1920, H: 1080}

// says fails unless a picture says each of some things.
func says(t *testing.T, p Picture, want ...string) {
	t.Helper()
	text := said(p.Shapes)
	for _, w := range want {
		if !strings.Contains(text, strings.ReplaceAll(w, " ", "")) {
			t.Errorf("it does not say %q:\n%s", w, text)
		}
	}
}

// Every state has its word, the vote is said in both languages, and the time until the limit is what the model says.
func TestTrustSaysWhy(t *testing.T) {
	says(t, pictureOf(t, "trust", inputOf(judged(), words.English), wall), "followed", "agrees", "falseticker, ignored", "compared only", "settling",
		"without valid time", "lost", "gps0 and dcf0 agree within 2.1 ms", "ntp1 is 240 ms off and ignored", "limit ±11 ms after 2 h 46 min (15:55)")
	says(t, pictureOf(t, "trust", inputOf(judged(), words.German), wall), "gps0 und dcf0 stimmen auf 2,1 ms überein", "ntp1 liegt 240 ms daneben",
		"Limit ±11 ms nach 2 h 46 min (15:55)")
	s := judged()
	s.State, s.Reason = status.Unsynchronised, "the sources contradict each other"
	says(t, pictureOf(t, "trust", inputOf(s, words.English), wall), "The sources contradict each other", "claims no error bound")
}

// An error bar is where the numbers say: the further off, the further out, both sides of zero alike, and none crosses its
// neighbour's end.
func TestSpreadIsMonotonous(t *testing.T) {
	r := testRandom()
	for range 1000 {
		shown := []status.Source{{OffsetSeconds: r.NormFloat64() * math.Pow(10, 9*r.Float64()-9), MaxErrorSeconds: math.Pow(10, 9*r.Float64()-9), AgeSeconds: 1}}
		s := newSpread(shown, time.Duration(r.Int64N(1e9)), draw.Box{X: 100, W: 400})
		before := float32(0)
		for i := -50; i <= 50; i++ {
			v := s.most / 50 * float64(i)
			at := s.at(v)
			if at < before || at < 100 || at > 500 || math.Abs(float64(s.at(-v)-(600-at))) > 0.01 {
				t.Fatalf("%v s stands at %v, after %v", v, at, before)
			}
			before = at
		}
		if far := s.at(shown[0].OffsetSeconds); far <= 100 || far >= 500 {
			t.Fatalf("%v s is off the scale", shown[0].OffsetSeconds)
		}
	}
}

// A jump is taken only by two touches in different places, and an alert is acknowledged by one.
func TestJumpNeedsTwoTouches(t *testing.T) {
	s := judged()
	s.Alerts = []status.Alert{{Code: "jump-latched", Source: "gps0", Severity: status.Critical, Text: "gps0 jumped."}}
	in := inputOf(s, words.English)
	first := pictureOf(t, "trust", in, wall)
	for _, spot := range first.Spots {
		if spot.Do.Act != nil {
			t.Fatalf("one touch does %+v", *spot.Do.Act)
		}
	}
	ask := slices.IndexFunc(first.Spots, func(s Spot) bool { return s.Do.View != nil && s.Do.View.Confirm != nil })
	if ask < 0 {
		t.Fatal("there is no way to accept the jump")
	}
	in.View = *first.Spots[ask].Do.View
	second := pictureOf(t, "trust", in, wall)
	says(t, second, "Take the new time of gps0?")
	yes := slices.IndexFunc(second.Spots, func(s Spot) bool {
		return s.Do.Act != nil && *s.Do.Act == display.Action{Kind: display.ActionAcceptJump, Source: "gps0"}
	})
	no := slices.IndexFunc(second.Spots, func(s Spot) bool { return s.Do.View != nil && s.Do.View.Confirm == nil })
	if yes < 0 || no < 0 {
		t.Fatalf("the question has no answers: %+v", second.Spots)
	}
	if second.Spots[yes].Box.Overlaps(second.Spots[no].Box) {
		t.Error("the answers lie on each other")
	}

	s.Alerts = []status.Alert{{Code: "falseticker", Source: "ntp1", Text: "ntp1 is off."}, {Code: "old", Text: "Seen.", AcknowledgedBy: "M."}}
	in = inputOf(s, words.English)
	var acts []display.Action
	for _, spot := range pictureOf(t, "trust", in, draw.Size{W: 1080, H: 1920}).Spots {
		if spot.Do.Act != nil {
			acts = append(acts, *spot.Do.Act)
		}
	}
	if want := (display.Action{Kind: display.ActionAcknowledge, Code: "falseticker", Source: "ntp1"}); len(acts) != 1 || acts[0] != want {
		t.Errorf("the touches do %+v, want %+v", acts, want)
	}
}

// Lists that are too long can be gone through to their end, and every line of them is shown once.
func TestLongListsScroll(t *testing.T) {
	s := judged()
	for i := range 30 {
		s.Sources = append(s.Sources, status.Source{Name: "extra" + strconv.Itoa(i) + ".", State: status.Agreeing, AgeSeconds: 1})
	}
	in := inputOf(s, words.English)
	seen := map[string]bool{}
	for row := 0; ; row++ {
		in.View.Row = row
		p := pictureOf(t, "trust", in, draw.Size{W: 800, H: 480})
		for _, shape := range p.Shapes {
			if text, ok := shape.(draw.Text); ok {
				seen[text.String] = true
			}
		}
		if row >= p.LastRow {
			break
		}
	}
	for _, source := range s.Sources {
		if !seen[source.Name] {
			t.Errorf("%s is never shown", source.Name)
		}
	}
}

func TestFigures(t *testing.T) {
	for v, want := range map[float64]string{0: "0 s", 12e-9: "+12 ns", -0.4e-3: "−400 µs", 2.1e-3: "+2.1 ms", 0.24: "+240 ms", -3.05: "−3.0 s", 999.6e-9: "+1.0 µs",
		90: "+90 s", 600: "+10 min", 1e6: "+12 d", math.Inf(1): "–"} {
		if got := signed(v); got != want {
			t.Errorf("%v s is written %q, want %q", v, got, want)
		}
	}
	for d, want := range map[time.Duration]string{12 * time.Second: "12 s", 21 * time.Minute: "21 min", 350 * time.Minute: "5 h 50 min",
		76 * time.Hour: "3 d 4 h", 80 * 24 * time.Hour: "80 d", -time.Second: "0 s"} {
		if got := lasting(d); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}

// TestPagesSpeakGerman: no text of these pages is missing from the German table, but for those that are the same.
func TestPagesSpeakGerman(t *testing.T) {
	same := []string{"S", "N", "W", "3D fix", "%s · %s, this minute as it arrives", "limit %s", "PNG", "SVG", "1 h", "6 h", "1 d", "7 d", "30 d", "stratum %d",
		"Clients", ""}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		mine := slices.ContainsFunc([]string{"signal", "trust", "history", "clients"}, func(p string) bool { return strings.HasPrefix(name, p) })
		if !mine || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Say", "sayf", "Count", "header", "nothing", "named"}, f.Sel.Name) {
				return true
			}
			for _, arg := range call.Args {
				literal, ok := arg.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					continue
				}
				if text, _ := strconv.Unquote(literal.Value); words.German.Say(text) == text && !slices.Contains(same, text) {
					t.Errorf("%s: %q has no German", name, text)
				}
				if f.Sel.Name == "sayf" {
					break // what fills the places is no text
				}
			}
			return true
		})
	}
}
