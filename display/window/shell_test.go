package window

import (
	"context"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"timestation/display"
	"timestation/display/draw"
	"timestation/display/panel"
	"timestation/display/studio"
	"timestation/engine/status"
	"timestation/refclock"
)

// fake is a station whose answers a test chooses.
type fake struct {
	studio  studio.State
	asked   []display.Span
	acted   []display.Action
	failure error
}

var noon = refclock.Date(2026, 11, 22, 12, 0, 0, 0).Instant(37)

func (f *fake) Now() refclock.Stamp { return 5 }
func (f *fake) Status() *status.Status {
	return &status.Status{Epoch: 5, EpochInstant: noon, State: status.Synchronised, MaxError: time.Millisecond, Stratum: 1}
}
func (f *fake) Studio() studio.State { return f.studio }
func (f *fake) History(_ context.Context, span display.Span) (display.History, error) {
	f.asked = append(f.asked, span)
	return display.History{From: span.From, To: span.To}, f.failure
}
func (f *fake) Clients(context.Context) (display.Clients, error) {
	return display.Clients{Known: 3}, f.failure
}
func (f *fake) Act(_ context.Context, a display.Action) (string, error) {
	f.acted = append(f.acted, a)
	return "done", f.failure
}

var size = draw.Size{W: 800, H: 480}

// newTestShell does at once what takes time.
func newTestShell(t *testing.T, f *fake, change func(*display.Config)) *shell {
	t.Helper()
	cfg := display.DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	now := func(what func()) { what() }
	return newShell(t.Context(), f, cfg, Options{Location: time.UTC, Exports: filepath.Join(t.TempDir(), "exports")}, now, now)
}

func (s *shell) shows(at refclock.Instant) []draw.Shape {
	return s.drawing(display.Tick{Status: s.station.Status(), Second: refclock.Instant{TAI: at.TAI}})(size)
}

func TestPictureMovesAndDims(t *testing.T) {
	s := newTestShell(t, &fake{}, func(c *display.Config) { c.Night, c.NightBrightness = "22:00-06:00", 0.5 })
	first := s.shows(noon)
	seen := map[draw.Point]bool{}
	for n := range 9 {
		shapes := s.shows(noon.Add(time.Duration(n) * shiftEvery))
		if shapes[0].Bounds() != size.Box() {
			t.Fatalf("the ground leaves an edge free: %v", shapes[0].Bounds())
		}
		seen[s.shifted] = true
		if far := max(s.shifted.X, -s.shifted.X, s.shifted.Y, -s.shifted.Y); far > 0.005*size.H {
			t.Errorf("moved by %v pixels", far)
		}
	}
	if len(seen) != 9 {
		t.Errorf("the picture stood in %d places in half an hour", len(seen))
	}
	night := s.shows(noon.Add(11 * time.Hour))
	if day, dark := first[0].(draw.Rect).Fill, night[0].(draw.Rect).Fill; dark.R > day.R*6/10 || dark.B > day.B*6/10 {
		t.Errorf("the ground is %v by day and %v at night", day, dark)
	}
	still := newTestShell(t, &fake{}, func(c *display.Config) { c.PixelShift = false })
	if still.shows(noon.Add(shiftEvery)); still.shifted != (draw.Point{}) {
		t.Error("it moves although it must not")
	}
}

// TestRateIsThatOfWhatMoves: one picture a second, unless a light blinks or a hand sweeps on the page that is shown.
func TestRateIsThatOfWhatMoves(t *testing.T) {
	f := &fake{}
	s := newTestShell(t, f, nil)
	if s.rate() != 1 {
		t.Errorf("%d pictures a second", s.rate())
	}
	f.studio.Lights[1] = studio.Light{Name: "PHONE", Blink: true}
	if s.rate() != 1 {
		t.Error("a light that is off blinks")
	}
	f.studio.Lights[1].On = true
	if s.rate() != blinkRate {
		t.Errorf("%d pictures a second of a light that blinks", s.rate())
	}
	sweeps := newTestShell(t, &fake{}, func(c *display.Config) { c.Face, c.SecondHand = "analogue", "sweep" })
	if sweeps.rate() != sweepRate {
		t.Errorf("%d pictures a second of a hand that sweeps", sweeps.rate())
	}
	sweeps.nav.Number(2, time.Now())
	if sweeps.rate() != 1 {
		t.Error("a page without the clock is drawn as often")
	}
}

// TestPagesAskForWhatTheyShow, once as long as the answer is young, and again when another stretch is asked for.
func TestPagesAskForWhatTheyShow(t *testing.T) {
	f := &fake{studio: studio.State{Page: "history"}}
	s := newTestShell(t, f, nil)
	for n := range 3 {
		s.shows(noon.Add(time.Duration(n) * time.Second))
	}
	if len(f.asked) != 1 || f.asked[0].To.Sub(f.asked[0].From) != 24*time.Hour || f.asked[0].Points != historyPoints {
		t.Fatalf("asked for %v", f.asked)
	}
	if s.history.value.To.IsZero() || s.history.failure != "" {
		t.Errorf("the answer is %+v", s.history)
	}
	f.failure = errors.New("no contact")
	s.nav.Key(panel.KeyEarlier, time.Now())
	s.shows(noon.Add(4 * time.Second))
	if len(f.asked) != 2 || !f.asked[1].To.Before(f.asked[0].To) || s.history.failure != "no contact" {
		t.Errorf("asked for %v; failure %q", f.asked, s.history.failure)
	}
	f.failure, f.studio.Page = nil, "clients"
	s.shows(noon.Add(5 * time.Second))
	if s.clients.value.Known != 3 {
		t.Errorf("clients: %+v", s.clients.value)
	}
}

func TestActionsAreDoneAndTold(t *testing.T) {
	f := &fake{}
	s := newTestShell(t, f, nil)
	s.shows(noon)
	redrawn := 0
	s.do(panel.Command{Act: &display.Action{Kind: display.ActionAcknowledge, Code: "leap-file"}}, size, func() { redrawn++ })
	if len(f.acted) != 1 || f.acted[0].Code != "leap-file" || s.nav.View().Told != "done" || redrawn != 1 {
		t.Errorf("did %v, told %q, drew %d times", f.acted, s.nav.View().Told, redrawn)
	}
	f.failure = errors.New("no contact with the station")
	s.do(panel.Command{Act: &display.Action{Kind: display.ActionAcceptJump}}, size, func() {})
	if told := s.nav.View().Told; told != "no contact with the station" {
		t.Errorf("told %q", told)
	}
}

func TestPagesAreSaved(t *testing.T) {
	s := newTestShell(t, &fake{}, nil)
	s.shows(noon)
	s.do(panel.Command{Save: "svg"}, size, func() {})
	told := s.nav.View().Told
	name, ok := strings.CutPrefix(told, "saved as ")
	if !ok || filepath.Dir(name) != s.opts.Exports {
		t.Fatalf("told %q", told)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(text, new(struct{})); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	// Without a painter there are no pixels.
	s.do(panel.Command{Save: "png"}, size, func() {})
	if told := s.nav.View().Told; !strings.Contains(told, "cannot be saved as png") {
		t.Errorf("told %q", told)
	}
}
