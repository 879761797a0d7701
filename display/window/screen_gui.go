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
	"timestation/display/face"
)

// Fyne paints at the ticks of a 60 Hz ticker, which nothing outside can move. But a tick that came due while Fyne's
// goroutine was busy is served the moment it is free again. So each second's frame is prepared early, and the goroutine
// held until exactly the moment at which painting must begin.
const (
	// hold is how long before its painting a frame is prepared: longer than one tick, so that one is due at the end.
	hold = 25 * time.Millisecond
	// longestHold bounds the wait on Fyne's goroutine, should the clock be stepped meanwhile.
	longestHold = 2 * hold
	// firstPicture is how long the first picture may take before the screen counts as out of order.
	firstPicture = 15 * time.Second
)

// screen hands frames to Fyne at the right moment, and watches when they have been painted.
type screen struct {
	content  fyne.CanvasObject
	page     *display.Page
	probe    *canvas.Raster
	station  display.Station
	latency  time.Duration
	lateness *display.Lateness
	paint    display.Paint
	painted  atomic.Bool
	// waiting is true while a frame is queued for Fyne's goroutine.
	waiting atomic.Bool
	// probes counts the goroutines that wait for the end of a painting.
	probes sync.WaitGroup
	// tick and began are those of the frame to be painted; for Fyne's goroutine, as is fresh: it has not been painted yet.
	tick  display.Tick
	began time.Time
	fresh bool
}

func newScreen(page *display.Page, st display.Station, latency time.Duration, lateness *display.Lateness) *screen {
	s := &screen{page: page, station: st, latency: latency, lateness: lateness}
	// The last object on the canvas, one pixel of the ground's colour: it is made anew with each frame, which tells that
	// the frame is being painted.
	s.probe = canvas.NewRaster(s.painting)
	s.content = container.New(corner{}, page, s.probe)
	return s
}

// lead is how long before its second a frame must be prepared.
func (s *screen) lead() time.Duration { return s.latency + s.paint.Lead() + hold }

// show queues a frame. It returns at once; a frame that finds the one before still waiting is left out.
func (s *screen) show(t display.Tick, f face.Frame) {
	if !s.waiting.CompareAndSwap(false, true) {
		return
	}
	fyne.Do(func() {
		defer s.waiting.Store(false)
		if !s.page.Draw(f) {
			return
		}
		s.probe.Refresh()
		wait := t.At.Sub(s.station.Now()) - s.latency - s.paint.Lead()
		time.Sleep(min(wait, longestHold))
		s.tick, s.began, s.fresh = t, time.Now(), true
	})
}

// painting is called by Fyne near the end of a painting, before the buffers are swapped.
func (s *screen) painting(int, int) image.Image {
	s.painted.Store(true)
	if s.fresh {
		s.fresh = false
		tick, began := s.tick, s.began
		s.probes.Add(1)
		go func() {
			defer s.probes.Done()
			fyne.Do(func() { s.handedOver(tick, began) })
		}()
	}
	pixel := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	pixel.SetNRGBA(0, 0, face.Ground())
	return pixel
}

// handedOver runs on Fyne's goroutine right after the frame went to the window.
func (s *screen) handedOver(tick display.Tick, began time.Time) {
	s.paint.Took(time.Since(began))
	if s.lateness != nil {
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
