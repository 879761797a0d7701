package window

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"time"

	"timestation/display"
	"timestation/display/draw"
	"timestation/display/face"
	"timestation/display/panel"
)

const (
	// patience is how long a question to the station may take.
	patience = 30 * time.Second
	// clientsAge is how old the list of clients may get, and historyAge how old the log at least and at most.
	clientsAge                      = 5 * time.Second
	leastHistoryAge, mostHistoryAge = 10 * time.Second, 5 * time.Minute
	// historyPoints is how many points of the log are asked for.
	historyPoints = 600
	// sweepRate is how many times a second a sweeping hand is drawn at most, blinkRate how often lights that blink.
	sweepRate, blinkRate = 20, 2
	// shiftEvery is how long the picture stays where it is.
	shiftEvery = 3 * time.Minute
)

// shell is what stands between the station and the screen: which page is shown and what it needs to know. All of it is for
// one goroutine; what takes time is done in others, through run, and comes back through back.
type shell struct {
	ctx     context.Context // of all that is asked
	station display.Station
	cfg     display.Config
	style   face.Style
	opts    Options
	nav     *panel.Navigator
	// run does something that takes time, and back what follows from it on the shell's own goroutine.
	run  func(func())
	back func(func())

	// paint makes pixels of shapes, off the shell's own goroutine; nil where nothing can.
	paint func([]draw.Shape, draw.Size) (image.Image, error)

	tick    display.Tick
	history fetched[display.History]
	clients fetched[display.Clients]
	shifted draw.Point
}

// fetched is something that was asked of the station.
type fetched[T any] struct {
	value   T
	failure string
	// what names the question, and at is when it was asked last.
	what    string
	at      time.Time
	pending bool
}

func newShell(ctx context.Context, st display.Station, cfg display.Config, opts Options, run, back func(func())) *shell {
	return &shell{ctx: ctx, station: st, cfg: cfg, style: cfg.Style(), opts: opts, run: run, back: back,
		nav: panel.NewNavigator(cfg, time.Now())}
}

// rate is how often in a second the picture changes by itself.
func (s *shell) rate() int {
	if s.nav.Page().Name != display.Pages[0] {
		return 1
	}
	if f, _ := face.Named(s.cfg.Face); f.Moves && s.style.Hand != face.Tick {
		return sweepRate
	}
	for _, l := range s.station.Studio().Lights {
		if l.On && l.Blink {
			return blinkRate
		}
	}
	return 1
}

// drawing is the picture at a tick.
func (s *shell) drawing(t display.Tick) func(draw.Size) []draw.Shape {
	s.tick = t
	state := s.station.Studio()
	s.nav.Tick(time.Now(), state.Page)
	s.fetch()
	in := panel.Input{Frame: t.Frame(s.style, s.opts.Location, s.opts.Name), Studio: state, Position: s.opts.Position,
		History: s.history.value, HistoryError: s.history.failure, Clients: s.clients.value, ClientsError: s.clients.failure}
	share := s.cfg.Brightness(in.Local())
	return func(size draw.Size) []draw.Shape {
		s.shifted = s.shift(size, in.Second.TAI)
		return draw.Dim(draw.Shift(s.nav.Picture(in, size), size, s.shifted), share)
	}
}

// shift is how far the picture is moved against burning in: a few pixels, around a small square.
func (s *shell) shift(size draw.Size, tai int64) draw.Point {
	if !s.cfg.PixelShift {
		return draw.Point{}
	}
	around := [...][2]float32{{0, 0}, {1, 0}, {1, 1}, {0, 1}, {-1, 1}, {-1, 0}, {-1, -1}, {0, -1}, {1, -1}}
	step := max(1, draw.NewGrid(size).U(0.25))
	to := around[tai/int64(shiftEvery)%int64(len(around))]
	return draw.At(to[0]*step, to[1]*step)
}

// place is where on the page somebody touched the screen.
func (s *shell) place(at draw.Point) draw.Point { return draw.At(at.X-s.shifted.X, at.Y-s.shifted.Y) }

// fetch asks for what the page needs, where it is missing or old.
func (s *shell) fetch() {
	p := s.nav.Page()
	if p.Clients {
		ask(s, &s.clients, "clients", clientsAge, s.station.Clients)
	}
	if p.History && s.tick.Second.TAI != 0 {
		span := s.nav.Span(s.tick.Second.UTC().Time())
		span.Points = historyPoints
		v := s.nav.View()
		age := min(max(span.To.Sub(span.From)/historyPoints, leastHistoryAge), mostHistoryAge)
		ask(s, &s.history, fmt.Sprint(v.Span, v.Back), age,
			func(ctx context.Context) (display.History, error) { return s.station.History(ctx, span) })
	}
}

// ask asks the station once, unless it is asked already or the last answer to the same question is young enough.
func ask[T any](s *shell, f *fetched[T], what string, age time.Duration, question func(context.Context) (T, error)) {
	if f.pending || f.what == what && time.Since(f.at) < age {
		return
	}
	f.what, f.at, f.pending = what, time.Now(), true
	s.run(func() {
		ctx, cancel := context.WithTimeout(s.ctx, patience)
		defer cancel()
		value, err := question(ctx)
		s.back(func() {
			f.pending = false
			if f.failure = ""; err != nil {
				f.failure = err.Error()
				return
			}
			f.value = value
		})
	})
}

// do does what the navigator cannot do itself; redraw is called when its outcome is known.
func (s *shell) do(c panel.Command, size draw.Size, redraw func()) {
	page := s.nav.Page().Name
	tell := func(text string) {
		s.back(func() { s.nav.Tell(page, text); redraw() })
	}
	switch {
	case c.Act != nil:
		s.run(func() {
			ctx, cancel := context.WithTimeout(s.ctx, patience)
			defer cancel()
			text, err := s.station.Act(ctx, *c.Act)
			if err != nil {
				text = err.Error()
			}
			tell(text)
		})
	case c.Save != "":
		tick, shapes := s.tick, s.drawing(s.tick)(size)
		s.run(func() {
			name, err := s.save(page, c.Save, shapes, size, tick)
			if err != nil {
				tell(err.Error())
				return
			}
			tell("saved as " + name)
		})
	}
}

// save writes a picture into the folder for them.
func (s *shell) save(page, format string, shapes []draw.Shape, size draw.Size, t display.Tick) (name string, err error) {
	var write func(io.Writer) error
	switch {
	case format == "svg":
		write = func(w io.Writer) error { return draw.SVG(shapes, size, w) }
	case format == "png" && s.paint != nil:
		write = func(w io.Writer) error {
			img, err := s.paint(shapes, size)
			if err != nil {
				return err
			}
			return png.Encode(w, img)
		}
	default:
		return "", fmt.Errorf("a picture cannot be saved as %s", format)
	}
	if err := os.MkdirAll(s.opts.Exports, 0o755); err != nil {
		return "", fmt.Errorf("the folder for pictures cannot be made: %w", err)
	}
	name = filepath.Join(s.opts.Exports, fmt.Sprintf("timestation-%s-%s.%s", page, t.Second.UTC().Time().Format("20060102T150405Z"), format))
	f, err := os.Create(name)
	if err != nil {
		return "", fmt.Errorf("the picture cannot be saved: %w", err)
	}
	defer func() { err = cmp.Or(err, f.Close()) }()
	return name, write(f)
}
