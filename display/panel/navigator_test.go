package panel

import (
	"testing"
	"time"

	"timestation/display"
	"timestation/display/draw"
)

func someNavigator(change func(*display.Config)) (*Navigator, time.Time) {
	cfg := display.DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	begin := time.Unix(1_000_000, 0)
	return NewNavigator(cfg, begin), begin
}

func TestRotationTurnsAndWaitsForPeople(t *testing.T) {
	n, now := someNavigator(func(c *display.Config) { c.Rotation, c.RotationSeconds = []string{"shack", "studio"}, 20 })
	is := func(want string) {
		t.Helper()
		if got := n.Page().Name; got != want {
			t.Errorf("%s is shown, want %s", got, want)
		}
	}
	is("shack")
	n.Tick(now.Add(19*time.Second), "")
	is("shack")
	n.Tick(now.Add(20*time.Second), "")
	is("studio")
	n.Key(KeyNext, now.Add(21*time.Second))
	touched := n.Page().Name
	n.Tick(now.Add(100*time.Second), "")
	is(touched)
	n.Tick(now.Add(21*time.Second+handsOff+time.Second), "")
	if n.Page().Name == touched {
		t.Error("the rotation did not go on")
	}
	// What the station calls up comes at once and stays, until it lets go.
	later := now.Add(time.Hour)
	n.Tick(later, "studio")
	n.Tick(later.Add(time.Hour), "studio")
	is("studio")
	n.Tick(later.Add(time.Hour+time.Second), "")
	is("shack")
	n.Tick(later, "no-such-page")
	is("shack")
}

// TestEveryPageIsReached: by number, by arrows, through the menu by touch and by keyboard.
func TestEveryPageIsReached(t *testing.T) {
	size := draw.Size{W: 800, H: 480}
	in := someInput(testRandom())
	for i, p := range Pages() {
		n, now := someNavigator(nil)
		n.Number(i+1, now)
		if n.Page().Name != p.Name {
			t.Errorf("%d shows %s, want %s", i+1, n.Page().Name, p.Name)
		}
		n, now = someNavigator(nil)
		for range i {
			n.Key(KeyNext, now)
		}
		if n.Page().Name != p.Name {
			t.Errorf("%d arrows show %s, want %s", i, n.Page().Name, p.Name)
		}
		n, now = someNavigator(nil)
		n.Picture(in, size)
		n.Tap(draw.At(400, 200), now) // opens the menu
		n.Picture(in, size)
		if len(n.menuSpots) != len(Pages()) {
			t.Fatalf("the menu has %d places", len(n.menuSpots))
		}
		n.Tap(n.menuSpots[i].Box.Centre(), now)
		if n.Page().Name != p.Name || n.menu {
			t.Errorf("touching %s shows %s", p.Title, n.Page().Name)
		}
		n, now = someNavigator(nil)
		n.Key(KeyMenu, now)
		n.Picture(in, size)
		for range i + 1 {
			n.Key(KeyFocus, now)
			n.Picture(in, size)
		}
		n.Key(KeyDo, now)
		if n.Page().Name != p.Name {
			t.Errorf("Tab and Enter for %s show %s", p.Title, n.Page().Name)
		}
	}
	n, now := someNavigator(nil)
	n.Picture(in, size)
	n.Drag(draw.At(300, 100), draw.At(-200, 3), now)
	n.DragEnd(now)
	if n.Page().Name != Pages()[1].Name {
		t.Errorf("a swipe shows %s", n.Page().Name)
	}
	n.Key(KeyMenu, now)
	if n.Tick(now.Add(menuTime+time.Second), ""); n.menu {
		t.Error("the menu stays for ever")
	}
}

// TestMenuFitsEveryScreen: its places do not meet, and leave nothing of the screen.
func TestMenuFitsEveryScreen(t *testing.T) {
	in := someInput(testRandom())
	for _, size := range screens {
		_, spots := menu(in, draw.NewGrid(size), "studio")
		for i, a := range spots {
			if a.Box.X < 0 || a.Box.Y < 0 || a.Box.Right() > size.W || a.Box.Bottom() > size.H {
				t.Errorf("%v: %s leaves the screen", size, a.Label)
			}
			for _, b := range spots[:i] {
				if a.Box.Overlaps(b.Box) {
					t.Errorf("%v: %s and %s meet", size, a.Label, b.Label)
				}
			}
		}
	}
}

// TestPlotsAreMovedByHand: dragging, wheel and touch change the stretch of the log, within bounds.
func TestPlotsAreMovedByHand(t *testing.T) {
	n, now := someNavigator(nil)
	station := time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC)
	box := draw.Box{X: 100, Y: 100, W: 600, H: 200}
	draws := func() {
		s := n.Span(station)
		n.last = Picture{Plot: &Plot{Box: box, Axis: draw.Axis{From: float64(s.From.Unix()), To: float64(s.To.Unix()), Low: box.X, High: box.Right()}}}
	}
	draws()
	n.Drag(draw.At(400, 200), draw.At(300, 0), now) // half of the plot
	if s := n.Span(station); s.To.Sub(station).Round(time.Minute) != -12*time.Hour {
		t.Errorf("dragged by half a day: %v", s)
	}
	draws()
	n.Drag(draw.At(400, 200), draw.At(-1e6, 0), now)
	if s := n.Span(station); !s.To.Equal(station) {
		t.Errorf("dragged into the future: %v", s)
	}
	draws()
	for range 30 {
		n.Scroll(draw.At(400, 200), 1, now)
	}
	if s := n.Span(station); s.To.Sub(s.From) != shortestSpan {
		t.Errorf("zoomed in to %v", s.To.Sub(s.From))
	}
	for range 30 {
		n.Key(KeyDown, now)
	}
	if s := n.Span(station); s.To.Sub(s.From) != longestSpan {
		t.Errorf("zoomed out to %v", s.To.Sub(s.From))
	}
	draws()
	n.Tap(draw.At(400, 200), now)
	if c := n.View().Cursor; c.Sub(station.Add(-longestSpan/2)).Abs() > time.Hour {
		t.Errorf("the cursor is at %v", c)
	}
	if n.View() == (View{}) {
		t.Error("the page forgot everything")
	}
	if n.Key(KeyNext, now); n.View() != (View{}) {
		t.Error("another page has the view of this one")
	}
}

func TestWhatTheNavigatorCannotDoIsHandedOut(t *testing.T) {
	n, now := someNavigator(nil)
	act := &display.Action{Kind: display.ActionAcknowledge, Code: "leap-file"}
	asks := View{Confirm: act}
	n.last = Picture{Spots: []Spot{{Box: draw.Box{W: 10, H: 10}, Label: "ask", Do: Command{View: &asks}},
		{Box: draw.Box{X: 20, W: 10, H: 10}, Label: "do", Do: Command{Act: act}}}}
	if _, left := n.Tap(draw.At(5, 5), now); left || n.View().Confirm != act {
		t.Error("the question is not asked")
	}
	c, left := n.Tap(draw.At(25, 5), now)
	if !left || c.Act != act {
		t.Errorf("%+v", c)
	}
	n.Tell("studio", "acknowledged leap-file")
	if v := n.View(); v.Told != "acknowledged leap-file" || v.Confirm != nil {
		t.Errorf("%+v", v)
	}
}
