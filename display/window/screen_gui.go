//go:build cgo && !headless

package window

import (
	"context"
	"fmt"
	"image"
	"sync"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"

	"timestation/display"
	"timestation/display/draw"
	"timestation/display/page"
	"timestation/display/panel"
	"timestation/refclock"
)

// Fyne paints at the ticks of a 60 Hz ticker of its own, and how long a painting takes depends on what else the machine
// does. So each second's frame is painted well before its time, and Fyne held just before it hands the finished picture to
// the window, until exactly the moment at which it must: the probe, which is painted last, does that.
const (
	// firstLead is how long before its second a frame is queued while it is not yet known how long painting takes.
	firstLead = 300 * time.Millisecond
	// longestLead bounds that, and with it how long Fyne may be held.
	longestLead = 600 * time.Millisecond
	// spareShare of the time between two frames is added to the longest of the last paintings: a frame that waits costs
	// nothing but a hand that is answered so much later, and one that is not ready in time is seen.
	spareShare = 0.15
	// A sleeper is woken late, a little always and the more the longer it slept on a busy machine: the wait for the moment ends
	// in naps, from lightSleep before it on, and the last of it is no sleep at all.
	lightSleep, nap = 20 * time.Millisecond, time.Millisecond
	// firstPicture is how long the first picture may take before the screen counts as out of order.
	firstPicture = 15 * time.Second
)

// screen hands frames to Fyne, and Fyne's pictures to the window at the right moment.
type screen struct {
	content  fyne.CanvasObject
	shell    *shell
	page     *page.Page
	probe    *canvas.Raster
	station  display.Clock
	latency  time.Duration
	lateness *display.Lateness
	painted  atomic.Bool
	// lead is how long before its second a frame is to be queued, in nanoseconds, and rate how often in a second there is one.
	lead atomic.Int64
	rate atomic.Int64
	// waiting is true while a frame is queued for Fyne's goroutine.
	waiting atomic.Bool
	// workers counts the goroutines that Fyne's end must wait for.
	workers sync.WaitGroup

	// What follows is for Fyne's goroutine alone. fresh is a frame that has not been painted yet: tick is its second, queued
	// when it was queued.
	fresh  bool
	tick   display.Tick
	queued time.Time
	// held is when the wait for the frame's moment was over.
	held time.Time
	// paints is how long frames took from the queue to the finished picture, swaps from there to the window.
	paints, swaps display.Recent
}

func newScreen(ctx context.Context, st display.Station, cfg display.Config, opts Options) *screen {
	s := &screen{station: st, latency: cfg.Latency(), lateness: opts.Lateness}
	s.lead.Store(int64(s.latency + firstLead))
	s.rate.Store(1)
	run := func(f func()) {
		s.workers.Add(1)
		go func() {
			defer s.workers.Done()
			f()
		}()
	}
	s.shell = newShell(ctx, st, cfg, opts, run, fyne.Do)
	s.shell.paint = func(shapes []draw.Shape, size draw.Size) (image.Image, error) {
		painted := make(chan image.Image, 1)
		fyne.Do(func() { painted <- page.Paint(shapes, size) })
		select {
		case img := <-painted:
			return img, nil
		case <-ctx.Done(): // Fyne may be waiting for this to end
			return nil, ctx.Err()
		}
	}
	nav := s.shell.nav
	s.page = page.New(page.Hand{
		Tap:     func(at draw.Point) { s.does(nav.Tap(s.shell.place(at), time.Now())) },
		Drag:    func(at, by draw.Point) { nav.Drag(s.shell.place(at), by, time.Now()); s.redraw() },
		DragEnd: func() { nav.DragEnd(time.Now()); s.redraw() },
		Scroll:  func(at draw.Point, by float32) { nav.Scroll(s.shell.place(at), by, time.Now()); s.redraw() },
	})
	// The last object on the canvas, one pixel of the ground's colour: it is made anew with each frame, in the midst of its
	// painting.
	s.probe = canvas.NewRaster(s.painting)
	s.content = container.New(corner{}, s.page, s.probe)
	return s
}

// keys are what the keys of a keyboard do, those of digits apart.
var keys = map[fyne.KeyName]panel.Key{
	fyne.KeyRight: panel.KeyNext, fyne.KeyLeft: panel.KeyPrevious, fyne.KeyUp: panel.KeyUp, fyne.KeyDown: panel.KeyDown,
	fyne.KeyPageUp: panel.KeyEarlier, fyne.KeyPageDown: panel.KeyLater, fyne.KeyTab: panel.KeyFocus,
	fyne.KeyBackspace: panel.KeyFocusBack, fyne.KeyReturn: panel.KeyDo, fyne.KeyEnter: panel.KeyDo, fyne.KeySpace: panel.KeyDo,
	fyne.KeyM: panel.KeyMenu,
}

