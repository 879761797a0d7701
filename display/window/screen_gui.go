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
	"timestation/display/page"
)

// Fyne paints at the ticks of a 60 Hz ticker of its own, and how long a painting takes depends on what else the machine
// does. So each second's frame is painted well before its time, and Fyne held just before it hands the finished picture to
// the window, until exactly the moment at which it must: the probe, which is painted last, does that.
const (
	// firstLead is how long before its second a frame is queued while it is not yet known how long painting takes.
	firstLead = 150 * time.Millisecond
	// longestLead bounds that, and with it how long Fyne may be held.
	longestLead = 250 * time.Millisecond
	// spareLead is added to the longest of the last paintings.
	spareLead = 5 * time.Millisecond
	// firstPicture is how long the first picture may take before the screen counts as out of order.
	firstPicture = 15 * time.Second
)

// screen hands frames to Fyne, and Fyne's pictures to the window at the right moment.
type screen struct {
	content  fyne.CanvasObject
	page     *page.Page
	probe    *canvas.Raster
	station  display.Station
	latency  time.Duration
	lateness *display.Lateness
	painted  atomic.Bool
	// lead is how long before its second a frame is to be queued, in nanoseconds.
	lead atomic.Int64
	// waiting is true while a frame is queued for Fyne's goroutine.
	waiting atomic.Bool
	// probes counts the goroutines that wait for the end of a painting.
	probes sync.WaitGroup

	// What follows is for Fyne's goroutine alone. fresh is a frame that has not been painted yet: tick is its second, queued
	// when it was queued.
	fresh  bool
	tick   display.Tick
	queued time.Time
	// paints is how long frames took from the queue to the finished picture, swaps from there to the window.
	paints, swaps display.Recent
}

func newScreen(p *page.Page, st display.Station, latency time.Duration, lateness *display.Lateness) *screen {
	s := &screen{page: p, station: st, latency: latency, lateness: lateness}
	s.lead.Store(int64(latency + firstLead))
	// The last object on the canvas, one pixel of the ground's colour: it is made anew with each frame, in the midst of its
	// painting.
	s.probe = canvas.NewRaster(s.painting)
	s.content = container.New(corner{}, p, s.probe)
	return s
}

// show queues a frame. It returns at once; a frame that finds the one before still waiting is left out.
func (s *screen) show(t display.Tick, f face.Frame) {
	if !s.waiting.CompareAndSwap(false, true) {
		return
	}
	queued := time.Now()
	fyne.Do(func() {
		defer s.waiting.Store(false)
		if s.page.Draw(f) {
			s.fresh, s.tick, s.queued = true, t, queued
			s.probe.Refresh()
		}
	})
}

// painting is called by Fyne when all of a frame but the probe is drawn. It holds Fyne until the frame's time has come;
// then only the swap of the buffers is left.
func (s *screen) painting(int, int) image.Image {
	s.painted.Store(true)
	if s.fresh {
		s.fresh = false
		finish()
		s.paints.Add(time.Since(s.queued))
		// A little less than the shortest swap: no frame may be early.
		swap, _, _ := s.swaps.Range()
		time.Sleep(min(s.tick.At.Sub(s.station.Now())-s.latency-swap*7/8, longestLead))
		tick, held := s.tick, time.Now()
		s.probes.Add(1)
		go func() {
			defer s.probes.Done()
			fyne.Do(func() { s.handedOver(tick, held) })
		}()
	}
	pixel := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	pixel.SetNRGBA(0, 0, face.Ground())
	return pixel
}

// handedOver runs on Fyne's goroutine right after the frame went to the window.
func (s *screen) handedOver(tick display.Tick, held time.Time) {
	s.swaps.Add(time.Since(held))
	swap, _, _ := s.swaps.Range()
	if _, paint, ok := s.paints.Range(); ok {
		s.lead.Store(int64(s.latency + swap + min(paint+spareLead, longestLead)))
	}
	if s.lateness != nil && !tick.Jump {
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
