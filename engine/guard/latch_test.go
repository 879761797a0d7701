package guard

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"timestation/refclock"
)

// gate is a latch in virtual time: five publications a second, as the engine makes them.
type gate struct {
	*Latch
	at       time.Duration
	bound    time.Duration
	latched  []Held
	released []Release
}

func newGate(change func(*LatchConfig)) *gate {
	config := DefaultLatchConfig()
	if change != nil {
		change(&config)
	}
	return &gate{Latch: NewLatch(config), bound: time.Millisecond}
}

func (g *gate) utc() refclock.UTC {
	now := refclock.Date(2026, 11, 22, 12, 0, 0, 0)
	now.Seconds += int64(g.at / time.Second)
	return now
}

func (g *gate) hear(d time.Duration, claims ...Claim) {
	for range int(d / (200 * time.Millisecond)) {
		latched, released := g.Judge(g.utc(), g.at, g.bound, claims)
		g.latched, g.released = append(g.latched, latched...), append(g.released, released...)
		g.at += 200 * time.Millisecond
	}
}

func claim(source string, offset time.Duration) Claim {
	return Claim{Source: source, Offset: offset, MaxError: time.Millisecond}
}

func TestJumpIsHeldForAPerson(t *testing.T) {
	g := newGate(nil)
	g.hear(time.Minute, claim("gps0", 40*time.Millisecond), claim("dcf77", 0))
	if len(g.latched) > 0 {
		t.Fatalf("below the limit: %+v", g.latched)
	}
	began := g.utc()
	g.hear(time.Hour, claim("gps0", time.Second), claim("dcf77", 0), claim("server", time.Second), claim("peer", time.Second))
	if !g.Holds("gps0") || !g.Holds("server") || g.Holds("dcf77") || len(g.latched) != 3 || len(g.released) > 0 {
		t.Fatalf("latched %+v, released %+v", g.latched, g.released)
	}
	h := g.Held()[0]
	if h.Source != "gps0" || h.Since != began || h.JumpSeconds != 1 || !strings.Contains(h.Explain(), "gps0 jumped by 1 s at 2026-11-22T12:01") {
		t.Errorf("%+v: %s", h, h.Explain())
	}
	if _, err := g.Accept("dcf77", "anna"); err == nil {
		t.Error("what is not held was released")
	}
	if _, err := g.Accept("gps0", ""); err == nil {
		t.Error("released by nobody")
	}
	r, err := g.Accept("gps0", "anna")
	if err != nil || r.How != ReleasedAccepted || r.By != "anna" || g.Holds("gps0") || !g.Holds("server") {
		t.Errorf("%+v, %v", r, err)
	}
}

// A power cut does not release it, whatever the station believes when it starts.
func TestLatchSurvivesPowerCut(t *testing.T) {
	g := newGate(nil)
	g.hear(time.Minute, claim("gps0", -90*time.Second))
	text, err := json.Marshal(g.Held())
	if err != nil {
		t.Fatal(err)
	}
	var held []Held
	if err := json.Unmarshal(text, &held); err != nil {
		t.Fatal(err)
	}
	after := newGate(nil)
	after.Restore(held)
	if !after.Holds("gps0") || !reflect.DeepEqual(after.Held(), held) || after.Held()[0].Explain() != g.Held()[0].Explain() {
		t.Fatalf("%+v, was %+v", after.Held(), g.Held())
	}
	after.hear(24*time.Hour, claim("gps0", -90*time.Second), claim("dcf77", 0))
	if !after.Holds("gps0") || len(after.latched) > 0 {
		t.Errorf("a day later: %+v", after.Held())
	}
}

// In a long holdover the station's own bound grows: what lies within it is no jump, and what was one stays one.
func TestLatchAndHoldover(t *testing.T) {
	g := newGate(nil)
	g.bound = 400 * time.Millisecond
	g.hear(time.Minute, claim("gps0", 300*time.Millisecond))
	if len(g.latched) > 0 {
		t.Fatalf("within the station's own bound: %+v", g.latched)
	}
	g.hear(time.Minute, claim("gps0", 500*time.Millisecond))
	g.bound = 900 * time.Millisecond
	g.hear(24*time.Hour, claim("gps0", 500*time.Millisecond))
	if !g.Holds("gps0") {
		t.Errorf("the bound has grown over the jump, which was released: %+v", g.released)
	}
}

// A source that comes back to where it was jumps no more; half-way back, or for a moment, is not back.
func TestReturn(t *testing.T) {
	g := newGate(nil)
	back := g.config.ReturnFor
	g.hear(time.Minute, claim("gps0", 80*time.Millisecond))
	g.hear(2*back, claim("gps0", 45*time.Millisecond)) // below the limit, but more than half-way out
	g.hear(back/2, claim("gps0", time.Millisecond))
	g.hear(time.Second, claim("gps0", 80*time.Millisecond))
	g.hear(back-time.Second, claim("gps0", time.Millisecond))
	if !g.Holds("gps0") {
		t.Fatal("released too soon")
	}
	g.hear(2*time.Second, claim("gps0", time.Millisecond))
	if len(g.released) != 1 || g.released[0].How != ReleasedReturned {
		t.Errorf("it has been back for long: %+v", g.released)
	}
}