// typed is a key press.
func (s *screen) typed(name fyne.KeyName) {
	if len(name) == 1 && name[0] >= '1' && name[0] <= '9' {
		s.shell.nav.Number(int(name[0]-'0'), time.Now())
		s.redraw()
	} else if key, ok := keys[name]; ok {
		s.does(s.shell.nav.Key(key, time.Now()))
	}
}

// does sees to what the navigator left to do, and shows what came of it all.
func (s *screen) does(c panel.Command, left bool) {
	if left {
		size := s.page.Size()
		s.shell.do(c, draw.Size{W: size.Width, H: size.Height}, s.redraw)
	}
	s.redraw()
}

// redraw shows the running second once more, after somebody did something.
func (s *screen) redraw() {
	if s.tick.Status != nil {
		s.page.Draw(s.shell.drawing(s.tick))
	}
}

// show queues a frame. It returns at once; a frame that finds the one before still waiting is left out.
func (s *screen) show(t display.Tick) {
	if !s.waiting.CompareAndSwap(false, true) {
		return
	}
	queued := time.Now()
	fyne.Do(func() {
		defer s.waiting.Store(false)
		s.tick = t
		s.rate.Store(int64(s.affordable(s.shell.rate())))
		if s.page.Draw(s.shell.drawing(t)) {
			s.fresh, s.queued = true, queued
			s.probe.Refresh()
		}
	})
}

// affordable is how often in a second the picture can change without painting for more than half of the time.
func (s *screen) affordable(rate int) int {
	paint, ok := s.paints.Median()
	if !ok {
		return min(rate, blinkRate)
	}
	return max(1, min(rate, int(time.Second/max(1, 2*paint))))
}

// painting is called by Fyne when all of a frame but the probe is drawn. It holds Fyne until the frame's time has come;
// then only the swap of the buffers is left.
func (s *screen) painting(int, int) image.Image {
	s.painted.Store(true)
	if s.fresh {
		s.fresh = false
		finish()
		s.paints.Add(time.Since(s.queued))
		// What runs after the swap waits in Fyne's queue before the frame's moment: nothing has to be woken for it then.
		tick := s.tick
		s.workers.Add(1)
		go func() {
			defer s.workers.Done()
			fyne.Do(func() { s.handedOver(tick) })
		}()
		// A little less than the shortest swap: no frame may be early.
		swap, _, _ := s.swaps.Range()
		s.hold(tick.At.Add(-s.latency - swap*7/8))
		s.held = time.Now()
	}
	pixel := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	ground := s.shell.style.Theme.Ground
	pixel.SetNRGBA(0, 0, draw.DimColour(ground, s.shell.cfg.Brightness(s.tick.Second.UTC().Time().In(s.shell.opts.Location))))
	return pixel
}

// hold waits until the station's clock says so.
func (s *screen) hold(until refclock.Stamp) {
	left := min(until.Sub(s.station.Now()), longestLead)
	end := time.Now().Add(left)
	time.Sleep(left - lightSleep)
	for time.Until(end) > nap {
		time.Sleep(nap / 2)
	}
	for time.Now().Before(end) {
	}
}

// handedOver runs on Fyne's goroutine right after the frame went to the window.
func (s *screen) handedOver(tick display.Tick) {
	s.swaps.Add(time.Since(s.held))
	swap, _, _ := s.swaps.Range()
	_, paint, warm := s.paints.Range()
	if warm {
		spare := time.Duration(spareShare * float64(time.Second) / float64(max(1, s.rate.Load())))
		s.lead.Store(int64(s.latency + swap + min(paint+spare, longestLead)))
	}
	// The first few frames wait for the graphics driver to compile its shaders: how late they are says nothing of the clock.
	if s.lateness != nil && warm && !tick.Jump && tick.Part == 0 {
		s.lateness.Add(s.station.Now().Sub(tick.At) + s.latency)
	}
}

// watch returns when ctx ends, or with an error when no picture has been painted for a long while after the start.
func (s *screen) watch(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(firstPicture):
	}
	if !s.painted.Load() {
		return fmt.Errorf("the clock cannot be shown: no picture has reached the screen in %v; "+
			"look for the graphics driver's message above, or start with --headless", firstPicture)
	}
	<-ctx.Done()
	return nil
}

// corner lays the page out over the whole window and the probe in its first pixel.
type corner struct{}

func (corner) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Resize(size)
	objects[1].Resize(fyne.NewSize(1, 1))
}

func (corner) MinSize(objects []fyne.CanvasObject) fyne.Size { return objects[0].MinSize() }
