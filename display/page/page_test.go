package page

import (
	"errors"
	"fmt"
	"image"
	"image/draw"
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"timestation/display/face"
	"timestation/display/readback"
)

// levels is how far a colour of a pixel may be off, of 255: processors round differently.
const levels = 2

// differences counts the pixels of two pictures of one size that are further apart.
func differences(a, b image.Image) int {
	p, q := pixels(a), pixels(b)
	n := 0
	for i := 0; i < len(p); i += 4 {
		for j := i; j < i+3; j++ {
			if max(p[j], q[j])-min(p[j], q[j]) > levels {
				n++
				break
			}
		}
	}
	return n
}

// pixels gives a picture as red, green, blue, alpha.
func pixels(img image.Image) []uint8 {
	out := image.NewNRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Src)
	return out.Pix
}

// TestPageChangesOnlyWhatChanged: the page must come from one frame to the next with the objects it has, and look as if it
// had been drawn afresh.
func TestPageChangesOnlyWhatChanged(t *testing.T) {
	const width, height = 800, 480
	p := New(face.LED)
	c := canvasOf(p, width, height)
	for _, name := range []string{"synchronised", "alert", "holdover", "unsynchronised", "never", "synchronised"} {
		for _, sc := range scenes {
			if sc.name != name {
				continue
			}
			f := sc.frame(t)
			if !p.Draw(f) {
				t.Errorf("%s: nothing changed", name)
			}
			if p.Draw(f) {
				t.Errorf("%s: the same frame changed something", name)
			}
			same(t, name, c.Capture(), render(f, width, height))
		}
	}
	f := scenes[0].frame(t)
	objects := p.objects
	next := face.At(f.Status, f.Second.Add(time.Second), f.Location, f.Name, f.Style)
	p.Draw(next)
	if !slices.Equal(objects, p.objects) {
		t.Error("one second later some of the objects are new")
	}
	same(t, "one second later", c.Capture(), render(next, width, height))
}

func same(t *testing.T, what string, a, b image.Image) {
	t.Helper()
	if n := differences(a, b); n > 0 {
		t.Errorf("%s: %d pixels are not what a new page shows", what, n)
	}
}

// TestPageFollowsTheWindow: a new size is drawn at once, not a second later.
func TestPageFollowsTheWindow(t *testing.T) {
	f := scenes[0].frame(t)
	p := New(face.LED)
	c := canvasOf(p, 640, 400)
	p.Draw(f)
	c.Resize(fyne.NewSize(1024, 600))
	same(t, "resized", c.Capture(), render(f, 1024, 600))
}

// TestLargeScreens: the largest screens have no stored picture; their digits are read all the same.
func TestLargeScreens(t *testing.T) {
	f := scenes[0].frame(t)
	for _, size := range []image.Point{{1080, 1920}, {3840, 2160}} {
		h, m, s, err := readback.Read(render(f, size.X, size.Y))
		if got := fmt.Sprintf("%02d:%02d:%02d", h, m, s); err != nil || got != scenes[0].read {
			t.Errorf("%v: %s (%v), want %s", size, got, err, scenes[0].read)
		}
	}
}

// TestDashesAreNotATime: what reads the wall must not take a station without time, or a blank screen, for midnight.
func TestDashesAreNotATime(t *testing.T) {
	for _, sc := range scenes {
		if sc.name != "never" {
			continue
		}
		if _, _, _, err := readback.Read(render(sc.frame(t), 800, 480)); !errors.Is(err, readback.ErrNoTime) {
			t.Errorf("dashes are read as %v", err)
		}
	}
	if _, _, _, err := readback.Read(image.NewNRGBA(image.Rect(0, 0, 800, 480))); err == nil {
		t.Error("a time is read from a blank screen")
	}
}