func TestAgreementReleases(t *testing.T) {
	second := func(source, receiver string) Claim {
		return Claim{Source: source, Receiver: receiver, Offset: time.Second, MaxError: time.Millisecond}
	}
	compared := second("trusted", "")
	compared.CompareOnly = true
	for name, test := range map[string]struct {
		change func(*LatchConfig)
		claims []Claim
		want   bool
	}{
		"two others agree":     {nil, []Claim{second("gps0", "a"), second("gps1", "b"), second("dcf77", "")}, true},
		"one other":            {nil, []Claim{second("gps0", "a"), second("gps1", "b"), claim("dcf77", 0)}, false},
		"its own receiver":     {nil, []Claim{second("gps0", "a"), second("pps0", "a"), second("gps1", "b")}, false},
		"one receiver twice":   {nil, []Claim{second("gps0", "a"), second("gps1", "b"), second("pps1", "b")}, false},
		"a compared one":       {nil, []Claim{second("gps0", "a"), second("gps1", "b"), compared}, false},
		"a person is demanded": {func(c *LatchConfig) { c.Release = ByPerson }, []Claim{second("gps0", "a"), second("gps1", "b"), second("dcf77", "")}, false},
		"one is enough":        {func(c *LatchConfig) { c.Voices = 1 }, []Claim{second("gps0", "a"), second("gps1", "b")}, true},
		"the vote as a whole":  {nil, []Claim{second(TheVote, ""), second("gps1", "b"), second("dcf77", "")}, true},
	} {
		g := newGate(func(c *LatchConfig) {
			c.Release = ByAgreement
			if test.change != nil {
				test.change(c)
			}
		})
		g.hear(g.config.AgreeFor-time.Second, test.claims...)
		if len(g.released) > 0 || !g.Holds(test.claims[0].Source) {
			t.Errorf("%s: too soon: %+v", name, g.released)
		}
		g.hear(2*time.Second, test.claims...)
		if g.Holds(test.claims[0].Source) == test.want {
			t.Errorf("%s: released %+v, want it %t", name, g.released, test.want)
		}
		if test.want && (g.released[0].How != ReleasedAgreement || g.released[0].By == "") {
			t.Errorf("%s: %+v", name, g.released[0])
		}
	}
}

// What was accepted is let through while the station follows it; another jump is not.
func TestAcceptedJumpIsFollowed(t *testing.T) {
	g := newGate(nil)
	g.hear(time.Minute, claim("gps0", time.Hour))
	if _, err := g.Accept("gps0", "anna"); err != nil {
		t.Fatal(err)
	}
	g.hear(time.Minute, claim("gps0", time.Hour+10*time.Millisecond)) // settling
	g.hear(time.Hour, claim("gps0", time.Millisecond))                // followed
	if len(g.latched) != 1 {
		t.Fatalf("latched again while it was being followed: %+v", g.latched[1:])
	}
	g.hear(time.Second, claim("gps0", time.Hour))
	if !g.Holds("gps0") {
		t.Error("a second jump as far as the first went through an hour later")
	}
	if _, err := g.Accept("gps0", "anna"); err != nil {
		t.Fatal(err)
	}
	g.hear(time.Second, claim("gps0", 2*time.Hour))
	if !g.Holds("gps0") {
		t.Error("another jump than the accepted one went through")
	}
}

// Noise alone never latches, in three days of it, and no jump beyond the limit ever passes.
func TestNoJumpPasses(t *testing.T) {
	g, random := newGate(nil), rand.New(rand.NewPCG(3, 4))
	for range 72 * 3600 {
		g.hear(200*time.Millisecond, claim("gps0", time.Duration(random.NormFloat64()*3e6)), claim("dcf77", time.Duration(random.NormFloat64()*5e6)))
	}
	if len(g.latched) > 0 {
		t.Errorf("noise was latched: %+v", g.latched)
	}
}

// However sources jump about, one that is out by more than the limit and the bound is held at once, and every hold ends
// by a named cause.
func FuzzLatch(f *testing.F) {
	f.Fuzz(func(t *testing.T, moves []byte, policy bool) {
		if len(moves) > 300 {
			return
		}
		g := newGate(func(c *LatchConfig) {
			if policy {
				c.Release = ByAgreement
			}
		})
		for i := 0; i+3 < len(moves); i += 4 {
			g.bound = time.Duration(moves[i]) * time.Millisecond
			var claims []Claim
			for n, name := range []string{"a", "b", TheVote} {
				claims = append(claims, claim(name, time.Duration(int8(moves[i+1+n]))*10*time.Millisecond))
			}
			held, released := len(g.Held()), len(g.released)
			latched := len(g.latched)
			g.hear(200*time.Millisecond, claims...)
			g.at += time.Duration(moves[i+1]) * time.Second
			for _, c := range claims {
				limit := max(g.config.Limit, g.bound)
				if c.Offset.Abs() > limit && !g.Holds(c.Source) && len(g.released) == released && !g.mayPass(c, limit) {
					t.Fatalf("%+v is followed, bound %v", c, g.bound)
				}
			}
			if got := held + len(g.latched) - latched - len(g.released) + released; got != len(g.Held()) {
				t.Fatalf("%d are held, the events say %d", len(g.Held()), got)
			}
			for _, h := range g.Held() {
				if math.Abs(h.JumpSeconds) <= g.config.Limit.Seconds() || strings.Contains(h.Explain(), "\n") {
					t.Fatalf("%+v", h)
				}
			}
		}
	})
}
